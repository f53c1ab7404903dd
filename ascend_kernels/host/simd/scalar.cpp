// SPDX-License-Identifier: Apache-2.0
// For any processor: the definition the other variants are compared with.
#define ACLQ_ISA scalar
// Sixteen operations each: calls are cheap beside them, and copies of them everywhere would take minutes to compile.
#define ACLQ_INLINE
#include "simd/lanes_scalar.h"
// after the lanes
#include "simd/rows.h"

namespace aclq {
extern const Kernels kScalarKernels;
constexpr Kernels kScalarKernels = scalar::table("scalar");
}  // namespace aclq
