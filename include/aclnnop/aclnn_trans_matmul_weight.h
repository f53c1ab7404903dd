/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Several functions, which CANN declares in one header.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_MATMUL_WEIGHT_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_MATMUL_WEIGHT_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The number of elements that a weight of this shape and type occupies in blocks. */
ACLNN_API aclnnStatus aclnnCalculateMatmulWeightSizeV2(const aclIntArray *tensorShape,
    aclDataType dataType, uint64_t *weightTensorSize);

/* The same for FLOAT16. */
ACLNN_API aclnnStatus aclnnCalculateMatmulWeightSize(const aclIntArray *tensorShape,
    uint64_t *weightTensorSize);

/* Brings a weight in place into the layout that matrix products prefer, which is ND here. */
ACLNN_API aclnnStatus aclnnTransMatmulWeightGetWorkspaceSize(aclTensor *mmWeightRef,
    uint64_t *workspaceSize, aclOpExecutor **executor);
ACLNN_API aclnnStatus aclnnTransMatmulWeight(void *workspace, uint64_t workspaceSize,
    aclOpExecutor *executor, aclrtStream stream);

#ifdef __cplusplus
}
#endif

#endif
