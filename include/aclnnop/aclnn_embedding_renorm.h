/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Scales the rows that indices name so that their norm is at most maxNorm.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_EMBEDDING_RENORM_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_EMBEDDING_RENORM_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnEmbeddingRenormGetWorkspaceSize(aclTensor *selfRef,
    const aclTensor *indices, double maxNorm, double normType, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnEmbeddingRenorm(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
