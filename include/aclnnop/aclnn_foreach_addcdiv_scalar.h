/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * x1 + scalar * x2 / x3 with scalar on the device, for the tensors at the same place of lists.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_ADDCDIV_SCALAR_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_ADDCDIV_SCALAR_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachAddcdivScalarGetWorkspaceSize(const aclTensorList *x1,
    const aclTensorList *x2, const aclTensorList *x3, const aclTensor *scalar,
    const aclTensorList *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachAddcdivScalar(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
