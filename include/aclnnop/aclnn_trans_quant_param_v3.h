/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * As aclnn_trans_quant_param_v2.h, with a rounding mode. Newer releases only.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_QUANT_PARAM_V3_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_QUANT_PARAM_V3_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* roundMode 0 behaves as V2. It stands before out, and is a number, not a name. */
ACLNN_API aclnnStatus aclnnTransQuantParamV3GetWorkspaceSize(const aclTensor *scale,
    const aclTensor *offset, int64_t roundMode, const aclTensor *out, uint64_t *workspaceSize,
    aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnTransQuantParamV3(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, const aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
