// SPDX-License-Identifier: Apache-2.0
#include "aclquant_op.h"

#include "../op_kernel/aclquant_elementwise_tiling.h"

namespace {

ge::graphStatus Tile(gert::TilingContext* context) {
    const gert::Shape& x = context->GetInputShape(0)->GetStorageShape();
    const int64_t rank = static_cast<int64_t>(x.GetDimNum());
    int64_t axis = *context->GetAttrs()->GetInt(0);
    axis += axis < 0 ? rank : 0;
    aclquant::ElementwiseShape shape = {1, 1, 1, aclquant::Elements(context->GetInputShape(1)), 0, 0};
    if (shape.scales != 1 && (axis < 0 || axis >= rank)) {
        return ge::GRAPH_FAILED;
    }
    for (int64_t i = 0; i < rank; ++i) {
        (i < axis ? shape.outer : (i == axis ? shape.middle : shape.inner)) *=
            static_cast<uint64_t>(x.GetDim(static_cast<size_t>(i)));
    }
    shape.inputBits = aclquant::BitsOf(context->GetInputDesc(0)->GetDataType());
    shape.outputBits = aclquant::BitsOf(context->GetOutputDesc(0)->GetDataType());
    aclquant::ElementwisePlan plan;
    plan.tiling.hasOffset = context->GetOptionalInputShape(2) != nullptr;
    plan.tiling.scaleTwice = 0;
    plan.tiling.roundMode = 1;
    plan.tiling.scaleType = static_cast<uint32_t>(context->GetInputDesc(1)->GetDataType());
    plan.tiling.offsetType =
        plan.tiling.hasOffset ? static_cast<uint32_t>(context->GetOptionalInputDesc(2)->GetDataType()) : 0;
    return aclquant::TileElementwise(aclquant::ChipOf(context), shape, plan) ? aclquant::Give(context, plan)
                                                                             : ge::GRAPH_FAILED;
}

}  // namespace

namespace ops {

class AclquantQuantize : public OpDef {
  public:
    explicit AclquantQuantize(const char* name) : OpDef(name) {
        aclquant::Columns all, inferenceSeries;
        for (const ge::DataType y : {ge::DT_INT8, ge::DT_UINT8, ge::DT_INT32}) {
            for (const ge::DataType scales : {ge::DT_FLOAT, ge::DT_FLOAT16}) {
                for (const ge::DataType zeroPoints : {ge::DT_INT8, ge::DT_UINT8, ge::DT_INT32}) {
                    for (const ge::DataType x : {ge::DT_FLOAT, ge::DT_FLOAT16}) {
                        all.Add({x, scales, zeroPoints, y});
                        inferenceSeries.Add({x, scales, zeroPoints, y});
                    }
                    all.Add({ge::DT_BF16, scales, zeroPoints, y});
                }
            }
            all.Add({ge::DT_BF16, ge::DT_BF16, ge::DT_BF16, y});
        }
        aclquant::AddChips(
            *this, this->AICore(),
            {{"x", true, true}, {"scales", true, true}, {"zero_points", true, false}, {"y", false, true}}, all,
            inferenceSeries);
        this->Attr("axis").AttrType(OPTIONAL).Int(-1);
        this->SetInferShape(aclquant::SameShape);
        this->AICore().SetTiling(Tile);
    }
};

OP_ADD(AclquantQuantize);

}  // namespace ops
