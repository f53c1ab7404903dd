/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Product of quantised matrices, with one scale or one for each column.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANT_MATMUL_V3_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANT_MATMUL_V3_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* scale decides: UINT64 or INT64 are words of aclnnTransQuantParamV2, FLOAT and BF16 are numbers.
 * offset and bias may be null; offset is checked and never read, the one in the words counts.
 * transposeX1 and transposeX2 swap the last two dimensions, as strides that do so also may. */
ACLNN_API aclnnStatus aclnnQuantMatmulV3GetWorkspaceSize(const aclTensor *x1, const aclTensor *x2,
    const aclTensor *scale, const aclTensor *offset, const aclTensor *bias, bool transposeX1,
    bool transposeX2, const aclTensor *out, uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnQuantMatmulV3(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
