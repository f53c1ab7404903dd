/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * As aclnn_dynamic_quant_v3.h, with the largest output value. Newer releases only.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_V4_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_DYNAMIC_QUANT_V4_H

#include "aclnn/acl_meta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* dstTypeMax is a float by value (a double corrupts the call) and matters for HIFLOAT8 only. */
ACLNN_API aclnnStatus aclnnDynamicQuantV4GetWorkspaceSize(const aclTensor *x,
    const aclTensor *smoothScalesOptional, const aclTensor *groupIndexOptional, int64_t dstType,
    bool isSymmetrical, const char *quantMode, float dstTypeMax, const aclTensor *yOut,
    const aclTensor *scaleOut, const aclTensor *offsetOut, uint64_t *workspaceSize,
    aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnDynamicQuantV4(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
