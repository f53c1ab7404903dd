/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The solution of linear equations with a triangular matrix, and that matrix.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRIANGULAR_SOLVE_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRIANGULAR_SOLVE_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnTriangularSolveGetWorkspaceSize(const aclTensor *self,
    const aclTensor *A, bool upper, bool transpose, bool unitriangular, aclTensor *xOut,
    aclTensor *mOut, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnTriangularSolve(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, const aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
