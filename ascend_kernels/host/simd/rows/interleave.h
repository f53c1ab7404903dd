// SPDX-License-Identifier: Apache-2.0
// Several rows worked on in turn, block by block, so that a load of scales serves all of them.
#pragma once

#include <array>

#include "simd/rows/results.h"

namespace aclq::ACLQ_ISA {

// Scales for each element of longer rows do not stay in L1. On AVX-512 such rows are interleaved, so that scales are
// loaded once for several rows. AVX2 was slower with it; NEON was not measured.
constexpr std::int64_t kFitsL1 = 4096;

// An array of make(number) for each of the interleaved rows.
template <int interleaved, class Make>
ACLQ_INLINE inline auto forEachInterleaved(Make&& make) {
    return [&]<int... number>(std::integer_sequence<int, number...>) ACLQ_INLINE {
        return std::array{make(number)...};
    }
    (std::make_integer_sequence<int, interleaved>{});
}

// Calls work(number) for each of the interleaved rows. For a single row the number is a constant, which keeps its state
// in registers.
template <int interleaved, class Work>
ACLQ_INLINE inline void forInterleaved(Work&& work) {
    if constexpr (interleaved == 1) {
        work(std::integral_constant<int, 0>{});
    } else {
        for (int number = 0; number < interleaved; ++number) {
            work(number);
        }
    }
}

// How many of the rows are interleaved, if they are at all: a multiple of kInterleaved. The others follow one by one.
template <bool interleaves>
ACLQ_INLINE inline std::int64_t interleavedRows(std::int64_t count, bool interleave) {
    return interleaves && interleave ? count - count % kInterleaved : 0;
}

// Calls work(row, interleaved) for all rows: kInterleaved of them at a time, or one. That number, interleaved, is a
// constant.
template <bool interleaves, class Work>
ACLQ_INLINE inline void forRowsInterleaved(std::int64_t count, bool interleave, Work&& work) {
    const std::int64_t first = interleavedRows<interleaves>(count, interleave);
    if constexpr (interleaves) {
        for (std::int64_t row = 0; row < first; row += kInterleaved) {
            work(row, std::integral_constant<int, kInterleaved>{});
        }
    }
    for (std::int64_t row = first; row < count; ++row) {
        work(row, std::integral_constant<int, 1>{});
    }
}

// Writes the results of consecutive rows.
template <class Vector, bool interleaves>
class ResultsOfRows {
  public:
    ACLQ_INLINE ResultsOfRows(const Output& y, std::int64_t bytesOfRow) : y_(y), bytesOfRow_(bytesOfRow), one_(y) {}

    // Calls body(results, row, interleaved) for `count` rows; results[number] writes the results of row + number.
    template <class Body>
    ACLQ_INLINE void forRows(std::int64_t first, std::int64_t count, bool interleave, Body&& body) {
        std::array one{one_};
        one[0].moveTo(static_cast<unsigned char*>(y_.data) +
                      (first + interleavedRows<interleaves>(count, interleave)) * bytesOfRow_);
        forRowsInterleaved<interleaves>(count, interleave, [&](std::int64_t next, auto interleaved) ACLQ_INLINE {
            const std::int64_t row = first + next;
            if constexpr (interleaved() == 1) {
                body(one, row, interleaved);
            } else {
                auto results = forEachInterleaved<interleaved()>(
                    [&](int number) ACLQ_INLINE { return Results<Vector>(y_, (row + number) * bytesOfRow_); });
                body(results, row, interleaved);
                for (Results<Vector>& each : results) {
                    each.close();
                }
            }
        });
        one_ = one[0];
    }
    ACLQ_INLINE ~ResultsOfRows() { one_.close(); }
    ResultsOfRows(const ResultsOfRows&) = delete;
    ResultsOfRows& operator=(const ResultsOfRows&) = delete;

  private:
    const Output y_;
    const std::int64_t bytesOfRow_;
    Results<Vector> one_;
};

template <class Vector, bool interleaves, class Body>
ACLQ_INLINE inline void forRows(const Output& y, std::int64_t bytesOfRow, std::int64_t count, bool interleave,
                                Body&& body) {
    ResultsOfRows<Vector, interleaves>(y, bytesOfRow).forRows(0, count, interleave, body);
}

}  // namespace aclq::ACLQ_ISA
