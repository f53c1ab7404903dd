// SPDX-License-Identifier: Apache-2.0
#include "aclquant_dynamic_quant_op.h"

namespace ops {

class AclquantDynamicQuant : public OpDef {
  public:
    explicit AclquantDynamicQuant(const char* name) : OpDef(name) {
        aclquant::DefineDynamicQuant<1>(*this);  // scale
    }
};

OP_ADD(AclquantDynamicQuant);

}  // namespace ops
