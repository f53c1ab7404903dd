// SPDX-License-Identifier: Apache-2.0
// libaclnn_ops_infer.so, where torch_npu looks last for an operator. One that nobody has makes it raise an error
// without a name; one that is here is refused, with both its error and ours naming it. All others find the operators
// absent.
#include "acl/acl_op_compiler.h"

namespace {

// As an operator called by name, which is what would come next.
aclError refuse(const char* name) {
    return aclopCompileAndExecute(name, 0, nullptr, nullptr, 0, nullptr, nullptr, nullptr, ACL_ENGINE_SYS,
                                  ACL_COMPILE_SYS, nullptr, nullptr);
}

}  // namespace

// Whatever the arguments are, nothing reads them.
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
