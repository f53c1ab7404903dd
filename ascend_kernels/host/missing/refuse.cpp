// SPDX-License-Identifier: Apache-2.0
// libaclnn_ops_infer.so, the last library in which torch_npu looks for an operator. A missing operator makes torch_npu
// raise an error without a name. An operator in this library is refused, and both errors name it. For all other clients
// the operators are absent.
#include "acl/acl_op_compiler.h"

namespace {

// Like an operator called by name, torch_npu's next step.
aclError refuse(const char* name) {
    return aclopCompileAndExecute(name, 0, nullptr, nullptr, 0, nullptr, nullptr, nullptr, ACL_ENGINE_SYS,
                                  ACL_COMPILE_SYS, nullptr, nullptr);
}

}  // namespace

// The arguments are never read.
#define OPERATOR(name)                                                \
    extern "C" ACL_FUNC_VISIBILITY aclError name##GetWorkspaceSize(); \
    extern "C" ACL_FUNC_VISIBILITY aclError name();                   \
    aclError name##GetWorkspaceSize() {                               \
        return refuse(#name);                                         \
    }                                                                 \
    aclError name() {                                                 \
        return refuse(#name);                                         \
    }
#include "missing/operators.inc"
