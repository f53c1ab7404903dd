/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Several operators, which CANN declares in one header.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_SEARCHSORTED_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_SEARCHSORTED_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where elements belong in sorted sequences: before equal elements, or behind them (right). */
ACLNN_API aclnnStatus aclnnSearchSortedGetWorkspaceSize(const aclTensor *sortedSequence,
    const aclTensor *self, const bool outInt32, const bool right, const aclTensor *sorter,
    aclTensor *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnSearchSorted(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

/* Where a number belongs in a sorted sequence: before equal elements, or behind them (right). */
ACLNN_API aclnnStatus aclnnSearchSortedsGetWorkspaceSize(const aclTensor *sortedSequence,
    const aclScalar *self, const bool outInt32, const bool right, const aclTensor *sorter,
    aclTensor *out, uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnSearchSorteds(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
