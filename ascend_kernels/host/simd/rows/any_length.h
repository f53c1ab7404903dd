// SPDX-License-Identifier: Apache-2.0
// Brings the loops over whole blocks to rows of any length.
#pragma once

#include <algorithm>
#include <cstring>

#include "simd/rows/blocks.h"

namespace aclq::ACLQ_ISA {

// Calls body(values, step, rowStep) for each kind of factors, and marks them as one for each element.
template <class Body>
inline void replaceFactors(QuantizeRows& rows, Body&& body) {
    body(rows.scale, rows.step, rows.rowStep);
    body(rows.offset, rows.step, rows.rowStep);
    rows.step = 1;
}
template <class Body>
inline void replaceFactors(AntiQuantizeRows& rows, Body&& body) {
    body(rows.scale, rows.step, 0);
    body(rows.offset, rows.step, 0);
    rows.step = 1;
}
template <class Body>
inline void replaceFactors(AffineRows& rows, Body&& body) {
    body(rows.smooth, rows.smoothStep, 0);
    body(rows.factor, rows.step, rows.rowStep);
    body(rows.shift, rows.step, rows.rowStep);
    rows.smoothStep = 1;
    rows.step = 1;
}

// The factors of the rows from `row` on.
inline QuantizeRows rowsFrom(QuantizeRows rows, std::int64_t row) {
    rows.scale += row * rows.rowStep;
    rows.offset = rows.offset == nullptr ? nullptr : rows.offset + row * rows.rowStep;
    return rows;
}
inline AntiQuantizeRows rowsFrom(const AntiQuantizeRows& rows, std::int64_t) {
    return rows;
}
inline AffineRows rowsFrom(AffineRows rows, std::int64_t row) {
    rows.factor += row * rows.rowStep;
    rows.shift = rows.shift == nullptr ? nullptr : rows.shift + row * rows.rowStep;
    return rows;
}

// Calls run(rows, x, count, n, y), which needs whole blocks. The elements after the last whole block of a row, and as
// many short rows as fit a block, are copied to buffers of one block. Sizes are bits of an element.
template <class Rows, class Run>
inline void forAnyLength(const Rows& rows, const void* x, std::int64_t xBits, std::int64_t count, std::int64_t n,
                         const Output& y, std::int64_t yBits, Run&& run) {
    const auto from = [&](std::int64_t element) { return static_cast<const unsigned char*>(x) + element * xBits / 8; };
    const auto to = [&](std::int64_t element) { return static_cast<unsigned char*>(y.data) + element * yBits / 8; };
    // The elements of `some` rows from `first` on, which are consecutive in memory.
    const auto runInBuffers = [&](std::int64_t row, std::int64_t some, std::int64_t first) {
        const std::int64_t length = n - first;
        alignas(64) unsigned char elements[4 * kBlock] = {};
        std::memcpy(elements, from(row * n + first), static_cast<std::size_t>((some * length * xBits + 7) / 8));
        alignas(64) float factors[3][kBlock];
        float(*buffer)[kBlock] = factors;
        Rows one = rows;
        replaceFactors(one, [&](const float*& values, std::int64_t step, std::int64_t rowStep) {
            if (values != nullptr) {
                float* next = *buffer;
                for (std::int64_t number = row; number < row + some; ++number) {
                    for (std::int64_t i = first; i < n; ++i) {
                        *next++ = values[number * rowStep + i * step];
                    }
                }
                std::fill(next, *buffer + kBlock, 1.0F);
                values = *buffer++;
            }
        });
        alignas(64) unsigned char results[4 * kBlock];
        run(one, elements, 1, kBlock, Output{results});
        std::memcpy(to(row * n + first), results, static_cast<std::size_t>(some * length * yBits / 8));
    };
    if (n % kBlock == 0) {
        run(rows, x, count, n, y);
    } else if (n < kBlock) {
        const std::int64_t together = kBlock / n;
        for (std::int64_t row = 0; row < count; row += together) {
            runInBuffers(row, std::min(together, count - row), 0);
        }
    } else {
        const std::int64_t whole = n - n % kBlock;
        for (std::int64_t row = 0; row < count; ++row) {
            run(rowsFrom(rows, row), from(row * n), 1, whole, Output{to(row * n), y.streamed});
            runInBuffers(row, 1, whole);
        }
    }
}

}  // namespace aclq::ACLQ_ISA
