// SPDX-License-Identifier: Apache-2.0
#include "ops/scaled_quantize.h"

#include "ops/elements.h"

namespace aclq {
namespace {

enum : std::size_t { kX, kScale, kY, kTensors };

// Walks x, the index into the scales and y; `yStride` gives y's strides in the elements of x.
template <class YStride>
Walk<kTensors> walk(const View& x, std::int64_t axis, bool perTensor, bool merge, YStride&& yStride) {
    Walk<kTensors> rows;
    for (std::int64_t dimension = 0; dimension < x.rank; ++dimension) {
        const std::int64_t scaleStride = dimension == axis && !perTensor ? 1 : 0;
        const std::int64_t steps[kTensors] = {x.strides[dimension], scaleStride, yStride(dimension)};
        if (!merge && dimension + 1 == x.rank) {
            rows.addApart(x.shape[dimension], steps);
        } else {
            rows.addDimension(x.shape[dimension], steps);
        }
    }
    return rows;
}

}  // namespace

void ScaledQuantize::run(const View* tensors, const KernelContext&) const {
    const View& x = tensors[0];
    const View& y = tensors[3];
    const Floats scale = readFloats(tensors[1]);
    const Floats offset = tensors[2].present ? readFloats(tensors[2]) : Floats();
    const bool perTensor = scale.size() == 1;
    const Source source = sourceOf(x.dtype);
    const bool wide = divide_ && (y.dtype == ACL_INT32 || y.dtype == ACL_UINT8);  // plain integers, not packed int4
    const QuantizedWriter shape(y);
    const Walk<kTensors> rows = walk(x, axis_, perTensor, wide || shape.mergeable(), [&](std::int64_t dimension) {
        return wide ? y.strides[dimension] : shape.logicalStride(dimension);
    });
    const std::int64_t scaleStep = perTensor ? 0 : rows.step(kScale);
    const std::int64_t scaleRowStep = rows.rank > 1 ? rows.strides[kScale][rows.rank - 2] : 0;

    const bool nibbles = !wide && y.dtype != ACL_INT8;  // of rows of odd length they do not begin with a byte
    const bool dense = rows.dense(kX, rows.length(), rows.step(kX)) && rows.dense(kY, rows.length(), rows.step(kY)) &&
                       !(nibbles && rows.length() % 2 != 0);
    const Cut cut = rows.cut(rows.length(), dense, kX);

    forPieces(cut, [&](Pieces pieces) {
        RowReader reader(x);
        RowWriter plain(y);
        QuantizedWriter quantized(y);
        std::int64_t at[kTensors] = {};
        while (pieces.next()) {
            if (pieces.newRow()) {
                rows.locate(pieces.row(), at);
            }
            const std::int64_t first = pieces.first();
            const std::int64_t count = pieces.rows();
            const std::int64_t n = pieces.count();
            const std::int64_t scaleAt = at[kScale] + first * scaleStep;
            const QuantizeRows parameters{scale.data() + scaleAt,
                                          offset.empty() ? nullptr : offset.data() + scaleAt,
                                          scaleStep,
                                          scaleRowStep,
                                          divide_,
                                          scaleTwice_,
                                          mode_};
            const void* from = reader.read(at[kX] + first * rows.step(kX), rows.step(kX), n,
                                           cut.interleaved > 1 ? rows.beside(pieces.row()) : 1);
            if (wide) {
                const std::int64_t to = at[kY] + first * rows.step(kY);
                if (y.dtype == ACL_UINT8) {
                    kernels().quantize(parameters, source, from, count, n,
                                       {plain.prepareOutput(to, rows.step(kY), count * n), Integers::Uint8});
                } else {
                    kernels().quantizeToInt32(parameters, source, from, count, n,
                                              plain.prepareOutput(to, rows.step(kY), count * n));
                }
                plain.store(to, rows.step(kY), count * n);
            } else {
                kernels().quantize(parameters, source, from, count, n,
                                   quantized.prepare(at[kY], rows.step(kY), first, count * n));
                quantized.store(at[kY], rows.step(kY), first, count * n);
            }
        }
    });
}

}  // namespace aclq
