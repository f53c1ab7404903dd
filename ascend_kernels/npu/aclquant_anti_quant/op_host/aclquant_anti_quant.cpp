// SPDX-License-Identifier: Apache-2.0
#include "aclquant_elementwise_op.h"

namespace {

ge::graphStatus Tile(gert::TilingContext* context) {
    const ge::DataType type = context->GetInputDesc(0)->GetDataType();
    const uint64_t valuesOfOne = type == ge::DT_INT32 ? 8 : 1;  // an INT32 holds eight int4
    return aclquant::TileStatic(context, {-1, valuesOfOne, type == ge::DT_INT8 ? 8U : 4U, 16,
                                          *context->GetAttrs()->GetBool(0), aclquant::kRoundNearest});
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
