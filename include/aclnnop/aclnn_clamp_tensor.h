/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Limits elements by those of other tensors, broadcast; one may be left out (null).
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_CLAMP_TENSOR_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_CLAMP_TENSOR_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnClampTensorGetWorkspaceSize(const aclTensor *self,
    const aclTensor *clipValueMin, const aclTensor *clipValueMax, aclTensor *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnClampTensor(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
