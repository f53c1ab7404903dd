// SPDX-License-Identifier: Apache-2.0
// The functions of analysis. Each operator is written once over `math`, which is one of two sets:
//
//   constexpr Analytic kSinc{[](auto math, double x) { return x == 0 ? 1.0 : math.sin(x) / x; }};
//
// Libm is for DOUBLE. Series is for results of FLOAT and narrower types: it computes in double, to 2^-34 of the result
// or better, so that rounding to FLOAT gives the nearest value or, close to a tie, its neighbour. It has no branches,
// so loops over it vectorise, and no fused operations, so all instruction sets give the same bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>

namespace aclq::everyday {

struct Libm {
    template <class T>
    static T exp(T x) {
        return std::exp(x);
    }
    static double exp2(double x) { return std::exp2(x); }
    static double expm1(double x) { return std::expm1(x); }
    template <class T>
    static T log(T x) {
        return std::log(x);
    }
    static double log2(double x) { return std::log2(x); }
    template <class T>
    static T log10(T x) {
        return std::log10(x);
    }
    static double log1p(double x) { return std::log1p(x); }
    template <class T>
    static T sin(T x) {
        return std::sin(x);
    }
    template <class T>
    static T cos(T x) {
        return std::cos(x);
    }
    template <class T>
    static T tan(T x) {
        return std::tan(x);
    }
    template <class T>
    static T asin(T x) {
        return std::asin(x);
    }
    template <class T>
    static T acos(T x) {
        return std::acos(x);
    }
    template <class T>
    static T atan(T x) {
        return std::atan(x);
    }
    static double atan2(double y, double x) { return std::atan2(y, x); }
    template <class T>
    static T sinh(T x) {
        return std::sinh(x);
    }
    template <class T>
    static T cosh(T x) {
        return std::cosh(x);
    }
    template <class T>
    static T tanh(T x) {
        return std::tanh(x);
    }
    template <class T>
    static T asinh(T x) {
        return std::asinh(x);
    }
    template <class T>
    static T acosh(T x) {
        return std::acosh(x);
    }
    template <class T>
    static T atanh(T x) {
        return std::atanh(x);
    }
    static double erf(double x) { return std::erf(x); }
    static double erfc(double x) { return std::erfc(x); }
    template <class T>
    static T pow(T x, T y) {
        return std::pow(x, y);
    }
};

// Arguments are floats, or were computed from floats. Polynomials meet their functions at Chebyshev nodes.
class Series {
  public:
    // x = k ln 2 + r with |r| <= ln 2 / 2.
    static double exp(double x) {
        const double shifted = x * std::numbers::log2e + kRound;
        const double k = shifted - kRound;
        const double r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
        const double sum = polynomial(r, 0x1.0000000000000p+0, 0x1.ffffffffd36adp-1, 0x1.fffffffff7165p-2,
                                      0x1.555555a29931ep-3, 0x1.555555743a253p-5, 0x1.1110807802124p-7,
                                      0x1.6c164dc9135e4p-10, 0x1.a1aaca0181670p-13, 0x1.a15a8b818f713p-16);
        const std::uint64_t power = std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(kRound);
        const double result = sum * std::bit_cast<double>((power + 1023) << 52);
        // 2^k is a double up to here, and NaN passes both comparisons.
        return x > 700 ? kInfinity : (x < -700 ? 0 : result);
    }
    static double exp2(double x) { return exp(x * std::numbers::ln2); }
    static double expm1(double x) { return near0(x, kTiny) ? x * (1 + x / 2) : exp(x) - 1; }

    // x = 2^k m with m between the roots of 1/2 and 2; log m is the series of an inverse hyperbolic tangent.
    static double log(double x) {
        constexpr std::uint64_t kRootOfHalf = 0x3FE6A09E667F3BCD;
        const std::uint64_t shifted = std::bit_cast<std::uint64_t>(x) - kRootOfHalf;
        const std::uint64_t exponent = (shifted + (std::uint64_t{1024} << 52)) >> 52;
        const double k = std::bit_cast<double>(exponent + std::bit_cast<std::uint64_t>(kRound)) - (kRound + 1024);
        const double m = std::bit_cast<double>((shifted & 0xFFFFFFFFFFFFF) + kRootOfHalf);
        const double s = (m - 1) / (m + 1);
        const double sum = polynomial(s * s, 0x1.fffffffffff11p-1, 0x1.5555555672baap-2, 0x1.9999962870e32p-3,
                                      0x1.249439a497a18p-3, 0x1.c6206967897bep-4, 0x1.919abd57b321ap-4);
        const double result = 2 * s * sum + k * std::numbers::ln2;
        const double edge = x == 0 ? -kInfinity : (x == kInfinity ? kInfinity : kNan);
        return x > 0 && x < kInfinity ? result : edge;
    }
    static double log2(double x) { return log(x) * std::numbers::log2e; }
    static double log10(double x) { return log(x) * std::numbers::log10e; }
    static double log1p(double x) { return near0(x, kTiny) ? x * (1 - x / 2) : log(1 + x); }

    // Angles below this are reduced to less than an eighth of a turn without loss; Analytic hands larger ones to libm.
    static constexpr int kAngles = 1 << 20;
    static double sin(double x) {
        const Angle angle(x);
        return angle.signedBy((angle.quadrant & 1) != 0 ? angle.cosine() : angle.sine(), angle.quadrant);
    }
    static double cos(double x) {
        const Angle angle(x);
        return angle.signedBy((angle.quadrant & 1) != 0 ? angle.sine() : angle.cosine(), angle.quadrant + 1);
    }
    static double tan(double x) {
        const Angle angle(x);
        const double sine = angle.sine();
        const double cosine = angle.cosine();
        return (angle.quadrant & 1) != 0 ? -cosine / sine : sine / cosine;
    }

    static double atan(double x) { return atan2(x, 1); }
    static double asin(double x) { return atan2(x, std::sqrt((1 - x) * (1 + x))); }
    static double acos(double x) { return 2 * atan2(std::sqrt(1 - x), std::sqrt(1 + x)); }
    static double atan2(double y, double x) {
        const double high = std::fabs(y);
        const double wide = std::fabs(x);
        // The slope or, above an eighth of a turn, its reciprocal; then at most a sixteenth of a turn remains.
        const double less = high < wide ? high : wide;
        const double more = high < wide ? wide : high;
        const bool equal = less == more;
        const bool far = less >= more * 0x1.a827999fcef32p-2;  // tan(pi / 8); both may be infinite
        const double ratio = (far ? less - more : less) / (far ? less + more : more);
        const double r = equal ? 0 : ratio;
        const double arc = r * polynomial(r * r, 0x1.fffffffffe568p-1, -0x1.5555554ba2c1cp-2, 0x1.99999045843d1p-3,
                                          -0x1.249091125df2dp-3, 0x1.c6cc2802f0229p-4, -0x1.70557dc179d2fp-4,
                                          0x1.1da89250a2e2cp-4, -0x1.3474380309273p-5);
        const double angle = far ? std::numbers::pi / 4 + arc : arc;
        const double part = more == 0 ? 0 : angle;
        const double half = high > wide ? std::numbers::pi / 2 - part : part;
        const double whole = std::bit_cast<std::int64_t>(x) < 0 ? std::numbers::pi - half : half;
        return x != x || y != y ? kNan : std::copysign(whole, y);
    }

    static double sinh(double x) {
        const double power = exp(x);
        return near0(x, kSmall) ? x * (1 + x * x / 6) : (power - 1 / power) / 2;
    }
    static double cosh(double x) {
        const double power = exp(x);
        return (power + 1 / power) / 2;
    }
    static double tanh(double x) {
        const double power = exp(2 * x);
        const double ratio = x > 20 ? 1 : (power - 1) / (power + 1);
        return near0(x, kSmall) ? x * (1 - x * x / 3) : ratio;
    }
    static double asinh(double x) {
        const double size = std::fabs(x);
        const double far = log(size + std::sqrt(size * size + 1));
        return near0(x, kSmall) ? x * (1 - x * x / 6) : std::copysign(far, x);
    }
    static double acosh(double x) { return x >= 1 ? log(x + std::sqrt((x - 1) * (x + 1))) : kNan; }
    static double atanh(double x) { return near0(x, kSmall) ? x * (1 + x * x / 3) : 0.5 * log((1 + x) / (1 - x)); }

    static double erf(double x) {
        x = x > 4 ? 4 : x;  // from there on the nearest FLOAT is 1
        x = x < -4 ? -4 : x;
        const double t = x * x;
        return x *
               polynomial(t, 0x1.20dd75045413ep+0, 0x1.97d2d3a93c6e8p-3, 0x1.e7cb14bc990ebp-5, 0x1.5312687ee4846p-8,
                          0x1.34ff82e1a8383p-11, 0x1.c97801bd1416fp-16, 0x1.72dd63b4bc44cp-20, 0x1.ff7af76c2f410p-27) /
               polynomial(t, 0x1.0000000000000p+0, 0x1.0505d0dc7fc24p-1, 0x1.f69bbb44f52d8p-4, 0x1.2c174669a377cp-6,
                          0x1.e91163daf24a6p-10, 0x1.17c42c1ea449dp-13, 0x1.b467f3fe19977p-18, 0x1.9cfec62391268p-23,
                          0x1.0c7dcec016995p-31);
    }
    // (1 + 2 |x|) exp(x^2) erfc |x| is smooth in (|x| - 4) / (|x| + 4).
    static double erfc(double x) {
        double size = std::fabs(x);
        size = size > 30 ? 30 : size;  // from 10.2 on the nearest FLOAT is 0, from 27 on the result
        const double s = (size - 4) / (size + 4);
        const double sum =
            polynomial(s, 0x1.3ba5916ea0151p+0, -0x1.1df1ad15fe74dp-3, 0x1.f7f5df4ff7bd6p-7, 0x1.16ecf04857abcp-4,
                       -0x1.9ddb23278d387p-4, 0x1.7fedf4f3789b1p-4, -0x1.0fb07e89a7b89p-4, 0x1.307acdd493eb3p-5,
                       -0x1.095ef11568d5ep-6, 0x1.49a9e752dd0abp-8, -0x1.8fa90a7f12ea0p-11, -0x1.9f1a6227a4ee7p-13,
                       0x1.51eb4a8d99d31p-13, -0x1.306eb5fe44c4dp-16, -0x1.11c1b01869bd8p-16);
        const double tail = sum * exp(-size * size) / (1 + 2 * size);
        return x < 0 ? 2 - tail : (x != x ? x : tail);
    }

    static double pow(double x, double y) { return Exponent(y).power(x); }

    // exp(y log |x|), with the sign and the special values of C's pow. Masks instead of conditions, because conditions
    // on a y that all elements share would split the loop.
    struct Exponent {
        double y;
        std::uint64_t sign;   // of negative numbers, if y is odd
        std::uint64_t one;    // all bits if y is 0
        double fromNegative;  // NaN if y is not whole

        explicit Exponent(double number) : y(number) {
            // Floats from 2^24 on are even.
            const double small = std::fabs(y) > 0x1p25 ? 0x1p25 : std::fabs(y);
            const double half = small / 2;
            const bool whole = small + kRound - kRound == small;
            sign = half + kRound - kRound == half || !whole ? 0 : kSign;
            one = y == 0 ? ~std::uint64_t{} : 0;
            fromNegative = whole ? 0 : kNan;
        }
        double power(double x) const {
            const double size = std::fabs(x);
            const double usual = exp(y * log(size));
            const double ofOne = y == y ? 1 : y;
            const double power = size == 1 ? ofOne : usual;
            const double shift = x < 0 ? fromNegative : 0;
            const double finite = power + shift;
            const auto bits = std::bit_cast<std::uint64_t>(size == kInfinity ? power : finite);
            const std::uint64_t all = bits | (std::bit_cast<std::uint64_t>(x) & sign);
            const double result = std::bit_cast<double>((all & ~one) | (std::bit_cast<std::uint64_t>(1.0) & one));
            return x == 1 ? 1 : result;
        }
    };

  private:
    static constexpr double kRound = 0x1.8p52;  // adding it leaves the nearest integer in the lowest bits
    static constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
    static constexpr double kInfinity = std::numeric_limits<double>::infinity();
    static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    // Below these, differences of powers would lose digits, and the first two terms of the series suffice.
    static constexpr double kTiny = 0x1p-20;
    static constexpr double kSmall = 0x1p-10;

    static bool near0(double x, double limit) { return x > -limit && x < limit; }

    template <class... Rest>
    static double polynomial(double x, double first, Rest... rest) {
        if constexpr (sizeof...(rest) == 0) {
            return first;
        } else {
            return polynomial(x, rest...) * x + first;
        }
    }

    // An angle as quarter turns and the rest, which is less than an eighth of a turn.
    struct Angle {
        double rest;
        std::int64_t quadrant;

        explicit Angle(double x) {
            const double shifted = x * (2 / std::numbers::pi) + kRound;
            const double turns = shifted - kRound;
            // Products with the first 31 bits of pi / 2 are exact.
            rest = (x - turns * 0x1.921fb544p+0) - turns * 0x1.0b4611a626331p-34;
            quadrant = std::bit_cast<std::int64_t>(shifted);
        }
        double sine() const {
            const double square = rest * rest;
            return rest * polynomial(square, 0x1.fffffffff67afp-1, -0x1.5555554946d41p-3, 0x1.1111074a72dd8p-7,
                                     -0x1.a00ee754eb761p-13, 0x1.6cb727dcd8c09p-19);
        }
        double cosine() const {
            return polynomial(rest * rest, 0x1.ffffffffffe0bp-1, -0x1.ffffffffe3729p-2, 0x1.5555554474891p-5,
                              -0x1.6c16b2d2c80d1p-10, 0x1.a00e95f0d01c7p-16, -0x1.23c5a67c9c1e4p-22);
        }
        // The second two of four quarters are negative.
        static double signedBy(double value, std::int64_t quarters) {
            const std::uint64_t sign = static_cast<std::uint64_t>(quarters & 2) << 62;
            return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) ^ sign);
        }
    };
};

// A function written over `math`. For arguments from `below` on, single precision uses Libm as well.
template <class Body, int below = 0>
struct Analytic {
    static constexpr int kBelow = below;
    Body body;

    template <class... Values>
    auto operator()(Values... values) const {
        return body(Libm(), values...);
    }
    template <class... Values>
    float single(Values... values) const {
        return static_cast<float>(body(Series(), static_cast<double>(values)...));
    }
};
template <class Body>
Analytic(Body) -> Analytic<Body>;
template <class Body>
constexpr Analytic<Body, Series::kAngles> ofAngles(Body body) {
    return {body};
}

}  // namespace aclq::everyday
