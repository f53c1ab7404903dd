// SPDX-License-Identifier: Apache-2.0
#include "aclquant_elementwise_op.h"

namespace {

ge::graphStatus Tile(gert::TilingContext* context) {
    return aclquant::TileStatic(
        context, {*context->GetAttrs()->GetInt(0), 1, aclquant::BitsOf(context->GetInputDesc(0)->GetDataType()),
                  aclquant::BitsOf(context->GetOutputDesc(0)->GetDataType()), false, aclquant::kRoundNearest});
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
