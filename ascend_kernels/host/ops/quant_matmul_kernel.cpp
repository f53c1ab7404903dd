// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <vector>

#include "ops/elements.h"
#include "ops/quant_matmul.h"
#include "simd/matmul.h"
#include "simd/numeric.h"

namespace aclq {
namespace {

// Columns and elements along k that are packed together: they stay in the second cache. A few rows take more columns,
// whose memory is then read in longer runs.
constexpr std::int64_t kBlockWords = 32 * 1024;
constexpr std::int64_t kFewRows = 16;
constexpr std::int64_t kColumns = 256;
constexpr std::int64_t kColumnsOfFewRows = 1024;
// Rows that share the packed columns; their sums stay in the second cache.
constexpr std::int64_t kRows = 512;
// Products worth a thread of their own.
constexpr std::int64_t kThreadProducts = 1024 * 1024;

// The matrices of a tensor, as int8 values.
class Matrices {
  public:
    Matrices(const View& view, bool transposed) : view_(view) {
        const std::int64_t rank = view.rank;
        if (view.dtype == ACL_INT8) {
            data_ = reinterpret_cast<const std::int8_t*>(view.data) + view.offset;
        } else {
            unpack();
            data_ = values_.data();
        }
        rows_ = view_.shape[rank - 2];
        columns_ = view_.shape[rank - 1];
        rowStep_ = view_.strides[rank - 2];
        columnStep_ = view_.strides[rank - 1];
        if (transposed) {
            std::swap(rows_, columns_);
            std::swap(rowStep_, columnStep_);
        }
    }
    Matrices(const Matrices&) = delete;
    Matrices& operator=(const Matrices&) = delete;

    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    std::int64_t batchRank() const { return view_.rank - 2; }
    std::int64_t batchSize(std::int64_t dimension) const { return view_.shape[dimension]; }
    std::int64_t batches() const {
        std::int64_t product = 1;
        for (std::int64_t dimension = 0; dimension < batchRank(); ++dimension) {
            product *= view_.shape[dimension];
        }
        return product;
    }
    Int8Matrix at(std::int64_t batch) const {
        const std::int8_t* data = data_;
        for (std::int64_t dimension = batchRank(); dimension-- > 0;) {
            data += batch % view_.shape[dimension] * view_.strides[dimension];
            batch /= view_.shape[dimension];
        }
        return {data, rowStep_, columnStep_};
    }

  private:
    // int4 become int8, one behind the other.
    void unpack() {
        const bool words = view_.dtype == ACL_INT32;
        const std::int64_t count = view_.elements();
        values_.resize(static_cast<std::size_t>(words ? count * 8 : count));
        const bool dense = contiguous(view_);
        if (words && dense) {
            kernels().unpackInt4(view_.data + view_.offset * 4, count * 8, values_.data());
        } else if (!words && dense && view_.offset % 2 == 0 && count % 2 == 0) {
            kernels().unpackInt4(view_.data + view_.offset / 2, count, values_.data());
        } else {
            for (std::int64_t index = 0; index < count; ++index) {
                const std::int64_t at = view_.offset + offsetOf(view_, index);
                if (words) {
                    kernels().unpackInt4(view_.data + at * 4, 8, values_.data() + index * 8);
                } else {
                    const int value = view_.data[at >> 1] >> ((at & 1) != 0 ? 4 : 0) & 15;
                    values_[static_cast<std::size_t>(index)] = static_cast<std::int8_t>((value ^ 8) - 8);
                }
            }
        }
        if (words) {
            view_.shape[view_.rank - 1] *= 8;
        }
        std::int64_t step = 1;
        for (std::int64_t dimension = view_.rank; dimension-- > 0;) {
            view_.strides[dimension] = step;
            step *= view_.shape[dimension];
        }
    }

    View view_;
    std::vector<std::int8_t> values_;
    const std::int8_t* data_ = nullptr;
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    std::int64_t rowStep_ = 0;
    std::int64_t columnStep_ = 0;
};

// The left side in words, with what sums of each row begin with.
class Left {
  public:
    Left(const Matrices& matrices, const MatmulKernels& kernels)
        : rows_(matrices.rows()),
          pitch_((matrices.columns() + kernels.depth - 1) / kernels.depth),
          words_(static_cast<std::size_t>(matrices.batches() * rows_ * pitch_)),
          firstSums_(static_cast<std::size_t>(matrices.batches() * rows_)) {
        parallelFor(matrices.batches() * rows_, (kThreadGrain + pitch_) / (pitch_ + 1),
                    [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t row = begin; row < end;) {
                            const std::int64_t batch = row / rows_;
                            const std::int64_t count = std::min(end, (batch + 1) * rows_) - row;
                            Int8Matrix matrix = matrices.at(batch);
                            matrix.data += row % rows_ * matrix.rowStep;
                            std::int32_t* const to = words_.data() + row * pitch_;
                            kernels.packLeft(matrix, count, matrices.columns(), to, pitch_);
                            for (std::int64_t i = 0; i < count; ++i) {
                                firstSums_[static_cast<std::size_t>(row + i)] =
                                    kernels.firstSum(to + i * pitch_, pitch_);
                            }
                            row += count;
                        }
                    });
    }
    std::int64_t pitch() const { return pitch_; }
    const std::int32_t* words(std::int64_t batch, std::int64_t row) const {
        return words_.data() + (batch * rows_ + row) * pitch_;
    }
    std::int32_t firstSum(std::int64_t batch, std::int64_t row) const {
        return firstSums_[static_cast<std::size_t>(batch * rows_ + row)];
    }

  private:
    const std::int64_t rows_;
    const std::int64_t pitch_;
    std::vector<std::int32_t> words_;
    std::vector<std::int32_t> firstSums_;
};

// The word of aclnnTransQuantParamV2, as the unit that moves results reads it.
struct Requantisation {
    explicit Requantisation(std::uint64_t word)
        : multiplier(__builtin_bit_cast(float, static_cast<std::uint32_t>(word) & 0xFFFFE000U)),
          offset(static_cast<std::int32_t>((word >> 37 & 0x1FFU) ^ 0x100U) - 0x100),
          isSigned((word >> 46 & 1U) != 0) {}
    float multiplier;
    std::int32_t offset;
    bool isSigned;
};

std::vector<Requantisation> readWords(const View& view) {
    std::vector<Requantisation> values;
    values.reserve(static_cast<std::size_t>(view.elements()));
    for (std::int64_t index = 0; index < view.elements(); ++index) {
        std::uint64_t word = 0;
        std::memcpy(&word, view.data + (view.offset + offsetOf(view, index)) * 8, sizeof word);
        values.emplace_back(word);
    }
    return values;
}

class QuantMatmul : public Kernel {
  public:
    QuantMatmul(bool transposeX1, bool transposeX2) : transposeX1_(transposeX1), transposeX2_(transposeX2) {}

    void run(const View* tensors, const KernelContext&) const override {
        Run(tensors, transposeX1_, transposeX2_).go();
    }

  private:
    class Run {
      public:
        Run(const View* tensors, bool transposeX1, bool transposeX2)
            : kernels_(matmulKernels()),
              left_(tensors[0], transposeX1),
              right_(tensors[1], transposeX2),
              packed_(left_, kernels_),
              out_(tensors[5]),
              m_(left_.rows()),
              k_(left_.columns()),
              n_(right_.columns()) {
            readScales(tensors[2], tensors[3]);
            readBias(tensors[4]);
            batchRank_ = std::max(left_.batchRank(), right_.batchRank());
            for (std::int64_t dimension = 0; dimension < batchRank_; ++dimension) {
                batchShape_[dimension] = std::max(sizeIn(left_, dimension), sizeIn(right_, dimension));
                batches_ *= batchShape_[dimension];
            }
        }

        void go() {
            const bool few = m_ <= kFewRows;
            const std::int64_t threads = threadCount();
            std::int64_t columns = std::max(few ? kColumnsOfFewRows : kColumns, kernels_.panel);
            std::int64_t rows = std::min(m_, kRows);
            const auto tasks = [&] { return batches_ * ((n_ + columns - 1) / columns) * ((m_ + rows - 1) / rows); };
            while (columns > 2 * kernels_.panel && tasks() < 4 * threads) {
                columns /= 2;
            }
            while (rows > 64 && tasks() < 2 * threads) {
                rows = (rows + 1) / 2;
            }
            const std::int64_t across = (n_ + columns - 1) / columns;
            const std::int64_t down = (m_ + rows - 1) / rows;
            const std::int64_t products = rows * std::min(columns, n_) * (k_ + 1);
            parallelFor(batches_ * across * down, std::max<std::int64_t>(1, kThreadProducts / products),
                        [&](std::int64_t begin, std::int64_t end) {
                            Buffers buffers;
                            for (std::int64_t task = begin; task < end; ++task) {
                                const std::int64_t column = task % across * columns;
                                const std::int64_t row = task / across % down * rows;
                                block(buffers, task / across / down, row, std::min(rows, m_ - row), column,
                                      std::min(columns, n_ - column));
                            }
                        });
        }

      private:
        struct Buffers {
            std::vector<std::int32_t> right;
            std::vector<std::int32_t> sums;
        };

        static std::int64_t sizeIn(const Matrices& matrices, std::int64_t fromEnd) {
            return fromEnd < matrices.batchRank() ? matrices.batchSize(matrices.batchRank() - 1 - fromEnd) : 1;
        }

        // Which of its matrices is at this batch of the result, whose sizes batchShape_ counts from the end.
        std::int64_t matrixOf(const Matrices& matrices, std::int64_t batch) const {
            std::int64_t index = 0;
            std::int64_t step = 1;
            for (std::int64_t dimension = 0; dimension < batchRank_; ++dimension) {
                const std::int64_t size = sizeIn(matrices, dimension);
                index += size == 1 ? 0 : batch % batchShape_[dimension] * step;
                step *= size;
                batch /= batchShape_[dimension];
            }
            return index;
        }

        void readScales(const View& scale, const View& perToken) {
            if (scale.dtype == ACL_UINT64 || scale.dtype == ACL_INT64) {
                words_ = readWords(scale);
                for (const Requantisation& word : words_) {
                    scale_.push_back(word.multiplier);
                }
            } else {
                scale_ = readFloats(scale);
            }
            if (perToken.present) {
                perToken_ = readFloats(perToken);
            }
        }

        void readBias(const View& bias) {
            if (!bias.present) {
                return;
            }
            biasPerBatch_ = bias.rank == 3;
            if (bias.dtype == ACL_INT32) {
                integerBias_ = readIntegers(bias);
            } else {
                floatBias_ = readFloats(bias);
            }
        }

        void block(Buffers& buffers, std::int64_t batch, std::int64_t row, std::int64_t rows, std::int64_t column,
                   std::int64_t columns) const {
            const std::int64_t width = (columns + kernels_.panel - 1) / kernels_.panel * kernels_.panel;
            const std::int64_t leftBatch = matrixOf(left_, batch);
            Int8Matrix right = right_.at(matrixOf(right_, batch));
            right.data += column * right.columnStep;
            const std::int64_t words = std::max<std::int64_t>(1, kBlockWords / width);
            buffers.right.resize(static_cast<std::size_t>(std::min(words, packed_.pitch()) * width));
            buffers.sums.resize(static_cast<std::size_t>(rows * width));
            for (std::int64_t i = 0; i < rows; ++i) {
                begin(buffers.sums.data() + i * width, width, packed_.firstSum(leftBatch, row + i),
                      (biasPerBatch_ ? batch * n_ : 0) + column, columns);
            }
            for (std::int64_t word = 0; word < packed_.pitch(); word += words) {
                const std::int64_t count = std::min(words, packed_.pitch() - word);
                const std::int64_t first = word * kernels_.depth;
                kernels_.packRight({right.data + first * right.rowStep, right.rowStep, right.columnStep},
                                   std::min(count * kernels_.depth, k_ - first), columns, buffers.right.data());
                kernels_.multiply(packed_.words(leftBatch, row) + word, packed_.pitch(), rows, buffers.right.data(),
                                  count, columns, buffers.sums.data(), width);
            }
            RowWriter writer(out_);
            for (std::int64_t i = 0; i < rows; ++i) {
                const std::int64_t at = offsetOfRow(batch, row + i) + column * out_.strides[out_.rank - 1];
                void* to = writer.prepare(at, out_.strides[out_.rank - 1], columns);
                finish(buffers.sums.data() + i * width, batch, row + i, column, columns, to);
                writer.store(at, out_.strides[out_.rank - 1], columns);
            }
        }

        // Sums wrap around, those with the bias too.
        void begin(std::int32_t* sums, std::int64_t width, std::int32_t first, std::int64_t bias,
                   std::int64_t columns) const {
            std::fill_n(sums, width, first);
            for (std::int64_t j = 0; !integerBias_.empty() && j < columns; ++j) {
                sums[j] = static_cast<std::int32_t>(
                    static_cast<std::uint32_t>(first) +
                    static_cast<std::uint32_t>(integerBias_[static_cast<std::size_t>(bias + j)]));
            }
        }

        // Rows of the result in logical order: a dimension of size 1 before the last may stand between.
        std::int64_t offsetOfRow(std::int64_t batch, std::int64_t row) const {
            return offsetOf(out_, (batch * m_ + row) * n_);
        }

        void finish(const std::int32_t* sums, std::int64_t batch, std::int64_t row, std::int64_t column,
                    std::int64_t columns, void* to) const {
            switch (out_.dtype) {
                case ACL_INT32:
                    std::memcpy(to, sums, static_cast<std::size_t>(columns) * sizeof(std::int32_t));
                    return;
                case ACL_INT8:
                    return finishInt8(sums, column, columns, static_cast<std::uint8_t*>(to));
                default:
                    break;
            }
            const float* scale = scale_.data() + (scale_.size() == 1 ? 0 : column);
            const std::int64_t step = scale_.size() == 1 ? 0 : 1;
            if (!words_.empty()) {
                // This path has no infinities: it saturates.
                return each(columns, static_cast<Half*>(to), [&](std::int64_t j) {
                    return scalar::toHalf<scalar::Overflow::Saturate>(scalar::widen(sums[j]) * scale[j * step]);
                });
            }
            const float* bias =
                floatBias_.empty() ? nullptr : floatBias_.data() + (biasPerBatch_ ? batch * n_ : 0) + column;
            const auto value = [&](std::int64_t j) {
                float result = scalar::widen(sums[j]) * scale[j * step];
                if (!perToken_.empty()) {
                    result = result * perToken_[static_cast<std::size_t>(row)];
                }
                return bias != nullptr ? result + bias[j] : result;
            };
            out_.dtype == ACL_FLOAT16
                ? each(columns, static_cast<Half*>(to), [&](std::int64_t j) { return scalar::toHalf(value(j)); })
                : each(columns, static_cast<BFloat16*>(to),
                       [&](std::int64_t j) { return scalar::toBFloat16(value(j)); });
        }

        template <class T, class Value>
        static void each(std::int64_t columns, T* to, Value&& value) {
            for (std::int64_t j = 0; j < columns; ++j) {
                to[j] = value(j);
            }
        }

        void finishInt8(const std::int32_t* sums, std::int64_t column, std::int64_t columns, std::uint8_t* to) const {
            for (std::int64_t j = 0; j < columns; ++j) {
                const Requantisation& by = words_[static_cast<std::size_t>(words_.size() == 1 ? 0 : column + j)];
                // To nine bits before the offset is added, to eight afterwards.
                const std::int32_t sum =
                    scalar::toSmallInteger(scalar::widen(sums[j]) * by.multiplier, -256.0F, 255.0F) + by.offset;
                to[j] = static_cast<std::uint8_t>(std::clamp(sum, by.isSigned ? -128 : 0, by.isSigned ? 127 : 255));
            }
        }

        const MatmulKernels& kernels_;
        const Matrices left_;
        const Matrices right_;
        const Left packed_;
        const View& out_;
        const std::int64_t m_;
        const std::int64_t k_;
        const std::int64_t n_;
        std::vector<Requantisation> words_;  // empty: scales are plain numbers
        Floats scale_;
        Floats perToken_;
        std::vector<std::int64_t> integerBias_;
        Floats floatBias_;
        bool biasPerBatch_ = false;
        std::int64_t batchRank_ = 0;
        std::int64_t batchShape_[kMaxKernelRank] = {};
        std::int64_t batches_ = 1;
    };

    const bool transposeX1_;
    const bool transposeX2_;
};

}  // namespace

std::shared_ptr<const Kernel> makeQuantMatmul(bool transposeX1, bool transposeX2) {
    return std::make_shared<QuantMatmul>(transposeX1, transposeX2);
}

}  // namespace aclq
