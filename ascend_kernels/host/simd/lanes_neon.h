// SPDX-License-Identifier: Apache-2.0
// Sixteen floats in four NEON registers (aarch64, where converting halves is part of the base).
#pragma once

#include <arm_neon.h>

#include "simd/numeric.h"

namespace aclq::ACLQ_ISA {

struct Lanes {
    static constexpr std::int64_t kCount = 16;
    static constexpr bool kDefinition = false;
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
    return each([&](int i) ACLQ_INLINE { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(x) + 4 * i))); });
}
ACLQ_INLINE inline Lanes load(const BFloat16* x) {
    return each([&](int i) ACLQ_INLINE { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(x) + 4 * i), 16)); });
}
ACLQ_INLINE inline Lanes widenBytes(int8x16_t bytes) {
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
    const int16x8_t high = vmovl_s8(vget_high_s8(bytes));
    return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
             vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}
ACLQ_INLINE inline Lanes load(const std::int8_t* x) { return widenBytes(vld1q_s8(x)); }
ACLQ_INLINE inline Lanes load(PackedInt4 x) {
    // Shifted up and down again, each nibble brings its sign.
    const int8x8_t pairs = vreinterpret_s8_u8(vld1_u8(x.data));
    const int8x8x2_t nibbles = vzip_s8(vshr_n_s8(vshl_n_s8(pairs, 4), 4), vshr_n_s8(pairs, 4));
    return widenBytes(vcombine_s8(nibbles.val[0], nibbles.val[1]));
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

// The largest bits seen, read as signed and as unsigned integers.
struct Extremes {
    int32x4_t above = vdupq_n_s32(INT32_MIN);
    uint32x4_t below = vdupq_n_u32(0);
    void include(const Lanes& a) {
        for (int i = 0; i < Lanes::kParts; ++i) {
            above = vmaxq_s32(above, vreinterpretq_s32_f32(a.part[i]));
            below = vmaxq_u32(below, vreinterpretq_u32_f32(a.part[i]));
        }
    }
    std::int32_t largest() const { return vmaxvq_s32(above); }
    std::uint32_t largestUnsigned() const { return vmaxvq_u32(below); }
};

// Rounded: conversions saturate, and make NaN 0.
template <Round mode>
ACLQ_INLINE inline int32x4_t rounded(float32x4_t value) {
    if constexpr (mode == Round::Floor) {
        return vcvtmq_s32_f32(value);
    } else if constexpr (mode == Round::Ceil) {
        return vcvtpq_s32_f32(value);
    } else if constexpr (mode == Round::Trunc) {
        return vcvtq_s32_f32(value);
    } else {
        return vcvtnq_s32_f32(value);
    }
}

// A pair of registers stored together may go past the caches; it is a hint, and needs neither alignment nor fence.
constexpr std::uintptr_t kStreamAlignment = 1;
ACLQ_INLINE inline void put(uint8x16_t first, uint8x16_t second, void* y, bool streamed) {
    if (streamed) {
        asm volatile("stnp %q0, %q1, [%2]" : : "w"(first), "w"(second), "r"(y) : "memory");
    } else {
        vst1q_u8(static_cast<std::uint8_t*>(y), first);
        vst1q_u8(static_cast<std::uint8_t*>(y) + 16, second);
    }
}

struct Bytes {
    uint8x16_t part[4];
};

// Limits of int8, uint8 or int4.
struct Saturation {
    explicit Saturation(Limits limits) : isUnsigned(limits.low == 0.0F), isInt4(limits.high < 127.0F) {}
    const bool isUnsigned;
    const bool isInt4;
};

template <Round mode>
ACLQ_INLINE inline uint8x16_t narrow(const Lanes& a, const Saturation& to) {
    const int16x8_t first = vcombine_s16(vqmovn_s32(rounded<mode>(a.part[0])), vqmovn_s32(rounded<mode>(a.part[1])));
    const int16x8_t second = vcombine_s16(vqmovn_s32(rounded<mode>(a.part[2])), vqmovn_s32(rounded<mode>(a.part[3])));
    if (to.isUnsigned) {
        return vcombine_u8(vqmovun_s16(first), vqmovun_s16(second));
    }
    int8x16_t bytes = vcombine_s8(vqmovn_s16(first), vqmovn_s16(second));
    if (to.isInt4) {
        bytes = vmaxq_s8(vminq_s8(bytes, vdupq_n_s8(7)), vdupq_n_s8(-8));
    }
    return vreinterpretq_u8_s8(bytes);
}

template <Round mode>
ACLQ_INLINE inline Bytes narrow(const Block& block, const Saturation& to) {
    return {{narrow<mode>(block.part[0], to), narrow<mode>(block.part[1], to), narrow<mode>(block.part[2], to), narrow<mode>(block.part[3], to)}};
}
ACLQ_INLINE inline Bytes narrowBounded(const Block& block, const Saturation& to) { return narrow<Round::Rint>(block, to); }

ACLQ_INLINE inline void storeBytes(const Bytes& bytes, std::uint8_t* y, bool streamed) {
    put(bytes.part[0], bytes.part[1], y, streamed);
    put(bytes.part[2], bytes.part[3], y + 32, streamed);
}
ACLQ_INLINE inline void storeNibbles(const Bytes& bytes, std::uint8_t* y, bool streamed) {
    const auto packed = [&](int i) ACLQ_INLINE {
        const uint8x16_t first = vuzp1q_u8(bytes.part[i], bytes.part[i + 1]);
        const uint8x16_t second = vuzp2q_u8(bytes.part[i], bytes.part[i + 1]);
        return vsliq_n_u8(vandq_u8(first, vdupq_n_u8(15)), second, 4);
    };
    put(packed(0), packed(2), y, streamed);
}

// The conversion saturates and makes NaN 0.
ACLQ_INLINE inline void storeInt32(const Lanes& a, std::int32_t* y, bool streamed) {
    const auto part = [&](int i) ACLQ_INLINE { return vreinterpretq_u8_s32(vcvtnq_s32_f32(a.part[i])); };
    put(part(0), part(1), y, streamed);
    put(part(2), part(3), y + 8, streamed);
}

// With the magnitude `infinity` for what overflowed: infinities and NaN as asked for.
template <Overflow overflow>
ACLQ_INLINE inline uint16x4_t finish(float32x4_t value, uint16x4_t bits, std::uint16_t infinity, std::uint16_t nan) {
    const uint16x4_t ordered = vmovn_u32(vceqq_f32(value, value));
    if constexpr (overflow == Overflow::Saturate) {
        const uint16x4_t infinite = vceq_u16(vand_u16(bits, vdup_n_u16(0x7FFF)), vdup_n_u16(infinity));
        return vand_u16(vadd_u16(bits, infinite), ordered);  // the mask is -1: the largest finite one
    }
    return vbsl_u16(ordered, bits, vdup_n_u16(nan));
}

// Sixteen halves from four quarters.
template <class Quarter>
ACLQ_INLINE inline void putQuarters(Quarter&& quarter, void* y, bool streamed) {
    put(vreinterpretq_u8_u16(vcombine_u16(quarter(0), quarter(1))), vreinterpretq_u8_u16(vcombine_u16(quarter(2), quarter(3))), y, streamed);
}

template <Overflow overflow>
ACLQ_INLINE inline void store(const Lanes& a, Half* y, bool streamed) {
    putQuarters([&](int i) ACLQ_INLINE {
        return finish<overflow>(a.part[i], vreinterpret_u16_f16(vcvt_f16_f32(a.part[i])), 0x7C00, 0x7E00);
    }, y, streamed);
}

template <Overflow overflow>
ACLQ_INLINE inline void store(const Lanes& a, BFloat16* y, bool streamed) {
    putQuarters([&](int i) ACLQ_INLINE {
        const uint32x4_t bits = vreinterpretq_u32_f32(a.part[i]);
        const uint32x4_t even = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
        const uint16x4_t rounded = vshrn_n_u32(vaddq_u32(bits, vaddq_u32(even, vdupq_n_u32(0x7FFF))), 16);
        return finish<overflow>(a.part[i], rounded, 0x7F80, 0x7FC0);
    }, y, streamed);
}

constexpr std::int64_t kLine = 64;
ACLQ_INLINE inline void streamLine(unsigned char* to, const unsigned char* from) {
    put(vld1q_u8(from), vld1q_u8(from + 16), to, true);
    put(vld1q_u8(from + 32), vld1q_u8(from + 48), to + 32, true);
}
ACLQ_INLINE inline void streamFence() {}

}  // namespace aclq::ACLQ_ISA
