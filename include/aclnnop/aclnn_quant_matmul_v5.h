/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Product of quantised matrices; the newest form, with room for quantisation in groups. Newer releases only.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANT_MATMUL_V5_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANT_MATMUL_V5_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* x2Scale and x2Offset are scale and offset of aclnnQuantMatmulV4, x1Scale is its
 * pertokenScaleOptional. A scale or offset without elements counts as null. groupSize holds the
 * lengths of groups: that along k in bits 0 to 15, n in 16 to 31, m in 32 to 47. */
ACLNN_API aclnnStatus aclnnQuantMatmulV5GetWorkspaceSize(const aclTensor *x1, const aclTensor *x2,
    const aclTensor *x1Scale, const aclTensor *x2Scale, const aclTensor *yScale,
    const aclTensor *x1Offset, const aclTensor *x2Offset, const aclTensor *yOffset,
    const aclTensor *bias, bool transposeX1, bool transposeX2, int64_t groupSize, aclTensor *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnQuantMatmulV5(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
