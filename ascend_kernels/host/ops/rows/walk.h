// SPDX-License-Identifier: Apache-2.0
// Several tensors walked together, row by row.
#pragma once

#include <algorithm>
#include <cstdint>

#include "meta/executor.h"
#include "ops/rows/pieces.h"

namespace aclq {

// One shape and the strides of each tensor. Dimensions that need no separate step are merged.
template <std::size_t count>
struct Walk {
    std::int64_t rank = 0;
    std::int64_t shape[kMaxKernelRank] = {};
    std::int64_t strides[count][kMaxKernelRank] = {};

    void addDimension(std::int64_t size, const std::int64_t (&steps)[count]) {
        if (size == 1) {
            return;
        }
        bool merges = rank > 0;
        for (std::size_t tensor = 0; tensor < count && merges; ++tensor) {
            merges = strides[tensor][rank - 1] == steps[tensor] * size;
        }
        if (merges) {
            size *= shape[--rank];
        }
        addApart(size, steps);
    }

    // Keeps the dimension separate even if it could be merged.
    void addApart(std::int64_t size, const std::int64_t (&steps)[count]) {
        shape[rank] = size;
        for (std::size_t tensor = 0; tensor < count; ++tensor) {
            strides[tensor][rank] = steps[tensor];
        }
        ++rank;
    }

    // Elements of a row (the last dimension), their distance in a tensor, and the number of rows.
    std::int64_t length() const { return rank > 0 ? shape[rank - 1] : 1; }
    std::int64_t step(std::size_t tensor) const { return rank > 0 ? strides[tensor][rank - 1] : 1; }
    std::int64_t rows() const {
        std::int64_t product = 1;
        for (std::int64_t index = 0; index + 1 < rank; ++index) {
            product *= shape[index];
        }
        return product;
    }

    // How to cut rows of this length for a tensor that is read and one that is written: into large pieces where both
    // are dense, else into pieces that fit into buffers.
    Cut cut(std::int64_t length, bool dense, std::size_t read) const {
        const std::int64_t interleaved = rank > 1 && step(read) != 1 && strides[read][rank - 2] == 1 ? kTileRows : 1;
        const std::int64_t chunk = dense ? kThreadGrain : kChunk;
        const std::int64_t inner = dense && rank > 1 ? shape[rank - 2] : 1;
        return {rows(), length, interleaved, chunk, inner, std::clamp<std::int64_t>(chunk / length, 1, inner), dense};
    }
    // Whether rows of this length and step are consecutive in a tensor, and their elements as well.
    bool dense(std::size_t tensor, std::int64_t length, std::int64_t step) const {
        return step == 1 && (rank < 2 || strides[tensor][rank - 2] == length);
    }
    // Rows of an interleaved tensor from this one on whose elements are next to each other.
    std::int64_t beside(std::int64_t row) const { return rank > 1 ? shape[rank - 2] - row % shape[rank - 2] : 1; }

    // Where a row begins in each tensor.
    void locate(std::int64_t row, std::int64_t (&offsets)[count]) const {
        for (std::int64_t& offset : offsets) {
            offset = 0;
        }
        for (std::int64_t index = rank - 1; index-- > 0;) {
            const std::int64_t position = row % shape[index];
            row /= shape[index];
            for (std::size_t tensor = 0; tensor < count; ++tensor) {
                offsets[tensor] += position * strides[tensor][index];
            }
        }
    }
};

// A piece of rows that are walked.
template <std::size_t count>
struct Piece {
    const std::int64_t (&at)[count];  // where its first row begins in each tensor
    std::int64_t first;               // its first element within that row
    std::int64_t rows;
    std::int64_t length;  // elements of each row in the piece
    std::int64_t beside;  // interleaved rows that can be read together with its row
};

// Calls makeWorker() once for each range of pieces a thread takes, and the worker for each piece.
template <std::size_t count, class MakeWorker>
void forPieces(const Walk<count>& walk, const Cut& cut, MakeWorker&& makeWorker) {
    forPieces(cut, [&](Pieces pieces) {
        auto worker = makeWorker();
        std::int64_t at[count] = {};
        while (pieces.next()) {
            if (pieces.newRow()) {
                walk.locate(pieces.row(), at);
            }
            worker(Piece<count>{at, pieces.first(), pieces.rows(), pieces.count(),
                                cut.interleaved > 1 ? walk.beside(pieces.row()) : 1});
        }
    });
}

}  // namespace aclq
