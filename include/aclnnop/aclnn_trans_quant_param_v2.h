/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packs scales and offsets into the 64-bit words of the matrix unit, on the device.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_QUANT_PARAM_V2_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_QUANT_PARAM_V2_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* offset may be null. out may be declared INT64 or UINT64; phase 1 makes it UINT64. It is written
 * densely from its address, whatever its strides. */
ACLNN_API aclnnStatus aclnnTransQuantParamV2GetWorkspaceSize(const aclTensor *scale,
    const aclTensor *offset, const aclTensor *out, uint64_t *workspaceSize,
    aclOpExecutor **executor);

/* Phase 2. */
ACLNN_API aclnnStatus aclnnTransQuantParamV2(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, const aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
