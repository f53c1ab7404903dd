/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The different elements in order, where each element went, and how often each was there. Phase
 * 2 gives the outputs the shapes of the results.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_UNIQUE2_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_UNIQUE2_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnUnique2GetWorkspaceSize(const aclTensor *self, bool sorted,
    bool returnInverse, bool returnCounts, aclTensor *valueOut, aclTensor *inverseOut,
    aclTensor *countsOut, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnUnique2(void *workspace, uint64_t workspaceSize, aclOpExecutor *executor,
    aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
