/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The mean of each window of the last two dimensions.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_AVGPOOL2D_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_AVGPOOL2D_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnAvgPool2dGetWorkspaceSize(const aclTensor *self,
    const aclIntArray *kernelSize, const aclIntArray *strides, const aclIntArray *paddings,
    const bool ceilMode, const bool countIncludePad, const int64_t divisorOverride,
    const int8_t cubeMathType, aclTensor *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnAvgPool2d(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
