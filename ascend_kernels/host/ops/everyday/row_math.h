// SPDX-License-Identifier: Apache-2.0
// Functions of whole rows, vectorised for each instruction set, with the same bits in all of them.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>

#include "simd/widest.h"

namespace aclq::everyday {

// e to the power of x, to within an ulp of double. Unlike std::exp it has no branches, so that loops over it vectorise.
// x = k ln 2 + r with |r| <= ln 2 / 2; the series of e^r, times 2^k in two factors, as 2^k alone may not be a double.
inline double exponential(double x) {
    constexpr double kRound = 0x1.8p52;  // adding it leaves the nearest integer in the lowest bits
    constexpr double kLog2E = 0x1.71547652b82fep0;
    constexpr double kLn2High = 0x1.62e42fefa38p-1;
    constexpr double kLn2Low = 0x1.ef35793c7673p-45;
    x = x > 710 ? 710 : x;  // beyond, the result is inf or 0 in any case; NaN passes both comparisons
    x = x < -746 ? -746 : x;
    const double shifted = x * kLog2E + kRound;
    const double k = shifted - kRound;
    const double r = (x - k * kLn2High) - k * kLn2Low;
    double sum = 1.0 / 6227020800;
    sum = sum * r + 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 1.0 / 2;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    const std::int64_t power = std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(kRound);
    const std::int64_t half = power >> 1;
    const double first = std::bit_cast<double>((half + 1023) << 52);
    const double second = std::bit_cast<double>((power - half + 1023) << 52);
    return sum * first * second;
}
// In two steps: 2 to the power may be too large or too small for a float where the product is not.
inline float timesPowerOf2(float x, std::int32_t power) {
    const std::int32_t half = power >> 1;
    const float first = std::bit_cast<float>((half + 127) << 23);
    const float second = std::bit_cast<float>((power - half + 127) << 23);
    return x * first * second;
}
// The exponential in single precision, to within two ulp: for functions whose results are FLOAT or narrower.
inline float exponential(float x) {
    constexpr float kRound = 0x1.8p23F;
    constexpr float kLog2E = 0x1.715476p0F;
    constexpr float kLn2High = 0x1.62e4p-1F;  // few enough digits for exact products with k
    constexpr float kLn2Low = 0x1.7f7d1cp-20F;
    x = x > 89 ? 89 : x;
    x = x < -104 ? -104 : x;
    const float shifted = x * kLog2E + kRound;
    const float k = shifted - kRound;
    const float r = (x - k * kLn2High) - k * kLn2Low;
    float sum = 1.0F / 5040;
    sum = sum * r + 1.0F / 720;
    sum = sum * r + 1.0F / 120;
    sum = sum * r + 1.0F / 24;
    sum = sum * r + 1.0F / 6;
    sum = sum * r + 1.0F / 2;
    sum = sum * r + 1.0F;
    sum = sum * r + 1.0F;
    return timesPowerOf2(sum, std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRound));
}
// 2 to the power of x in single precision, to within 1.3 ulp: the rest x - k is exact.
inline float exponentialOf2(float x) {
    constexpr float kRound = 0x1.8p23F;
    x = x > 129 ? 129 : x;
    x = x < -151 ? -151 : x;
    const float shifted = x + kRound;
    const float r = x - (shifted - kRound);
    float sum = 0x1.4440p-13F;
    sum = sum * r + 0x1.5f48c0p-10F;
    sum = sum * r + 0x1.3b2a1cp-7F;
    sum = sum * r + 0x1.c6aeccp-5F;
    sum = sum * r + 0x1.ebfbe0p-3F;
    sum = sum * r + 0x1.62e430p-1F;
    sum = sum * r + 1.0F;
    return timesPowerOf2(sum, std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kRound));
}

inline std::complex<double> exponential(std::complex<double> x) {
    return std::exp(x);
}

inline double sigmoid(double x) {
    return 1 / (1 + exponential(-x));
}
// log(1 + exp(x)), without overflow.
inline double softplus(double x) {
    return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

// Updates accumulators with n values: result = step(result, number of the value). Neighbouring values go to
// neighbouring accumulators, so that no step waits for the one before it, in an order that does not depend on the
// processor.
template <std::size_t count, class T, class Step>
void accumulate(T (&results)[count], std::int64_t n, Step step) {
    widest([&results, n, step] {
        constexpr auto lanes = static_cast<std::int64_t>(count);
        T now[count];  // a copy, which stays in registers
        std::copy_n(results, count, now);
        std::int64_t i = 0;
        for (; i + lanes <= n; i += lanes) {
            for (std::int64_t lane = 0; lane < lanes; ++lane) {
                now[lane] = step(now[lane], i + lane);
            }
        }
        for (; i < n; ++i) {
            now[i % lanes] = step(now[i % lanes], i);
        }
        std::copy_n(now, count, results);
    });
}

// Replaces each value by exp(value - shift), and returns the sum.
double exponentials(double* values, std::int64_t n, double shift);
double exponentials(float* values, std::int64_t n, float shift);
void divide(double* values, std::int64_t n, double divisor);
void divide(float* values, std::int64_t n, double divisor);
// NaN if there is one.
double largest(const double* values, std::int64_t n);
float largest(const float* values, std::int64_t n);

double sum(const double* values, std::int64_t n);
double sumOfSquares(const double* values, std::int64_t n, double mean);

}  // namespace aclq::everyday
