/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The smallest and the largest elements over a dimension.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_AMINMAX_DIM_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_AMINMAX_DIM_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnAminmaxDimGetWorkspaceSize(const aclTensor *self, const int64_t dim,
    bool keepDim, aclTensor *minOut, aclTensor *maxOut, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnAminmaxDim(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
