/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * x1 + weight * (x2 - x1), for the tensors at the same place of lists.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_LERP_LIST_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_LERP_LIST_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachLerpListGetWorkspaceSize(const aclTensorList *x1,
    const aclTensorList *x2, const aclTensorList *weight, const aclTensorList *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachLerpList(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
