// SPDX-License-Identifier: Apache-2.0
// Phase 1 of the operators: the checks it consists of, and its result, an executor. Each operator makes its own checks,
// in the order of its document.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "meta/executor.h"
#include "meta/pools.h"
#include "runtime/device.h"
#include "runtime/status.h"

namespace aclq {

inline const Settings& settings() {
    return runtime().settings;
}
inline bool isInferenceSeries() {
    return settings().soc->family == Family::InferenceSeries;
}

// A tensor that an operator was called with, under the name its function gives it.
//
// An operator names its tensors once, in a record:
//
//     template <class T>
//     struct Tensors {
//         T x, scale, y;
//         auto all() const { return std::array{x, scale, y}; }
//     };
//
// Tensors<Argument> is what phase 1 checks and finish() takes; its kernel, a KernelOf<Tensors>, sees Tensors<const
// View&>.
struct Argument {
    const char* name;
    const aclTensor* tensor;  // null: left out
    bool mustBeContiguous = false;
    const aclTensor* seenAs = nullptr;  // how the kernel is to see it, if not as it is

    explicit operator bool() const { return tensor != nullptr; }
    const aclTensor* operator->() const { return tensor; }
    const aclTensor& operator*() const { return *tensor; }
};

// 161002 for one argument.
inline aclnnStatus refuse(const char* argument, const std::string& got, const std::string& allowed) {
    return failArgument(ACLNN_ERR_PARAM_INVALID, argument, got, allowed);
}
inline aclnnStatus refuse(const Argument& argument, const std::string& got, const std::string& allowed) {
    return refuse(argument.name, got, allowed);
}
inline aclnnStatus refuseDtype(const Argument& argument, const std::string& allowed) {
    return refuse(argument, "dtype " + nameOf(argument->dtype), allowed);
}
inline aclnnStatus refuseShape(const Argument& argument, const std::string& allowed) {
    return refuse(argument, "shape " + argument->shape.text(), allowed);
}

// A tensor that may be left out, but if given is alive and has a shape.
aclnnStatus checkAlive(const char* argument, const aclTensor* tensor);
// 161001 if it is null.
aclnnStatus checkGiven(const char* argument, const aclTensor* tensor);
aclnnStatus checkDtype(const char* argument, const aclTensor& tensor, std::initializer_list<aclDataType> allowed);
aclnnStatus checkShape(const char* argument, const aclTensor& tensor, const Dims& expected, const char* source);
aclnnStatus checkRank(const char* argument, const aclTensor& tensor, std::int64_t low, std::int64_t high);

inline aclnnStatus checkAlive(const Argument& argument) {
    return checkAlive(argument.name, argument.tensor);
}
inline aclnnStatus checkGiven(const Argument& argument) {
    return checkGiven(argument.name, argument.tensor);
}
// The following take an argument that is given, or accept that it was left out.
inline aclnnStatus checkDtype(const Argument& argument, std::initializer_list<aclDataType> allowed) {
    return argument ? checkDtype(argument.name, *argument, allowed) : ACLNN_SUCCESS;
}
inline aclnnStatus checkShape(const Argument& argument, const Dims& expected, const char* source) {
    return argument ? checkShape(argument.name, *argument, expected, source) : ACLNN_SUCCESS;
}
inline aclnnStatus checkRank(const Argument& argument, std::int64_t low, std::int64_t high) {
    return argument ? checkRank(argument.name, *argument, low, high) : ACLNN_SUCCESS;
}
// No private layout such as FRACTAL_NZ.
aclnnStatus checkPlainFormat(const char* argument, const aclTensor& tensor);
inline aclnnStatus checkPlainFormat(const Argument& argument) {
    return argument ? checkPlainFormat(argument.name, *argument) : ACLNN_SUCCESS;
}
// Exactly ND.
aclnnStatus checkNd(const Argument& argument);
// y holds x's values, as int8, as int4 (an even number in the last dimension), or eight int4 to an INT32.
aclnnStatus checkQuantized(const Argument& y, const Argument& x);

// Around the checks of every two-phase operator.
aclnnStatus checkResults(const std::uint64_t* workspaceSize, aclOpExecutor* const* executor);
aclnnStatus checkDevice();

aclnnStatus phase1(const char* function, const std::uint64_t* workspaceSize, aclOpExecutor* const* executor,
                   FunctionRef<aclnnStatus> body) noexcept;

// Success with work to do; `operation` is the name of phase 2.
aclnnStatus finish(const char* operation, std::span<const Argument> arguments, std::shared_ptr<const Kernel> kernel,
                   std::uint64_t* workspaceSize, aclOpExecutor** executor);
template <template <class> class Tensors>
aclnnStatus finish(const char* operation, const Tensors<Argument>& tensors, std::shared_ptr<const Kernel> kernel,
                   std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    const auto arguments = tensors.all();
    return finish(operation, std::span<const Argument>(arguments), std::move(kernel), workspaceSize, executor);
}
// Success with nothing to do.
aclnnStatus finishEmpty(const char* operation, std::uint64_t* workspaceSize, aclOpExecutor** executor);

// The kernel of an operator with such a record.
template <template <class> class Tensors>
class KernelOf : public Kernel {
  public:
    using Views = Tensors<const View&>;
    virtual void compute(const Views& tensors, const KernelContext& context) const = 0;

    void run(const View* tensors, const KernelContext& context) const final {
        constexpr std::size_t kCount = std::tuple_size_v<decltype(std::declval<Tensors<Argument>>().all())>;
        [&]<std::size_t... index>(std::index_sequence<index...>) {
            compute(Views{tensors[index]...}, context);
        }
        (std::make_index_sequence<kCount>());
    }
};

}  // namespace aclq

// Phase 2 of an operator; after the name, the rule for its workspace if it is not the usual one.
#define ACLQ_PHASE_2(name, ...)                                                                                    \
    aclnnStatus name(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {       \
        return aclq::runExecutor(__func__, workspace, workspaceSize, executor, stream __VA_OPT__(, ) __VA_ARGS__); \
    }
