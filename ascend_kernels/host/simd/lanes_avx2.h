// SPDX-License-Identifier: Apache-2.0
// Sixteen floats in two AVX2 registers; F16C converts halves.
#pragma once

#include <immintrin.h>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = false;
    __m256 low;
    __m256 high;
};

inline Lanes load(const float* x) { return {_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)}; }
inline Lanes load(const Half* x) {
    const auto* at = reinterpret_cast<const __m128i*>(x);
    return {_mm256_cvtph_ps(_mm_loadu_si128(at)), _mm256_cvtph_ps(_mm_loadu_si128(at + 1))};
}
inline __m256 widenBFloat16(__m128i bits) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16)); }
inline Lanes load(const BFloat16* x) {
    const auto* at = reinterpret_cast<const __m128i*>(x);
    return {widenBFloat16(_mm_loadu_si128(at)), widenBFloat16(_mm_loadu_si128(at + 1))};
}
inline Lanes load(const std::int8_t* x) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes)))};
}
inline Lanes broadcast(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }

inline Lanes operator+(Lanes a, Lanes b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
inline Lanes operator*(Lanes a, Lanes b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
inline Lanes operator/(Lanes a, Lanes b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
inline Lanes lower(Lanes a, Lanes b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
inline Lanes higher(Lanes a, Lanes b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }
inline bool unordered(Lanes a) { return _mm256_movemask_ps(_mm256_cmp_ps(a.low, a.high, _CMP_UNORD_Q)) != 0; }

inline float lowest(Lanes a) {
    alignas(32) float values[8];
    _mm256_store_ps(values, _mm256_min_ps(a.low, a.high));
    float result = values[0];
    for (const float value : values) {
        result = value < result ? value : result;
    }
    return result;
}
inline float highest(Lanes a) {
    alignas(32) float values[8];
    _mm256_store_ps(values, _mm256_max_ps(a.low, a.high));
    float result = values[0];
    for (const float value : values) {
        result = value > result ? value : result;
    }
    return result;
}

// Rounds and clamps; lanes that are NaN become 0.
template <Round mode>
inline __m256i rounded(__m256 value, Limits limits) {
    const __m256 ordered = _mm256_and_ps(value, _mm256_cmp_ps(value, value, _CMP_ORD_Q));
    __m256 clamped = _mm256_max_ps(_mm256_min_ps(ordered, _mm256_set1_ps(limits.high)), _mm256_set1_ps(limits.low));
    if constexpr (mode == Round::Floor) {
        clamped = _mm256_floor_ps(clamped);
    } else if constexpr (mode == Round::Ceil) {
        clamped = _mm256_ceil_ps(clamped);
    } else if constexpr (mode == Round::Trunc) {
        return _mm256_cvttps_epi32(clamped);
    }
    return _mm256_cvtps_epi32(clamped);
}

// The low 16 bits of each lane, in order.
inline __m256i narrow(__m256i low, __m256i high) { return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8); }
inline __m256i narrowUnsigned(__m256i low, __m256i high) { return _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xD8); }

template <Round mode, class Y>
inline void storeRounded(Lanes a, Limits limits, Y* y) {
    const __m256i words = narrow(rounded<mode>(a.low, limits), rounded<mode>(a.high, limits));
    const __m128i first = _mm256_castsi256_si128(words);
    const __m128i second = _mm256_extracti128_si256(words, 1);
    const __m128i bytes = static_cast<Y>(-1) < 0 ? _mm_packs_epi16(first, second) : _mm_packus_epi16(first, second);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), bytes);
}

inline void storeBounded(Lanes a, Limits limits, std::int8_t* y) {
    const __m256i words = narrow(_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high));
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    const __m128i low = _mm_set1_epi8(static_cast<char>(limits.low));
    const __m128i high = _mm_set1_epi8(static_cast<char>(limits.high));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm_max_epi8(_mm_min_epi8(bytes, high), low));
}

inline __m256i saturated(__m256 value) {
    const __m256i integers = _mm256_cvtps_epi32(_mm256_and_ps(value, _mm256_cmp_ps(value, value, _CMP_ORD_Q)));
    // Too small values already are INT32_MIN; too large ones come out as that, and all bits turned are INT32_MAX.
    const __m256 large = _mm256_cmp_ps(value, _mm256_set1_ps(0x1p31F), _CMP_GE_OQ);
    return _mm256_xor_si256(integers, _mm256_castps_si256(large));
}

inline void storeInt32(Lanes a, std::int32_t* y) {
    auto* at = reinterpret_cast<__m256i*>(y);
    _mm256_storeu_si256(at, saturated(a.low));
    _mm256_storeu_si256(at + 1, saturated(a.high));
}

// The mask of 32 bits a lane as one of 16 bits.
inline __m256i narrowMask(__m256 low, __m256 high) { return narrow(_mm256_castps_si256(low), _mm256_castps_si256(high)); }
inline __m256i nanMask(Lanes a) { return narrowMask(_mm256_cmp_ps(a.low, a.low, _CMP_UNORD_Q), _mm256_cmp_ps(a.high, a.high, _CMP_UNORD_Q)); }

// With the magnitude `infinity` for what overflowed: infinities and NaN as asked for.
template <Overflow overflow>
inline __m256i finish(Lanes a, __m256i bits, short infinity, short nan) {
    if constexpr (overflow == Overflow::Saturate) {
        const __m256i infinite = _mm256_cmpeq_epi16(_mm256_and_si256(bits, _mm256_set1_epi16(0x7FFF)), _mm256_set1_epi16(infinity));
        return _mm256_andnot_si256(nanMask(a), _mm256_add_epi16(bits, infinite));  // the mask is -1: the largest finite one
    }
    return _mm256_blendv_epi8(bits, _mm256_set1_epi16(nan), nanMask(a));
}

template <Overflow overflow>
inline void store(Lanes a, Half* y) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    const __m256i halves = _mm256_set_m128i(_mm256_cvtps_ph(a.high, kNearest), _mm256_cvtps_ph(a.low, kNearest));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), finish<overflow>(a, halves, 0x7C00, 0x7E00));
}

inline __m256i roundBFloat16(__m256 value) {
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7FFF))), 16);
}

template <Overflow overflow>
inline void store(Lanes a, BFloat16* y) {
    const __m256i bits = narrowUnsigned(roundBFloat16(a.low), roundBFloat16(a.high));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), finish<overflow>(a, bits, 0x7F80, 0x7FC0));
}

constexpr std::int64_t kLine = 64;
inline void streamLine(unsigned char* to, const unsigned char* from) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32));
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), first);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + 32), second);
}
inline void streamFence() { _mm_sfence(); }

}  // namespace aclq::ACLQ_ISA
