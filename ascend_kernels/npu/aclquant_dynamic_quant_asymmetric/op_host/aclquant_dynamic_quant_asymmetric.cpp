// SPDX-License-Identifier: Apache-2.0
#include "aclquant_dynamic_quant_op.h"

namespace ops {

class AclquantDynamicQuantAsymmetric : public OpDef {
  public:
    explicit AclquantDynamicQuantAsymmetric(const char* name) : OpDef(name) {
        aclquant::DefineDynamicQuant<2>(*this);  // scale and offset
    }
};

OP_ADD(AclquantDynamicQuantAsymmetric);

}  // namespace ops
