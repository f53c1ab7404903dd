/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Division by scales: out = round(x / scales + zeroPoints), saturated to the type of out.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANTIZE_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_QUANTIZE_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* scales is 1-D: one element, or as many as x has along axis; zeroPoints (null: none) likewise.
 * dtype is the type of out and comes before axis; out, unlike other outputs, is not const. */
ACLNN_API aclnnStatus aclnnQuantizeGetWorkspaceSize(const aclTensor *x, const aclTensor *scales,
    const aclTensor *zeroPoints, aclDataType dtype, int32_t axis, aclTensor *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnQuantize(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
