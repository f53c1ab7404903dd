// SPDX-License-Identifier: Apache-2.0
// The host side of the two operators of dynamic quantisation, which differ by one output. C++11.
#pragma once

#include "aclquant_op.h"

#include "../op_kernel/aclquant_dynamic_quant_tiling.h"

namespace aclquant {

inline ge::graphStatus TileDynamicQuant(gert::TilingContext* context) {
    const gert::Shape& x = context->GetInputShape(0)->GetStorageShape();
    if (x.GetDimNum() == 0) {
        return ge::GRAPH_FAILED;
    }
    const uint64_t cols = static_cast<uint64_t>(x.GetDim(x.GetDimNum() - 1));
    const uint64_t rows = cols == 0 ? 0 : Elements(context->GetInputShape(0)) / cols;
    const bool int4 = context->GetOutputDesc(0)->GetDataType() != ge::DT_INT8;
    const bool smooth = context->GetOptionalInputShape(1) != nullptr;
    const uint64_t groups = smooth ? Elements(context->GetOptionalInputShape(2)) : 0;
    DynamicQuantPlan plan;
    return TileDynamicQuant(ChipOf(context), rows, cols, int4, smooth, groups, plan) ? Give(context, plan)
                                                                                     : ge::GRAPH_FAILED;
}

// `parameters`: the outputs behind y, each with one value per row.
template <size_t parameters>
ge::graphStatus InferDynamicQuant(gert::InferShapeContext* context) {
    const gert::Shape& x = *context->GetInputShape(0);
    *context->GetOutputShape(0) = x;
    for (size_t i = 1; i <= parameters; ++i) {
        gert::Shape& shape = *context->GetOutputShape(i);
        shape.SetDimNum(x.GetDimNum() - 1);
        for (size_t d = 0; d + 1 < x.GetDimNum(); ++d) {
            shape.SetDim(d, x.GetDim(d));
        }
    }
    return ge::GRAPH_SUCCESS;
}

template <size_t parameters>
void DefineDynamicQuant(ops::OpDef& op) {
    Columns all, halves;
    const auto column = [](ge::DataType x, ge::DataType y) {
        std::vector<ge::DataType> types = {x, x, ge::DT_INT32, y};
        types.insert(types.end(), parameters, ge::DT_FLOAT);
        return types;
    };
    for (const ge::DataType y : {ge::DT_INT8, ge::DT_INT4, ge::DT_INT32}) {
        for (const ge::DataType x : {ge::DT_FLOAT16, ge::DT_BF16}) {
            all.Add(column(x, y));
        }
        halves.Add(column(ge::DT_FLOAT16, y));
    }
    std::vector<Parameter> described = {
        {"x", true, true},  {"smooth_scales", true, false}, {"group_index", true, false},
        {"y", false, true}, {"scale", false, true},         {"offset", false, true}};
    described.resize(4 + parameters);
    AddChips(op, op.AICore(), described, all, halves);
    op.SetInferShape(InferDynamicQuant<parameters>);
    op.AICore().SetTiling(TileDynamicQuant);
}

}  // namespace aclquant
