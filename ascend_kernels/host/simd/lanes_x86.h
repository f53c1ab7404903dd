// SPDX-License-Identifier: Apache-2.0
// Shared by the AVX2 and AVX-512 variants: stores of 256 bits, temporal or not.
#pragma once

#include <immintrin.h>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

// The largest of eight words, read as signed and as unsigned integers. One instruction finds the smallest unsigned
// word.
ACLQ_INLINE inline std::int16_t largest(__m128i words) {
    const __m128i flip = _mm_set1_epi16(INT16_MAX);  // reverses the order
    return static_cast<std::int16_t>(INT16_MAX ^ _mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(words, flip)), 0));
}
ACLQ_INLINE inline std::uint16_t largestUnsigned(__m128i words) {
    const __m128i flip = _mm_set1_epi16(-1);
    return static_cast<std::uint16_t>(UINT16_MAX ^ _mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(words, flip)), 0));
}

struct Ymm {
    __m256i bits;
};
ACLQ_INLINE inline void store(Ymm vector, void* y) {
    _mm256_storeu_si256(static_cast<__m256i*>(y), vector.bits);
}
ACLQ_INLINE inline void stream(Ymm vector, void* y) {
    _mm256_stream_si256(static_cast<__m256i*>(y), vector.bits);
}
// Stores put vectors in order that are not yet.
template <class Vector>
requires requires(Vector vector) {
    inOrder(vector);
}
ACLQ_INLINE inline void store(Vector vector, void* y) {
    store(inOrder(vector), y);
}
template <class Vector>
requires requires(Vector vector) {
    inOrder(vector);
}
ACLQ_INLINE inline void stream(Vector vector, void* y) {
    stream(inOrder(vector), y);
}
// Sixteen bytes, the smallest part of a register that can be streamed.
ACLQ_INLINE inline void streamSixteen(const void* from, void* y) {
    _mm_stream_si128(static_cast<__m128i*>(y), _mm_loadu_si128(static_cast<const __m128i*>(from)));
}
ACLQ_INLINE inline void streamFence() {
    _mm_sfence();
}

// Vectors are streamed to addresses that are multiples of their size.
template <class Vector>
constexpr std::int64_t kStreamAlignment = sizeof(Vector);

template <>
struct Joint<Ymm> {  // sixteen is the only possible shift
    ACLQ_INLINE explicit Joint(std::int64_t) {}
    ACLQ_INLINE Ymm join(Ymm before, Ymm now) const { return {_mm256_permute2x128_si256(before.bits, now.bits, 0x21)}; }
};

// quotient(x, y, 1 / y): the product with the reciprocal, corrected by its remainder. Equal to x / y if x has at most
// eleven bits of mantissa and no number is huge or tiny; tests/kernels/quotients.cpp tries all mantissas. Infinite x
// give NaN.
constexpr bool kQuickDivision = true;

// Rounded in another mode than to nearest; results are still floats.
template <class Block>
[[gnu::noinline]] inline Block rounded(Block block, Round mode) noexcept {
    return mode == Round::Floor
               ? roundedTo<_MM_FROUND_TO_NEG_INF>(block)
               : (mode == Round::Ceil ? roundedTo<_MM_FROUND_TO_POS_INF>(block) : roundedTo<_MM_FROUND_TO_ZERO>(block));
}

}  // namespace aclq::ACLQ_ISA
