// SPDX-License-Identifier: Apache-2.0
#include "aclquant_op.h"

#include "../op_kernel/aclquant_dynamic_quant_tiling.h"

namespace {

ge::graphStatus Tile(gert::TilingContext* context) {
    const gert::Shape& x = context->GetInputShape(0)->GetStorageShape();
    if (x.GetDimNum() == 0) {
        return ge::GRAPH_FAILED;
    }
    const uint64_t cols = static_cast<uint64_t>(x.GetDim(x.GetDimNum() - 1));
    const uint64_t rows = cols == 0 ? 0 : aclquant::Elements(context->GetInputShape(0)) / cols;
    const bool int4 = context->GetOutputDesc(0)->GetDataType() != ge::DT_INT8;
    const bool smooth = context->GetOptionalInputShape(1) != nullptr;
    const uint64_t groups = smooth ? aclquant::Elements(context->GetOptionalInputShape(2)) : 0;
    aclquant::DynamicQuantPlan plan;
    return aclquant::TileDynamicQuant(aclquant::ChipOf(context), rows, cols, int4, smooth, groups, plan)
               ? aclquant::Give(context, plan)
               : ge::GRAPH_FAILED;
}

ge::graphStatus InferShape(gert::InferShapeContext* context) {
    const gert::Shape& x = *context->GetInputShape(0);
    *context->GetOutputShape(0) = x;
    for (size_t i = 1; i <= 2; ++i) {
        gert::Shape& parameters = *context->GetOutputShape(i);
        parameters.SetDimNum(x.GetDimNum() - 1);
        for (size_t d = 0; d + 1 < x.GetDimNum(); ++d) {
            parameters.SetDim(d, x.GetDim(d));
        }
    }
    return ge::GRAPH_SUCCESS;
}

}  // namespace

namespace ops {

class AclquantDynamicQuantAsymmetric : public OpDef {
  public:
    explicit AclquantDynamicQuantAsymmetric(const char* name) : OpDef(name) {
        aclquant::Columns all, halves;
        for (const ge::DataType y : {ge::DT_INT8, ge::DT_INT4, ge::DT_INT32}) {
            for (const ge::DataType x : {ge::DT_FLOAT16, ge::DT_BF16}) {
                all.Add({x, x, ge::DT_INT32, y, ge::DT_FLOAT, ge::DT_FLOAT});
            }
            halves.Add({ge::DT_FLOAT16, ge::DT_FLOAT16, ge::DT_INT32, y, ge::DT_FLOAT, ge::DT_FLOAT});
        }
        aclquant::AddChips(*this, this->AICore(),
                           {{"x", true, true},
                            {"smooth_scales", true, false},
                            {"group_index", true, false},
                            {"y", false, true},
                            {"scale", false, true},
                            {"offset", false, true}},
                           all, halves);
        this->SetInferShape(InferShape);
        this->AICore().SetTiling(Tile);
    }
};

OP_ADD(AclquantDynamicQuantAsymmetric);

}  // namespace ops
