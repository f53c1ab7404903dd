/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Per-row quantisation with scales computed from the data, symmetric.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_H

#include "aclnn/acl_meta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* smoothScalesOptional may be null. scaleOut has the shape of x without its last dimension. */
ACLNN_API aclnnStatus aclnnDynamicQuantGetWorkspaceSize(const aclTensor *x,
    const aclTensor *smoothScalesOptional, const aclTensor *yOut, const aclTensor *scaleOut,
    uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnDynamicQuant(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
