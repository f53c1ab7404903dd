// SPDX-License-Identifier: Apache-2.0
#define ACLQ_ISA avx512
#include "simd/lanes_avx512.h"
// after the lanes
#include "simd/rows.h"

namespace aclq {
extern const Kernels kAvx512Kernels;
constexpr Kernels kAvx512Kernels = avx512::table("avx512");
}  // namespace aclq
