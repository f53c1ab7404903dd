// SPDX-License-Identifier: Apache-2.0
// Values of single elements: conversions and roundings of the chip. This is the definition; faster
// variants must equal it bit for bit. Needs the standard floating-point environment (runtime/float_environment.h),
// no contraction and no fast-math. Written without branches on data, so that loops over it vectorise.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "simd/kernels.h"

// Every variant compiles this file with other instructions, in a separate namespace, so that the linker does not merge
// them.
#ifndef ACLQ_ISA
#define ACLQ_ISA scalar
#endif

// A function call for every sixteen elements would cost more than their work.
#ifndef ACLQ_INLINE
#define ACLQ_INLINE __attribute__((always_inline))
#endif

namespace aclq::ACLQ_ISA {

template <class To, class From>
inline To bitCast(From value) {
    static_assert(sizeof(To) == sizeof(From));
    return __builtin_bit_cast(To, value);
}

// Bit patterns of the two 16-bit formats.
using aclq::BFloat16;
using aclq::Half;
using aclq::Round;

// int4, two per byte, the first in the low nibble; offsets are even.
struct PackedInt4 {
    const std::uint8_t* data;
};

// Results in registers. The vectors are in memory order; the elements inside a vector may not be yet.
template <class Vector, int count>
struct Vectors {
    Vector part[count];
};

// Joins the end of one vector and the start of the next, because streaming stores need aligned addresses:
// join(before, now) has the last `shift` bytes (a multiple of 16) of `before`, then the first bytes of `now`.
template <class Vector>
struct Joint {
    explicit Joint(std::int64_t) {}
};

inline float widen(float value) {
    return value;
}

// Exact, including subnormals, infinities and NaN.
inline float widen(Half value) {
    const auto bits = static_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7FFFU;
    // Exponents of a half are 112 too low in a float. The product corrects them, also for subnormals.
    const float scaled = bitCast<float>(magnitude << 13) * 0x1p112F;
    const std::uint32_t special = magnitude >= 0x7C00U ? 0x7F800000U : 0U;
    return bitCast<float>(bitCast<std::uint32_t>(scaled) | special | (bits & 0x8000U) << 16);
}

inline float widen(BFloat16 value) {
    return bitCast<float>(static_cast<std::uint32_t>(value) << 16);
}
inline float widen(std::int8_t value) {
    return static_cast<float>(value);
}
inline float widen(std::uint8_t value) {
    return static_cast<float>(value);
}
// Rounds to nearest even above 2^24.
inline float widen(std::int32_t value) {
    return static_cast<float>(value);
}

// Overflow: infinities and NaN as IEEE has them, or the largest finite value and 0 for NaN.
enum class Overflow { InfNan, Saturate };

// Bits of a 16-bit format's infinity, and of the result for NaN.
template <class Y>
constexpr std::uint16_t kInfinityOf = std::is_same_v<Y, Half> ? 0x7C00 : 0x7F80;
template <Overflow overflow, class Y>
constexpr std::uint16_t kNanOf = overflow == Overflow::Saturate ? 0 : (std::is_same_v<Y, Half> ? 0x7E00 : 0x7FC0);

// To nearest, ties to even; subnormals are produced.
template <Overflow overflow = Overflow::InfNan>
inline Half toHalf(float value) {
    const std::uint32_t bits = bitCast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000U;
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    // Normal results: subtract 112 from the exponent and round away 13 bits.
    const std::uint32_t normal = (magnitude - (112U << 23) + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13;
    // Subnormal results (below 2^-14): adding 0.5 leaves the value in units of 2^-24 in the low mantissa bits.
    const std::uint32_t subnormal = bitCast<std::uint32_t>(bitCast<float>(magnitude) + 0.5F) - 0x3F000000U;
    std::uint32_t result = magnitude < 0x38800000U ? subnormal : normal;
    constexpr std::uint32_t kLargest = kInfinityOf<Half> - (overflow == Overflow::Saturate ? 1U : 0U);
    result = magnitude >= 0x477FF000U ? kLargest : result;  // 65520 and more, infinity
    return static_cast<Half>(magnitude > 0x7F800000U ? kNanOf<overflow, Half> : (sign | result));
}

// The same from a double, for sums of halves, which do not always fit a float.
template <Overflow overflow = Overflow::InfNan>
inline Half toHalf(double value) {
    // Rounding to odd keeps the information that the second rounding needs.
    const auto nearest = static_cast<float>(value);
    const std::uint32_t bits = bitCast<std::uint32_t>(nearest);
    const double back = nearest;
    const bool away = std::fabs(back) > std::fabs(value);
    const std::uint32_t truncated = away ? bits - 1 : bits;
    const bool exact = back == value || value != value;
    return toHalf<overflow>(bitCast<float>(exact ? bits : (truncated | 1U)));
}

template <Overflow overflow = Overflow::InfNan>
inline BFloat16 toBFloat16(float value) {
    const std::uint32_t bits = bitCast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    if (overflow == Overflow::Saturate) {
        rounded = (rounded & 0x7FFFU) >= kInfinityOf<BFloat16> ? (bits >> 16 & 0x8000U) | (kInfinityOf<BFloat16> - 1U)
                                                               : rounded;
    }
    return static_cast<BFloat16>(magnitude > 0x7F800000U ? kNanOf<overflow, BFloat16> : rounded);
}

// To nearest even, saturated to [low, high], which lie within +-2^22; NaN gives 0.
inline std::int32_t toSmallInteger(float value, float low, float high) {
    // Clamping first gives the same result, because the limits are integers, and keeps the constant below exact.
    float clamped = value < low ? low : value;
    clamped = clamped > high ? high : clamped;
    clamped = value == value ? clamped : 0.0F;
    constexpr float kUnits = 0x1.8p23F;  // a float this large has a last place of 1, so the sum rounds to nearest even
    return static_cast<std::int32_t>((clamped + kUnits) - kUnits);
}

// To an integer, still as a float; NaN and infinities are kept.
inline float roundedTo(float value, Round mode) {
    switch (mode) {
        case Round::Floor:
            return std::floor(value);
        case Round::Ceil:
            return std::ceil(value);
        case Round::Trunc:
            return std::trunc(value);
        default:
            return std::nearbyint(value);
    }
}

// To nearest even, saturated to the limits of int32; NaN gives 0.
inline std::int32_t toInt32(float value) {
    const float rounded = std::nearbyint(value);
    if (!(rounded > -0x1p31F)) {
        return value == value ? INT32_MIN : 0;
    }
    return rounded >= 0x1p31F ? INT32_MAX : static_cast<std::int32_t>(rounded);
}

// To nearest, ties away from zero, saturated to int8; NaN gives 0.
inline std::int8_t toInt8Away(float value) {
    const float rounded = std::round(value);
    const float clamped = rounded < -128.0F ? -128.0F : (rounded > 127.0F ? 127.0F : rounded);
    return static_cast<std::int8_t>(value == value ? clamped : 0.0F);
}

// The upper 19 bits of a float, truncated or rounded to nearest even; rounding turns subnormals into zero.
template <bool nearest>
inline std::uint32_t toNineteenBits(float value) {
    constexpr std::uint32_t kKept = 0xFFFFE000U;
    const std::uint32_t bits = bitCast<std::uint32_t>(value);
    if constexpr (!nearest) {
        return bits & kKept;
    }
    const std::uint32_t exponent = bits & 0x7F800000U;
    const std::uint32_t rounded = (bits + 0xFFFU + ((bits >> 13) & 1U)) & kKept;
    const std::uint32_t finite = exponent == 0 ? bits & 0x80000000U : rounded;
    return exponent == 0x7F800000U ? bits & kKept : finite;
}

constexpr float kEpsilon = 1e-12F;

// The parameters of a row, a tensor or a channel, with which its values become integers.
struct Parameters {
    float scale = 0.0F;
    float offset = 0.0F;  // as stored
    float factor = 0.0F;  // values are multiplied by this
    float shift = 0.0F;   // and this is added
};

// A2 and A3, asymmetric. Every line rounds once; divisions are not replaced by products.
inline Parameters asymmetric(MinMax minMax, Limits limits) {
    const float range = limits.high - limits.low;
    const float spread = minMax.high - minMax.low;
    const float divided = spread / range;
    const float scale = divided > kEpsilon ? divided : kEpsilon;  // also for NaN
    const float ratio = minMax.high / scale;
    const float offset = limits.high - ratio;
    return {scale, offset, 1.0F / scale, offset};
}

// A2 and A3, symmetric. The chip's kernel determines which of two formulas gives the scale.
inline Parameters symmetric(MinMax minMax, Limits limits, bool scaleByProduct) {
    const float largest = std::max(std::fabs(minMax.low), std::fabs(minMax.high));
    const float factor = limits.high / largest;
    const float reciprocal = 1.0F / limits.high;
    return {scaleByProduct ? largest * reciprocal : 1.0F / factor, 0.0F, factor, 0.0F};
}

}  // namespace aclq::ACLQ_ISA
