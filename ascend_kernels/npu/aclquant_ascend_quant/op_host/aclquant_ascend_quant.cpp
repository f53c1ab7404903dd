// SPDX-License-Identifier: Apache-2.0
#include "aclquant_op.h"

#include "../op_kernel/aclquant_elementwise_tiling.h"

namespace {

// AscendC::RoundMode, 0 for a name that is not one.
uint32_t RoundModeOf(const char* name) {
    const std::string mode = name == nullptr ? "" : name;
    return mode == "round" ? 1 : (mode == "floor" ? 2 : (mode == "ceil" ? 3 : (mode == "trunc" ? 5 : 0)));
}

ge::graphStatus Tile(gert::TilingContext* context) {
    const gert::Shape& x = context->GetInputShape(0)->GetStorageShape();
    const int64_t rank = static_cast<int64_t>(x.GetDimNum());
    int64_t axis = *context->GetAttrs()->GetInt(2);
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
    shape.outputBits = context->GetOutputDesc(0)->GetDataType() == ge::DT_INT8 ? 8 : 4;
    aclquant::ElementwisePlan plan;
    plan.tiling.hasOffset = context->GetOptionalInputShape(2) != nullptr;
    plan.tiling.scaleTwice = *context->GetAttrs()->GetBool(0);
    plan.tiling.roundMode = RoundModeOf(context->GetAttrs()->GetStr(1));
    if (plan.tiling.roundMode == 0) {
        return ge::GRAPH_FAILED;
    }
    plan.tiling.scaleType = static_cast<uint32_t>(context->GetInputDesc(1)->GetDataType());
    plan.tiling.offsetType =
        plan.tiling.hasOffset ? static_cast<uint32_t>(context->GetOptionalInputDesc(2)->GetDataType()) : 0;
    return aclquant::TileElementwise(aclquant::ChipOf(context), shape, plan) ? aclquant::Give(context, plan)
                                                                             : ge::GRAPH_FAILED;
}

}  // namespace

namespace ops {

class AclquantAscendQuant : public OpDef {
  public:
    explicit AclquantAscendQuant(const char* name) : OpDef(name) {
        aclquant::Columns all, inferenceSeries;
        for (const ge::DataType y : {ge::DT_INT8, ge::DT_INT4, ge::DT_INT32}) {
            for (const ge::DataType scale : {ge::DT_FLOAT, ge::DT_FLOAT16}) {
                all.Add({ge::DT_FLOAT, scale, scale, y});
                inferenceSeries.Add({ge::DT_FLOAT, scale, scale, y});
            }
            all.Add({ge::DT_FLOAT, ge::DT_BF16, ge::DT_BF16, y});
            all.Add({ge::DT_FLOAT16, ge::DT_FLOAT16, ge::DT_FLOAT16, y});
            all.Add({ge::DT_BF16, ge::DT_BF16, ge::DT_BF16, y});
            inferenceSeries.Add({ge::DT_FLOAT16, ge::DT_FLOAT16, ge::DT_FLOAT16, y});
        }
        aclquant::AddChips(*this, this->AICore(),
                           {{"x", true, true}, {"scale", true, true}, {"offset", true, false}, {"y", false, true}}, all,
                           inferenceSeries);
        this->Attr("sqrt_mode").AttrType(OPTIONAL).Bool(false);
        this->Attr("round_mode").AttrType(OPTIONAL).String("round");
        this->Attr("axis").AttrType(OPTIONAL).Int(-1);
        this->SetInferShape(aclquant::SameShape);
        this->AICore().SetTiling(Tile);
    }
};

OP_ADD(AclquantAscendQuant);

}  // namespace ops
