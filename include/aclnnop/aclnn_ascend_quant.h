/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Multiplication by scale: y = round(x * scale + offset), saturated to the type of y.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ASCEND_QUANT_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ASCEND_QUANT_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* offset may be null. sqrtMode multiplies by scale twice. roundMode is "round" (half to even),
 * "floor", "ceil" or "trunc", exactly so; null is an invalid parameter, not a null pointer error.
 * dstType is the number of y's type, 32 bits wide here; 3 (INT32) means eight int4 packed into
 * one word. */
ACLNN_API aclnnStatus aclnnAscendQuantGetWorkspaceSize(const aclTensor *x, const aclTensor *scale,
    const aclTensor *offset, bool sqrtMode, const char *roundMode, int32_t dstType,
    const aclTensor *y, uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnAscendQuant(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
