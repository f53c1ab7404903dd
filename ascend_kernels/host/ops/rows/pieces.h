// SPDX-License-Identifier: Apache-2.0
// Rows cut into pieces, which threads take in turn.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/thread_pool.h"

namespace aclq {

// Elements that row kernels are given at a time: buffers of this size stay in L1. A multiple of 8.
constexpr std::int64_t kChunk = 4096;
// Elements that justify another thread.
constexpr std::int64_t kThreadGrain = 64 * 1024;
// Rows of a strided tensor that are read together (RowReader).
constexpr std::int64_t kTileRows = 16;

// How rows are cut: a piece is a part of one row, or several whole rows.
struct Cut {
    std::int64_t rows;
    std::int64_t length;           // elements of a row
    std::int64_t interleaved = 1;  // above 1: part 0 of each of this many rows, then part 1 of each, ...
    std::int64_t chunk = kChunk;   // elements of a part
    std::int64_t inner = 1;        // rows of the second-last dimension: only these are consecutive in memory
    std::int64_t together = 1;     // whole rows of a piece
    bool dense = false;            // consecutive pieces become one, because partly written cache lines are expensive

    std::int64_t parts() const { return (length + chunk - 1) / chunk; }
    std::int64_t groups() const { return (inner + together - 1) / together; }
    std::int64_t pieces() const { return rows / inner * groups() * parts(); }
};

// A range of consecutive pieces.
class Pieces {
  public:
    Pieces(std::int64_t begin, std::int64_t end, const Cut& cut)
        : piece_(begin - 1), end_(end), cut_(cut), parts_(cut.parts()), groups_(cut.groups()) {}

    bool next() {
        if (++piece_ >= end_) {
            return false;
        }
        const std::int64_t before = row_;
        std::int64_t taken = 1;
        if (cut_.interleaved > 1) {
            const std::int64_t group = piece_ / (cut_.interleaved * parts_) * cut_.interleaved;
            const std::int64_t width = std::min(cut_.interleaved, cut_.rows - group);
            const std::int64_t rest = piece_ - group * parts_;
            row_ = group + rest % width;
            part_ = rest / width;
        } else {
            const std::int64_t group = piece_ / parts_;
            const std::int64_t number = group % groups_;
            row_ = group / groups_ * cut_.inner + number * cut_.together;
            part_ = piece_ % parts_;
            if (cut_.dense) {
                taken = std::min(end_ - piece_, parts_ > 1 ? parts_ - part_ : groups_ - number);
            }
            rows_ = parts_ > 1 ? 1 : std::min(taken * cut_.together, cut_.inner - number * cut_.together);
        }
        count_ = std::min(taken * cut_.chunk, cut_.length - part_ * cut_.chunk);
        piece_ += taken - 1;
        newRow_ = row_ != before;
        return true;
    }
    bool newRow() const { return newRow_; }
    std::int64_t row() const { return row_; }
    // Rows from that one on; more than one only if they are whole.
    std::int64_t rows() const { return rows_; }
    std::int64_t first() const { return part_ * cut_.chunk; }
    std::int64_t count() const { return count_; }

  private:
    std::int64_t piece_;
    const std::int64_t end_;
    const Cut& cut_;
    const std::int64_t parts_;
    const std::int64_t groups_;
    std::int64_t row_ = -1;
    std::int64_t rows_ = 1;
    std::int64_t part_ = 0;
    std::int64_t count_ = 0;
    bool newRow_ = true;
};

// Calls work(pieces) until all rows are done, in several threads if there are many elements.
template <class Work>
void forPieces(const Cut& cut, Work&& work) {
    // Threads take whole sets of interleaved pieces, so that no two of them read the same cache lines.
    const std::int64_t unit = cut.interleaved;
    const std::int64_t size = std::max<std::int64_t>(unit * cut.together * std::min(cut.length, cut.chunk), 1);
    const std::int64_t pieces = cut.pieces();
    parallelFor(
        (pieces + unit - 1) / unit, (kThreadGrain + size - 1) / size,
        [&](std::int64_t begin, std::int64_t end) { work(Pieces(begin * unit, std::min(end * unit, pieces), cut)); });
}

}  // namespace aclq
