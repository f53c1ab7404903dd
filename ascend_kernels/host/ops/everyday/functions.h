// SPDX-License-Identifier: Apache-2.0
// Functions of elements that several files of operators share.
#pragma once

#include <cmath>
#include <cstdint>

#include "ops/everyday/elementwise.h"
#include "ops/everyday/row_math.h"

namespace aclq::everyday {

inline Complex power(Complex a, Complex b) {
    return std::pow(a, b);
}
inline double power(double a, double b) {
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

// The same function with its two arguments in the other order.
template <class Function>
struct Swapped {
    Function function;

    template <class T>
    auto operator()(T b, T a) const {
        return function(a, b);
    }
    float single(float b, float a) const { return function.single(a, b); }
};
template <class Function>
constexpr auto swapped(Function function) {
    return Swapped<Function>{function};
}

template <class T>
bool isNan(T value) {
    return value != value;
}

// A square root where PyTorch takes one: that of -inf is NaN, where the power of -inf is inf.
inline constexpr ComplexToo kPower{InSingle{[](auto a, auto b) { return power(a, b); },
                                            [](float a, float b) {
                                                const double root = std::sqrt(static_cast<double>(a));
                                                const double other = Series::pow(a, b);
                                                return static_cast<float>(b == 0.5F ? root : other);
                                            }}};

inline constexpr Analytic kLog{[](auto math, auto x) { return math.log(x); }};
inline constexpr Analytic kLog2{[](auto math, double x) { return math.log2(x); }};
inline constexpr Analytic kLog10{[](auto math, auto x) { return math.log10(x); }};
inline constexpr Analytic kLog1p{[](auto math, double x) { return math.log1p(x); }};
inline constexpr InSingle kExp2{[](double x) { return std::exp2(x); }, [](float x) { return exponentialOf2(x); }};
inline constexpr Analytic kExpm1{[](auto math, double x) { return math.expm1(x); }};
inline constexpr auto kSin = ofAngles([](auto math, auto x) { return math.sin(x); });
inline constexpr auto kCos = ofAngles([](auto math, auto x) { return math.cos(x); });
inline constexpr auto kTan = ofAngles([](auto math, auto x) { return math.tan(x); });
inline constexpr Analytic kAsin{[](auto math, auto x) { return math.asin(x); }};
inline constexpr Analytic kAcos{[](auto math, auto x) { return math.acos(x); }};
inline constexpr Analytic kAtan{[](auto math, auto x) { return math.atan(x); }};
inline constexpr Analytic kSinh{[](auto math, auto x) { return math.sinh(x); }};
inline constexpr Analytic kCosh{[](auto math, auto x) { return math.cosh(x); }};
inline constexpr Analytic kTanh{[](auto math, auto x) { return math.tanh(x); }};
inline constexpr Analytic kErf{[](auto math, double x) { return math.erf(x); }};
inline constexpr Analytic kErfc{[](auto math, double x) { return math.erfc(x); }};
inline constexpr InSingle kExp{[](auto x) { return exponential(x); },
                               [](float x) { return static_cast<float>(Series::exp(x)); }};
inline constexpr InSingle kSigmoid{[](auto x) { return 1.0 / (1.0 + exponential(-x)); },
                                   [](float x) { return 1 / (1 + exponential(-x)); }};
inline constexpr auto kSign = [](auto x) { return static_cast<decltype(x)>(x > 0 ? 1 : (x < 0 ? -1 : 0)); };

// Arithmetic whose results are the same if it is done in single precision.
inline constexpr ComplexToo kAdd{
    InSingle{[](auto a, auto b) { return add(a, b); }, [](float a, float b) { return a + b; }}};
inline constexpr ComplexToo kSubtract{
    InSingle{[](auto a, auto b) { return subtract(a, b); }, [](float a, float b) { return a - b; }}};
inline constexpr ComplexToo kMultiply{
    InSingle{[](auto a, auto b) { return multiply(a, b); }, [](float a, float b) { return a * b; }}};
inline constexpr ComplexToo kDivide{
    InSingle{[](auto a, auto b) { return a / b; }, [](float a, float b) { return a / b; }}};

inline constexpr auto kMaximum = [](auto a, auto b) { return isNan(a) || a > b ? a : b; };
inline constexpr auto kMinimum = [](auto a, auto b) { return isNan(a) || a < b ? a : b; };

// From the nearer end, so that both ends are met exactly.
inline constexpr auto kBetween = [](double begin, double end, double weight) {
    return std::fabs(weight) < 0.5 ? begin + weight * (end - begin) : end - (end - begin) * (1 - weight);
};

}  // namespace aclq::everyday
