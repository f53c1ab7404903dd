/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * 1 with the probabilities of prob, else 0.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_BERNOULLI_TENSOR_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_BERNOULLI_TENSOR_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnInplaceBernoulliTensorGetWorkspaceSize(aclTensor *selfRef,
    const aclTensor *prob, int64_t seed, int64_t offset, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnInplaceBernoulliTensor(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
