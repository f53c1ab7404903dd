/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The first of each run of equal elements (dim 1000) or of equal slices along dim, which run each
 * belongs to, and how long they are.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_UNIQUE_CONSECUTIVE_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_UNIQUE_CONSECUTIVE_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnUniqueConsecutiveGetWorkspaceSize(const aclTensor *self,
    bool returnInverse, bool returnCounts, int64_t dim, aclTensor *valueOut, aclTensor *inverseOut,
    aclTensor *countsOut, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnUniqueConsecutive(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
