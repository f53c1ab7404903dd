/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The gradient of aclnnElu, from its input or its result.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ELU_BACKWARD_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_ELU_BACKWARD_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnEluBackwardGetWorkspaceSize(const aclTensor *gradOutput,
    const aclScalar *alpha, const aclScalar *scale, const aclScalar *inputScale, bool isResult,
    const aclTensor *selfOrResult, aclTensor *gradInput, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnEluBackward(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
