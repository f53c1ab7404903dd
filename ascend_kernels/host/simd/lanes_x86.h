// SPDX-License-Identifier: Apache-2.0
// What the AVX2 and the AVX-512 variant have in common: streamed stores, and the limits that packing saturates to.
#pragma once

#include <immintrin.h>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

// Streamed stores of sixteen bytes fill lines that begin anywhere, one behind the other.
constexpr std::uintptr_t kStreamAlignment = 16;
ACLQ_INLINE inline void put(__m256i values, void* y, bool streamed) {
    auto* const to = static_cast<__m128i*>(y);
    if (streamed) {
        _mm_stream_si128(to, _mm256_castsi256_si128(values));
        _mm_stream_si128(to + 1, _mm256_extracti128_si256(values, 1));
    } else {
        _mm256_storeu_si256(static_cast<__m256i*>(y), values);
    }
}
ACLQ_INLINE inline void streamFence() { _mm_sfence(); }

// Limits of int8, uint8 or int4.
struct Saturation {
    explicit Saturation(Limits limits) : most(limits.high), isUnsigned(limits.low == 0.0F), isInt4(limits.high < 127.0F) {}
    const float most;
    const bool isUnsigned;
    const bool isInt4;
};

}  // namespace aclq::ACLQ_ISA
