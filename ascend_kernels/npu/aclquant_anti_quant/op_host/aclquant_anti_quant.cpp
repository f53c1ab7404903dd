// SPDX-License-Identifier: Apache-2.0
#include "aclquant_op.h"

#include "../op_kernel/aclquant_elementwise_tiling.h"

namespace {

ge::graphStatus Tile(gert::TilingContext* context) {
    const gert::Shape& x = context->GetInputShape(0)->GetStorageShape();
    const int64_t rank = static_cast<int64_t>(x.GetDimNum());
    const int64_t axis = rank == 0 ? 0 : rank - 1;
    aclquant::ElementwiseShape shape = {1, 1, 1, aclquant::Elements(context->GetInputShape(1)), 0, 0};
    if (shape.scales != 1 && (axis < 0 || axis >= rank)) {
        return ge::GRAPH_FAILED;
    }
    for (int64_t i = 0; i < rank; ++i) {
        (i < axis ? shape.outer : (i == axis ? shape.middle : shape.inner)) *=
            static_cast<uint64_t>(x.GetDim(static_cast<size_t>(i)));
    }
    // INT32 hold eight int4 each.
    const ge::DataType type = context->GetInputDesc(0)->GetDataType();
    shape.middle *= type == ge::DT_INT32 ? 8 : 1;
    shape.inputBits = type == ge::DT_INT8 ? 8 : 4;
    shape.outputBits = 16;
    aclquant::ElementwisePlan plan;
    plan.tiling.hasOffset = context->GetOptionalInputShape(2) != nullptr;
    plan.tiling.scaleTwice = *context->GetAttrs()->GetBool(0);
    plan.tiling.roundMode = 1;
    plan.tiling.scaleType = static_cast<uint32_t>(context->GetInputDesc(1)->GetDataType());
    plan.tiling.offsetType =
        plan.tiling.hasOffset ? static_cast<uint32_t>(context->GetOptionalInputDesc(2)->GetDataType()) : 0;
    return aclquant::TileElementwise(aclquant::ChipOf(context), shape, plan) ? aclquant::Give(context, plan)
                                                                             : ge::GRAPH_FAILED;
}

}  // namespace

namespace ops {

class AclquantAntiQuant : public OpDef {
  public:
    explicit AclquantAntiQuant(const char* name) : OpDef(name) {
        aclquant::Columns all, inferenceSeries;
        for (const ge::DataType x : {ge::DT_INT8, ge::DT_INT4, ge::DT_INT32}) {
            for (const ge::DataType scale : {ge::DT_FLOAT, ge::DT_BF16}) {
                for (const ge::DataType y : {ge::DT_FLOAT16, ge::DT_BF16}) {
                    all.Add({x, scale, scale, y});
                }
            }
            inferenceSeries.Add({x, ge::DT_FLOAT, ge::DT_FLOAT, ge::DT_FLOAT16});
        }
        aclquant::AddChips(*this, this->AICore(),
                           {{"x", true, true}, {"scale", true, true}, {"offset", true, false}, {"y", false, true}}, all,
                           inferenceSeries);
        this->Attr("sqrt_mode").AttrType(OPTIONAL).Bool(false);
        this->SetInferShape(aclquant::SameShape);
        this->AICore().SetTiling(Tile);
    }
};

OP_ADD(AclquantAntiQuant);

}  // namespace ops
