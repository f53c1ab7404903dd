// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/ascend_anti_quant.h"
#include "ops/rows/read.h"
#include "ops/rows/walk.h"
#include "ops/rows/write.h"

namespace aclq {
namespace {

// Reads rows from INT8, from contiguous INT4, or from INT32 that hold eight int4 each.
class IntegerReader {
  public:
    explicit IntegerReader(const View& view) : view_(view), plain_(view) {}

    struct Row {
        const void* data;
        bool packed;  // int4, two to a byte
    };

    // n elements of the row that begins at `offset` (in elements of the tensor), from its logical element `first` on;
    // `beside` interleaved rows are read together (RowReader).
    Row read(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n, std::int64_t beside) {
        if (view_.dtype == ACL_INT8) {
            return {plain_.read(offset + first * step, step, n, beside), false};
        }
        if (view_.dtype == ACL_INT32) {
            return {plain_.read(offset + first / 8 * step, step, n / 8, beside), true};
        }
        const std::int64_t nibble = view_.offset + offset + first;
        if (nibble % 2 == 0) {
            return {view_.data + nibble / 2, true};
        }
        // A contiguous INT4 tensor may begin in the middle of a byte.
        values_.resize(static_cast<std::size_t>(n));
        for (std::int64_t i = 0; i < n; ++i) {
            const int value = view_.data[(nibble + i) >> 1] >> (((nibble + i) & 1) != 0 ? 4 : 0) & 15;
            values_[static_cast<std::size_t>(i)] = static_cast<std::int8_t>((value ^ 8) - 8);
        }
        return {values_.data(), false};
    }

  private:
    const View& view_;
    RowReader plain_;
    std::vector<std::int8_t> values_;
};

// What is walked together: x, the index into the scales, y.
enum : std::size_t { kX, kScale, kY, kWalked };

class AntiQuant : public KernelOf<AntiQuantTensors> {
  public:
    explicit AntiQuant(bool scaleTwice) : scaleTwice_(scaleTwice) {}

    void compute(const Views& tensors, const KernelContext& context) const override {
        const View& x = tensors.x;
        const View& y = tensors.y;
        const Floats scale = readFloats(tensors.scale);
        const Floats offset = readFloats(tensors.offset);
        const auto isFinite = [](float value) { return std::isfinite(value); };
        const bool finite =
            std::all_of(scale.begin(), scale.end(), isFinite) && std::all_of(offset.begin(), offset.end(), isFinite);
        const std::int64_t perElement = scale.size() == 1 ? 0 : 1;
        const std::int64_t packed = x.dtype == ACL_INT32 ? 8 : 1;  // logical elements in an element of x
        const Walk<kWalked> rows = walk(x, y, perElement, packed);
        const std::int64_t length = rows.length() * packed;
        const std::int64_t xStep = rows.step(kX);
        const std::int64_t yStep = packed == 1 ? rows.step(kY) : y.strides[y.rank - 1];
        const bool dense = rows.dense(kX, rows.length(), xStep) && rows.dense(kY, length, yStep);

        forPieces(rows, rows.cut(length, dense, kX), [&] {
            return [&, reader = IntegerReader(x), writer = RowWriter(y)](const Piece<kWalked>& piece) mutable {
                const std::int64_t scaleAt = piece.first * perElement;
                const AntiQuantizeRows parameters{scale.data() + scaleAt,
                                                  offset.empty() ? nullptr : offset.data() + scaleAt,
                                                  perElement,
                                                  scaleTwice_,
                                                  context.saturate,
                                                  finite};
                const std::int64_t count = piece.rows * piece.length;
                const IntegerReader::Row from = reader.read(piece.at[kX], xStep, piece.first, count, piece.beside);
                const std::int64_t to = piece.at[kY] + piece.first * yStep;
                kernels().antiQuantize(parameters, from.data, from.packed, piece.rows, piece.length,
                                       writer.prepareOutput(to, yStep, count), y.dtype == ACL_FLOAT16);
                writer.store(to, yStep, count);
            };
        });
    }

  private:
    // Rows are counted in elements of x; eight int4 of an INT32 are one element.
    static Walk<kWalked> walk(const View& x, const View& y, std::int64_t perElement, std::int64_t packed) {
        Walk<kWalked> rows;
        for (std::int64_t dimension = 0; dimension < x.rank; ++dimension) {
            const bool last = dimension + 1 == x.rank;
            const std::int64_t steps[kWalked] = {x.strides[dimension], last ? perElement : 0,
                                                 last ? y.strides[dimension] * packed : y.strides[dimension]};
            if (packed != 1) {
                rows.addApart(x.shape[dimension], steps);
            } else {
                rows.addDimension(x.shape[dimension], steps);
            }
        }
        return rows;
    }

    const bool scaleTwice_;
};

}  // namespace

std::shared_ptr<const Kernel> makeAntiQuant(bool scaleTwice) {
    return std::make_shared<AntiQuant>(scaleTwice);
}

}  // namespace aclq
