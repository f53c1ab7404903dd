/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * 0 for negative elements, 1 for positive ones, that of values for 0.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_HEAVISIDE_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_HEAVISIDE_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnHeavisideGetWorkspaceSize(const aclTensor *input,
    const aclTensor *values, aclTensor *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnHeaviside(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
