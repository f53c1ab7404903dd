/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * target (log(target) - self), of targets or their logarithms; reduction: 0 each, 1 the mean, 2
 * the sum, 3 the mean of rows.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_KL_DIV_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_KL_DIV_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnKlDivGetWorkspaceSize(const aclTensor *self, const aclTensor *target,
    int64_t reduction, bool logTarget, aclTensor *out, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnKlDiv(void *workspace, uint64_t workspaceSize, aclOpExecutor *executor,
    aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
