// SPDX-License-Identifier: Apache-2.0
// Sixteen floats in two AVX2 registers; F16C converts halves.
#pragma once

#include "simd/lanes_x86.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = false;
    static constexpr bool kShare = false;
    __m256 low;
    __m256 high;
};
struct Block {
    Lanes part[4];
};

ACLQ_INLINE inline Lanes load(const float* x) {
    return {_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)};
}
ACLQ_INLINE inline Lanes load(const Half* x) {
    const auto* at = reinterpret_cast<const __m128i*>(x);
    return {_mm256_cvtph_ps(_mm_loadu_si128(at)), _mm256_cvtph_ps(_mm_loadu_si128(at + 1))};
}
ACLQ_INLINE inline __m256 widenEight(const BFloat16* x) {
    // Each value becomes the upper half of a lane: the first four in the low half of the register, the others in the
    // high one.
    const __m256i places = _mm256_set_epi8(15, 14, -1, -1, 13, 12, -1, -1, 11, 10, -1, -1, 9, 8, -1, -1, 7, 6, -1, -1,
                                           5, 4, -1, -1, 3, 2, -1, -1, 1, 0, -1, -1);
    return _mm256_castsi256_ps(
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))), places));
}
ACLQ_INLINE inline Lanes load(const BFloat16* x) {
    return {widenEight(x), widenEight(x + 8)};
}
ACLQ_INLINE inline __m256 widenEight(const std::int8_t* x) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x))));
}
ACLQ_INLINE inline Lanes load(const std::int8_t* x) {
    return {widenEight(x), widenEight(x + 8)};
}
ACLQ_INLINE inline __m256 widenEight(PackedInt4 x) {
    // Each lane shifts its nibble to the top, then arithmetically down again, which extends the sign.
    std::int32_t bytes = 0;
    __builtin_memcpy(&bytes, x.data, sizeof bytes);
    const __m256i nibbles = _mm256_sllv_epi32(_mm256_set1_epi32(bytes), _mm256_set_epi32(0, 4, 8, 12, 16, 20, 24, 28));
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(nibbles, 28));
}
ACLQ_INLINE inline Lanes load(PackedInt4 x) {
    return {widenEight(x), widenEight(PackedInt4{x.data + 4})};
}
ACLQ_INLINE inline void store(const Lanes& a, float* to) {
    _mm256_storeu_ps(to, a.low);
    _mm256_storeu_ps(to + 8, a.high);
}
ACLQ_INLINE inline Lanes broadcast(float value) {
    return {_mm256_set1_ps(value), _mm256_set1_ps(value)};
}

ACLQ_INLINE inline Lanes operator+(Lanes a, Lanes b) {
    return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
ACLQ_INLINE inline Lanes operator*(Lanes a, Lanes b) {
    return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
ACLQ_INLINE inline Lanes operator/(Lanes a, Lanes b) {
    return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}

ACLQ_INLINE inline __m256 quotient(__m256 x, __m256 y, __m256 reciprocal) {
    const __m256 nearly = _mm256_mul_ps(x, reciprocal);
    return _mm256_fmadd_ps(_mm256_fnmadd_ps(nearly, y, x), reciprocal, nearly);
}
ACLQ_INLINE inline Lanes quotient(Lanes x, Lanes y, Lanes reciprocal) {
    return {quotient(x.low, y.low, reciprocal.low), quotient(x.high, y.high, reciprocal.high)};
}

// Running maxima of the bits, read as signed and as unsigned integers.
struct MinMaxBits {
    __m256i above = _mm256_set1_epi32(INT32_MIN);
    __m256i below = _mm256_setzero_si256();
    template <int side>
    void include(Lanes a) {
        const __m256i low = _mm256_castps_si256(a.low);
        const __m256i high = _mm256_castps_si256(a.high);
        if constexpr (side > 1) {  // two steps need fewer registers
            above = _mm256_max_epi32(_mm256_max_epi32(above, low), high);
            below = _mm256_max_epu32(_mm256_max_epu32(below, low), high);
        } else {
            above = _mm256_max_epi32(above, _mm256_max_epi32(low, high));
            below = _mm256_max_epu32(below, _mm256_max_epu32(low, high));
        }
    }
    std::int32_t largest() const {
        __m128i a = _mm_max_epi32(_mm256_castsi256_si128(above), _mm256_extracti128_si256(above, 1));
        a = _mm_max_epi32(a, _mm_unpackhi_epi64(a, a));
        return _mm_cvtsi128_si32(_mm_max_epi32(a, _mm_shuffle_epi32(a, 1)));
    }
    std::uint32_t largestUnsigned() const {
        __m128i a = _mm_max_epu32(_mm256_castsi256_si128(below), _mm256_extracti128_si256(below, 1));
        a = _mm_max_epu32(a, _mm_unpackhi_epi64(a, a));
        return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_max_epu32(a, _mm_shuffle_epi32(a, 1))));
    }
};

// Reduces the two halves of each vector to their larger numbers: those of the first vector, then of the second.
template <class Max>
ACLQ_INLINE inline __m256i largerHalves(__m256i a, __m256i b, Max&& max) {
    return max(_mm256_blend_epi32(a, b, 0xF0), _mm256_permute2x128_si256(a, b, 0x21));
}
// Reduces each of four vectors to a quarter: those of the first and the third vector, then of the second and the
// fourth.
template <class Max>
ACLQ_INLINE inline __m256i largestPairs(__m256i a, __m256i b, __m256i c, __m256i d, Max&& max) {
    const __m256i ab = largerHalves(a, b, max);
    const __m256i cd = largerHalves(c, d, max);
    return max(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
}
// The MinMaxBits of four rows, one in each 32-bit lane: `above` of the first and the third row, `below` of both, then
// the same for the other two. Flipping the top bit of `below` makes its unsigned order a signed one.
template <class Rows, class Max, class MaxUnsigned>
ACLQ_INLINE inline __m256i extremesOfFour(const Rows& rows, __m256i turn, Max&& max, MaxUnsigned&& maxUnsigned) {
    const __m256 above =
        _mm256_castsi256_ps(largestPairs(rows[0].above, rows[1].above, rows[2].above, rows[3].above, max));
    const __m256 below = _mm256_castsi256_ps(
        _mm256_xor_si256(turn, largestPairs(rows[0].below, rows[1].below, rows[2].below, rows[3].below, maxUnsigned)));
    return max(_mm256_castps_si256(_mm256_shuffle_ps(above, below, 0x88)),
               _mm256_castps_si256(_mm256_shuffle_ps(above, below, 0xDD)));
}

ACLQ_INLINE inline void largestOfFour(const MinMaxBits (&rows)[4], std::uint32_t* above, std::uint32_t* below) {
    const __m256i turn = _mm256_set1_epi32(INT32_MIN);
    const __m256i all = extremesOfFour(
        rows, turn, [](__m256i a, __m256i b) ACLQ_INLINE { return _mm256_max_epi32(a, b); },
        [](__m256i a, __m256i b) ACLQ_INLINE { return _mm256_max_epu32(a, b); });
    const __m128i even = _mm256_castsi256_si128(all);
    const __m128i odd = _mm256_extracti128_si256(all, 1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(above), _mm_unpacklo_epi32(even, odd));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(below),
                     _mm_xor_si128(_mm256_castsi256_si128(turn), _mm_unpackhi_epi32(even, odd)));
}

// MinMaxBits of 16-bit elements in memory.
struct MinMaxBits16 {
    static constexpr std::int64_t kCount = 16;
    __m256i above = _mm256_set1_epi16(INT16_MIN);
    __m256i below = _mm256_setzero_si256();
    ACLQ_INLINE void include(const void* x) {
        __m256i words = _mm256_loadu_si256(static_cast<const __m256i*>(x));
        asm("" : "+x"(words));  // otherwise the compiler loads them once for each use
        above = _mm256_max_epi16(above, words);
        below = _mm256_max_epu16(below, words);
    }
    ACLQ_INLINE std::int16_t largest() const {
        return ACLQ_ISA::largest(_mm_max_epi16(_mm256_castsi256_si128(above), _mm256_extracti128_si256(above, 1)));
    }
    ACLQ_INLINE std::uint16_t largestUnsigned() const {
        return ACLQ_ISA::largestUnsigned(
            _mm_max_epu16(_mm256_castsi256_si128(below), _mm256_extracti128_si256(below, 1)));
    }
};

ACLQ_INLINE inline void largestOfFour(const MinMaxBits16 (&rows)[4], std::uint16_t* above, std::uint16_t* below) {
    const __m256i turn = _mm256_set1_epi16(INT16_MIN);
    const __m256i pairs = extremesOfFour(
        rows, turn, [](__m256i a, __m256i b) ACLQ_INLINE { return _mm256_max_epi16(a, b); },
        [](__m256i a, __m256i b) ACLQ_INLINE { return _mm256_max_epu16(a, b); });
    const __m256i all = _mm256_max_epi16(pairs, _mm256_slli_epi32(pairs, 16));  // in the upper halves of the lanes
    const __m128i even = _mm_srli_epi32(_mm256_castsi256_si128(all), 16);
    const __m128i odd = _mm256_extracti128_si256(all, 1);
    const __m128i words = _mm_blend_epi16(even, odd, 0xAA);  // above of the four rows, then below
    _mm_storel_epi64(reinterpret_cast<__m128i*>(above), words);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(below),
                     _mm_xor_si128(_mm256_castsi256_si128(turn), _mm_unpackhi_epi64(words, words)));
}

template <int mode>
ACLQ_INLINE inline Block roundedTo(const Block& block) {
    const auto part = [&](int i) ACLQ_INLINE {
        return Lanes{_mm256_round_ps(block.part[i].low, mode | _MM_FROUND_NO_EXC),
                     _mm256_round_ps(block.part[i].high, mode | _MM_FROUND_NO_EXC)};
    };
    return {{part(0), part(1), part(2), part(3)}};
}

// The low 16 bits of each lane, in order.
ACLQ_INLINE inline __m256i narrow(__m256i low, __m256i high) {
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
}
ACLQ_INLINE inline __m256i narrowUnsigned(__m256i low, __m256i high) {
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xD8);
}

// Results that are not in order yet, because packing works on each half of a register: bytes in groups of four, and
// the pairs of int4 made of them in groups of two. The store puts them in order.
struct Fours {
    __m256i bits;
};
struct Twos {
    __m256i bits;
};
using Bytes = Vectors<Fours, 2>;
using Nibbles = Vectors<Twos, 1>;

template <int... place>
ACLQ_INLINE inline __m256i foursAt(__m256i bits) {
    return _mm256_permutevar8x32_epi32(bits, _mm256_setr_epi32(place...));
}
ACLQ_INLINE inline Ymm inOrder(Fours vector) {
    return {foursAt<0, 4, 1, 5, 2, 6, 3, 7>(vector.bits)};
}
// In each half, the words of its quarters alternate.
ACLQ_INLINE inline __m256i interleaved(__m256i words) {
    return _mm256_shuffle_epi8(
        words, _mm256_broadcastsi128_si256(_mm_set_epi8(15, 14, 7, 6, 13, 12, 5, 4, 11, 10, 3, 2, 9, 8, 1, 0)));
}
ACLQ_INLINE inline Ymm inOrder(Twos vector) {
    return {interleaved(_mm256_permute4x64_epi64(vector.bits, 0xD8))};
}

// The second half of one vector in order, and the first half of the next. Before the permutation they lie in different
// places, so one register can hold both.
template <>
struct Joint<Fours> {
    ACLQ_INLINE explicit Joint(std::int64_t) {}
    ACLQ_INLINE Ymm join(Fours before, Fours now) const {
        return {foursAt<2, 6, 3, 7, 0, 4, 1, 5>(_mm256_blend_epi32(before.bits, now.bits, 0x33))};
    }
};
template <>
struct Joint<Twos> {
    ACLQ_INLINE explicit Joint(std::int64_t) {}
    ACLQ_INLINE Ymm join(Twos before, Twos now) const {
        return {interleaved(_mm256_permute4x64_epi64(_mm256_blend_epi32(before.bits, now.bits, 0x33), 0x8D))};
    }
};

// A block as int16, saturated. Packing works on each half of a register.
struct Words {
    __m256i quarter[4];
};
template <class Convert>
ACLQ_INLINE inline Words words(const Block& block, Convert&& convert) {
    const auto quarter = [&](int i) ACLQ_INLINE {
        return _mm256_packs_epi32(convert(block.part[i].low), convert(block.part[i].high));
    };
    return {{quarter(0), quarter(1), quarter(2), quarter(3)}};
}

// NaN becomes 0; values above the limit become the limit.
[[gnu::noinline, gnu::cold]] inline Words carefully(Block block, Integers to) noexcept {
    const __m256 most = _mm256_set1_ps(limitsOf(to).high);
    return words(block, [&](__m256 values) ACLQ_INLINE {
        const __m256 ordered = _mm256_and_ps(values, _mm256_cmp_ps(values, values, _CMP_ORD_Q));
        return _mm256_cvtps_epi32(_mm256_min_ps(ordered, most));
    });
}

// Packing saturates.
ACLQ_INLINE inline Fours narrow(__m256i first, __m256i second, Integers to, bool within) {
    if (to == Integers::Uint8) {
        return {_mm256_packus_epi16(first, second)};
    }
    const __m256i bytes = _mm256_packs_epi16(first, second);
    return {to == Integers::Int4 && !within
                ? _mm256_max_epi8(_mm256_min_epi8(bytes, _mm256_set1_epi8(7)), _mm256_set1_epi8(-8))
                : bytes};
}

template <class Policy>
ACLQ_INLINE inline Bytes narrowed(const Policy& policy, Integers to, bool within) {
    Words result = words(policy.quick(), [](__m256 values) ACLQ_INLINE { return _mm256_cvtps_epi32(values); });
    // Values that do not fit an int32, and NaN, become the smallest int32, and then the smallest int16. They are rare,
    // so the block is computed again.
    const auto beyond = [&]() ACLQ_INLINE {
        const __m256i least = _mm256_min_epi16(_mm256_min_epi16(result.quarter[0], result.quarter[1]),
                                               _mm256_min_epi16(result.quarter[2], result.quarter[3]));
        return _mm256_movemask_epi8(_mm256_cmpeq_epi16(least, _mm256_set1_epi16(INT16_MIN))) != 0;
    };
    if (!within && beyond()) [[unlikely]] {
        result = carefully(policy.exact(), to);
    }
    return {{narrow(result.quarter[0], result.quarter[1], to, within),
             narrow(result.quarter[2], result.quarter[3], to, within)}};
}

ACLQ_INLINE inline Nibbles packed(const Bytes& bytes) {
    // Each pair of bytes becomes a word: the first byte plus sixteen times the second.
    const auto pairs = [](Fours fours) ACLQ_INLINE {
        return _mm256_maddubs_epi16(_mm256_and_si256(fours.bits, _mm256_set1_epi8(15)), _mm256_set1_epi16(0x1001));
    };
    return {{{_mm256_packus_epi16(pairs(bytes.part[0]), pairs(bytes.part[1]))}}};
}

ACLQ_INLINE inline __m256i saturated(__m256 value) {
    const __m256i integers = _mm256_cvtps_epi32(_mm256_and_ps(value, _mm256_cmp_ps(value, value, _CMP_ORD_Q)));
    // Values below the range already are INT32_MIN. Values above it convert to INT32_MIN as well; flipping all bits
    // makes INT32_MAX.
    const __m256 large = _mm256_cmp_ps(value, _mm256_set1_ps(0x1p31F), _CMP_GE_OQ);
    return _mm256_xor_si256(integers, _mm256_castps_si256(large));
}

ACLQ_INLINE inline Vectors<Ymm, 8> toInt32(const Block& block) {
    const auto low = [&](int i) ACLQ_INLINE { return Ymm{saturated(block.part[i].low)}; };
    const auto high = [&](int i) ACLQ_INLINE { return Ymm{saturated(block.part[i].high)}; };
    return {{low(0), high(0), low(1), high(1), low(2), high(2), low(3), high(3)}};
}

// Narrows a mask from 32 to 16 bits per lane.
ACLQ_INLINE inline __m256i narrowMask(__m256 low, __m256 high) {
    return narrow(_mm256_castps_si256(low), _mm256_castps_si256(high));
}
ACLQ_INLINE inline __m256i nanMask(Lanes a) {
    return narrowMask(_mm256_cmp_ps(a.low, a.low, _CMP_UNORD_Q), _mm256_cmp_ps(a.high, a.high, _CMP_UNORD_Q));
}

// With infinities and NaN as the template parameter says.
template <Overflow overflow, bool ordered, class Y>
ACLQ_INLINE inline __m256i finish(Lanes a, __m256i bits) {
    if constexpr (overflow == Overflow::Saturate) {
        const __m256i infinite =
            _mm256_cmpeq_epi16(_mm256_and_si256(bits, _mm256_set1_epi16(0x7FFF)), _mm256_set1_epi16(kInfinityOf<Y>));
        bits = _mm256_add_epi16(bits, infinite);  // the mask is -1, which gives the largest finite value
    }
    return ordered ? bits : _mm256_blendv_epi8(bits, _mm256_set1_epi16(kNanOf<overflow, Y>), nanMask(a));
}

template <Overflow overflow, bool ordered>
ACLQ_INLINE inline __m256i convert(Lanes a, Half) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    const __m256i halves = _mm256_set_m128i(_mm256_cvtps_ph(a.high, kNearest), _mm256_cvtps_ph(a.low, kNearest));
    return finish<overflow, ordered, Half>(a, halves);
}

ACLQ_INLINE inline __m256i roundBFloat16(__m256 value) {
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7FFF))), 16);
}

template <Overflow overflow, bool ordered>
ACLQ_INLINE inline __m256i convert(Lanes a, BFloat16) {
    const __m256i bits = narrowUnsigned(roundBFloat16(a.low), roundBFloat16(a.high));
    return finish<overflow, ordered, BFloat16>(a, bits);
}

template <Overflow overflow, bool ordered, class Y>
ACLQ_INLINE inline Vectors<Ymm, 4> toHalves(const Block& block) {
    const auto part = [&](int i) ACLQ_INLINE { return Ymm{convert<overflow, ordered>(block.part[i], Y{})}; };
    return {{part(0), part(1), part(2), part(3)}};
}

// Sixteen int4, one per byte, before sign extension.
ACLQ_INLINE inline __m128i nibbles(const std::uint8_t* x) {
    const __m128i pairs = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(x));
    return _mm_and_si128(_mm_unpacklo_epi8(pairs, _mm_srli_epi16(pairs, 4)), _mm_set1_epi8(15));
}

// A table of sixteen 16-bit values, indexed by the int4 of a block.
class Sixteen {
  public:
    ACLQ_INLINE explicit Sixteen(const std::uint16_t* halves) {
        std::uint8_t bytes[2][16];
        for (int i = 0; i < 16; ++i) {
            bytes[0][i] = static_cast<std::uint8_t>(halves[i]);
            bytes[1][i] = static_cast<std::uint8_t>(halves[i] >> 8);
        }
        low_ = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes[0]));
        high_ = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes[1]));
    }
    ACLQ_INLINE Vectors<Ymm, 4> lookUp(PackedInt4 x) const {
        const auto part = [&](int i) ACLQ_INLINE {
            const __m128i index = nibbles(x.data + 8 * i);
            const __m128i low = _mm_shuffle_epi8(low_, index);
            const __m128i high = _mm_shuffle_epi8(high_, index);
            return Ymm{_mm256_set_m128i(_mm_unpackhi_epi8(low, high), _mm_unpacklo_epi8(low, high))};
        };
        return {{part(0), part(1), part(2), part(3)}};
    }

  private:
    __m128i low_;
    __m128i high_;
};

}  // namespace aclq::ACLQ_ISA
