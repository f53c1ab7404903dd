/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * selfRef[indices] = values, or += values with accumulate. An index that leads outside changes
 * nothing.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_INDEX_PUT_IMPL_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_INDEX_PUT_IMPL_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnIndexPutImplGetWorkspaceSize(aclTensor *selfRef,
    const aclTensorList *indices, const aclTensor *values, bool accumulate, bool unsafe,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnIndexPutImpl(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
