/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * x - scalar with scalar on the device, for each tensor of a list.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_SUB_SCALAR_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_SUB_SCALAR_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachSubScalarGetWorkspaceSize(const aclTensorList *x,
    const aclTensor *scalar, const aclTensorList *out, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachSubScalar(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
