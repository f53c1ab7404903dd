// SPDX-License-Identifier: Apache-2.0
// The work behind aclnnQuantMatmulV3, V4 and V5: an integer product, then scales, bias and a cast.
#pragma once

#include <memory>

#include "meta/executor.h"

namespace aclq {

// Tensors: x1, x2, scale, pertoken scale, bias, out, offset (which is not read); pertoken scale, bias and offset may be
// left out. INT32 inputs hold eight int4 each, along their last dimension. Flags swap the last two dimensions.
std::shared_ptr<const Kernel> makeQuantMatmul(bool transposeX1, bool transposeX2);

}  // namespace aclq
