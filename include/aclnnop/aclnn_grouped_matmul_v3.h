/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * None of the operators of this header is in the host device.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_GROUPED_MATMUL_V3_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_GROUPED_MATMUL_V3_H

#include "aclnn/aclnn_base.h"

#endif
