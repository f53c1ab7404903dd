/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Per-row quantisation with scales computed from the data, symmetric or not.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_V2_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_V2_H

#include "aclnn/acl_meta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A null offsetOut asks for the symmetric form. The type of yOut decides; dstType (64 bits, the
 * upper half undefined with some callers) is not read. Groups give each block of rows its smooth
 * scales. */
ACLNN_API aclnnStatus aclnnDynamicQuantV2GetWorkspaceSize(const aclTensor *x,
    const aclTensor *smoothScalesOptional, const aclTensor *groupIndexOptional, int64_t dstType,
    const aclTensor *yOut, const aclTensor *scaleOut, const aclTensor *offsetOut,
    uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnDynamicQuantV2(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
