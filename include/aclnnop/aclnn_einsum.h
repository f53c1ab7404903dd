/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Products of tensors added up over indices, as in 'ij,jk->ik'.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_EINSUM_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_EINSUM_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnEinsumGetWorkspaceSize(const aclTensorList *tensors,
    const char *equation, aclTensor *output, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnEinsum(void *workspace, uint64_t workspaceSize, aclOpExecutor *executor,
    aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
