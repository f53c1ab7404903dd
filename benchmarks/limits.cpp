// SPDX-License-Identifier: Apache-2.0
// What this machine's memory allows one thread: loops that do nothing but move bytes in the proportions of the
// operators. Compiled for the machine it runs on. Prints one line per loop: name, bytes moved, best and median seconds,
// and the median of the speed divided by that of a copy just before.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

template <class Work>
double seconds(Work&& work) {
    const auto begin = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Four elements become so many bytes; the arithmetic is one operation on integers.
template <class From, class To>
void convert(const From* x, std::size_t n, To* y) {
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = static_cast<To>(x[i] >> 3);
    }
}

template <class From, class To>
void divide(const From* x, std::size_t n, float scale, To* y) {
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = static_cast<To>(static_cast<std::int32_t>(static_cast<float>(x[i]) / scale));
    }
}

}  // namespace

int main(int count, char** arguments) {
    const std::size_t n = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : std::size_t{1} << 24;
    const int rounds = count > 2 ? std::atoi(arguments[2]) : 11;
    std::vector<std::int32_t> wide(n, 1);
    std::vector<std::int32_t> copy(n, 2);
    std::vector<std::int16_t> half(n, 3);
    std::vector<std::int8_t> byte(n, 4);
    volatile std::int64_t sink = 0;
    const auto copying = [&] { std::memcpy(copy.data(), wide.data(), n * 4); };
    const auto show = [&](const char* name, double bytes, auto&& work) {
        std::vector<double> times;
        std::vector<double> ratios;
        for (int round = 0; round < rounds; ++round) {
            const double reference = seconds(copying);
            const double time = seconds(work);
            times.push_back(time);
            ratios.push_back(bytes / time * reference / (8.0 * static_cast<double>(n)));
        }
        std::sort(times.begin(), times.end());
        std::sort(ratios.begin(), ratios.end());
        std::printf("%s\t%.0f\t%.9f\t%.9f\t%.4f\n", name, bytes, times.front(), times[times.size() / 2], ratios[ratios.size() / 2]);
    };
    const auto size = static_cast<double>(n);
    show("copy of 4 bytes", 8 * size, copying);
    show("read of 4 bytes", 4 * size, [&] {
        std::int64_t sum = 0;
        for (const std::int32_t value : wide) {
            sum += value;
        }
        sink = sum;
    });
    show("4 bytes to 1", 5 * size, [&] { convert(wide.data(), n, byte.data()); });
    show("4 bytes to 1, with a division", 5 * size, [&] { divide(wide.data(), n, 1.5F, byte.data()); });
    show("2 bytes to 1", 3 * size, [&] { convert(half.data(), n, byte.data()); });
    show("2 bytes to 1, with a division", 3 * size, [&] { divide(half.data(), n, 1.5F, byte.data()); });
    show("1 byte to 2", 3 * size, [&] { convert(byte.data(), n, half.data()); });
    return sink == 12345 ? 1 : 0;
}
