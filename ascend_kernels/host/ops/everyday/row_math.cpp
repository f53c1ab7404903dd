// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/row_math.h"

#include <algorithm>
#include <cmath>

#include "simd/widest.h"

namespace aclq::everyday {
namespace {

// Takes n values together: `step` in the lanes of a vector, so that no step waits for the one before, and then in the
// lanes' order. The order does not depend on the processor's vectors.
template <class T, class Step, class Join>
T inLanes(std::int64_t n, T begin, Step step, Join join) {
    constexpr std::int64_t kLanes = 64 / sizeof(T);
    T results[kLanes];
    widest([&results, n, begin, step] {
        T lanes[kLanes];
        std::fill_n(lanes, kLanes, begin);
        std::int64_t i = 0;
        for (; i + kLanes <= n; i += kLanes) {
            for (std::int64_t lane = 0; lane < kLanes; ++lane) {
                lanes[lane] = step(lanes[lane], i + lane);
            }
        }
        for (; i < n; ++i) {
            lanes[i % kLanes] = step(lanes[i % kLanes], i);
        }
        std::copy_n(lanes, kLanes, results);
    });
    T result = begin;
    for (const T lane : results) {
        result = join(result, lane);
    }
    return result;
}

constexpr auto kAdd = [](auto a, auto b) { return a + b; };
constexpr auto kLarger = [](auto best, auto value) { return best != best || value < best ? best : value; };

template <class T>
T exponentialsOf(T* values, std::int64_t n, T shift) {
    const auto step = [values, shift](T sum, std::int64_t i) {
        values[i] = exponential(values[i] - shift);
        return sum + values[i];
    };
    return inLanes(n, T{}, step, kAdd);
}

template <class T>
void divideBy(T* values, std::int64_t n, T divisor) {
    widest([values, n, divisor] {
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] /= divisor;
        }
    });
}

template <class T>
T largestOf(const T* values, std::int64_t n) {
    const auto step = [values](T best, std::int64_t i) { return kLarger(best, values[i]); };
    return inLanes(n, static_cast<T>(-HUGE_VAL), step, kLarger);
}

}  // namespace

double exponentials(double* values, std::int64_t n, double shift) {
    return exponentialsOf(values, n, shift);
}
double exponentials(float* values, std::int64_t n, float shift) {
    // Few enough at a time for their sum not to lose digits.
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
    return inLanes(
        n, 0.0, [values](double all, std::int64_t i) { return all + values[i]; }, kAdd);
}

double sumOfSquares(const double* values, std::int64_t n, double mean) {
    const auto step = [values, mean](double all, std::int64_t i) {
        return all + (values[i] - mean) * (values[i] - mean);
    };
    return inLanes(n, 0.0, step, kAdd);
}

}  // namespace aclq::everyday
