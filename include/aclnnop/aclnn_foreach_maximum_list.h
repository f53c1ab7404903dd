/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The larger of x1 and x2, for the tensors at the same place of two lists.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_MAXIMUM_LIST_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_MAXIMUM_LIST_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachMaximumListGetWorkspaceSize(const aclTensorList *x1,
    const aclTensorList *x2, const aclTensorList *out, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachMaximumList(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
