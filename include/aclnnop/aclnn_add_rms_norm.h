/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The sum of two tensors; elements of its last dimensions divided by their root mean square,
 * times gamma; and 1 / root mean square.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ADD_RMS_NORM_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ADD_RMS_NORM_H

#include "aclnn/acl_meta.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnAddRmsNormGetWorkspaceSize(const aclTensor *x1, const aclTensor *x2,
    const aclTensor *gamma, double epsilon, const aclTensor *yOut, const aclTensor *rstdOut,
    const aclTensor *xOut, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnAddRmsNorm(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
