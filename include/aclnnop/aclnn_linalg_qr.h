/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Orthogonal Q and triangular R whose product is self; mode: 0 reduced, 1 complete, 2 R alone.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_LINALG_QR_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_LINALG_QR_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnLinalgQrGetWorkspaceSize(const aclTensor *self, int64_t mode,
    aclTensor *Q, aclTensor *R, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnLinalgQr(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
