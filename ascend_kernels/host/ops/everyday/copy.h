// SPDX-License-Identifier: Apache-2.0
// Copies between views of one shape: bytes where the types agree, numbers where they do not.
#pragma once

#include "ops/everyday/call.h"

namespace aclq::everyday {

// `from` repeats to the shape of `to`.
void copy(const View& from, const View& to);
// The kernel that does it. Tensors: from, to.
std::shared_ptr<const Kernel> copyKernel();

}  // namespace aclq::everyday
