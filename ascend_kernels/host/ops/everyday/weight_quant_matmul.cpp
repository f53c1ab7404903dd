// SPDX-License-Identifier: Apache-2.0
// Products of floats and a quantised weight: the weight is dequantised to the type of x, as the chip's kernel for all
// shapes does, and multiplied in FLOAT.
#include "aclnnop/aclnn_weight_quant_batch_matmul_v2.h"
#include "ops/everyday/call.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/gemm.h"
#include "simd/widest.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// How a matrix lies in memory.
bool isTransposed(const aclTensor& matrix) {
    return matrix.strides[0] == 1 && matrix.strides[1] == matrix.shape[0];
}

// The same elements in the order in which they lie. The chip reads matrices as they are, without making a copy, so that
// their storage, of which some clients give the wrong length, is not compared with them.
aclTensor asItLies(const aclTensor& matrix, bool transposed) {
    aclTensor seen = matrix;
    if (transposed && matrix.shape.rank() == 2) {
        std::swap(seen.shape[0], seen.shape[1]);
    }
    seen.strides = Dims::contiguousStrides(seen.shape);
    return seen;
}

// The weight as its kernel sees it. A line is what is consecutive in memory: a row, or a column if it is transposed.
struct Weight {
    std::int64_t k = 0;
    std::int64_t n = 0;
    std::int64_t group = 0;   // places of k that share a scale
    std::int64_t groups = 0;  // 0: one scale for all, or (perColumn) one for each column
    bool perColumn = false;
    bool transposed = false;

    // Number of the scale in memory. Those of a transposed weight are transposed as well.
    std::int64_t scale(std::int64_t row, std::int64_t column) const {
        if (groups == 0) {
            return perColumn ? column : 0;
        }
        return transposed ? column * groups + row / group : row / group * n + column;
    }
};

// Tensors: x, weight, scale, offset (may be left out), y, bias (may be left out).
class WeightQuantMatmul : public Kernel {
  public:
    WeightQuantMatmul(const Weight& weight, bool turned) : weight_(weight), turned_(turned) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& x = tensors[0];
        const View& y = tensors[4];
        const std::int64_t rows = x.shape[turned_ ? 1 : 0];
        const std::int64_t lines = weight_.transposed ? weight_.n : weight_.k;
        const std::int64_t length = weight_.transposed ? weight_.k : weight_.n;
        std::vector<float> matrix(static_cast<std::size_t>(lines * length));
        const std::vector<double> scales = numbers(tensors[2], scaleCount());
        const std::vector<float> factors(scales.begin(), scales.end());
        const std::vector<double> offsets =
            tensors[3].present ? numbers(tensors[3], scaleCount()) : std::vector<double>();
        parallelFor(
            lines, std::max<std::int64_t>(1, kThreadGrain / (4 * length)), [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t line = begin; line < end; ++line) {
                    if (offsets.empty()) {
                        scale(tensors[1], factors, line, length, matrix.data() + line * length);
                    } else {
                        dequantise(tensors[1], x.dtype, scales, offsets, line, length, matrix.data() + line * length);
                    }
                }
            });
        if (offsets.empty()) {
            View exact = tensors[1];
            exact.shape[0] = lines;
            exact.shape[1] = length;
            exact = contiguousLike(exact, ACL_FLOAT, matrix.data());
            std::vector<std::uint16_t> rounded(matrix.size());
            const View narrow = contiguousLike(exact, x.dtype, rounded.data());
            copy(exact, narrow);
            copy(narrow, exact);
        }
        std::vector<float> left(static_cast<std::size_t>(x.elements()));
        copy(x, contiguousLike(x, ACL_FLOAT, left.data()));
        std::vector<float> found(static_cast<std::size_t>(y.elements()));
        const FloatMatrix right =
            weight_.transposed ? FloatMatrix{matrix.data(), 1, length} : FloatMatrix{matrix.data(), length, 1};
        const FloatMatrix factor = turned_ ? FloatMatrix{left.data(), 1, rows} : FloatMatrix{left.data(), weight_.k, 1};
        multiply(factor, right, found.data(), rows, weight_.n, weight_.k);
        if (tensors[5].present) {
            const std::vector<double> bias = numbers(tensors[5], weight_.n);
            for (std::int64_t index = 0; index < rows * weight_.n; ++index) {
                found[static_cast<std::size_t>(index)] +=
                    static_cast<float>(bias[static_cast<std::size_t>(index % weight_.n)]);
            }
        }
        copy(contiguousLike(y, ACL_FLOAT, found.data()), y);
    }

  private:
    std::int64_t scaleCount() const {
        return weight_.groups != 0 ? weight_.groups * weight_.n : (weight_.perColumn ? weight_.n : 1);
    }
    // Consecutive elements from the first one on, whatever the strides say: so the chip reads them.
    static std::vector<double> numbers(const View& view, std::int64_t count) {
        std::vector<double> found(static_cast<std::size_t>(count));
        read(view, 0, 1, count, found.data());
        return found;
    }

    // The products of a line and its scales, which FLOAT holds exactly: at most 8 bits times at most 11.
    void scale(const View& weight, const std::vector<float>& scales, std::int64_t line, std::int64_t length,
               float* to) const {
        integers(weight, line * length, length, to);
        const bool alongLine = !weight_.transposed && (weight_.groups != 0 || weight_.perColumn);
        const std::int64_t run =
            alongLine ? length : (weight_.transposed && weight_.groups != 0 ? weight_.group : length);
        for (std::int64_t first = 0; first < length; first += run) {
            const std::int64_t count = std::min(run, length - first);
            const float* factor =
                scales.data() + (weight_.transposed ? weight_.scale(first, line) : weight_.scale(line, first));
            float* values = to + first;
            widest([=] {
                for (std::int64_t index = 0; index < count; ++index) {
                    values[index] *= factor[alongLine ? index : 0];
                }
            });
        }
    }

    void dequantise(const View& weight, aclDataType dtype, const std::vector<double>& scales,
                    const std::vector<double>& offsets, std::int64_t line, std::int64_t length, float* to) const {
        // float16 is rounded after the offset as well, bfloat16 has FLOAT there.
        const aclDataType between = dtype == ACL_FLOAT16 ? ACL_FLOAT16 : ACL_FLOAT;
        for (std::int64_t index = 0; index < length; ++index) {
            const auto scale =
                static_cast<std::size_t>(weight_.transposed ? weight_.scale(index, line) : weight_.scale(line, index));
            double value = integer(weight, line * length + index);
            if (!offsets.empty()) {
                value = roundTo(between, value + offsets[scale]);
            }
            // With FLOAT in between, the product is rounded to it first.
            value *= scales[scale];
            to[index] = static_cast<float>(
                roundTo(dtype, between == ACL_FLOAT ? static_cast<double>(static_cast<float>(value)) : value));
        }
    }

    // Consecutive elements. Two int4 are in a byte, the first one in its low half.
    static void integers(const View& view, std::int64_t first, std::int64_t count, float* to) {
        if (view.dtype == ACL_INT8) {
            const unsigned char* from = view.data + view.offset + first;
            widest([=] {
                for (std::int64_t index = 0; index < count; ++index) {
                    to[index] = static_cast<float>(static_cast<std::int8_t>(from[index]));
                }
            });
            return;
        }
        std::int64_t index = 0;
        if ((halves(view) + first) % 2 != 0 && count > 0) {
            to[index++] = static_cast<float>(integer(view, first));
        }
        const unsigned char* from = view.data + (halves(view) + first + index) / 2;
        const std::int64_t pairs = (count - index) / 2;
        float* both = to + index;
        widest([=] {
            for (std::int64_t pair = 0; pair < pairs; ++pair) {
                both[2 * pair] = static_cast<float>(((from[pair] & 15) ^ 8) - 8);
                both[2 * pair + 1] = static_cast<float>(((from[pair] >> 4) ^ 8) - 8);
            }
        });
        for (index += 2 * pairs; index < count; ++index) {
            to[index] = static_cast<float>(integer(view, first + index));
        }
    }

    // Number of int4 before the view.
    static std::int64_t halves(const View& view) { return view.dtype == ACL_INT32 ? 8 * view.offset : view.offset; }

    // An element, given its number in memory.
    static double integer(const View& view, std::int64_t number) {
        if (view.dtype == ACL_INT8) {
            return static_cast<std::int8_t>(view.data[view.offset + number]);
        }
        number += halves(view);
        const unsigned byte = view.data[number / 2];
        const unsigned half = (number % 2 == 0 ? byte : byte >> 4) & 15U;
        return static_cast<double>(half) - (half > 7 ? 16 : 0);
    }

    const Weight weight_;
    const bool turned_;  // whether x is transposed
};

aclnnStatus checkDense(const char* name, const aclTensor& tensor, bool mayBeTransposed) {
    return tensor.contiguous() || (mayBeTransposed && tensor.shape.rank() == 2 && isTransposed(tensor))
               ? ACLNN_SUCCESS
               : refuse(name, "strides " + tensor.strides.text() + " for shape " + tensor.shape.text(),
                        mayBeTransposed ? "a contiguous matrix or its transpose" : "a contiguous tensor");
}

// One number, one for each column, or one for each group and column.
aclnnStatus readScale(const aclTensor& scale, std::int64_t groupSize, Weight& weight) {
    const Dims& shape = scale.shape;
    if (groupSize != 0) {
        weight.group = groupSize;
        weight.groups = (weight.k + groupSize - 1) / groupSize;
        const std::int64_t sizes[] = {weight.groups, weight.n};
        return checkShape("antiquantScale", scale, Dims(sizes, 2), "the groups of weight, and its columns");
    }
    weight.perColumn = shape.elements() != 1 || weight.n == 1;
    if (shape.elements() == 1 || (shape.elements() == weight.n && shape.last() == weight.n)) {
        return ACLNN_SUCCESS;
    }
    return refuse("antiquantScale", "shape " + shape.text(),
                  text("one element, or the %lld columns of weight", static_cast<long long>(weight.n)));
}

}  // namespace

aclnnStatus aclnnWeightQuantBatchMatmulV2GetWorkspaceSize(
    const aclTensor* x, const aclTensor* weight, const aclTensor* antiquantScale,
    const aclTensor* antiquantOffsetOptional, const aclTensor* quantScaleOptional, const aclTensor* quantOffsetOptional,
    const aclTensor* biasOptional, int antiquantGroupSize, const aclTensor* y, uint64_t* workspaceSize,
    aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnWeightQuantBatchMatmulV2);
    return call.prepare([&]() -> aclnnStatus {
        const Argument needed[] = {{"x", x}, {"weight", weight}, {"antiquantScale", antiquantScale}, {"y", y}};
        ACLQ_RETURN_IF_FAILED(checkAllGiven({needed[0], needed[1], needed[2], needed[3]}));
        for (const auto& [name, given] : {std::pair("quantScaleOptional", quantScaleOptional),
                                          std::pair("quantOffsetOptional", quantOffsetOptional)}) {
            if (given != nullptr) {
                return isInferenceSeries()
                           ? failArgument(ACLNN_ERR_PARAM_NULLPTR, name, "a tensor", "null on this chip")
                           : refuse(name, "a tensor", "null on the host device, which does not requantise");
            }
        }
        for (const Argument& one : needed) {
            ACLQ_RETURN_IF_FAILED(checkTensor(one.name, one.tensor));
        }
        for (const Argument& one : {needed[0], needed[1], needed[3]}) {
            ACLQ_RETURN_IF_FAILED(checkRank(one.name, *one, 2, 2));
        }
        ACLQ_RETURN_IF_FAILED(checkRank("antiquantScale", *antiquantScale, 1, 2));
        ACLQ_RETURN_IF_FAILED(checkDense("x", *x, true));
        ACLQ_RETURN_IF_FAILED(checkDense("weight", *weight, true));
        ACLQ_RETURN_IF_FAILED(checkDense("y", *y, false));
        if (weight->format != ACL_FORMAT_ND) {
            return refuse("weight", "format " + nameOf(weight->format), "ND on the host device");
        }
        Weight found;
        found.transposed = isTransposed(*weight);
        const bool packed = weight->dtype == ACL_INT32;
        found.k = weight->shape[0] * (packed && found.transposed ? 8 : 1);
        found.n = weight->shape[1] * (packed && !found.transposed ? 8 : 1);
        constexpr std::int64_t kMost = 65535;
        if (found.k < 1 || found.n < 1 || found.k > kMost || found.n > kMost) {
            return refuse("weight", "shape " + weight->shape.text(), "1 to 65535 rows and columns");
        }
        if (weight->dtype == ACL_INT4 && (found.transposed ? found.k : found.n) % 2 != 0) {
            return refuse("weight", "shape " + weight->shape.text(), "an even number of int4 side by side");
        }
        const std::int64_t rows = x->shape[0];
        if (x->shape[1] != found.k || rows < 1 || (rows > kMost && !x->contiguous())) {
            return refuse("x", "shape " + x->shape.text(),
                          text("rows of %lld elements, as many as weight has rows", static_cast<long long>(found.k)));
        }
        const std::int64_t sizes[] = {rows, found.n};
        ACLQ_RETURN_IF_FAILED(checkShape("y", *y, Dims(sizes, 2), "the shape of the product"));
        if (antiquantGroupSize != 0 &&
            (antiquantGroupSize < 32 || antiquantGroupSize % 32 != 0 || antiquantGroupSize > found.k - 1)) {
            return refuse("antiquantGroupSize", std::to_string(antiquantGroupSize),
                          text("0, or a multiple of 32 below k, %lld", static_cast<long long>(found.k)));
        }
        ACLQ_RETURN_IF_FAILED(readScale(*antiquantScale, antiquantGroupSize, found));
        if (!found.transposed || found.groups < 2) {
            ACLQ_RETURN_IF_FAILED(checkDense("antiquantScale", *antiquantScale, found.transposed));
        }
        if (antiquantOffsetOptional != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("antiquantOffsetOptional", antiquantOffsetOptional));
            ACLQ_RETURN_IF_FAILED(checkShape("antiquantOffsetOptional", *antiquantOffsetOptional, antiquantScale->shape,
                                             "the shape of antiquantScale"));
            if (!found.transposed || found.groups < 2) {
                ACLQ_RETURN_IF_FAILED(
                    checkDense("antiquantOffsetOptional", *antiquantOffsetOptional, found.transposed));
            }
        }
        if (biasOptional != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("biasOptional", biasOptional));
            ACLQ_RETURN_IF_FAILED(
                checkDtype("biasOptional", *biasOptional, {x->dtype == ACL_BF16 ? ACL_FLOAT : ACL_FLOAT16}));
            ACLQ_RETURN_IF_FAILED(checkDense("biasOptional", *biasOptional, false));
            const Dims& shape = biasOptional->shape;
            if (shape.rank() < 1 || shape.rank() > 2 || shape.last() != found.n || shape.elements() != found.n) {
                return refuse("biasOptional", "shape " + shape.text(),
                              text("the %lld columns of weight", static_cast<long long>(found.n)));
            }
        }
        const bool turned = !x->contiguous();
        const aclTensor seenX = asItLies(*x, turned);
        const aclTensor seenWeight = asItLies(*weight, found.transposed);
        const aclTensor seenScale = asItLies(*antiquantScale, found.transposed);
        aclTensor seenOffset;
        Argument offset{"antiquantOffsetOptional", antiquantOffsetOptional};
        if (offset) {
            seenOffset = asItLies(*offset, found.transposed);
            offset = {offset.name, offset.tensor, true, &seenOffset};
        }
        return call.launch({{"x", x, true, &seenX},
                            {"weight", weight, true, &seenWeight},
                            {"antiquantScale", antiquantScale, true, &seenScale},
                            offset,
                            needed[3],
                            {"biasOptional", biasOptional}},
                           std::make_shared<WeightQuantMatmul>(found, turned));
    });
}
ACLQ_PHASE_2(aclnnWeightQuantBatchMatmulV2)
