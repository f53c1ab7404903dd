/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Dynamic quantisation per token, tensor or channel. Newer releases only.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_V3_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_V3_H

#include "aclnn/acl_meta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* quantMode is "pertoken", "pertensor" or "perchannel", exactly so. The shape of scaleOut follows
 * it: x without its last dimension; (1); x without its second-last dimension. */
ACLNN_API aclnnStatus aclnnDynamicQuantV3GetWorkspaceSize(const aclTensor *x,
    const aclTensor *smoothScalesOptional, const aclTensor *groupIndexOptional, int64_t dstType,
    bool isSymmetrical, const char *quantMode, const aclTensor *yOut, const aclTensor *scaleOut,
    const aclTensor *offsetOut, uint64_t *workspaceSize, aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnDynamicQuantV3(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
