// SPDX-License-Identifier: Apache-2.0
// Helpers of acl_base.h that need no device.
#include "acl/acl_base.h"

#include <cmath>

#include "meta/dtype.h"

size_t aclDataTypeSize(aclDataType dataType) {
    return static_cast<size_t>((aclq::bitsOf(dataType) + 7) / 8);
}

// CANN's two host helpers support neither infinities nor NaN: they treat the largest exponent as an ordinary one.
// Arithmetic of the operators uses simd/numeric.h instead.
float aclFloat16ToFloat(aclFloat16 value) {
    const int exponent = (value >> 10) & 31;
    const int mantissa = value & 1023;
    const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                          : std::ldexp(static_cast<float>(mantissa | 1024), exponent - 25);
    return (value & 0x8000) != 0 ? -magnitude : magnitude;
}

aclFloat16 aclFloatToFloat16(float value) {
    constexpr int kLargestFinite = 0x7BFF;
    const int sign = std::signbit(value) && !std::isnan(value) ? 0x8000 : 0;
    const float magnitude = std::fabs(value);
    if (!(magnitude < 65520.0F)) {
        return static_cast<aclFloat16>(sign | kLargestFinite);
    }
    int exponent = 0;
    std::frexp(magnitude, &exponent);                       // magnitude < 2^exponent
    const int shift = exponent < -13 ? 24 : 11 - exponent;  // units of the last place of the half
    const int units = static_cast<int>(std::nearbyint(std::ldexp(magnitude, shift)));
    return static_cast<aclFloat16>(sign | (exponent < -13 ? units : ((exponent + 13) << 10) + units));
}
