/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The largest element of each window of the last two dimensions.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_MAX_POOL_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_MAX_POOL_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnMaxPoolGetWorkspaceSize(const aclTensor *self,
    const aclIntArray *kernelShape, const aclIntArray *strides, const int64_t autoPad,
    const aclIntArray *pads, const aclIntArray *dilations, const int64_t ceilMode, aclTensor *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnMaxPool(void *workspace, uint64_t workspaceSize, aclOpExecutor *executor,
    aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
