// SPDX-License-Identifier: Apache-2.0
// Compares every variant of the integer product with a plain loop. Prints how many sums were compared for each, or the
// first difference, with status 1.
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "simd/kernels.h"
#include "simd/matmul.h"

using namespace aclq;

namespace {

std::mt19937 generator(12345);

std::vector<std::int8_t> elements(std::int64_t count, bool extreme) {
    std::vector<std::int8_t> values(static_cast<std::size_t>(count));
    for (std::int8_t& value : values) {
        const auto any = static_cast<std::int8_t>(generator());
        value = extreme ? (any < 100 ? -128 : 127) : any;
    }
    return values;
}

// Sums of a block, by the variant and by definition; how many, or -1.
std::int64_t compare(const MatmulKernels& kernels, std::int64_t m, std::int64_t n, std::int64_t k, int layout,
                     bool extreme) {
    const std::vector<std::int8_t> a = elements(m * k * 2, extreme);
    const std::vector<std::int8_t> b = elements(n * k * 2, extreme);
    const Int8Matrix left = layout == 0 ? Int8Matrix{a.data(), k, 1} : Int8Matrix{a.data(), 2, 2 * m};
    const Int8Matrix right = layout == 0   ? Int8Matrix{b.data(), n, 1}
                             : layout == 1 ? Int8Matrix{b.data(), 1, k}
                                           : Int8Matrix{b.data(), 2 * n, 2};
    const std::int64_t pitch = (k + kernels.depth - 1) / kernels.depth;
    const std::int64_t width = (n + kernels.panel - 1) / kernels.panel * kernels.panel;
    std::vector<std::int32_t> rows(static_cast<std::size_t>(m * pitch));
    std::vector<std::int32_t> columns(static_cast<std::size_t>(width * pitch));
    std::vector<std::int32_t> sums(static_cast<std::size_t>(m * width));
    kernels.packLeft(left, m, k, rows.data(), pitch);
    kernels.packRight(right, k, n, columns.data());
    for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < width; ++j) {
            sums[static_cast<std::size_t>(i * width + j)] = kernels.firstSum(rows.data() + i * pitch, pitch);
        }
    }
    kernels.multiply(rows.data(), pitch, m, columns.data(), pitch, n, sums.data(), width);
    for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            std::int32_t expected = 0;
            for (std::int64_t l = 0; l < k; ++l) {
                expected += left.data[i * left.rowStep + l * left.columnStep] *
                            right.data[l * right.rowStep + j * right.columnStep];
            }
            const std::int32_t got = sums[static_cast<std::size_t>(i * width + j)];
            if (got != expected) {
                std::printf("%s: %ld x %ld x %ld, layout %d, (%ld, %ld): got %d, expected %d\n", kernels.name,
                            static_cast<long>(m), static_cast<long>(n), static_cast<long>(k), layout,
                            static_cast<long>(i), static_cast<long>(j), got, expected);
                return -1;
            }
        }
    }
    return m * n;
}

}  // namespace

int main() {
    for (const Kernels* variant : usableKernels()) {
        chooseKernels(variant->name);
        const MatmulKernels& kernels = matmulKernels();
        std::int64_t compared = 0;
        for (const std::int64_t m : {1, 2, 3, 4, 5, 6, 7, 13, 75}) {
            for (const std::int64_t n : {1, 15, 16, 17, 63, 64, 65, 130}) {
                for (const std::int64_t k : {1, 2, 3, 4, 5, 31, 64, 131}) {
                    for (int layout = 0; layout < 3; ++layout) {
                        for (const bool extreme : {false, true}) {
                            const std::int64_t count = compare(kernels, m, n, k, layout, extreme);
                            if (count < 0) {
                                return 1;
                            }
                            compared += count;
                        }
                    }
                }
            }
        }
        std::printf("%s: %ld sums equal those of a plain loop\n", kernels.name, static_cast<long>(compared));
    }
    return 0;
}
