/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * x / its number, for each tensor of a list.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_DIV_SCALAR_LIST_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_DIV_SCALAR_LIST_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachDivScalarListGetWorkspaceSize(const aclTensorList *x,
    const aclScalarList *scalars, const aclTensorList *out, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachDivScalarList(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
