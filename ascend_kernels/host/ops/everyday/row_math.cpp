// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/row_math.h"

#include <algorithm>
#include <bit>

// One function for each instruction set, chosen when the library is loaded. Contraction is off, so all give the same
// bits.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define ACLQ_WIDEST __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define ACLQ_WIDEST
#endif

namespace aclq::everyday {
namespace {

constexpr std::int64_t kLanes = 8;

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

}  // namespace

ACLQ_WIDEST double exponentials(double* values, std::int64_t n, double shift) {
    double sums[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            const double value = exponential(values[i + lane] - shift);
            values[i + lane] = value;
            sums[lane] += value;
        }
    }
    for (; i < n; ++i) {
        values[i] = exponential(values[i] - shift);
        sums[i % kLanes] += values[i];
    }
    double sum = 0;
    for (const double lane : sums) {
        sum += lane;
    }
    return sum;
}

}  // namespace aclq::everyday
