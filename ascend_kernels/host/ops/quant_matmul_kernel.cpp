// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <vector>

#include "ops/integer_product.h"
#include "ops/quant_matmul.h"
#include "ops/rows/read.h"
#include "ops/rows/view.h"
#include "ops/rows/write.h"
#include "simd/numeric.h"
#include "simd/widest.h"

namespace aclq {
namespace {

using scalar::toBFloat16;
using scalar::toHalf;
using scalar::widen;
using Views = QuantMatmulTensors<const View&>;

// The 64-bit parameter that aclnnTransQuantParamV2 makes, as the matrix unit reads it.
struct Requantisation {
    explicit Requantisation(std::uint64_t parameter)
        : multiplier(__builtin_bit_cast(float, static_cast<std::uint32_t>(parameter) & 0xFFFFE000U)),
          offset(static_cast<std::int32_t>((parameter >> 37 & 0x1FFU) ^ 0x100U) - 0x100),
          isSigned((parameter >> 46 & 1U) != 0) {}

    // The unit's float16 results saturate: it has no infinities.
    Half half(std::int32_t sum) const { return toHalf<scalar::Overflow::Saturate>(widen(sum) * multiplier); }
    // To nine bits before the offset is added, to eight afterwards.
    std::uint8_t int8(std::int32_t sum) const {
        const std::int32_t shifted = scalar::toSmallInteger(widen(sum) * multiplier, -256.0F, 255.0F) + offset;
        return static_cast<std::uint8_t>(std::clamp(shifted, isSigned ? -128 : 0, isSigned ? 127 : 255));
    }

    float multiplier;
    std::int32_t offset;
    bool isSigned;
};

bool isPacked(const View& scale) {
    return scale.dtype == ACL_UINT64 || scale.dtype == ACL_INT64;
}

std::vector<Requantisation> readPacked(const View& view) {
    std::vector<Requantisation> values;
    values.reserve(static_cast<std::size_t>(view.elements()));
    for (std::int64_t index = 0; index < view.elements(); ++index) {
        std::uint64_t parameter = 0;
        std::memcpy(&parameter, view.data + (view.offset + offsetOf(view, index)) * 8, sizeof parameter);
        values.emplace_back(parameter);
    }
    return values;
}

// Writes the rows of a block into the result.
class BlockWriter {
  public:
    BlockWriter(const View& out, std::int64_t m, std::int64_t n) : out_(out), writer_(out), m_(m), n_(n) {}

    // Calls fill(row within the block, memory for its columns) for each row.
    template <class Fill>
    void write(const ProductBlock& block, Fill&& fill) {
        const std::int64_t step = out_.strides[out_.rank - 1];
        for (std::int64_t i = 0; i < block.rows; ++i) {
            // Rows are in logical order: out may have a dimension of size 1 before its last one.
            const std::int64_t at = offsetOf(out_, (block.batch * m_ + block.row + i) * n_) + block.column * step;
            fill(i, writer_.prepare(at, step, block.columns));
            writer_.store(at, step, block.columns);
        }
    }
    // The same for float16 or bfloat16 results: value(row, column) within the block.
    template <class Value>
    void writeHalves(const ProductBlock& block, Value&& value) {
        write(block, [&](std::int64_t i, void* to) {
            out_.dtype == ACL_FLOAT16
                ? each(block.columns, static_cast<Half*>(to), [&](std::int64_t j) { return toHalf(value(i, j)); })
                : each(block.columns, static_cast<BFloat16*>(to),
                       [&](std::int64_t j) { return toBFloat16(value(i, j)); });
        });
    }
    template <class T, class Value>
    static void each(std::int64_t columns, T* to, Value value) {
        widest([columns, to, value] {
            for (std::int64_t j = 0; j < columns; ++j) {
                to[j] = value(j);
            }
        });
    }

  private:
    const View& out_;
    RowWriter writer_;
    const std::int64_t m_;
    const std::int64_t n_;
};

// Float sums of a block, which grow from group to group.
class FloatSums {
  public:
    template <class First>
    void begin(const ProductBlock& block, First&& first) {
        columns_ = block.columns;
        values_.resize(static_cast<std::size_t>(block.rows * columns_));
        for (std::int64_t i = 0; i < block.rows; ++i) {
            for (std::int64_t j = 0; j < columns_; ++j) {
                row(i)[j] = first(j);
            }
        }
    }
    float* row(std::int64_t index) { return values_.data() + index * columns_; }

  private:
    std::vector<float> values_;
    std::int64_t columns_ = 0;
};

// One scale for all columns is repeated for each.
template <class Scales>
Scales forColumns(Scales scales, std::int64_t n) {
    if (scales.size() == 1) {
        const auto one = scales[0];
        scales.assign(static_cast<std::size_t>(n), one);
    }
    return scales;
}

class WholeScaling {
  public:
    WholeScaling(const Views& tensors, std::int64_t n) : out_(tensors.out), perToken_(readFloats(tensors.perToken)) {
        if (isPacked(tensors.scale)) {
            packed_ = forColumns(readPacked(tensors.scale), n);
        } else {
            scale_ = forColumns(readFloats(tensors.scale), n);
        }
        const View& bias = tensors.bias;
        if (bias.present && bias.dtype == ACL_INT32) {
            integerBias_ = readIntegers(bias);
        } else {
            floatBias_ = readFloats(bias);
        }
        biasPerBatch_ = bias.present && bias.rank == 3;
    }

    void run(const Matrices& left, const Matrices& right) const {
        const std::int64_t n = right.columns();
        IntegerProduct(left, right, std::max<std::int64_t>(left.columns(), 1)).forBlocks([&] {
            return [&, writer = BlockWriter(out_, left.rows(), n), row = std::vector<std::int32_t>()](
                       const ProductBlock& block, std::int64_t, const SumsOfRows& sums) mutable {
                const std::int64_t bias = (biasPerBatch_ ? block.batch * n : 0) + block.column;
                writer.write(block, [&](std::int64_t i, void* to) {
                    finish(withBias(row, sums.row(i), bias, block.columns), block, i, bias, to);
                });
            };
        });
    }

  private:
    // An integer bias belongs to the sum, and wraps around with it.
    const std::int32_t* withBias(std::vector<std::int32_t>& row, const std::int32_t* sums, std::int64_t bias,
                                 std::int64_t columns) const {
        if (integerBias_.empty()) {
            return sums;
        }
        row.resize(static_cast<std::size_t>(columns));
        for (std::int64_t j = 0; j < columns; ++j) {
            row[static_cast<std::size_t>(j)] =
                static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[j]) +
                                          static_cast<std::uint32_t>(integerBias_[static_cast<std::size_t>(bias + j)]));
        }
        return row.data();
    }

    void finish(const std::int32_t* sums, const ProductBlock& block, std::int64_t i, std::int64_t biasAt,
                void* to) const {
        const std::int64_t columns = block.columns;
        if (out_.dtype == ACL_INT32) {
            std::memcpy(to, sums, static_cast<std::size_t>(columns) * sizeof(std::int32_t));
            return;
        }
        if (!packed_.empty()) {
            const Requantisation* by = packed_.data() + block.column;
            return out_.dtype == ACL_INT8 ? BlockWriter::each(columns, static_cast<std::uint8_t*>(to),
                                                              [=](std::int64_t j) { return by[j].int8(sums[j]); })
                                          : BlockWriter::each(columns, static_cast<Half*>(to),
                                                              [=](std::int64_t j) { return by[j].half(sums[j]); });
        }
        const float* scale = scale_.data() + block.column;
        const auto scaled = [=](std::int64_t j) { return widen(sums[j]) * scale[j]; };
        if (perToken_.empty()) {
            return add(scaled, columns, biasAt, to);
        }
        const float token = perToken_[static_cast<std::size_t>(block.row + i)];
        add([=](std::int64_t j) { return scaled(j) * token; }, columns, biasAt, to);
    }

    template <class Value>
    void add(Value value, std::int64_t columns, std::int64_t biasAt, void* to) const {
        if (floatBias_.empty()) {
            return round(value, columns, to);
        }
        const float* bias = floatBias_.data() + biasAt;
        round([=](std::int64_t j) { return value(j) + bias[j]; }, columns, to);
    }

    template <class Value>
    void round(Value value, std::int64_t columns, void* to) const {
        out_.dtype == ACL_FLOAT16
            ? BlockWriter::each(columns, static_cast<Half*>(to), [=](std::int64_t j) { return toHalf(value(j)); })
            : BlockWriter::each(columns, static_cast<BFloat16*>(to),
                                [=](std::int64_t j) { return toBFloat16(value(j)); });
    }

    const View& out_;
    // One for each column; empty: the scales are floats.
    std::vector<Requantisation> packed_;
    Floats scale_;
    Floats perToken_;
    std::vector<std::int64_t> integerBias_;
    Floats floatBias_;
    bool biasPerBatch_ = false;
};

// sum = bias; then for each block of k: sum = float(products) * (perToken * scale) + sum, each step rounded.
void runBlocks(const Views& tensors, const Matrices& left, const Matrices& right) {
    const Floats perToken = readFloats(tensors.perToken);
    const Floats scale = readFloats(tensors.scale);
    const Floats bias = readFloats(tensors.bias);
    const IntegerProduct product(left, right, kBlock);
    product.forBlocks([&] {
        return [&, writer = BlockWriter(tensors.out, left.rows(), right.columns()), totals = FloatSums()](
                   const ProductBlock& block, std::int64_t group, const SumsOfRows& sums) mutable {
            if (group == 0) {
                totals.begin(block, [&](std::int64_t j) {
                    return bias.empty() ? 0.0F : bias[static_cast<std::size_t>(block.column + j)] + 0.0F;
                });
            }
            for (std::int64_t i = 0; i < block.rows; ++i) {
                const float ofRow = perToken[static_cast<std::size_t>((block.row + i) * product.groups() + group)];
                float* const total = totals.row(i);
                for (std::int64_t j = 0; j < block.columns; ++j) {
                    const std::int64_t blockOfN = (block.column + j) / kBlock;
                    const float both = ofRow * scale[static_cast<std::size_t>(blockOfN * product.groups() + group)];
                    total[j] = widen(sums.row(i)[j]) * both + total[j];
                }
            }
            if (group + 1 == product.groups()) {
                writer.writeHalves(block, [&](std::int64_t i, std::int64_t j) { return totals.row(i)[j]; });
            }
        };
    });
}

// Sums of x1's rows over each group of k, which a group's offset is multiplied with.
std::vector<float> sumsOfLeft(const Matrices& left, std::int64_t groups) {
    std::vector<float> sums(static_cast<std::size_t>(left.rows() * groups));
    const Int8Matrix matrix = left.at(0);
    for (std::int64_t row = 0; row < left.rows(); ++row) {
        for (std::int64_t k = 0; k < left.columns(); ++k) {  // exact: at most 256 values of 4 bits
            sums[static_cast<std::size_t>(row * groups + k / kGroup)] +=
                static_cast<float>(matrix.data[row * matrix.rowStep + k * matrix.columnStep]);
        }
    }
    return sums;
}

// sum = 0; for each group of k: sum = (float(products) - offset * sum of x1) * scale + sum; then times perToken.
void runGroups(const Views& tensors, const Matrices& left, const Matrices& right) {
    const std::int64_t n = right.columns();
    const Floats perToken = readFloats(tensors.perToken);
    const Floats scale = readFloats(tensors.scale);
    const Floats offset = readFloats(tensors.offset);
    const IntegerProduct product(left, right, kGroup);
    const std::vector<float> ofLeft = sumsOfLeft(left, product.groups());
    product.forBlocks([&] {
        return [&, writer = BlockWriter(tensors.out, left.rows(), n), totals = FloatSums()](
                   const ProductBlock& block, std::int64_t group, const SumsOfRows& sums) mutable {
            if (group == 0) {
                totals.begin(block, [](std::int64_t) { return 0.0F; });
            }
            const float* const scaleOf = scale.data() + group * n + block.column;
            const float* const offsetOf = offset.data() + group * n + block.column;
            for (std::int64_t i = 0; i < block.rows; ++i) {
                const float ofRow = ofLeft[static_cast<std::size_t>((block.row + i) * product.groups() + group)];
                float* const total = totals.row(i);
                for (std::int64_t j = 0; j < block.columns; ++j) {
                    const float shifted = widen(sums.row(i)[j]) - offsetOf[j] * ofRow;
                    total[j] = shifted * scaleOf[j] + total[j];
                }
            }
            if (group + 1 == product.groups()) {
                writer.writeHalves(block, [&](std::int64_t i, std::int64_t j) {
                    return totals.row(i)[j] * perToken[static_cast<std::size_t>(block.row + i)];
                });
            }
        };
    });
}

// x = 16 * high + low + 8. Row 2i has the high parts of row i, row 2i + 1 the low ones.
Matrices split(const Matrices& x) {
    const Int8Matrix matrix = x.at(0);
    std::vector<std::int8_t> values(static_cast<std::size_t>(2 * x.rows() * x.columns()));
    for (std::int64_t row = 0; row < x.rows(); ++row) {
        std::int8_t* const high = values.data() + 2 * row * x.columns();
        std::int8_t* const low = high + x.columns();
        for (std::int64_t k = 0; k < x.columns(); ++k) {
            const int value = matrix.data[row * matrix.rowStep + k * matrix.columnStep];
            high[k] = static_cast<std::int8_t>(value >> 4);
            low[k] = static_cast<std::int8_t>((value & 15) - 8);
        }
    }
    return {std::move(values), 2 * x.rows(), x.columns()};
}

// Both parts become float16, in which the groups of k are added up; then (16 * high + low + yOffset) * perToken.
void runSplit(const Views& tensors, const Matrices& x1, const Matrices& right) {
    const std::int64_t n = right.columns();
    const Floats perToken = readFloats(tensors.perToken);
    const Floats yOffset = readFloats(tensors.yOffset);
    const std::vector<Requantisation> scale = readPacked(tensors.scale);
    const Matrices left = split(x1);
    const IntegerProduct product(left, right, tensors.scale.rank == 2 ? kGroup : x1.columns(), 2);
    product.forBlocks([&] {
        return [&, writer = BlockWriter(tensors.out, x1.rows(), n), totals = FloatSums()](
                   const ProductBlock& block, std::int64_t group, const SumsOfRows& sums) mutable {
            if (group == 0) {
                totals.begin(block, [](std::int64_t) { return 0.0F; });
            }
            const Requantisation* const scaleOf = scale.data() + group * n + block.column;
            for (std::int64_t i = 0; i < block.rows; ++i) {
                float* const total = totals.row(i);
                for (std::int64_t j = 0; j < block.columns; ++j) {
                    const float part = widen(scaleOf[j].half(sums.row(i)[j]));
                    total[j] =
                        group == 0 ? part : widen(toHalf(static_cast<double>(total[j]) + static_cast<double>(part)));
                }
            }
            if (group + 1 == product.groups()) {
                const ProductBlock rows{block.batch, block.row / 2, block.rows / 2, block.column, block.columns};
                writer.writeHalves(rows, [&](std::int64_t i, std::int64_t j) {
                    const float sum = totals.row(2 * i + 1)[j] + totals.row(2 * i)[j] * 16.0F;
                    const float shifted = sum + yOffset[static_cast<std::size_t>(block.column + j)];
                    return shifted * perToken[static_cast<std::size_t>(rows.row + i)];
                });
            }
        };
    });
}

class QuantMatmul : public KernelOf<QuantMatmulTensors> {
  public:
    explicit QuantMatmul(const QuantMatmulAttributes& attributes) : a_(attributes) {}

    void compute(const Views& tensors, const KernelContext&) const override {
        const Matrices left(tensors.x1, a_.transposeX1);
        const Matrices right(tensors.x2, a_.transposeX2);
        switch (a_.scaling) {
            case Scaling::Whole:
                return WholeScaling(tensors, right.columns()).run(left, right);
            case Scaling::Blocks:
                return runBlocks(tensors, left, right);
            case Scaling::Groups:
                return runGroups(tensors, left, right);
            case Scaling::Split:
                return runSplit(tensors, left, right);
        }
    }

  private:
    const QuantMatmulAttributes a_;
};

}  // namespace

std::shared_ptr<const Kernel> makeQuantMatmul(const QuantMatmulAttributes& attributes) {
    return std::make_shared<QuantMatmul>(attributes);
}

}  // namespace aclq
