// SPDX-License-Identifier: Apache-2.0
// Copies between views of one shape: bytes for equal types, converted numbers for different ones.
#pragma once

#include "ops/everyday/call.h"

namespace aclq::everyday {

// `from` is broadcast to the shape of `to`.
void copy(const View& from, const View& to);
// The kernel that copies. Tensors: from, to.
std::shared_ptr<const Kernel> copyKernel();

}  // namespace aclq::everyday
