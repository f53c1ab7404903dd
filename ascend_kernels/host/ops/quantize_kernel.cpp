// SPDX-License-Identifier: Apache-2.0
#include "ops/quantize.h"
#include "ops/rows/read.h"
#include "ops/rows/view.h"
#include "ops/rows/walk.h"
#include "ops/rows/write.h"

namespace aclq {
namespace {

// What is walked together: x, the index into the scales, y.
enum : std::size_t { kX, kScale, kY, kWalked };

class Quantize : public KernelOf<QuantizeTensors> {
  public:
    explicit Quantize(const QuantizeAttributes& attributes) : a_(attributes) {}

    void compute(const Views& tensors, const KernelContext&) const override {
        const View& x = tensors.x;
        const View& y = tensors.y;
        const Floats scale = readFloats(tensors.scale);
        const Floats offset = readFloats(tensors.offset);
        const bool perTensor = scale.size() == 1;
        const bool plain = a_.divide && (y.dtype == ACL_INT32 || y.dtype == ACL_UINT8);  // integers, not packed int4
        const QuantizedWriter layout(y);
        const Walk<kWalked> rows = walk(x, perTensor, plain || layout.mergeable(), [&](std::int64_t dimension) {
            return plain ? y.strides[dimension] : layout.logicalStride(dimension);
        });
        const std::int64_t xStep = rows.step(kX);
        const std::int64_t yStep = rows.step(kY);
        const std::int64_t scaleStep = perTensor ? 0 : rows.step(kScale);
        const std::int64_t scaleRowStep = rows.rank > 1 ? rows.strides[kScale][rows.rank - 2] : 0;
        const bool nibbles = !plain && y.dtype != ACL_INT8;  // rows of odd length do not begin at a byte
        const bool dense = rows.dense(kX, rows.length(), xStep) && rows.dense(kY, rows.length(), yStep) &&
                           !(nibbles && rows.length() % 2 != 0);

        forPieces(rows, rows.cut(rows.length(), dense, kX), [&] {
            return [&, reader = RowReader(x), plainWriter = RowWriter(y),
                    writer = QuantizedWriter(y)](const Piece<kWalked>& piece) mutable {
                const std::int64_t scaleAt = piece.at[kScale] + piece.first * scaleStep;
                const QuantizeRows parameters{scale.data() + scaleAt,
                                              offset.empty() ? nullptr : offset.data() + scaleAt,
                                              scaleStep,
                                              scaleRowStep,
                                              a_.divide,
                                              a_.scaleTwice,
                                              a_.mode};
                const Source source = sourceOf(x.dtype);
                const void* from = reader.read(piece.at[kX] + piece.first * xStep, xStep, piece.length, piece.beside);
                const std::int64_t count = piece.rows * piece.length;
                if (!plain) {
                    kernels().quantize(parameters, source, from, piece.rows, piece.length,
                                       writer.prepare(piece.at[kY], yStep, piece.first, count));
                    writer.store(piece.at[kY], yStep, piece.first, count);
                    return;
                }
                const std::int64_t to = piece.at[kY] + piece.first * yStep;
                const Output output = plainWriter.prepareOutput(to, yStep, count);
                if (y.dtype == ACL_UINT8) {
                    kernels().quantize(parameters, source, from, piece.rows, piece.length, {output, Integers::Uint8});
                } else {
                    kernels().quantizeToInt32(parameters, source, from, piece.rows, piece.length, output);
                }
                plainWriter.store(to, yStep, count);
            };
        });
    }

  private:
    // `yStride` gives y's strides in elements of x.
    template <class YStride>
    Walk<kWalked> walk(const View& x, bool perTensor, bool merge, YStride&& yStride) const {
        Walk<kWalked> rows;
        for (std::int64_t dimension = 0; dimension < x.rank; ++dimension) {
            const std::int64_t scaleStride = dimension == a_.axis && !perTensor ? 1 : 0;
            const std::int64_t steps[kWalked] = {x.strides[dimension], scaleStride, yStride(dimension)};
            if (!merge && dimension + 1 == x.rank) {
                rows.addApart(x.shape[dimension], steps);
            } else {
                rows.addDimension(x.shape[dimension], steps);
            }
        }
        return rows;
    }

    const QuantizeAttributes a_;
};

}  // namespace

std::shared_ptr<const Kernel> makeQuantize(const QuantizeAttributes& attributes) {
    return std::make_shared<Quantize>(attributes);
}

}  // namespace aclq
