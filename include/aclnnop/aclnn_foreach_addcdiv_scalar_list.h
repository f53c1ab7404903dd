/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * x1 + an element of scalars * x2 / x3, for the tensors at the same place of lists.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_ADDCDIV_SCALAR_LIST_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_ADDCDIV_SCALAR_LIST_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachAddcdivScalarListGetWorkspaceSize(const aclTensorList *x1,
    const aclTensorList *x2, const aclTensorList *x3, const aclTensor *scalars,
    const aclTensorList *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachAddcdivScalarList(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
