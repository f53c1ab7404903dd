// SPDX-License-Identifier: Apache-2.0
// The live objects of acl_meta.h.
#pragma once

#include "meta/executor.h"
#include "meta/tensor.h"
#include "runtime/handle_pool.h"

namespace aclq {

struct Pools {
    HandlePool<aclTensor> tensors;
    HandlePool<aclScalar> scalars;
    HandlePool<aclIntArray> intArrays;
    HandlePool<aclFloatArray> floatArrays;
    HandlePool<aclBoolArray> boolArrays;
    HandlePool<aclTensorList> tensorLists;
    HandlePool<aclScalarList> scalarLists;
    HandlePool<aclOpExecutor> executors;
};

Pools& pools();

}  // namespace aclq
