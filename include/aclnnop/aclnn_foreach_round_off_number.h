/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Elements rounded to integers, for each tensor of a list; roundMode: 1 to even, 2 down, 3 up, 4
 * away from zero at .5, 5 towards zero, 6 to odd, 7 what is behind the point. The mode lies on
 * the device.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_ROUND_OFF_NUMBER_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_FOREACH_ROUND_OFF_NUMBER_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

ACLNN_API aclnnStatus aclnnForeachRoundOffNumberGetWorkspaceSize(const aclTensorList *x,
    const aclTensor *roundMode, const aclTensorList *out, uint64_t *workspaceSize,
    aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnForeachRoundOffNumber(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
