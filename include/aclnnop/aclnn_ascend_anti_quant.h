/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Back from integers: y = (x + offset) * scale.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ASCEND_ANTI_QUANT_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ASCEND_ANTI_QUANT_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* offset may be null; x of INT32 holds eight int4 per word. dstType (1 or 27, the number of y's
 * type) is 64 bits wide here and comes before sqrtMode; some callers leave its upper half
 * undefined, so only the lower 32 bits count. sqrtMode multiplies by scale twice. */
ACLNN_API aclnnStatus aclnnAscendAntiQuantGetWorkspaceSize(const aclTensor *x,
    const aclTensor *scale, const aclTensor *offset, int64_t dstType, bool sqrtMode,
    const aclTensor *y, uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnAscendAntiQuant(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
