/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The macro that marks functions of operators, for sources that include it by this name.
 * An independent description of the binary interface of libopapi; it copies no text of CANN.
 */
#ifndef ACLQUANT_INCLUDE_ACLNNOP_ACLNN_UTIL_H
#define ACLQUANT_INCLUDE_ACLNNOP_ACLNN_UTIL_H

#include "aclnn/aclnn_base.h"

#endif
