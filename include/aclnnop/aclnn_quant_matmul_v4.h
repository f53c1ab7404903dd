/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * As aclnn_quant_matmul_v3.h, with one more scale for each row of x1.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANT_MATMUL_V4_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANT_MATMUL_V4_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* pertokenScaleOptional (FLOAT, an element for each row of x1) may be null. */
ACLNN_API aclnnStatus aclnnQuantMatmulV4GetWorkspaceSize(const aclTensor *x1, const aclTensor *x2,
    const aclTensor *scale, const aclTensor *offset, const aclTensor *pertokenScaleOptional,
    const aclTensor *bias, bool transposeX1, bool transposeX2, const aclTensor *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnQuantMatmulV4(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
