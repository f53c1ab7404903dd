// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/row_math.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <type_traits>

namespace aclq::everyday {
namespace {

// Reduces n values in a vector of accumulators, and these in their order.
template <class T, class Step, class Join>
T reduced(std::int64_t n, T begin, Step step, Join join) {
    T results[64 / sizeof(T)];
    std::fill(std::begin(results), std::end(results), begin);
    accumulate(results, n, step);
    T result = begin;
    for (const T lane : results) {
        result = join(result, lane);
    }
    return result;
}

constexpr auto kAdd = [](auto a, auto b) { return a + b; };

template <class T>
T exponentialsOf(T* values, std::int64_t n, T shift) {
    const auto step = [values, shift](T sum, std::int64_t i) {
        values[i] = exponential(values[i] - shift);
        return sum + values[i];
    };
    return reduced(n, T{}, step, kAdd);
}

template <class T>
void divideBy(T* values, std::int64_t n, T divisor) {
    widest([values, n, divisor] {
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] /= divisor;
        }
    });
}

// By the bits: as signed integers, those of numbers are ordered if all but the sign are inverted in negative ones.
// Loops over comparisons of floats would not vectorise.
template <class T>
T largestOf(const T* values, std::int64_t n) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    constexpr Bits kMagnitude = std::numeric_limits<Bits>::max();
    const auto turn = [](Bits bits) { return bits ^ ((bits >> (8 * sizeof(T) - 1)) & kMagnitude); };
    constexpr Bits kInfinity = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
    Bits best = turn(std::bit_cast<Bits>(-std::numeric_limits<T>::infinity()));
    Bits size = 0;
    widest([&best, &size, turn, values, n] {
        Bits high = best;
        Bits far = 0;
        for (std::int64_t i = 0; i < n; ++i) {
            const auto bits = std::bit_cast<Bits>(values[i]);
            high = std::max(high, turn(bits));
            far = std::max(far, bits & kMagnitude);
        }
        best = high;
        size = far;
    });
    return size > kInfinity ? std::numeric_limits<T>::quiet_NaN() : std::bit_cast<T>(turn(best));
}

}  // namespace

double exponentials(double* values, std::int64_t n, double shift) {
    return exponentialsOf(values, n, shift);
}
double exponentials(float* values, std::int64_t n, float shift) {
    // A sum of more floats than these would lose digits.
    constexpr std::int64_t kTogether = 256;
    double all = 0;
    for (std::int64_t first = 0; first < n; first += kTogether) {
        all += exponentialsOf(values + first, std::min(kTogether, n - first), shift);
    }
    return all;
}

void divide(double* values, std::int64_t n, double divisor) {
    divideBy(values, n, divisor);
}
void divide(float* values, std::int64_t n, double divisor) {
    divideBy(values, n, static_cast<float>(divisor));
}

double largest(const double* values, std::int64_t n) {
    return largestOf(values, n);
}
float largest(const float* values, std::int64_t n) {
    return largestOf(values, n);
}

double sum(const double* values, std::int64_t n) {
    return reduced(
        n, 0.0, [values](double all, std::int64_t i) { return all + values[i]; }, kAdd);
}

double sumOfSquares(const double* values, std::int64_t n, double mean) {
    const auto step = [values, mean](double all, std::int64_t i) {
        return all + (values[i] - mean) * (values[i] - mean);
    };
    return reduced(n, 0.0, step, kAdd);
}

}  // namespace aclq::everyday
