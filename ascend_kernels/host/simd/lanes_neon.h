// SPDX-License-Identifier: Apache-2.0
// Sixteen floats in four NEON registers (aarch64, where converting halves is part of the base).
#pragma once

#include <arm_neon.h>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = false;
    static constexpr bool kShare = false;
    static constexpr int kParts = 4;
    float32x4_t part[kParts];
};
struct Block {
    Lanes part[4];
};

template <class Make>
ACLQ_INLINE inline Lanes each(Make&& make) {
    return {{make(0), make(1), make(2), make(3)}};
}

ACLQ_INLINE inline Lanes load(const float* x) {
    return each([&](int i) ACLQ_INLINE { return vld1q_f32(x + 4 * i); });
}
ACLQ_INLINE inline Lanes load(const Half* x) {
    return each([&](int i) ACLQ_INLINE {
        return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(x) + 4 * i)));
    });
}
ACLQ_INLINE inline Lanes load(const BFloat16* x) {
    return each([&](int i) ACLQ_INLINE {
        return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(x) + 4 * i), 16));
    });
}
ACLQ_INLINE inline Lanes widenBytes(int8x16_t bytes) {
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
    const int16x8_t high = vmovl_s8(vget_high_s8(bytes));
    return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
             vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}
ACLQ_INLINE inline Lanes load(const std::int8_t* x) {
    return widenBytes(vld1q_s8(x));
}
ACLQ_INLINE inline Lanes load(PackedInt4 x) {
    // Shifting up and then arithmetically down extends the sign of each nibble.
    const int8x8_t pairs = vreinterpret_s8_u8(vld1_u8(x.data));
    const int8x8x2_t nibbles = vzip_s8(vshr_n_s8(vshl_n_s8(pairs, 4), 4), vshr_n_s8(pairs, 4));
    return widenBytes(vcombine_s8(nibbles.val[0], nibbles.val[1]));
}
ACLQ_INLINE inline void store(const Lanes& a, float* to) {
    for (int i = 0; i < Lanes::kParts; ++i) {
        vst1q_f32(to + 4 * i, a.part[i]);
    }
}
ACLQ_INLINE inline Lanes broadcast(float value) {
    return each([&](int) ACLQ_INLINE { return vdupq_n_f32(value); });
}

ACLQ_INLINE inline Lanes operator+(const Lanes& a, const Lanes& b) {
    return each([&](int i) ACLQ_INLINE { return vaddq_f32(a.part[i], b.part[i]); });
}
ACLQ_INLINE inline Lanes operator*(const Lanes& a, const Lanes& b) {
    return each([&](int i) ACLQ_INLINE { return vmulq_f32(a.part[i], b.part[i]); });
}
ACLQ_INLINE inline Lanes operator/(const Lanes& a, const Lanes& b) {
    return each([&](int i) ACLQ_INLINE { return vdivq_f32(a.part[i], b.part[i]); });
}

constexpr bool kQuickDivision = false;
ACLQ_INLINE inline Lanes quotient(const Lanes& x, const Lanes& y, const Lanes&) {
    return x / y;
}

// Running maxima of the bits, read as signed and as unsigned integers.
struct MinMaxBits {
    int32x4_t above = vdupq_n_s32(INT32_MIN);
    uint32x4_t below = vdupq_n_u32(0);
    template <int>
    void include(const Lanes& a) {
        for (int i = 0; i < Lanes::kParts; ++i) {
            above = vmaxq_s32(above, vreinterpretq_s32_f32(a.part[i]));
            below = vmaxq_u32(below, vreinterpretq_u32_f32(a.part[i]));
        }
    }
    std::int32_t largest() const { return vmaxvq_s32(above); }
    std::uint32_t largestUnsigned() const { return vmaxvq_u32(below); }
};

// The same for 16-bit elements in memory.
struct MinMaxBits16 {
    static constexpr std::int64_t kCount = 8;
    int16x8_t above = vdupq_n_s16(INT16_MIN);
    uint16x8_t below = vdupq_n_u16(0);
    ACLQ_INLINE void include(const void* x) {
        const uint16x8_t words = vld1q_u16(static_cast<const std::uint16_t*>(x));
        above = vmaxq_s16(above, vreinterpretq_s16_u16(words));
        below = vmaxq_u16(below, words);
    }
    ACLQ_INLINE std::int16_t largest() const { return vmaxvq_s16(above); }
    ACLQ_INLINE std::uint16_t largestUnsigned() const { return vmaxvq_u16(below); }
};

// Two registers are stored together.
struct Pair {
    uint8x16_t first;
    uint8x16_t second;
};
using Bytes = Vectors<Pair, 2>;
using Nibbles = Vectors<Pair, 1>;

// Conversions saturate and turn NaN into 0.
ACLQ_INLINE inline uint8x16_t narrow(const Lanes& a, Integers to, bool within) {
    const int16x8_t first = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(a.part[0])), vqmovn_s32(vcvtnq_s32_f32(a.part[1])));
    const int16x8_t second = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(a.part[2])), vqmovn_s32(vcvtnq_s32_f32(a.part[3])));
    if (to == Integers::Uint8) {
        return vcombine_u8(vqmovun_s16(first), vqmovun_s16(second));
    }
    int8x16_t bytes = vcombine_s8(vqmovn_s16(first), vqmovn_s16(second));
    if (to == Integers::Int4 && !within) {
        bytes = vmaxq_s8(vminq_s8(bytes, vdupq_n_s8(7)), vdupq_n_s8(-8));
    }
    return vreinterpretq_u8_s8(bytes);
}

template <class Policy>
ACLQ_INLINE inline Bytes narrowed(const Policy& policy, Integers to, bool within) {
    const Block block = policy.quick();
    return {{{narrow(block.part[0], to, within), narrow(block.part[1], to, within)},
             {narrow(block.part[2], to, within), narrow(block.part[3], to, within)}}};
}

ACLQ_INLINE inline Lanes rounded(const Lanes& a, Round mode) {
    return each([&](int i) ACLQ_INLINE {
        return mode == Round::Floor ? vrndmq_f32(a.part[i])
                                    : (mode == Round::Ceil ? vrndpq_f32(a.part[i]) : vrndq_f32(a.part[i]));
    });
}
ACLQ_INLINE inline Block rounded(const Block& block, Round mode) {
    return {{rounded(block.part[0], mode), rounded(block.part[1], mode), rounded(block.part[2], mode),
             rounded(block.part[3], mode)}};
}

ACLQ_INLINE inline Nibbles packed(const Bytes& bytes) {
    const auto packed = [&](const Pair& pair) ACLQ_INLINE {
        const uint8x16_t first = vuzp1q_u8(pair.first, pair.second);
        const uint8x16_t second = vuzp2q_u8(pair.first, pair.second);
        return vsliq_n_u8(vandq_u8(first, vdupq_n_u8(15)), second, 4);
    };
    return {{{packed(bytes.part[0]), packed(bytes.part[1])}}};
}

// The conversion saturates and turns NaN into 0.
ACLQ_INLINE inline Vectors<Pair, 8> toInt32(const Block& block) {
    Vectors<Pair, 8> results;
    for (int i = 0; i < 8; ++i) {
        const auto part = [&](int number) ACLQ_INLINE {
            return vreinterpretq_u8_s32(vcvtnq_s32_f32(block.part[i / 2].part[i % 2 * 2 + number]));
        };
        results.part[i] = {part(0), part(1)};
    }
    return results;
}

// With infinities and NaN as the template parameter says.
template <Overflow overflow, bool ordered, class Y>
ACLQ_INLINE inline uint16x4_t finish(float32x4_t value, uint16x4_t bits) {
    if constexpr (overflow == Overflow::Saturate) {
        const uint16x4_t infinite = vceq_u16(vand_u16(bits, vdup_n_u16(0x7FFF)), vdup_n_u16(kInfinityOf<Y>));
        bits = vadd_u16(bits, infinite);  // the mask is -1, which gives the largest finite value
    }
    return ordered ? bits : vbsl_u16(vmovn_u32(vceqq_f32(value, value)), bits, vdup_n_u16(kNanOf<overflow, Y>));
}

template <Overflow overflow, bool ordered>
ACLQ_INLINE inline uint16x4_t convert(float32x4_t value, Half) {
    return finish<overflow, ordered, Half>(value, vreinterpret_u16_f16(vcvt_f16_f32(value)));
}

template <Overflow overflow, bool ordered>
ACLQ_INLINE inline uint16x4_t convert(float32x4_t value, BFloat16) {
    const uint32x4_t bits = vreinterpretq_u32_f32(value);
    const uint32x4_t even = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint16x4_t rounded = vshrn_n_u32(vaddq_u32(bits, vaddq_u32(even, vdupq_n_u32(0x7FFF))), 16);
    return finish<overflow, ordered, BFloat16>(value, rounded);
}

template <Overflow overflow, bool ordered, class Y>
ACLQ_INLINE inline Vectors<Pair, 4> toHalves(const Block& block) {
    const auto pair = [&](int i) ACLQ_INLINE -> Pair {
        const auto half = [&](int first) ACLQ_INLINE {
            return vreinterpretq_u8_u16(vcombine_u16(convert<overflow, ordered>(block.part[i].part[first], Y{}),
                                                     convert<overflow, ordered>(block.part[i].part[first + 1], Y{})));
        };
        return {half(0), half(2)};
    };
    return {{pair(0), pair(1), pair(2), pair(3)}};
}

// A table of sixteen 16-bit values, indexed by the int4 of a block.
class Sixteen {
  public:
    ACLQ_INLINE explicit Sixteen(const std::uint16_t* halves) {
        const uint8x16x2_t bytes = vld2q_u8(reinterpret_cast<const std::uint8_t*>(halves));
        low_ = bytes.val[0];
        high_ = bytes.val[1];
    }
    ACLQ_INLINE Vectors<Pair, 4> lookUp(PackedInt4 x) const {
        const auto part = [&](int i) ACLQ_INLINE -> Pair {
            const uint8x8_t pairs = vld1_u8(x.data + 8 * i);
            const uint8x8x2_t nibbles = vzip_u8(vand_u8(pairs, vdup_n_u8(15)), vshr_n_u8(pairs, 4));
            const uint8x16_t index = vcombine_u8(nibbles.val[0], nibbles.val[1]);
            const uint8x16x2_t halves = vzipq_u8(vqtbl1q_u8(low_, index), vqtbl1q_u8(high_, index));
            return {halves.val[0], halves.val[1]};
        };
        return {{part(0), part(1), part(2), part(3)}};
    }

  private:
    uint8x16_t low_;
    uint8x16_t high_;
};

ACLQ_INLINE inline void store(const Pair& pair, void* y) {
    vst1q_u8(static_cast<std::uint8_t*>(y), pair.first);
    vst1q_u8(static_cast<std::uint8_t*>(y) + 16, pair.second);
}
// A non-temporal store is only a hint here; it needs neither alignment nor a fence.
ACLQ_INLINE inline void stream(const Pair& pair, void* y) {
    asm volatile("stnp %q0, %q1, [%2]" : : "w"(pair.first), "w"(pair.second), "r"(y) : "memory");
}
template <class Vector>
constexpr std::int64_t kStreamAlignment = 1;
ACLQ_INLINE inline void streamFence() {}

}  // namespace aclq::ACLQ_ISA
