// SPDX-License-Identifier: Apache-2.0
// Sixteen floats in one AVX-512 register (F, BW, VL, DQ).
#pragma once

#include "simd/lanes_x86.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = false;
    __m512 values;
};
struct Block {
    Lanes part[4];
};

ACLQ_INLINE inline Lanes load(const float* x) { return {_mm512_loadu_ps(x)}; }
ACLQ_INLINE inline Lanes load(const Half* x) { return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)))}; }
ACLQ_INLINE inline Lanes load(const BFloat16* x) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}
ACLQ_INLINE inline Lanes load(const std::int8_t* x) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))))};
}
ACLQ_INLINE inline Lanes load(PackedInt4 x) {
    // Eight bytes as two words; each lane shifts its own nibble down. The table looks at four bits and forgets the others.
    const __m512i halves = _mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m512i shifts = _mm512_set_epi32(28, 24, 20, 16, 12, 8, 4, 0, 28, 24, 20, 16, 12, 8, 4, 0);
    const __m512 values = _mm512_set_ps(-1, -2, -3, -4, -5, -6, -7, -8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i words = _mm512_castsi128_si512(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x.data)));
    return {_mm512_permutexvar_ps(_mm512_srlv_epi32(_mm512_permutexvar_epi32(halves, words), shifts), values)};
}
ACLQ_INLINE inline Lanes broadcast(float value) { return {_mm512_set1_ps(value)}; }

ACLQ_INLINE inline Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_ps(a.values, b.values)}; }
ACLQ_INLINE inline Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_ps(a.values, b.values)}; }
ACLQ_INLINE inline Lanes operator/(Lanes a, Lanes b) { return {_mm512_div_ps(a.values, b.values)}; }

// The largest bits seen, read as signed and as unsigned integers.
struct Extremes {
    __m512i above = _mm512_set1_epi32(INT32_MIN);
    __m512i below = _mm512_setzero_si512();
    void include(Lanes a) {
        above = _mm512_max_epi32(above, _mm512_castps_si512(a.values));
        below = _mm512_max_epu32(below, _mm512_castps_si512(a.values));
    }
    std::int32_t largest() const { return _mm512_reduce_max_epi32(above); }
    std::uint32_t largestUnsigned() const { return _mm512_reduce_max_epu32(below); }
};

// Rounded; lanes that are NaN become 0, those above the limit the limit, those too small for an int32 its smallest.
template <Round mode>
ACLQ_INLINE inline __m512i rounded(Lanes a, float high) {
    const __mmask16 ordered = _mm512_cmp_ps_mask(a.values, a.values, _CMP_ORD_Q);
    const __m512 clamped = _mm512_min_ps(a.values, _mm512_set1_ps(high));
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

ACLQ_INLINE inline void put(__m512i values, void* y, bool streamed) {
    if (streamed) {
        put(_mm512_castsi512_si256(values), y, true);
        put(_mm512_extracti64x4_epi64(values, 1), static_cast<__m256i*>(y) + 1, true);
    } else {
        _mm512_storeu_si512(y, values);
    }
}

struct Bytes {
    __m512i values;
};

// Packing saturates, and takes its operands a quarter at a time: the permutation puts the quarters in order.
ACLQ_INLINE inline Bytes narrow(__m512i a, __m512i b, __m512i c, __m512i d, const Saturation& to) {
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __m512i first = _mm512_packs_epi32(a, b);
    const __m512i second = _mm512_packs_epi32(c, d);
    if (to.isUnsigned) {
        return {_mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second))};
    }
    __m512i bytes = _mm512_packs_epi16(first, second);
    if (to.isInt4) {
        bytes = _mm512_max_epi8(_mm512_min_epi8(bytes, _mm512_set1_epi8(7)), _mm512_set1_epi8(-8));
    }
    return {_mm512_permutexvar_epi32(order, bytes)};
}

template <Round mode>
ACLQ_INLINE inline Bytes narrow(const Block& block, const Saturation& to) {
    const auto part = [&](int i) ACLQ_INLINE { return rounded<mode>(block.part[i], to.most); };
    return narrow(part(0), part(1), part(2), part(3), to);
}

ACLQ_INLINE inline Bytes narrowBounded(const Block& block, const Saturation& to) {
    const auto part = [&](int i) ACLQ_INLINE { return _mm512_cvt_roundps_epi32(block.part[i].values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); };
    return narrow(part(0), part(1), part(2), part(3), to);
}

ACLQ_INLINE inline void storeBytes(Bytes bytes, std::uint8_t* y, bool streamed) { put(bytes.values, y, streamed); }
ACLQ_INLINE inline void storeNibbles(Bytes bytes, std::uint8_t* y, bool streamed) {
    // Pairs become words: the first byte, and sixteen times the second.
    const __m512i pairs = _mm512_maddubs_epi16(_mm512_and_si512(bytes.values, _mm512_set1_epi8(15)), _mm512_set1_epi16(0x1001));
    put(_mm512_cvtepi16_epi8(pairs), y, streamed);
}

ACLQ_INLINE inline void storeInt32(Lanes a, std::int32_t* y, bool streamed) {
    const __mmask16 ordered = _mm512_cmp_ps_mask(a.values, a.values, _CMP_ORD_Q);
    const __mmask16 large = _mm512_cmp_ps_mask(a.values, _mm512_set1_ps(0x1p31F), _CMP_GE_OQ);
    // Too small values already become INT32_MIN, as the instruction has it for all it cannot hold.
    const __m512i integers = _mm512_maskz_cvt_roundps_epi32(ordered, a.values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    put(_mm512_mask_mov_epi32(integers, large, _mm512_set1_epi32(INT32_MAX)), y, streamed);
}

template <Overflow overflow>
ACLQ_INLINE inline void store(Lanes a, Half* y, bool streamed) {
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
    put(halves, y, streamed);
}

template <Overflow overflow>
ACLQ_INLINE inline void store(Lanes a, BFloat16* y, bool streamed) {
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
    put(result, y, streamed);
}

constexpr std::int64_t kLine = 64;
ACLQ_INLINE inline void streamLine(unsigned char* to, const unsigned char* from) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
}

}  // namespace aclq::ACLQ_ISA
