/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * 1 / (1 + e to the power of -x), for each tensor of a list.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_SIGMOID_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_SIGMOID_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachSigmoidGetWorkspaceSize(const aclTensorList *x,
    const aclTensorList *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachSigmoid(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
