// SPDX-License-Identifier: Apache-2.0
// Functions of two elements that several files of operators share.
#pragma once

#include <cmath>
#include <cstdint>

#include "ops/everyday/elementwise.h"

namespace aclq::everyday {

inline Complex power(Complex a, Complex b) {
    return std::pow(a, b);
}
inline double power(double a, double b) {
    // A square root, which of -inf is NaN, where the power of -inf is inf.
    return b == 0.5 ? std::sqrt(a) : std::pow(a, b);
}
inline std::int64_t power(std::int64_t a, std::int64_t b) {
    if (b < 0) {
        return a == 1 ? 1 : (a == -1 ? (b % 2 == 0 ? 1 : -1) : 0);
    }
    std::int64_t result = 1;
    for (; b > 0; b >>= 1) {
        result = (b & 1) != 0 ? multiply(result, a) : result;
        a = multiply(a, a);
    }
    return result;
}

template <class T>
bool isNan(T value) {
    return value != value;
}

constexpr auto kMaximum = [](auto a, auto b) { return isNan(a) || a > b ? a : b; };
constexpr auto kMinimum = [](auto a, auto b) { return isNan(a) || a < b ? a : b; };

// From the nearer end, so that both ends are met exactly.
constexpr auto kBetween = [](double begin, double end, double weight) {
    return std::fabs(weight) < 0.5 ? begin + weight * (end - begin) : end - (end - begin) * (1 - weight);
};

}  // namespace aclq::everyday
