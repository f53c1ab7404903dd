// SPDX-License-Identifier: Apache-2.0
// The host side of the three static operators: quantize, ascend_quant, anti_quant. C++11.
#pragma once

#include "aclquant_op.h"

#include "../op_kernel/aclquant_elementwise_tiling.h"

namespace aclquant {

// How the three differ.
struct StaticCall {
    int64_t axis;          // of the scales; negative: counted from the end
    uint64_t valuesOfOne;  // values in an element of x
    uint32_t inputBits, outputBits;
    bool scaleTwice;
    uint32_t roundMode;  // AscendC::RoundMode
};

constexpr uint32_t kRoundNearest = 1;

// The inputs are x, scale and, optionally, offset.
inline ge::graphStatus TileStatic(gert::TilingContext* context, const StaticCall& call) {
    const gert::Shape& x = context->GetInputShape(0)->GetStorageShape();
    const int64_t rank = static_cast<int64_t>(x.GetDimNum());
    const int64_t axis = call.axis + (call.axis < 0 ? rank : 0);
    ElementwiseShape shape = {1, 1, 1, Elements(context->GetInputShape(1)), call.inputBits, call.outputBits};
    if (shape.scales != 1 && (axis < 0 || axis >= rank)) {
        return ge::GRAPH_FAILED;
    }
    for (int64_t i = 0; i < rank; ++i) {
        (i < axis ? shape.outer : (i == axis ? shape.middle : shape.inner)) *=
            static_cast<uint64_t>(x.GetDim(static_cast<size_t>(i)));
    }
    shape.middle *= call.valuesOfOne;
    ElementwisePlan plan;
    plan.tiling.hasOffset = context->GetOptionalInputShape(2) != nullptr;
    plan.tiling.scaleTwice = call.scaleTwice;
    plan.tiling.roundMode = call.roundMode;
    plan.tiling.scaleType = static_cast<uint32_t>(context->GetInputDesc(1)->GetDataType());
    plan.tiling.offsetType =
        plan.tiling.hasOffset ? static_cast<uint32_t>(context->GetOptionalInputDesc(2)->GetDataType()) : 0;
    return TileElementwise(ChipOf(context), shape, plan) ? Give(context, plan) : ge::GRAPH_FAILED;
}

}  // namespace aclquant
