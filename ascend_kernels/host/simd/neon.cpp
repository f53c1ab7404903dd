// SPDX-License-Identifier: Apache-2.0
#define ACLQ_ISA neon
#include "simd/lanes_neon.h"
// after the lanes
#include "simd/rows.h"

namespace aclq {
extern const Kernels kNeonKernels;
constexpr Kernels kNeonKernels = neon::table("neon");
}  // namespace aclq
