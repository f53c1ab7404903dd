/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Channels brought to mean 0 and variance 1, by their own moments (training) or the running ones.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_BATCH_NORM_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_BATCH_NORM_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnBatchNormGetWorkspaceSize(const aclTensor *input,
    const aclTensor *weight, const aclTensor *bias, aclTensor *runningMean, aclTensor *runningVar,
    bool training, double momentum, double eps, aclTensor *output, aclTensor *saveMean,
    aclTensor *saveInvstd, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnBatchNorm(void *workspace, uint64_t workspaceSize, aclOpExecutor *executor,
    aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
