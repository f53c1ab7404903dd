// SPDX-License-Identifier: Apache-2.0
// What phase 1 of the everyday operators has in common: the checks they all make, and how they end.
#pragma once

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

// An operator being prepared: its names, and where the results of phase 1 go.
struct Call {
    const char* function;   // of phase 1
    const char* operation;  // of phase 2
    std::uint64_t* workspaceSize;
    aclOpExecutor** executor;

    template <class Body>
    aclnnStatus prepare(Body&& body) const noexcept {
        return phase1(function, workspaceSize, executor, [&]() -> aclnnStatus {
            const TypeRules rules(operation);
            return body();
        });
    }
    aclnnStatus launch(std::span<const Argument> arguments, std::shared_ptr<const Kernel> kernel) const {
        return finish(operation, arguments, std::move(kernel), workspaceSize, executor);
    }
    aclnnStatus launch(std::initializer_list<Argument> arguments, std::shared_ptr<const Kernel> kernel) const {
        return launch({arguments.begin(), arguments.size()}, std::move(kernel));
    }
    aclnnStatus nothing() const { return finishEmpty(operation, workspaceSize, executor); }
};

// Given, alive, of a type with numbers, at most 8 dimensions, in no blocked layout.
aclnnStatus checkTensor(const char* argument, const aclTensor* tensor);
// 161001 for the first that is null, before anything else is looked at.
aclnnStatus checkAllGiven(std::initializer_list<Argument> arguments);
// Given, alive, a real number.
aclnnStatus checkScalar(const char* argument, const aclScalar* scalar);
// Given, alive; its numbers.
aclnnStatus readArray(const char* argument, const aclIntArray* array, std::vector<std::int64_t>& values);
// Given, alive; its tensors, of which some may be null.
aclnnStatus readList(const char* argument, const aclTensorList* list, std::vector<aclTensor*>& tensors);
// Can be repeated to `shape`.
aclnnStatus checkBroadcast(const char* argument, const aclTensor& tensor, const Dims& shape);
// Makes `dim` (negative: from the end) a dimension of a tensor of this rank.
aclnnStatus checkDim(const char* argument, std::int64_t rank, std::int64_t& dim);

// The result cannot hold what is computed (canCast).
aclnnStatus refuseCast(const char* argument, aclDataType dtype, aclDataType computed);

// The common shape of tensors that repeat their dimensions of size 1; false if there is none.
bool broadcast(Dims& shape, const Dims& other);

// A tensor of the same shape, its elements one after the other in memory of another.
View contiguousLike(const View& view, aclDataType dtype, void* memory);

// Offset of the place that `at` counts to in each dimension.
std::int64_t offsetAt(const View& view, const std::int64_t* at);

// Strides of `view` for walking along `shape`: 0 where it repeats.
std::int64_t strideAlong(const View& view, const View& shape, std::int64_t dimension);

// Walks tensors together, along the shape of the last one, to which the others repeat.
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

// The kernel that computes in double if numbers are `real`, else in int64: make(a number of that type).
template <class Make>
std::shared_ptr<const Kernel> inDomain(bool real, Make&& make) {
    if (real) {
        return make(double{});
    }
    return make(std::int64_t{});
}

// The type of a parameter as the header declares it: some tensors that are written are const there, others are not.
template <class Function>
struct ParametersOf;
template <class Result, class... Parameters>
struct ParametersOf<Result(Parameters...)> {
    using Types = std::tuple<Parameters...>;
};

// The same where complex numbers may be: in the domain that holds this type.
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
