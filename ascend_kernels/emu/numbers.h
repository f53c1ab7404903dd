// SPDX-License-Identifier: Apache-2.0
// half and bfloat16_t, and rounding to any of the chip's number formats: one rounding, never two.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace emu {

enum class Rounding { None = 0, Rint = 1, Floor = 2, Ceil = 3, Round = 4, Trunc = 5, Odd = 6 };

// To an integer. None is Rint, as documented for pairs that lose digits.
inline double toInteger(double value, Rounding mode) {
    switch (mode) {
        case Rounding::Floor:
            return std::floor(value);
        case Rounding::Ceil:
            return std::ceil(value);
        case Rounding::Round:
            return std::round(value);
        case Rounding::Trunc:
            return std::trunc(value);
        case Rounding::Odd: {
            const double low = std::floor(value);
            return low == value || std::fmod(low, 2.0) != 0.0 ? low : low + 1.0;
        }
        default:
            return std::nearbyint(value);
    }
}

// A binary floating-point format: digits of the significand (the hidden one included), exponent of the smallest
// normal number, largest finite value.
struct Format {
    int digits;
    int smallest;
    double largest;
};
constexpr Format kHalf{11, -14, 65504.0};
constexpr Format kBfloat16{8, -126, 3.3895313892515355e38};
constexpr Format kFloat{24, -126, 3.4028234663852886e38};

// The nearest value of a format. `saturate`: infinity and what overflows becomes the largest value, NaN becomes 0.
inline double toFormat(double value, const Format& format, Rounding mode, bool saturate) {
    if (std::isnan(value)) {
        return saturate ? 0.0 : value;
    }
    const double sign = std::signbit(value) ? -1.0 : 1.0;
    if (std::isinf(value)) {
        return saturate ? sign * format.largest : value;
    }
    if (value == 0.0) {
        return value;
    }
    const int exponent = std::max(std::ilogb(value), format.smallest) - (format.digits - 1);
    const double rounded = std::ldexp(toInteger(std::ldexp(value, -exponent), mode), exponent);
    if (std::fabs(rounded) > format.largest) {
        return sign * (saturate ? format.largest : std::numeric_limits<double>::infinity());
    }
    return std::copysign(rounded, sign);
}

inline float halfToFloat(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31;
    const int fraction = bits & 1023;
    float value;
    if (exponent == 31) {
        value = fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
    } else if (exponent == 0) {
        value = std::ldexp(static_cast<float>(fraction), -24);
    } else {
        value = std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    }
    return (bits & 0x8000) != 0 ? -value : value;
}

// `value` must be a value of the format.
inline std::uint16_t halfBits(double value) {
    const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    const double magnitude = std::fabs(value);
    if (std::isnan(value)) {
        return 0x7E00;
    }
    if (std::isinf(value)) {
        return static_cast<std::uint16_t>(sign | 0x7C00);
    }
    if (magnitude < 6.103515625e-05) {
        return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::ldexp(magnitude, 24)));
    }
    const int exponent = std::ilogb(magnitude);
    const auto fraction = static_cast<std::uint16_t>(std::ldexp(magnitude, 10 - exponent));
    return static_cast<std::uint16_t>(sign | (((exponent + 14) << 10) + fraction));
}

inline float bfloat16ToFloat(std::uint16_t bits) {
    const std::uint32_t word = static_cast<std::uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

inline std::uint16_t bfloat16Bits(double value) {
    const auto single = static_cast<float>(value);
    std::uint32_t word;
    std::memcpy(&word, &single, sizeof word);
    return static_cast<std::uint16_t>(std::isnan(value) ? 0x7FC0 : word >> 16);
}

}  // namespace emu

// The kernels' names for them. Scalar arithmetic of half rounds after each operation.
struct half {
    std::uint16_t bits = 0;
    half() = default;
    constexpr half(const half&) = default;
    half& operator=(const half&) = default;
    template <class T>
    explicit half(T value)
        : bits(emu::halfBits(emu::toFormat(static_cast<double>(value), emu::kHalf, emu::Rounding::Rint, false))) {}
    explicit operator float() const { return emu::halfToFloat(bits); }
};
struct bfloat16_t {
    std::uint16_t bits = 0;
};
// Two in a byte; the tensors count elements, pointers count bytes.
struct int4b_t {
    std::uint8_t bits;
};
