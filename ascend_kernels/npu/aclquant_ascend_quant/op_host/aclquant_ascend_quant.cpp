// SPDX-License-Identifier: Apache-2.0
#include "aclquant_elementwise_op.h"

namespace {

// AscendC::RoundMode, 0 for a name that is not one.
uint32_t RoundModeOf(const char* name) {
    const std::string mode = name == nullptr ? "" : name;
    return mode == "round" ? 1 : (mode == "floor" ? 2 : (mode == "ceil" ? 3 : (mode == "trunc" ? 5 : 0)));
}

ge::graphStatus Tile(gert::TilingContext* context) {
    const uint32_t roundMode = RoundModeOf(context->GetAttrs()->GetStr(1));
    const bool int8 = context->GetOutputDesc(0)->GetDataType() == ge::DT_INT8;
    return roundMode == 0
               ? ge::GRAPH_FAILED
               : aclquant::TileStatic(context, {*context->GetAttrs()->GetInt(2), 1,
                                                aclquant::BitsOf(context->GetInputDesc(0)->GetDataType()),
                                                int8 ? 8U : 4U, *context->GetAttrs()->GetBool(0), roundMode});
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
