/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * As aclnn_ascend_quant.h, with the dimension that scale and offset run along.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ASCEND_QUANT_V3_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ASCEND_QUANT_V3_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As aclnnAscendQuant, with axis after dstType. There is no V2. */
ACLNN_API aclnnStatus aclnnAscendQuantV3GetWorkspaceSize(const aclTensor *x, const aclTensor *scale,
    const aclTensor *offset, bool sqrtMode, const char *roundMode, int32_t dstType, int32_t axis,
    const aclTensor *y, uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnAscendQuantV3(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
