/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Between which boundaries elements lie.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_BUCKETIZE_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_BUCKETIZE_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnBucketizeGetWorkspaceSize(const aclTensor *self,
    const aclTensor *boundaries, const bool outInt32, const bool right, aclTensor *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnBucketize(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
