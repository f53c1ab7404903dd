/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Squares of differences divided by 2 beta below beta, magnitudes minus beta / 2 above;
 * reduction as in aclnnMseLoss.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_SMOOTH_L1_LOSS_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_SMOOTH_L1_LOSS_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnSmoothL1LossGetWorkspaceSize(const aclTensor *self,
    const aclTensor *target, int64_t reduction, float beta, aclTensor *result,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnSmoothL1Loss(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
