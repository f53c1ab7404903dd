// SPDX-License-Identifier: Apache-2.0
#define ACLQ_ISA avx2
#include "simd/lanes_avx2.h"
// after the lanes
#include "simd/rows.h"

namespace aclq {
extern const Kernels kAvx2Kernels;
constexpr Kernels kAvx2Kernels = avx2::table("avx2");
}  // namespace aclq
