// SPDX-License-Identifier: Apache-2.0
#include "ops/integer_product.h"

#include <utility>

#include "ops/rows/pieces.h"
#include "ops/rows/view.h"
#include "simd/kernels.h"

namespace aclq {
namespace {

// Packed elements of the right side that are multiplied at a time: they stay in L2. With few rows more columns are
// packed, because their memory is then read in longer runs.
constexpr std::int64_t kPackedElements = 32 * 1024;
constexpr std::int64_t kFewRows = 16;
constexpr std::int64_t kColumns = 256;
constexpr std::int64_t kColumnsOfFewRows = 1024;
// Rows that share the packed columns; their sums stay in L2.
constexpr std::int64_t kRows = 512;
// Products that justify another thread.
constexpr std::int64_t kThreadProducts = 1024 * 1024;

}  // namespace

Matrices::Matrices(const View& view, bool transposed) : view_(view) {
    if (view.dtype == ACL_INT8) {
        data_ = reinterpret_cast<const std::int8_t*>(view.data) + view.offset;
    } else {
        unpack();
        data_ = values_.data();
    }
    rows_ = view_.shape[view.rank - 2];
    columns_ = view_.shape[view.rank - 1];
    rowStep_ = view_.strides[view.rank - 2];
    columnStep_ = view_.strides[view.rank - 1];
    if (transposed) {
        std::swap(rows_, columns_);
        std::swap(rowStep_, columnStep_);
    }
}

Matrices::Matrices(std::vector<std::int8_t> values, std::int64_t rows, std::int64_t columns)
    : values_(std::move(values)),
      data_(values_.data()),
      rows_(rows),
      columns_(columns),
      rowStep_(columns),
      columnStep_(1) {
    view_.rank = 2;
}

std::int64_t Matrices::batches() const {
    std::int64_t product = 1;
    for (std::int64_t dimension = 0; dimension < batchRank(); ++dimension) {
        product *= view_.shape[dimension];
    }
    return product;
}

Int8Matrix Matrices::at(std::int64_t batch) const {
    const std::int8_t* data = data_;
    for (std::int64_t dimension = batchRank(); dimension-- > 0;) {
        data += batch % view_.shape[dimension] * view_.strides[dimension];
        batch /= view_.shape[dimension];
    }
    return {data, rowStep_, columnStep_};
}

// int4 become int8, consecutive in logical order.
void Matrices::unpack() {
    const bool eights = view_.dtype == ACL_INT32;
    const std::int64_t count = view_.elements();
    values_.resize(static_cast<std::size_t>(eights ? count * 8 : count));
    const bool dense = contiguous(view_);
    if (eights && dense) {
        kernels().unpackInt4(view_.data + view_.offset * 4, count * 8, values_.data());
    } else if (!eights && dense && view_.offset % 2 == 0 && count % 2 == 0) {
        kernels().unpackInt4(view_.data + view_.offset / 2, count, values_.data());
    } else {
        for (std::int64_t index = 0; index < count; ++index) {
            const std::int64_t at = view_.offset + offsetOf(view_, index);
            if (eights) {
                kernels().unpackInt4(view_.data + at * 4, 8, values_.data() + index * 8);
            } else {
                const int value = view_.data[at >> 1] >> ((at & 1) != 0 ? 4 : 0) & 15;
                values_[static_cast<std::size_t>(index)] = static_cast<std::int8_t>((value ^ 8) - 8);
            }
        }
    }
    if (eights) {
        view_.shape[view_.rank - 1] *= 8;
    }
    std::int64_t step = 1;
    for (std::int64_t dimension = view_.rank; dimension-- > 0;) {
        view_.strides[dimension] = step;
        step *= view_.shape[dimension];
    }
}

IntegerProduct::IntegerProduct(const Matrices& left, const Matrices& right, std::int64_t group, std::int64_t rowUnit)
    : kernels_(matmulKernels()),
      left_(left),
      right_(right),
      m_(left.rows()),
      k_(left.columns()),
      n_(right.columns()),
      group_(group),
      rowUnit_(rowUnit),
      pitch_((k_ + kernels_.depth - 1) / kernels_.depth),
      packed_(static_cast<std::size_t>(left.batches() * m_ * pitch_)),
      firstSums_(static_cast<std::size_t>(left.batches() * m_ * groups())),
      batchRank_(std::max(left.batchRank(), right.batchRank())) {
    for (std::int64_t dimension = 0; dimension < batchRank_; ++dimension) {
        batchShape_[dimension] = std::max(left.batchSize(dimension), right.batchSize(dimension));
        batches_ *= batchShape_[dimension];
    }
    const std::int64_t step = group_ / kernels_.depth;  // packed elements of a group
    parallelFor(left.batches() * m_, (kThreadGrain + pitch_) / (pitch_ + 1), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end;) {
            const std::int64_t batch = row / m_;
            const std::int64_t count = std::min(end, (batch + 1) * m_) - row;
            Int8Matrix matrix = left_.at(batch);
            matrix.data += row % m_ * matrix.rowStep;
            std::int32_t* const to = packed_.data() + row * pitch_;
            kernels_.packLeft(matrix, count, k_, to, pitch_);
            for (std::int64_t i = 0; i < count; ++i) {
                for (std::int64_t part = 0; part < groups(); ++part) {
                    const std::int64_t first = part * step;
                    const std::int64_t length = groups() == 1 ? pitch_ : std::min(step, pitch_ - first);
                    firstSums_[static_cast<std::size_t>((row + i) * groups() + part)] =
                        kernels_.firstSum(to + i * pitch_ + first, length);
                }
            }
            row += count;
        }
    });
}

IntegerProduct::Tiling IntegerProduct::tile() const {
    const std::int64_t threads = threadCount();
    const bool few = m_ <= kFewRows;
    Tiling tiling{m_, n_, batches_, std::min(m_, kRows), std::max(few ? kColumnsOfFewRows : kColumns, kernels_.panel),
                  1};
    while (tiling.columns > 2 * kernels_.panel && tiling.tasks() < 4 * threads) {
        tiling.columns /= 2;
    }
    while (tiling.rows > 64 && tiling.tasks() < 2 * threads) {
        tiling.rows = (tiling.rows + 1) / 2;
    }
    tiling.rows = (tiling.rows + rowUnit_ - 1) / rowUnit_ * rowUnit_;
    const std::int64_t products = tiling.rows * std::min(tiling.columns, n_) * (k_ + 1);
    tiling.grain = std::max<std::int64_t>(1, kThreadProducts / products);
    return tiling;
}

ProductBlock IntegerProduct::Tiling::block(std::int64_t task) const {
    const std::int64_t column = task % across() * columns;
    const std::int64_t row = task / across() % down() * rows;
    return {task / across() / down(), row, std::min(rows, m - row), column, std::min(columns, n - column)};
}

// Which matrix of a side belongs to a batch of the result.
std::int64_t IntegerProduct::matrixOf(const Matrices& matrices, std::int64_t batch) const {
    std::int64_t index = 0;
    std::int64_t step = 1;
    for (std::int64_t dimension = 0; dimension < batchRank_; ++dimension) {
        const std::int64_t size = matrices.batchSize(dimension);
        index += size == 1 ? 0 : batch % batchShape_[dimension] * step;
        step *= size;
        batch /= batchShape_[dimension];
    }
    return index;
}

SumsOfRows IntegerProduct::multiply(Buffers& buffers, const ProductBlock& block, std::int64_t group) const {
    const std::int64_t depth = kernels_.depth;
    const std::int64_t width = (block.columns + kernels_.panel - 1) / kernels_.panel * kernels_.panel;
    const std::int64_t first = groups() == 1 ? 0 : group * group_ / depth;
    const std::int64_t end = groups() == 1 ? pitch_ : std::min(first + group_ / depth, pitch_);
    const std::int64_t most = std::max<std::int64_t>(1, kPackedElements / width);
    buffers.right.resize(static_cast<std::size_t>(std::min(most, end - first) * width));
    buffers.sums.resize(static_cast<std::size_t>(block.rows * width));
    const std::int64_t leftBatch = matrixOf(left_, block.batch);
    for (std::int64_t i = 0; i < block.rows; ++i) {
        const std::int64_t row = leftBatch * m_ + block.row + i;
        std::fill_n(buffers.sums.data() + i * width, width,
                    firstSums_[static_cast<std::size_t>(row * groups() + group)]);
    }
    Int8Matrix right = right_.at(matrixOf(right_, block.batch));
    right.data += block.column * right.columnStep;
    for (std::int64_t at = first; at < end; at += most) {
        const std::int64_t count = std::min(most, end - at);
        kernels_.packRight({right.data + at * depth * right.rowStep, right.rowStep, right.columnStep},
                           std::min(count * depth, k_ - at * depth), block.columns, buffers.right.data());
        kernels_.multiply(packedRow(leftBatch, block.row) + at, pitch_, block.rows, buffers.right.data(), count,
                          block.columns, buffers.sums.data(), width);
    }
    return {buffers.sums.data(), width};
}

}  // namespace aclq
