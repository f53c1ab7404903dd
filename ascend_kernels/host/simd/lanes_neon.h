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

template <class Make>
inline Lanes each(Make&& make) {
    return {{make(0), make(1), make(2), make(3)}};
}

inline Lanes load(const float* x) {
    return each([&](int i) { return vld1q_f32(x + 4 * i); });
}
inline Lanes load(const Half* x) {
    return each([&](int i) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(x) + 4 * i))); });
}
inline Lanes load(const BFloat16* x) {
    return each([&](int i) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(x) + 4 * i), 16)); });
}
inline Lanes load(const std::int8_t* x) {
    const int8x16_t bytes = vld1q_s8(x);
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
    const int16x8_t high = vmovl_s8(vget_high_s8(bytes));
    return {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
             vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
}
inline Lanes broadcast(float value) {
    return each([&](int) { return vdupq_n_f32(value); });
}

inline Lanes operator+(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return vaddq_f32(a.part[i], b.part[i]); });
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return vmulq_f32(a.part[i], b.part[i]); });
}
inline Lanes operator/(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return vdivq_f32(a.part[i], b.part[i]); });
}
inline Lanes lower(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return vminq_f32(a.part[i], b.part[i]); });
}
inline Lanes higher(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return vmaxq_f32(a.part[i], b.part[i]); });
}
inline bool unordered(const Lanes& a) {
    uint32x4_t ordered = vceqq_f32(a.part[0], a.part[0]);
    for (int i = 1; i < Lanes::kParts; ++i) {
        ordered = vandq_u32(ordered, vceqq_f32(a.part[i], a.part[i]));
    }
    return vminvq_u32(ordered) == 0;
}
inline float lowest(const Lanes& a) { return vminvq_f32(vminq_f32(vminq_f32(a.part[0], a.part[1]), vminq_f32(a.part[2], a.part[3]))); }
inline float highest(const Lanes& a) { return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.part[0], a.part[1]), vmaxq_f32(a.part[2], a.part[3]))); }

// Rounds and clamps; the conversions make NaN 0.
template <Round mode>
inline int32x4_t rounded(float32x4_t value, Limits limits) {
    const float32x4_t clamped = vmaxq_f32(vminq_f32(value, vdupq_n_f32(limits.high)), vdupq_n_f32(limits.low));
    if constexpr (mode == Round::Floor) {
        return vcvtmq_s32_f32(clamped);
    } else if constexpr (mode == Round::Ceil) {
        return vcvtpq_s32_f32(clamped);
    } else if constexpr (mode == Round::Trunc) {
        return vcvtq_s32_f32(clamped);
    } else {
        return vcvtnq_s32_f32(clamped);
    }
}

template <Round mode, class Y>
inline void storeRounded(const Lanes& a, Limits limits, Y* y) {
    const int16x8_t low = vcombine_s16(vmovn_s32(rounded<mode>(a.part[0], limits)), vmovn_s32(rounded<mode>(a.part[1], limits)));
    const int16x8_t high = vcombine_s16(vmovn_s32(rounded<mode>(a.part[2], limits)), vmovn_s32(rounded<mode>(a.part[3], limits)));
    vst1q_s8(reinterpret_cast<std::int8_t*>(y), vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}

inline void storeBounded(const Lanes& a, Limits limits, std::int8_t* y) {
    const int16x8_t low = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(a.part[0])), vqmovn_s32(vcvtnq_s32_f32(a.part[1])));
    const int16x8_t high = vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(a.part[2])), vqmovn_s32(vcvtnq_s32_f32(a.part[3])));
    const int8x16_t bytes = vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
    vst1q_s8(y, vmaxq_s8(vminq_s8(bytes, vdupq_n_s8(static_cast<std::int8_t>(limits.high))), vdupq_n_s8(static_cast<std::int8_t>(limits.low))));
}

// The conversion saturates and makes NaN 0.
inline void storeInt32(const Lanes& a, std::int32_t* y) {
    for (int i = 0; i < Lanes::kParts; ++i) {
        vst1q_s32(y + 4 * i, vcvtnq_s32_f32(a.part[i]));
    }
}

// With the magnitude `infinity` for what overflowed: infinities and NaN as asked for.
template <Overflow overflow>
inline uint16x4_t finish(float32x4_t value, uint16x4_t bits, std::uint16_t infinity, std::uint16_t nan) {
    const uint16x4_t ordered = vmovn_u32(vceqq_f32(value, value));
    if constexpr (overflow == Overflow::Saturate) {
        const uint16x4_t infinite = vceq_u16(vand_u16(bits, vdup_n_u16(0x7FFF)), vdup_n_u16(infinity));
        return vand_u16(vadd_u16(bits, infinite), ordered);  // the mask is -1: the largest finite one
    }
    return vbsl_u16(ordered, bits, vdup_n_u16(nan));
}

template <Overflow overflow>
inline void store(const Lanes& a, Half* y) {
    for (int i = 0; i < Lanes::kParts; ++i) {
        const uint16x4_t bits = vreinterpret_u16_f16(vcvt_f16_f32(a.part[i]));
        vst1_u16(reinterpret_cast<std::uint16_t*>(y) + 4 * i, finish<overflow>(a.part[i], bits, 0x7C00, 0x7E00));
    }
}

template <Overflow overflow>
inline void store(const Lanes& a, BFloat16* y) {
    for (int i = 0; i < Lanes::kParts; ++i) {
        const uint32x4_t bits = vreinterpretq_u32_f32(a.part[i]);
        const uint32x4_t even = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
        const uint16x4_t rounded = vshrn_n_u32(vaddq_u32(bits, vaddq_u32(even, vdupq_n_u32(0x7FFF))), 16);
        vst1_u16(reinterpret_cast<std::uint16_t*>(y) + 4 * i, finish<overflow>(a.part[i], rounded, 0x7F80, 0x7FC0));
    }
}

// A pair of registers stored together may go past the caches; it is a hint, and needs no fence.
constexpr std::int64_t kLine = 64;
inline void streamLine(unsigned char* to, const unsigned char* from) {
    for (int i = 0; i < 2; ++i) {
        const uint8x16_t first = vld1q_u8(from + 32 * i);
        const uint8x16_t second = vld1q_u8(from + 32 * i + 16);
        asm volatile("stnp %q0, %q1, [%2]" : : "w"(first), "w"(second), "r"(to + 32 * i) : "memory");
    }
}
inline void streamFence() {}

}  // namespace aclq::ACLQ_ISA
