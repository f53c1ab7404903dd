// SPDX-License-Identifier: Apache-2.0
// The row kernels, written once over the lanes of a variant. Each variant's .cpp chooses its lanes, includes this and
// compiles it with its instructions. README.md explains the terms; lanes_scalar.h says what the operations on lanes
// mean.
#pragma once

#include "simd/rows/affine.h"
#include "simd/rows/anti_quantize.h"
#include "simd/rows/dynamic.h"
#include "simd/rows/min_max.h"
#include "simd/rows/pack.h"
#include "simd/rows/quantize.h"
#include "simd/rows/stream.h"

namespace aclq::ACLQ_ISA {

inline constexpr Kernels table(const char* name) {
    return Kernels{name,      quantize,   quantizeToInt32, antiQuantize, minMaxOfRows, quantizeAffine, quantizeDynamic,
                   smoothRow, unpackInt4, packScales,      streamTo,     streamFence};
}

}  // namespace aclq::ACLQ_ISA
