// SPDX-License-Identifier: Apache-2.0
#include "aclquant_op.h"

#include "../op_kernel/aclquant_trans_quant_param_tiling.h"

namespace {

ge::graphStatus Tile(gert::TilingContext* context) {
    aclquant::TransQuantParamPlan plan;
    return aclquant::TileTransQuantParam(aclquant::ChipOf(context), aclquant::Elements(context->GetInputShape(0)),
                                         aclquant::Elements(context->GetOptionalInputShape(1)),
                                         *context->GetAttrs()->GetInt(0), plan)
               ? aclquant::Give(context, plan)
               : ge::GRAPH_FAILED;
}

ge::graphStatus InferShape(gert::InferShapeContext* context) {
    const gert::Shape* scale = context->GetInputShape(0);
    const gert::Shape* offset = context->GetOptionalInputShape(1);
    const bool longer = offset != nullptr && offset->GetShapeSize() > scale->GetShapeSize();
    *context->GetOutputShape(0) = longer ? *offset : *scale;
    return ge::GRAPH_SUCCESS;
}

}  // namespace

namespace ops {

class AclquantTransQuantParam : public OpDef {
  public:
    explicit AclquantTransQuantParam(const char* name) : OpDef(name) {
        aclquant::Columns all, inferenceSeries;
        for (const ge::DataType y : {ge::DT_UINT64, ge::DT_INT64}) {
            all.Add({ge::DT_FLOAT, ge::DT_FLOAT, y});
            inferenceSeries.Add({ge::DT_FLOAT, ge::DT_FLOAT, y});
        }
        aclquant::AddChips(*this, this->AICore(), {{"scale", true, true}, {"offset", true, false}, {"y", false, true}},
                           all, inferenceSeries);
        this->Attr("round_mode").AttrType(OPTIONAL).Int(0);
        this->SetInferShape(InferShape);
        this->AICore().SetTiling(Tile);
    }
};

OP_ADD(AclquantTransQuantParam);

}  // namespace ops
