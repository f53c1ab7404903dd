/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Several operators, which CANN declares in one header.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_VAR_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_VAR_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Variances over dim (none: all); the divisor is the number of elements, less one if unbiased. */
ACLNN_API aclnnStatus aclnnVarGetWorkspaceSize(const aclTensor *self, const aclIntArray *dim,
    bool unbiased, bool keepdim, aclTensor *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnVar(void *workspace, uint64_t workspaceSize, aclOpExecutor *executor,
    aclrtStream stream);

/* Variances over dim (none: all); the divisor is the number of elements minus correction. */
ACLNN_API aclnnStatus aclnnVarCorrectionGetWorkspaceSize(const aclTensor *self,
    const aclIntArray *dim, int64_t correction, bool keepdim, aclTensor *out,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnVarCorrection(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
