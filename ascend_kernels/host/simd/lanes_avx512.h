// SPDX-License-Identifier: Apache-2.0
// Sixteen floats in one AVX-512 register (F, BW, VL, DQ).
#pragma once

#include <immintrin.h>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = false;
    __m512 values;
};

inline Lanes load(const float* x) { return {_mm512_loadu_ps(x)}; }
inline Lanes load(const Half* x) { return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)))}; }
inline Lanes load(const BFloat16* x) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}
inline Lanes load(const std::int8_t* x) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))))};
}
inline Lanes broadcast(float value) { return {_mm512_set1_ps(value)}; }

inline Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_ps(a.values, b.values)}; }
inline Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_ps(a.values, b.values)}; }
inline Lanes operator/(Lanes a, Lanes b) { return {_mm512_div_ps(a.values, b.values)}; }
inline Lanes lower(Lanes a, Lanes b) { return {_mm512_min_ps(a.values, b.values)}; }
inline Lanes higher(Lanes a, Lanes b) { return {_mm512_max_ps(a.values, b.values)}; }
inline bool unordered(Lanes a) { return _mm512_cmp_ps_mask(a.values, a.values, _CMP_UNORD_Q) != 0; }
inline float lowest(Lanes a) { return _mm512_reduce_min_ps(a.values); }
inline float highest(Lanes a) { return _mm512_reduce_max_ps(a.values); }

// Rounds and clamps; lanes that are NaN become 0.
template <Round mode>
inline __m512i rounded(Lanes a, Limits limits) {
    const __mmask16 ordered = _mm512_cmp_ps_mask(a.values, a.values, _CMP_ORD_Q);
    const __m512 clamped = _mm512_max_ps(_mm512_min_ps(a.values, _mm512_set1_ps(limits.high)), _mm512_set1_ps(limits.low));
    if constexpr (mode == Round::Floor) {
        return _mm512_maskz_cvt_roundps_epi32(ordered, clamped, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    } else if constexpr (mode == Round::Ceil) {
        return _mm512_maskz_cvt_roundps_epi32(ordered, clamped, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
    } else if constexpr (mode == Round::Trunc) {
        return _mm512_maskz_cvt_roundps_epi32(ordered, clamped, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    } else {
        return _mm512_maskz_cvt_roundps_epi32(ordered, clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
}

template <Round mode, class Y>
inline void storeRounded(Lanes a, Limits limits, Y* y) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm512_cvtepi32_epi8(rounded<mode>(a, limits)));
}

inline void storeBounded(Lanes a, Limits limits, std::int8_t* y) {
    const __m128i bytes = _mm512_cvtsepi32_epi8(_mm512_cvt_roundps_epi32(a.values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    const __m128i low = _mm_set1_epi8(static_cast<char>(limits.low));
    const __m128i high = _mm_set1_epi8(static_cast<char>(limits.high));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm_max_epi8(_mm_min_epi8(bytes, high), low));
}

inline void storeInt32(Lanes a, std::int32_t* y) {
    const __mmask16 ordered = _mm512_cmp_ps_mask(a.values, a.values, _CMP_ORD_Q);
    const __mmask16 large = _mm512_cmp_ps_mask(a.values, _mm512_set1_ps(0x1p31F), _CMP_GE_OQ);
    // Too small values already become INT32_MIN, as the instruction has it for all it cannot hold.
    const __m512i integers = _mm512_maskz_cvt_roundps_epi32(ordered, a.values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm512_storeu_si512(y, _mm512_mask_mov_epi32(integers, large, _mm512_set1_epi32(INT32_MAX)));
}

template <Overflow overflow>
inline void store(Lanes a, Half* y) {
    __m256i halves = _mm512_cvtps_ph(a.values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __mmask16 nan = _mm512_cmp_ps_mask(a.values, a.values, _CMP_UNORD_Q);
    if constexpr (overflow == Overflow::Saturate) {
        const __m256i magnitude = _mm256_and_si256(halves, _mm256_set1_epi16(0x7FFF));
        const __mmask16 infinite = _mm256_cmpeq_epi16_mask(magnitude, _mm256_set1_epi16(0x7C00));
        halves = _mm256_mask_sub_epi16(halves, infinite, halves, _mm256_set1_epi16(1));  // 0x7C00 - 1 is the largest finite one
        halves = _mm256_mask_mov_epi16(halves, nan, _mm256_setzero_si256());
    } else {
        halves = _mm256_mask_mov_epi16(halves, nan, _mm256_set1_epi16(0x7E00));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), halves);
}

template <Overflow overflow>
inline void store(Lanes a, BFloat16* y) {
    const __m512i bits = _mm512_castps_si512(a.values);
    const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
    const __m512i nearly = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF));
    const __m512i rounded = _mm512_mask_add_epi32(nearly, odd, nearly, _mm512_set1_epi32(1));
    // Their upper halves, one behind the other; the mask of sixteen lanes says which of the first sixteen to take.
    const __m512i upper = _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    const __mmask16 ordered = _mm512_cmp_ps_mask(a.values, a.values, _CMP_ORD_Q);
    const __m512i nan = _mm512_set1_epi16(overflow == Overflow::Saturate ? 0 : 0x7FC0);
    __m256i result = _mm512_castsi512_si256(_mm512_mask_permutexvar_epi16(nan, ordered, upper, rounded));
    if constexpr (overflow == Overflow::Saturate) {
        const __m256i magnitude = _mm256_and_si256(result, _mm256_set1_epi16(0x7FFF));
        const __mmask16 infinite = _mm256_cmpeq_epi16_mask(magnitude, _mm256_set1_epi16(0x7F80));
        result = _mm256_mask_sub_epi16(result, infinite, result, _mm256_set1_epi16(1));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), result);
}

constexpr std::int64_t kLine = 64;
inline void streamLine(unsigned char* to, const unsigned char* from) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
}
inline void streamFence() { _mm_sfence(); }

}  // namespace aclq::ACLQ_ISA
