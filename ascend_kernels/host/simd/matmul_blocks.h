// SPDX-License-Identifier: Apache-2.0
// The variants of simd/matmul.h, given an instruction set: a type `Dot` with
//   kDepth, kOffset (added to each element of the right side), kVectors (side by side in a panel), kRows (at a time),
//   Words, kLanes, load, store, add(sums, right words, one left word), word(elements).
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#include "simd/matmul.h"

namespace aclq::ACLQ_ISA {

// Gathers elements in logical order.
template <class Dot>
struct Matmul {
    static constexpr std::int64_t kPanel = Dot::kLanes * Dot::kVectors;

    static void packLeft(const Int8Matrix& x, std::int64_t rows, std::int64_t k, std::int32_t* words,
                         std::int64_t pitch) {
        for (std::int64_t row = 0; row < rows; ++row) {
            std::int32_t* to = words + row * pitch;
            const std::int8_t* from = x.data + row * x.rowStep;
            std::int64_t first = 0;
            if (Dot::kDepth == 4 && x.columnStep == 1) {  // words as they are
                first = k / Dot::kDepth * Dot::kDepth;
                std::memcpy(to, from, static_cast<std::size_t>(first));
            }
            for (; first < k; first += Dot::kDepth) {
                std::int8_t elements[Dot::kDepth] = {};
                const std::int64_t count = smaller(Dot::kDepth, k - first);
                for (std::int64_t i = 0; i < count; ++i) {
                    elements[i] = from[(first + i) * x.columnStep];
                }
                to[first / Dot::kDepth] = Dot::word(elements);
            }
        }
    }

    // The right side is stored with an offset, which adds kOffset * (sum of the left row) to each sum.
    static std::int32_t firstSum(const std::int32_t* row, std::int64_t pitch) {
        std::uint32_t sum = 0;
        if constexpr (Dot::kOffset != 0) {
            for (std::int64_t i = 0; i < pitch * Dot::kDepth; ++i) {
                sum += static_cast<std::uint32_t>(reinterpret_cast<const std::int8_t*>(row)[i]);
            }
        }
        return static_cast<std::int32_t>(0U - sum * static_cast<std::uint32_t>(Dot::kOffset));
    }

    static void packRight(const Int8Matrix& x, std::int64_t k, std::int64_t columns, std::int32_t* words) {
        const std::int64_t height = (k + Dot::kDepth - 1) / Dot::kDepth;
        for (std::int64_t column = 0; column < columns; column += kPanel) {
            std::int32_t* panel = words + column * height;
            const std::int64_t width = smaller(kPanel, columns - column);
            for (std::int64_t first = 0; first < k; first += Dot::kDepth) {
                const Int8Matrix part{x.data + first * x.rowStep + column * x.columnStep, x.rowStep, x.columnStep};
                std::int32_t* to = panel + first / Dot::kDepth * kPanel;
                if (width == kPanel && k - first >= Dot::kDepth && x.columnStep == 1) {
                    Dot::interleave(part.data, x.rowStep, to);
                } else if (width == kPanel && k - first >= Dot::kDepth && x.rowStep == 1) {
                    Dot::gather(part.data, x.columnStep, to);
                } else {
                    packEdge(part, smaller(Dot::kDepth, k - first), width, to);
                }
            }
        }
    }

    static void multiply(const std::int32_t* left, std::int64_t pitch, std::int64_t rows, const std::int32_t* right,
                         std::int64_t words, std::int64_t columns, std::int32_t* sums, std::int64_t sumPitch) {
        for (std::int64_t column = 0; column < columns; column += kPanel) {
            const std::int32_t* panel = right + column * words;
            std::int64_t row = 0;
            for (; row + Dot::kRows <= rows; row += Dot::kRows) {
                tile<Dot::kRows>(left + row * pitch, pitch, panel, words, sums + row * sumPitch + column, sumPitch);
            }
            rest(rows - row, left + row * pitch, pitch, panel, words, sums + row * sumPitch + column, sumPitch,
                 std::make_integer_sequence<int, Dot::kRows>());
        }
    }

    static constexpr MatmulKernels table(const char* name) {
        return {name, Dot::kDepth, kPanel, packLeft, firstSum, packRight, multiply};
    }

  private:
    // Not std::min: the linker would merge instantiations of variants with different instructions.
    static constexpr std::int64_t smaller(std::int64_t one, std::int64_t other) { return one < other ? one : other; }

    static void packEdge(const Int8Matrix& x, std::int64_t depth, std::int64_t width, std::int32_t* to) {
        for (std::int64_t column = 0; column < kPanel; ++column) {
            std::int8_t elements[Dot::kDepth] = {};
            for (std::int64_t i = 0; column < width && i < depth; ++i) {
                elements[i] = x.data[i * x.rowStep + column * x.columnStep];
            }
            to[column] = Dot::rightWord(elements);
        }
    }

    // Calls body(number) for each number below `count`, a constant in each call: with loops instead, GCC would keep
    // the sums in memory.
    template <int count, class Body>
    __attribute__((always_inline)) static void each(Body body) {
        [&]<int... number>(std::integer_sequence<int, number...>) __attribute__((always_inline)) {
            (body(std::integral_constant<int, number>()), ...);
        }
        (std::make_integer_sequence<int, count>());
    }

    // `rows` rows times a panel, with all sums in registers.
    template <int rows>
    static void tile(const std::int32_t* left, std::int64_t pitch, const std::int32_t* panel, std::int64_t words,
                     std::int32_t* sums, std::int64_t sumPitch) {
        typename Dot::Words total[rows][Dot::kVectors];
        const auto eachSum = [](auto body) __attribute__((always_inline)) {
            each<rows>([&](auto row) __attribute__((always_inline)) {
                each<Dot::kVectors>([&](auto vector) __attribute__((always_inline)) { body(row, vector); });
            });
        };
        eachSum([&](auto row, auto vector) __attribute__((always_inline)) {
            total[row][vector] = Dot::load(sums + row * sumPitch + vector * Dot::kLanes);
        });
        for (std::int64_t word = 0; word < words; ++word) {
            typename Dot::Words from[Dot::kVectors];
            each<Dot::kVectors>([&](auto vector) __attribute__((always_inline)) {
                from[vector] = Dot::load(panel + word * kPanel + vector * Dot::kLanes);
            });
            each<rows>([&](auto row) __attribute__((always_inline)) {
                const std::int32_t one = left[row * pitch + word];
                each<Dot::kVectors>([&](auto vector) __attribute__((always_inline)) {
                    total[row][vector] = Dot::add(total[row][vector], from[vector], one);
                });
            });
        }
        eachSum([&](auto row, auto vector) __attribute__((always_inline)) {
            Dot::store(sums + row * sumPitch + vector * Dot::kLanes, total[row][vector]);
        });
    }

    template <int... counts>
    static void rest(std::int64_t rows, const std::int32_t* left, std::int64_t pitch, const std::int32_t* panel,
                     std::int64_t words, std::int32_t* sums, std::int64_t sumPitch,
                     std::integer_sequence<int, counts...>) {
        const auto one = [&]<int count>(std::integral_constant<int, count>) {
            if constexpr (count > 0) {
                if (rows == count) {
                    tile<count>(left, pitch, panel, words, sums, sumPitch);
                }
            }
        };
        (one(std::integral_constant<int, counts>()), ...);
    }
};

}  // namespace aclq::ACLQ_ISA
