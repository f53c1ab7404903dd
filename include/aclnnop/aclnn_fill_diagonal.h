/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Writes a number to the main diagonal; wrap goes on in the rows of a tall matrix.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FILL_DIAGONAL_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FILL_DIAGONAL_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnInplaceFillDiagonalGetWorkspaceSize(aclTensor *selfRef,
    const aclScalar *fillValue, bool wrap, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnInplaceFillDiagonal(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
