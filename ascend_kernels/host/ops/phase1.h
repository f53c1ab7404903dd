// SPDX-License-Identifier: Apache-2.0
// The checks phase 1 is made of, and what it ends in: an executor. Each operator lists its own, in its document's
// order.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>

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

// 161002 for one argument.
inline aclnnStatus refuse(const char* argument, const std::string& got, const std::string& allowed) {
    return failArgument(ACLNN_ERR_PARAM_INVALID, argument, got, allowed);
}

// A tensor that may be left out, but if given is alive and has a shape.
aclnnStatus checkAlive(const char* argument, const aclTensor* tensor);
// 161001 if it is null.
aclnnStatus checkGiven(const char* argument, const aclTensor* tensor);
aclnnStatus checkDtype(const char* argument, const aclTensor& tensor, std::initializer_list<aclDataType> allowed);
aclnnStatus checkShape(const char* argument, const aclTensor& tensor, const Dims& expected, const char* source);
aclnnStatus checkRank(const char* argument, const aclTensor& tensor, std::int64_t low, std::int64_t high);
// y holds int4, eight to an int32: its last dimension is an eighth of x's.
aclnnStatus checkPacked(const char* argument, const aclTensor& packed, const aclTensor& logical, const char* source);
// y of INT4 holds two to a byte.
aclnnStatus checkEven(const char* argument, const aclTensor& tensor);

// What every two-phase operator does around its own checks.
aclnnStatus checkResults(const std::uint64_t* workspaceSize, aclOpExecutor* const* executor);
aclnnStatus checkDevice();

template <class Body>
aclnnStatus phase1(const char* function, const std::uint64_t* workspaceSize, aclOpExecutor* const* executor,
                   Body&& body) noexcept {
    return api(function, ACLNN_ERR_INNER_CREATE_EXECUTOR, ACLNN_ERR_INNER, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkResults(workspaceSize, executor));
        ACLQ_RETURN_IF_FAILED(checkDevice());
        return body();
    });
}

struct Argument {
    const char* name;
    const aclTensor* tensor;
    bool mustBeContiguous = false;
    const aclTensor* seenAs = nullptr;  // how the kernel is to see it, if not as it is
};

// Success with work to do; `operation` is the name of phase 2.
aclnnStatus finish(const char* operation, std::span<const Argument> arguments, std::shared_ptr<const Kernel> kernel,
                   std::uint64_t* workspaceSize, aclOpExecutor** executor);
inline aclnnStatus finish(const char* operation, std::initializer_list<Argument> arguments,
                          std::shared_ptr<const Kernel> kernel, std::uint64_t* workspaceSize,
                          aclOpExecutor** executor) {
    return finish(operation, std::span(arguments.begin(), arguments.size()), std::move(kernel), workspaceSize,
                  executor);
}
// Success with nothing to do.
aclnnStatus finishEmpty(const char* operation, std::uint64_t* workspaceSize, aclOpExecutor** executor);

}  // namespace aclq
