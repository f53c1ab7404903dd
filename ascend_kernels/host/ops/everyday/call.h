// SPDX-License-Identifier: Apache-2.0
// Phase 1 of the everyday operators: common checks, and how it ends.
#pragma once

#include <array>
#include <limits>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "meta/late_shape.h"
#include "ops/everyday/numbers.h"
#include "ops/everyday/types.h"
#include "ops/phase1.h"
#include "ops/rows/view.h"
#include "ops/rows/walk.h"

namespace aclq::everyday {

// The sum of two lengths, or the largest number: hostile lengths must not wrap around to a valid one.
inline std::int64_t sumOfLengths(std::int64_t a, std::int64_t b) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    return a > kMost - b ? kMost : a + b;
}

// A call in phase 1: the names of its functions, and where its results go.
struct Call {
    const char* function;   // of phase 1
    const char* operation;  // of phase 2
    std::uint64_t* workspaceSize;
    aclOpExecutor** executor;

    aclnnStatus prepare(FunctionRef<aclnnStatus> body) const noexcept;
    aclnnStatus launch(std::span<const Argument> arguments, std::shared_ptr<const Kernel> kernel) const {
        return finish(operation, arguments, std::move(kernel), workspaceSize, executor);
    }
    aclnnStatus launch(std::initializer_list<Argument> arguments, std::shared_ptr<const Kernel> kernel) const {
        return launch({arguments.begin(), arguments.size()}, std::move(kernel));
    }
    aclnnStatus nothing() const { return finishEmpty(operation, workspaceSize, executor); }
};

// Checks that a tensor is not null, alive, numeric, at most 8-D and not in a blocked layout.
aclnnStatus checkTensor(const char* argument, const aclTensor* tensor);
// 161001 for the first null argument, before any other check.
aclnnStatus checkAllGiven(std::initializer_list<Argument> arguments);
// Checks that a scalar is not null, alive and real.
aclnnStatus checkScalar(const char* argument, const aclScalar* scalar);
// Checks that an array is not null and alive; returns its numbers.
aclnnStatus readArray(const char* argument, const aclIntArray* array, std::vector<std::int64_t>& values);
// Checks that a mask is not null, alive and has three values; `outputs` names what they stand for.
aclnnStatus readMask(const char* argument, const aclBoolArray* array, const char* outputs, std::array<bool, 3>& mask);
// Checks that a list is not null and alive; returns its tensors, some of which may be null.
aclnnStatus readList(const char* argument, const aclTensorList* list, std::vector<aclTensor*>& tensors);
// Checks that a tensor can be broadcast to `shape`.
aclnnStatus checkBroadcast(const char* argument, const aclTensor& tensor, const Dims& shape);
// Makes `dim` non-negative (negative numbers count from the end) and checks it against the rank.
aclnnStatus checkDim(const char* argument, std::int64_t rank, std::int64_t& dim);

// The refusal of a result type to which the computed type cannot be cast (canCast).
aclnnStatus refuseCast(const char* argument, aclDataType dtype, aclDataType computed);

// The shape to which the tensors broadcast; false if they do not fit.
bool broadcast(Dims& shape, const Dims& other);

// A contiguous tensor of this shape in the memory of another one.
View contiguousLike(const View& view, aclDataType dtype, void* memory);

// Offset of the element at position `at`.
std::int64_t offsetAt(const View& view, const std::int64_t* at);

// Strides of `view` broadcast to `shape`: 0 for repeated dimensions.
std::int64_t strideAlong(const View& view, const View& shape, std::int64_t dimension);

// Walks tensors together along the shape of the last one, to which the others are broadcast.
template <std::size_t count>
Walk<count> walkTogether(const View* tensors) {
    const View& shape = tensors[count - 1];
    Walk<count> walk;
    for (std::int64_t dimension = 0; dimension < shape.rank; ++dimension) {
        std::int64_t steps[count];
        for (std::size_t tensor = 0; tensor < count; ++tensor) {
            steps[tensor] = strideAlong(tensors[tensor], shape, dimension);
        }
        walk.addDimension(shape.shape[dimension], steps);
    }
    return walk;
}

// The kernel that computes in double if `real`, else in int64; make takes a number of that type.
template <class Make>
std::shared_ptr<const Kernel> inDomain(bool real, Make&& make) {
    if (real) {
        return make(double{});
    }
    return make(std::int64_t{});
}

// The type of a parameter as the header declares it: CANN declares some output tensors const.
template <class Function>
struct ParametersOf;
template <class Result, class... Parameters>
struct ParametersOf<Result(Parameters...)> {
    using Types = std::tuple<Parameters...>;
};

// The same with complex numbers: computes in the domain that holds this type.
template <class Make>
std::shared_ptr<const Kernel> ofDomain(aclDataType dtype, Make&& make) {
    return isComplex(dtype) ? make(Complex{}) : inDomain(isFloating(dtype), static_cast<Make&&>(make));
}

}  // namespace aclq::everyday

#define ACLQ_PARAMETER(function, number) \
    std::tuple_element_t<number, aclq::everyday::ParametersOf<decltype(function)>::Types>

// The two exported functions of an operator; what follows is the body of phase 1, in which `call` is the Call.
#define ACLQ_CALL(name)                          \
    aclq::everyday::Call {                       \
        __func__, #name, workspaceSize, executor \
    }
