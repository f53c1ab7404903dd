// SPDX-License-Identifier: Apache-2.0
// Phase 1 of elementwise operators that take only tensors.
#pragma once

#include "ops/everyday/elementwise.h"

namespace aclq::everyday {

enum class In { Floats, Any };

// `tensors` are the inputs, which broadcast to one shape, and out, which has that shape. `function` takes an element of
// each input: doubles, or with In::Any int64 if all inputs are integers.
template <In domain = In::Floats, std::size_t count, class Function>
aclnnStatus together(const Call& call, const Argument (&tensors)[count], Function function) {
    constexpr std::size_t inputs = count - 1;
    Dims shape;
    for (std::size_t index = 0; index < count; ++index) {
        const Argument& one = tensors[index];
        ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
        if (index < inputs && !broadcast(shape, one.tensor->shape)) {
            return refuse(one.name, "shape " + one.tensor->shape.text(), "a shape that fits to " + shape.text());
        }
    }
    const Argument& out = tensors[inputs];
    ACLQ_RETURN_IF_FAILED(checkShape(out.name, *out.tensor, shape, "the common shape of the inputs"));
    aclDataType computed = tensors[0].tensor->dtype;
    for (std::size_t index = 1; index < inputs; ++index) {
        const aclDataType next = tensors[index].tensor->dtype;
        if (!haveCommonType(computed, next)) {
            return refuse(tensors[index].name, "dtype " + nameOf(next),
                          "a type that has one in common with " + nameOf(computed));
        }
        computed = promote(computed, next);
    }
    if (!canCast(computed, out.tensor->dtype)) {
        return refuseCast(out.name, out.tensor->dtype, computed);
    }
    if (out.tensor->empty()) {
        return call.nothing();
    }
    if constexpr (domain == In::Any) {
        return call.launch({tensors, count}, elementwise<inputs>(computed, function));
    } else {
        return call.launch({tensors, count}, elementwiseReal<inputs>(computed, function));
    }
}

}  // namespace aclq::everyday
