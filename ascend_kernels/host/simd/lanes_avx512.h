// SPDX-License-Identifier: Apache-2.0
// Sixteen floats in one AVX-512 register (F, BW, VL, DQ).
#pragma once

#include "simd/lanes_x86.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = false;
    static constexpr bool kShare = true;
    __m512 values;
};
struct Block {
    Lanes part[4];
};

ACLQ_INLINE inline Lanes load(const float* x) {
    return {_mm512_loadu_ps(x)};
}
ACLQ_INLINE inline Lanes load(const Half* x) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)))};
}
ACLQ_INLINE inline Lanes load(const BFloat16* x) {
    // Each value becomes the upper half of a lane.
    const __m512i places = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4,
                                            0, 3, 0, 2, 0, 1, 0, 0, 0);
    const __m512i words = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
    return {_mm512_castsi512_ps(_mm512_maskz_permutexvar_epi16(0xAAAAAAAAU, places, words))};
}
ACLQ_INLINE inline Lanes load(const std::int8_t* x) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))))};
}
ACLQ_INLINE inline Lanes load(PackedInt4 x) {
    // Eight bytes as two 32-bit words; each lane shifts its nibble down. The table lookup ignores all bits above the
    // low four.
    const __m512i halves = _mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m512i shifts = _mm512_set_epi32(28, 24, 20, 16, 12, 8, 4, 0, 28, 24, 20, 16, 12, 8, 4, 0);
    const __m512 values = _mm512_set_ps(-1, -2, -3, -4, -5, -6, -7, -8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i words = _mm512_castsi128_si512(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x.data)));
    return {_mm512_permutexvar_ps(_mm512_srlv_epi32(_mm512_permutexvar_epi32(halves, words), shifts), values)};
}
ACLQ_INLINE inline void store(const Lanes& a, float* to) {
    _mm512_storeu_ps(to, a.values);
}
ACLQ_INLINE inline Lanes broadcast(float value) {
    return {_mm512_set1_ps(value)};
}

ACLQ_INLINE inline Lanes operator+(Lanes a, Lanes b) {
    return {_mm512_add_ps(a.values, b.values)};
}
ACLQ_INLINE inline Lanes operator*(Lanes a, Lanes b) {
    return {_mm512_mul_ps(a.values, b.values)};
}
ACLQ_INLINE inline Lanes operator/(Lanes a, Lanes b) {
    return {_mm512_div_ps(a.values, b.values)};
}

ACLQ_INLINE inline Lanes quotient(Lanes x, Lanes y, Lanes reciprocal) {
    const __m512 nearly = _mm512_mul_ps(x.values, reciprocal.values);
    return {_mm512_fmadd_ps(_mm512_fnmadd_ps(nearly, y.values, x.values), reciprocal.values, nearly)};
}

// The largest number of each of four vectors of 32-bit lanes.
template <class Max>
ACLQ_INLINE inline __m128i largestOfFour(__m512i a, __m512i b, __m512i c, __m512i d, Max&& max) {
    const __m512i ab = max(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xEE));
    const __m512i cd = max(_mm512_shuffle_i64x2(c, d, 0x44), _mm512_shuffle_i64x2(c, d, 0xEE));
    const __m512i quarters =
        max(_mm512_shuffle_i64x2(ab, cd, 0x88), _mm512_shuffle_i64x2(ab, cd, 0xDD));  // one for each vector
    const __m512i pairs = max(quarters, _mm512_shuffle_epi32(quarters, _MM_PERM_BADC));
    const __m512i largest = max(pairs, _mm512_shuffle_epi32(pairs, _MM_PERM_CDAB));
    return _mm512_castsi512_si128(
        _mm512_permutexvar_epi32(_mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 8, 4, 0), largest));
}

// Running maxima of the bits, read as signed and as unsigned integers.
struct MinMaxBits {
    __m512i above = _mm512_set1_epi32(INT32_MIN);
    __m512i below = _mm512_setzero_si512();
    template <int>
    void include(Lanes a) {
        above = _mm512_max_epi32(above, _mm512_castps_si512(a.values));
        below = _mm512_max_epu32(below, _mm512_castps_si512(a.values));
    }
    std::int32_t largest() const { return _mm512_reduce_max_epi32(above); }
    std::uint32_t largestUnsigned() const { return _mm512_reduce_max_epu32(below); }
};
ACLQ_INLINE inline void largestOfFour(const MinMaxBits (&rows)[4], std::uint32_t* above, std::uint32_t* below) {
    const auto largest = [](__m512i a, __m512i b) ACLQ_INLINE { return _mm512_max_epi32(a, b); };
    const auto largestUnsigned = [](__m512i a, __m512i b) ACLQ_INLINE { return _mm512_max_epu32(a, b); };
    _mm_storeu_si128(reinterpret_cast<__m128i*>(above),
                     largestOfFour(rows[0].above, rows[1].above, rows[2].above, rows[3].above, largest));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(below),
                     largestOfFour(rows[0].below, rows[1].below, rows[2].below, rows[3].below, largestUnsigned));
}

// The same for 16-bit elements in memory.
struct MinMaxBits16 {
    static constexpr std::int64_t kCount = 32;
    __m512i above = _mm512_set1_epi16(INT16_MIN);
    __m512i below = _mm512_setzero_si512();
    ACLQ_INLINE void include(const void* x) {
        __m512i words = _mm512_loadu_si512(x);
        asm("" : "+v"(words));  // otherwise the compiler loads them once for each use
        above = _mm512_max_epi16(above, words);
        below = _mm512_max_epu16(below, words);
    }
    ACLQ_INLINE std::int16_t largest() const {
        const __m256i half = _mm256_max_epi16(_mm512_castsi512_si256(above), _mm512_extracti64x4_epi64(above, 1));
        return ACLQ_ISA::largest(_mm_max_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
    }
    ACLQ_INLINE std::uint16_t largestUnsigned() const {
        const __m256i half = _mm256_max_epu16(_mm512_castsi512_si256(below), _mm512_extracti64x4_epi64(below, 1));
        return ACLQ_ISA::largestUnsigned(
            _mm_max_epu16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
    }
};

ACLQ_INLINE inline void largestOfFour(const MinMaxBits16 (&rows)[4], std::uint16_t* above, std::uint16_t* below) {
    const auto largest = [](__m512i a, __m512i b) ACLQ_INLINE { return _mm512_max_epi16(a, b); };
    const auto largestUnsigned = [](__m512i a, __m512i b) ACLQ_INLINE { return _mm512_max_epu16(a, b); };
    const __m128i pairs = largestOfFour(rows[0].above, rows[1].above, rows[2].above, rows[3].above, largest);
    const __m128i pairsUnsigned =
        largestOfFour(rows[0].below, rows[1].below, rows[2].below, rows[3].below, largestUnsigned);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(above),
                     _mm_cvtepi32_epi16(_mm_max_epi16(pairs, _mm_srli_epi32(pairs, 16))));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(below),
                     _mm_cvtepi32_epi16(_mm_max_epu16(pairsUnsigned, _mm_srli_epi32(pairsUnsigned, 16))));
}

struct Zmm {
    __m512i bits;
};
// Bytes whose groups of four are not in order yet, because packing works on each quarter of a register. The store puts
// them in order.
struct Quarters {
    __m512i bits;
};
// The place of each group of four.
ACLQ_INLINE inline __m512i foursInOrder() {
    return _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
}
using Bytes = Vectors<Quarters, 1>;
using Nibbles = Vectors<Ymm, 1>;

// Halves of a block as int16, saturated.
struct Words {
    __m512i first;
    __m512i second;
};
ACLQ_INLINE inline Words words(__m512i a, __m512i b, __m512i c, __m512i d) {
    return {_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)};
}

ACLQ_INLINE inline Bytes narrow(const Words& from, Integers to, bool within) {
    __m512i bytes = to == Integers::Uint8 ? _mm512_packus_epi16(from.first, from.second)
                                          : _mm512_packs_epi16(from.first, from.second);
    if (to == Integers::Int4 && !within) {
        bytes = _mm512_max_epi8(_mm512_min_epi8(bytes, _mm512_set1_epi8(7)), _mm512_set1_epi8(-8));
    }
    return {{{bytes}}};
}

template <int mode>
ACLQ_INLINE inline Block roundedTo(const Block& block) {
    const auto part = [&](int i) ACLQ_INLINE {
        return Lanes{_mm512_roundscale_ps(block.part[i].values, mode | _MM_FROUND_NO_EXC)};
    };
    return {{part(0), part(1), part(2), part(3)}};
}

ACLQ_INLINE inline __m512i toNearest(__m512 values) {
    return _mm512_cvt_roundps_epi32(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

// NaN becomes 0; values above the limit become the limit.
[[gnu::noinline, gnu::cold]] inline Words carefully(Block block, Integers to) noexcept {
    const __m512 most = _mm512_set1_ps(limitsOf(to).high);
    const auto part = [&](int i) ACLQ_INLINE {
        const __m512 values = block.part[i].values;
        return _mm512_maskz_mov_epi32(_mm512_cmp_ps_mask(values, values, _CMP_ORD_Q),
                                      toNearest(_mm512_min_ps(values, most)));
    };
    return words(part(0), part(1), part(2), part(3));
}

template <class Policy>
ACLQ_INLINE inline Bytes narrowed(const Policy& policy, Integers to, bool within) {
    const Block block = policy.quick();
    const auto part = [&](int i) ACLQ_INLINE { return toNearest(block.part[i].values); };
    Words result = words(part(0), part(1), part(2), part(3));
    // Values that do not fit an int32, and NaN, become the smallest int32, and then the smallest int16. They are rare,
    // so the block is computed again.
    if (!within && _mm512_cmpeq_epi16_mask(_mm512_min_epi16(result.first, result.second),
                                           _mm512_set1_epi16(INT16_MIN)) != 0) [[unlikely]] {
        result = carefully(policy.exact(), to);
    }
    return narrow(result, to, within);
}

ACLQ_INLINE inline Nibbles packed(const Bytes& bytes) {
    // Each pair of bytes becomes a word: the first byte plus sixteen times the second. Packing keeps two of four bytes,
    // in two copies.
    const __m512i pairs =
        _mm512_maddubs_epi16(_mm512_and_si512(bytes.part[0].bits, _mm512_set1_epi8(15)), _mm512_set1_epi16(0x1001));
    const __m512i twice = _mm512_packus_epi16(pairs, pairs);
    const __m512i inOrder = _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 27, 19, 11, 3, 26, 18, 10,
                                             2, 25, 17, 9, 1, 24, 16, 8, 0);
    return {{{_mm512_castsi512_si256(_mm512_permutexvar_epi16(inOrder, twice))}}};
}

ACLQ_INLINE inline Vectors<Zmm, 4> toInt32(const Block& block) {
    const auto part = [&](int i) ACLQ_INLINE {
        const __m512 values = block.part[i].values;
        const __mmask16 ordered = _mm512_cmp_ps_mask(values, values, _CMP_ORD_Q);
        const __mmask16 large = _mm512_cmp_ps_mask(values, _mm512_set1_ps(0x1p31F), _CMP_GE_OQ);
        // Values below the range already become INT32_MIN, the instruction's result for everything that does not fit.
        const __m512i integers =
            _mm512_maskz_cvt_roundps_epi32(ordered, values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        return Zmm{_mm512_mask_mov_epi32(integers, large, _mm512_set1_epi32(INT32_MAX))};
    };
    return {{part(0), part(1), part(2), part(3)}};
}

ACLQ_INLINE inline __m512i toWords(Lanes a, Lanes b, Half) {
    const auto half = [](Lanes lanes) ACLQ_INLINE {
        return _mm512_cvtps_ph(lanes.values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    };
    return _mm512_inserti64x4(_mm512_castsi256_si512(half(a)), half(b), 1);
}
ACLQ_INLINE inline __m512i toWords(Lanes a, Lanes b, BFloat16) {
    const auto rounded = [](Lanes lanes) ACLQ_INLINE {
        const __m512i bits = _mm512_castps_si512(lanes.values);
        const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
        const __m512i nearly = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF));
        return _mm512_mask_add_epi32(nearly, odd, nearly, _mm512_set1_epi32(1));
    };
    // The upper halves of the lanes, consecutively.
    const __m512i upper = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27,
                                           25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    return _mm512_permutex2var_epi16(rounded(a), upper, rounded(b));
}

ACLQ_INLINE inline std::uint32_t nanMask(Lanes a) {
    return _mm512_cmp_ps_mask(a.values, a.values, _CMP_UNORD_Q);
}

// With infinities and NaN as the template parameter says.
template <Overflow overflow, bool ordered, class Y>
ACLQ_INLINE inline Zmm convert(Lanes a, Lanes b) {
    __m512i words = toWords(a, b, Y{});
    if constexpr (overflow == Overflow::Saturate) {
        const __m512i magnitude = _mm512_and_si512(words, _mm512_set1_epi16(0x7FFF));
        const __mmask32 infinite = _mm512_cmpeq_epi16_mask(magnitude, _mm512_set1_epi16(kInfinityOf<Y>));
        words = _mm512_mask_sub_epi16(words, infinite, words, _mm512_set1_epi16(1));  // the largest finite value
    }
    if constexpr (!ordered) {
        words = _mm512_mask_mov_epi16(words, nanMask(a) | nanMask(b) << 16, _mm512_set1_epi16(kNanOf<overflow, Y>));
    }
    return {words};
}

template <Overflow overflow, bool ordered, class Y>
ACLQ_INLINE inline Vectors<Zmm, 2> toHalves(const Block& block) {
    return {{convert<overflow, ordered, Y>(block.part[0], block.part[1]),
             convert<overflow, ordered, Y>(block.part[2], block.part[3])}};
}

// A table of sixteen 16-bit values, indexed by the int4 of a block.
class Sixteen {
  public:
    ACLQ_INLINE explicit Sixteen(const std::uint16_t* halves)
        : twice_(_mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)))) {}
    ACLQ_INLINE Vectors<Zmm, 2> lookUp(PackedInt4 x) const {
        const auto half = [&](int i) ACLQ_INLINE {
            // A byte becomes two words, each with a nibble in its low bits. The lookup uses five bits, so the table is
            // stored twice.
            const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x.data) + i));
            return Zmm{_mm512_permutexvar_epi16(_mm512_or_si512(bytes, _mm512_slli_epi32(bytes, 12)), twice_)};
        };
        return {{half(0), half(1)}};
    }

  private:
    const __m512i twice_;
};

ACLQ_INLINE inline void store(Zmm vector, void* y) {
    _mm512_storeu_si512(y, vector.bits);
}
ACLQ_INLINE inline void stream(Zmm vector, void* y) {
    _mm512_stream_si512(static_cast<__m512i*>(y), vector.bits);
}

ACLQ_INLINE inline Zmm inOrder(Quarters vector) {
    return {_mm512_permutexvar_epi32(foursInOrder(), vector.bits)};
}

// Selects sixteen lanes of two vectors (those of the first have indices below sixteen), starting `shift` bytes before
// the second.
ACLQ_INLINE inline __m512i joinedLanes(std::int64_t shift) {
    return _mm512_add_epi32(_mm512_set_epi32(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16),
                            _mm512_set1_epi32(static_cast<int>(-shift / 4)));
}

template <>
struct Joint<Zmm> {
    ACLQ_INLINE explicit Joint(std::int64_t shift) : lanes_(joinedLanes(shift)) {}
    ACLQ_INLINE Zmm join(Zmm before, Zmm now) const {
        return {_mm512_permutex2var_epi32(before.bits, lanes_, now.bits)};
    }

  private:
    __m512i lanes_;
};

// Also puts the lanes in order.
template <>
struct Joint<Quarters> {
    ACLQ_INLINE explicit Joint(std::int64_t shift) {
        const __m512i lanes = joinedLanes(shift);
        lanes_ = _mm512_or_si512(_mm512_permutexvar_epi32(lanes, foursInOrder()),
                                 _mm512_and_si512(lanes, _mm512_set1_epi32(16)));
    }
    ACLQ_INLINE Zmm join(Quarters before, Quarters now) const {
        return {_mm512_permutex2var_epi32(before.bits, lanes_, now.bits)};
    }

  private:
    __m512i lanes_;
};

}  // namespace aclq::ACLQ_ISA
