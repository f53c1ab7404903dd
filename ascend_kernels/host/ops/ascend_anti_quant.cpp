// SPDX-License-Identifier: Apache-2.0
// aclnnAscendAntiQuant: (x + offset) * scale.
#include "aclnnop/aclnn_ascend_anti_quant.h"

#include <algorithm>
#include <cmath>

#include "aclquant/kernels.h"
#include "ops/elements.h"
#include "ops/phase1.h"

using namespace aclq;

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
    // with `beside` such rows side by side (RowReader).
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

// Tensors: x, scale, offset (may be left out), y.
class AntiQuantize : public Kernel {
  public:
    explicit AntiQuantize(bool scaleTwice) : scaleTwice_(scaleTwice) {}

    void run(const View* tensors, const KernelContext& context) const override {
        enum : std::size_t { kX, kScale, kY, kTensors };
        const View& x = tensors[0];
        const View& y = tensors[3];
        const Floats scale = readFloats(tensors[1]);
        const Floats offset = tensors[2].present ? readFloats(tensors[2]) : Floats();
        const auto isFinite = [](float value) { return std::isfinite(value); };
        const bool finite =
            std::all_of(scale.begin(), scale.end(), isFinite) && std::all_of(offset.begin(), offset.end(), isFinite);
        const bool perTensor = scale.size() == 1;
        const bool words = x.dtype == ACL_INT32;
        // Rows are counted in elements of x, except that words count as eight logical elements.
        Walk<kTensors> rows;
        for (std::int64_t dimension = 0; dimension < x.rank; ++dimension) {
            const bool last = dimension + 1 == x.rank;
            const std::int64_t steps[kTensors] = {x.strides[dimension], last && !perTensor ? 1 : 0,
                                                  words && last ? y.strides[dimension] * 8 : y.strides[dimension]};
            if (words) {
                rows.addApart(x.shape[dimension], steps);
            } else {
                rows.addDimension(x.shape[dimension], steps);
            }
        }
        const std::int64_t length = rows.length() * (words ? 8 : 1);
        const std::int64_t yStep = words ? y.strides[y.rank - 1] : rows.step(kY);
        const std::int64_t scaleStep = perTensor ? 0 : 1;
        const bool dense = rows.dense(kX, rows.length(), rows.step(kX)) && rows.dense(kY, length, yStep);
        const Cut cut = rows.cut(length, dense, kX);
        forPieces(cut, [&](Pieces pieces) {
            IntegerReader reader(x);
            RowWriter writer(y);
            std::int64_t at[kTensors] = {};
            while (pieces.next()) {
                if (pieces.newRow()) {
                    rows.locate(pieces.row(), at);
                }
                const std::int64_t first = pieces.first();
                const std::int64_t count = pieces.rows();
                const std::int64_t n = pieces.count();
                const AntiQuantizeRows parameters{scale.data() + first * scaleStep,
                                                  offset.empty() ? nullptr : offset.data() + first * scaleStep,
                                                  scaleStep,
                                                  scaleTwice_,
                                                  context.saturate,
                                                  finite};
                const IntegerReader::Row from = reader.read(at[kX], rows.step(kX), first, count * n,
                                                            cut.interleaved > 1 ? rows.beside(pieces.row()) : 1);
                const std::int64_t to = at[kY] + first * yStep;
                kernels().antiQuantize(parameters, from.data, from.packed, count, n,
                                       writer.prepareOutput(to, yStep, count * n), y.dtype == ACL_FLOAT16);
                writer.store(to, yStep, count * n);
            }
        });
    }

  private:
    const bool scaleTwice_;
};

aclnnStatus checkDtypes(const aclTensor& x, const aclTensor& scale, const aclTensor* offset, std::int64_t dstType,
                        const aclTensor& y, bool bundled = false) {
    if (isInferenceSeries()) {
        if (bundled) {
            ACLQ_RETURN_IF_FAILED(checkDtype("x", x, {ACL_INT4, ACL_INT8, ACL_INT32}));
        } else {
            ACLQ_RETURN_IF_FAILED(checkDtype("x", x, {ACL_INT8}));
        }
        ACLQ_RETURN_IF_FAILED(checkDtype("y", y, {ACL_FLOAT16}));
        ACLQ_RETURN_IF_FAILED(checkDtype("scale", scale, {ACL_FLOAT}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype("x", x, {ACL_INT4, ACL_INT8, ACL_INT32}));
        ACLQ_RETURN_IF_FAILED(checkDtype("y", y, {ACL_FLOAT16, ACL_BF16}));
        ACLQ_RETURN_IF_FAILED(checkDtype("scale", scale, {ACL_FLOAT, ACL_BF16}));
    }
    if (offset != nullptr && offset->dtype != scale.dtype) {
        return refuse("offset", "dtype " + nameOf(offset->dtype), nameOf(scale.dtype) + ", the dtype of scale");
    }
    // Clients pass a 32-bit enumerator here, whose upper half is not defined.
    const auto destination = static_cast<std::int32_t>(dstType);
    if (destination != y.dtype) {
        return refuse("dstType", std::to_string(destination),
                      text("%d (%s), the dtype of y", static_cast<int>(y.dtype), nameOf(y.dtype).c_str()));
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkOutput(const aclTensor& x, const aclTensor& y) {
    if (x.dtype != ACL_INT32) {
        if (x.dtype == ACL_INT4) {
            ACLQ_RETURN_IF_FAILED(checkShape("y", y, x.shape, "the shape of x"));
            return checkEven("x", x);
        }
        return checkShape("y", y, x.shape, "the shape of x");
    }
    const std::int64_t one = 1;
    Dims expected = x.shape.rank() > 0 ? x.shape : Dims(&one, 1);
    std::int64_t& last = expected[expected.rank() - 1];
    if (__builtin_mul_overflow(last, 8, &last)) {
        return refuse("x", "shape " + x.shape.text(), "a last dimension of which eight times fit into 64 bits");
    }
    return checkShape("y", y, expected, "x's shape with eight times the last dimension (eight int4 to an INT32)");
}

aclnnStatus checkShapes(const aclTensor& x, const aclTensor& scale, const aclTensor* offset, const aclTensor& y) {
    ACLQ_RETURN_IF_FAILED(checkOutput(x, y));
    ACLQ_RETURN_IF_FAILED(checkRank("x", x, 0, 8));
    ACLQ_RETURN_IF_FAILED(checkRank("scale", scale, 1, 1));
    if (offset != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkRank("offset", *offset, 1, 1));
        ACLQ_RETURN_IF_FAILED(checkShape("offset", *offset, scale.shape, "the shape of scale"));
    }
    const std::int64_t size = y.shape.rank() > 0 ? y.shape.last() : 1;
    return scale.shape[0] == 1 || scale.shape[0] == size
               ? ACLNN_SUCCESS
               : refuse("scale", "shape " + scale.shape.text(),
                        text("(1,) or (%lld,), y's last dimension", static_cast<long long>(size)));
}

}  // namespace

aclnnStatus aclnnAscendAntiQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale, const aclTensor* offset,
                                                 int64_t dstType, bool sqrtMode, const aclTensor* y,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGiven("x", x));
        ACLQ_RETURN_IF_FAILED(checkGiven("scale", scale));
        ACLQ_RETURN_IF_FAILED(checkGiven("y", y));
        ACLQ_RETURN_IF_FAILED(checkAlive("offset", offset));
        ACLQ_RETURN_IF_FAILED(checkDtypes(*x, *scale, offset, dstType, *y));
        ACLQ_RETURN_IF_FAILED(checkShapes(*x, *scale, offset, *y));
        if (x->empty()) {
            return finishEmpty("aclnnAscendAntiQuant", workspaceSize, executor);
        }
        if (x->dtype == ACL_INT4 && !x->contiguous()) {
            return refuse("x", "dtype INT4 with strides " + x->strides.text(), "a contiguous tensor");
        }
        return finish("aclnnAscendAntiQuant", {{"x", x}, {"scale", scale}, {"offset", offset}, {"y", y}},
                      std::make_shared<AntiQuantize>(sqrtMode), workspaceSize, executor);
    });
}

aclnnStatus aclnnAscendAntiQuant(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnAclquantAntiQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale,
                                                   const aclTensor* offsetOptional, bool sqrtMode,
                                                   const aclTensor* yOut, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGiven("x", x));
        ACLQ_RETURN_IF_FAILED(checkGiven("scale", scale));
        ACLQ_RETURN_IF_FAILED(checkGiven("yOut", yOut));
        ACLQ_RETURN_IF_FAILED(checkAlive("offsetOptional", offsetOptional));
        ACLQ_RETURN_IF_FAILED(checkDtypes(*x, *scale, offsetOptional, yOut->dtype, *yOut, true));
        ACLQ_RETURN_IF_FAILED(checkShapes(*x, *scale, offsetOptional, *yOut));
        if (x->empty()) {
            return finishEmpty("aclnnAclquantAntiQuant", workspaceSize, executor);
        }
        if (x->dtype == ACL_INT4 && !x->contiguous()) {
            return refuse("x", "dtype INT4 with strides " + x->strides.text(), "a contiguous tensor");
        }
        return finish("aclnnAclquantAntiQuant",
                      {{"x", x}, {"scale", scale}, {"offsetOptional", offsetOptional}, {"yOut", yOut}},
                      std::make_shared<AntiQuantize>(sqrtMode), workspaceSize, executor);
    });
}

aclnnStatus aclnnAclquantAntiQuant(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                   aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}
