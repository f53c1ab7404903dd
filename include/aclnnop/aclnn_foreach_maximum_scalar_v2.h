/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The larger of x and scalar, for each tensor of a list.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_MAXIMUM_SCALAR_V2_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_MAXIMUM_SCALAR_V2_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachMaximumScalarV2GetWorkspaceSize(const aclTensorList *x,
    const aclScalar *scalar, aclTensorList *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachMaximumScalarV2(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
