// SPDX-License-Identifier: Apache-2.0
// The exact part of the quantised matrix products: sums of int8 or int4 products in int32, which wraps around.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "meta/executor.h"
#include "runtime/thread_pool.h"
#include "simd/matmul.h"

namespace aclq {

// The matrices of a tensor (the last two dimensions), as int8 values. An INT32 holds eight int4 of its last dimension.
class Matrices {
  public:
    // `transposed`: the last two dimensions are swapped.
    Matrices(const View& view, bool transposed);
    // One matrix of consecutive rows.
    Matrices(std::vector<std::int8_t> values, std::int64_t rows, std::int64_t columns);
    Matrices(const Matrices&) = delete;
    Matrices& operator=(const Matrices&) = delete;

    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    std::int64_t batches() const;
    // Counted from the last batch dimension; 1 for dimensions that are not there.
    std::int64_t batchSize(std::int64_t fromEnd) const {
        return fromEnd < batchRank() ? view_.shape[batchRank() - 1 - fromEnd] : 1;
    }
    std::int64_t batchRank() const { return view_.rank - 2; }
    Int8Matrix at(std::int64_t batch) const;

  private:
    void unpack();

    View view_;
    std::vector<std::int8_t> values_;
    const std::int8_t* data_ = nullptr;
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    std::int64_t rowStep_ = 0;
    std::int64_t columnStep_ = 0;
};

// A block of the product, which one thread computes.
struct ProductBlock {
    std::int64_t batch;
    std::int64_t row;
    std::int64_t rows;
    std::int64_t column;
    std::int64_t columns;
};

// The sums of one row of a block.
struct SumsOfRows {
    const std::int32_t* data;
    std::int64_t pitch;
    const std::int32_t* row(std::int64_t index) const { return data + index * pitch; }
};

class IntegerProduct {
  public:
    // `group`: products are summed over this many elements along k, a multiple of 64, or all of k. `rowUnit`: blocks
    // have a multiple of this many rows.
    IntegerProduct(const Matrices& left, const Matrices& right, std::int64_t group, std::int64_t rowUnit = 1);

    std::int64_t groups() const { return (k_ + group_ - 1) / group_; }

    // Calls makeWorker() once for each thread. Of each block, the worker sees the sums of all groups in order:
    // worker(block, group, sums).
    template <class MakeWorker>
    void forBlocks(MakeWorker&& makeWorker) const {
        const Tiling tiling = tile();
        parallelFor(tiling.tasks(), tiling.grain, [&](std::int64_t begin, std::int64_t end) {
            auto worker = makeWorker();
            Buffers buffers;
            for (std::int64_t task = begin; task < end; ++task) {
                const ProductBlock block = tiling.block(task);
                for (std::int64_t group = 0; group < groups(); ++group) {
                    worker(block, group, multiply(buffers, block, group));
                }
            }
        });
    }

  private:
    // How the product is cut into blocks.
    struct Tiling {
        std::int64_t m, n, batches, rows, columns, grain;
        std::int64_t across() const { return (n + columns - 1) / columns; }
        std::int64_t down() const { return (m + rows - 1) / rows; }
        std::int64_t tasks() const { return batches * across() * down(); }
        ProductBlock block(std::int64_t task) const;
    };
    struct Buffers {
        std::vector<std::int32_t> right;
        std::vector<std::int32_t> sums;
    };

    Tiling tile() const;
    SumsOfRows multiply(Buffers& buffers, const ProductBlock& block, std::int64_t group) const;
    std::int64_t matrixOf(const Matrices& matrices, std::int64_t batch) const;
    const std::int32_t* packedRow(std::int64_t batch, std::int64_t row) const {
        return packed_.data() + (batch * m_ + row) * pitch_;
    }

    const MatmulKernels& kernels_;
    const Matrices& left_;
    const Matrices& right_;
    const std::int64_t m_;
    const std::int64_t k_;
    const std::int64_t n_;
    const std::int64_t group_;
    const std::int64_t rowUnit_;
    std::int64_t pitch_;                   // packed elements of a left row
    std::vector<std::int32_t> packed_;     // the left side
    std::vector<std::int32_t> firstSums_;  // of each left row, for each group
    std::int64_t batchRank_ = 0;
    std::int64_t batchShape_[kMaxKernelRank] = {};  // of the result, from the last batch dimension on
    std::int64_t batches_ = 1;
};

}  // namespace aclq
