/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packs scales and offsets into the 64-bit words of the matrix unit, on the host.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_QUANT_PARAM_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_TRANS_QUANT_PARAM_H

#include "aclnn/aclnn_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One phase only: host arrays in and out, no executor, no stream. *quantParam comes from calloc
 * and is released with free; *quantParamSize counts words, not bytes. offsetArray may be null
 * with size 0. */
ACLNN_API aclnnStatus aclnnTransQuantParam(const float *scaleArray, uint64_t scaleSize,
    const float *offsetArray, uint64_t offsetSize, uint64_t **quantParam, uint64_t *quantParamSize);

#ifdef __cplusplus
}
#endif

#endif
