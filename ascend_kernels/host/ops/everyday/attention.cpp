// SPDX-License-Identifier: Apache-2.0
// Attention. Scores, their softmax and the sum over the values are computed in FLOAT or better; the result is rounded
// once.
#include <cmath>
#include <cstring>

#include "aclnnop/aclnn_fused_infer_attention_score_v2.h"
#include "ops/everyday/call.h"
#include "ops/everyday/copy.h"
#include "ops/everyday/gemm.h"
#include "ops/everyday/row_math.h"

using namespace aclq;
using namespace aclq::everyday;

namespace {

// Tensors in the order batch, head, place, element; pse batch, head, place, place of a key.
enum Tensor { kQuery, kKey, kValue, kOut, kPse, kLse };

class Attention : public Kernel {
  public:
    explicit Attention(double scale) : scale_(scale) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& query = tensors[kQuery];
        const std::int64_t heads = query.shape[1];
        const std::int64_t shared = tensors[kKey].shape[1];
        // Heads that share keys and values are computed together.
        const std::int64_t ratio = heads / shared;
        for (std::int64_t pair = 0; pair < query.shape[0] * shared; ++pair) {
            const std::int64_t batch = pair / shared;
            const std::int64_t head = pair % shared;
            const std::vector<float> keys = floats(part(tensors[kKey], batch, head, 1));
            const std::vector<float> values = floats(part(tensors[kValue], batch, head, 1));
            attend(tensors, batch, head * ratio, ratio, keys, values);
        }
    }

  private:
    static View part(const View& view, std::int64_t batch, std::int64_t head, std::int64_t count) {
        View one = view;
        one.offset += (view.shape[0] == 1 ? 0 : batch * view.strides[0]) + head * view.strides[1];
        one.shape[0] = 1;
        one.shape[1] = count;
        return one;
    }
    static std::vector<float> floats(const View& view) {
        std::vector<float> found(static_cast<std::size_t>(view.elements()));
        if (!found.empty()) {
            copy(view, contiguousLike(view, ACL_FLOAT, found.data()));
        }
        return found;
    }

    // Rows of a group of heads, a block at a time.
    void attend(const View* tensors, std::int64_t batch, std::int64_t head, std::int64_t count,
                const std::vector<float>& keys, const std::vector<float>& values) const {
        const std::int64_t places = tensors[kQuery].shape[2];
        const std::int64_t size = tensors[kQuery].shape[3];
        const std::int64_t length = tensors[kKey].shape[2];
        const std::int64_t width = tensors[kValue].shape[3];
        const std::int64_t rows = count * places;
        const View out = part(tensors[kOut], batch, head, count);
        const std::vector<float> queries = floats(part(tensors[kQuery], batch, head, count));
        constexpr std::int64_t kScores = 512 * 1024;
        const std::int64_t block = std::clamp<std::int64_t>(kScores / std::max<std::int64_t>(length, 1), 1, rows);
        std::vector<float> scores(static_cast<std::size_t>(block * length));
        std::vector<float> sums(static_cast<std::size_t>(block * width));
        for (std::int64_t first = 0; first < rows; first += block) {
            const std::int64_t here = std::min(block, rows - first);
            multiply({queries.data() + first * size, size, 1}, {keys.data(), 1, size}, scores.data(), here, length,
                     size);
            std::vector<double> weights(static_cast<std::size_t>(here));
            parallelFor(here, std::max<std::int64_t>(1, kThreadGrain / (8 * std::max<std::int64_t>(length, 1))),
                        [&](std::int64_t begin, std::int64_t end) {
                            std::vector<double> row(static_cast<std::size_t>(length));
                            std::vector<double> shift(row.size());
                            for (std::int64_t index = begin; index < end; ++index) {
                                weights[static_cast<std::size_t>(index)] = softmax(
                                    tensors, batch, head, first + index, scores.data() + index * length, row, shift);
                            }
                        });
            multiply({scores.data(), length, 1}, {values.data(), width, 1}, sums.data(), here, width, length);
            std::vector<double> line(static_cast<std::size_t>(width));
            for (std::int64_t index = 0; index < here; ++index) {
                const double total = weights[static_cast<std::size_t>(index)];
                for (std::int64_t element = 0; element < width; ++element) {
                    // A row without any weight is 0.
                    line[static_cast<std::size_t>(element)] =
                        total == 0 ? 0 : sums[static_cast<std::size_t>(index * width + element)] / total;
                }
                const std::int64_t row = first + index;
                write(out, row / places * out.strides[1] + row % places * out.strides[2], out.strides[3], width,
                      line.data());
            }
        }
    }

    // Turns scores into weights, which are not divided by their sum yet, and gives the sum.
    double softmax(const View* tensors, std::int64_t batch, std::int64_t head, std::int64_t row, float* scores,
                   std::vector<double>& values, std::vector<double>& shift) const {
        const std::int64_t places = tensors[kQuery].shape[2];
        const std::int64_t place = row % places;
        head += row / places;
        const View& pse = tensors[kPse];
        const auto length = static_cast<std::int64_t>(values.size());
        if (pse.present) {
            const View own = part(pse, batch, head, 1);
            read(own, place * own.strides[2], own.strides[3], length, shift.data());
        }
        double largest = -HUGE_VAL;
        for (std::size_t index = 0; index < values.size(); ++index) {
            values[index] = scale_ * static_cast<double>(scores[index]) + (pse.present ? shift[index] : 0);
            largest = values[index] > largest ? values[index] : largest;
        }
        // Minus infinity everywhere stays as it is: then all weights are 0.
        const double sum = exponentials(values.data(), length, largest == -HUGE_VAL ? 0 : largest);
        std::copy(values.begin(), values.end(), scores);
        const View& lse = tensors[kLse];
        if (lse.present) {
            const double value = sum == 0 ? HUGE_VAL : largest + std::log(sum);
            const View own = part(lse, batch, head, 1);
            write(own, place * own.strides[2], 1, 1, &value);
        }
        return sum;
    }

    const double scale_;
};

// Where the dimensions are in a layout.
enum class Layout { BatchPlaceHead, BatchHeadPlace, BatchPlaceRow };

// Batch, head, place, element of a tensor in this layout.
aclTensor ordered(const aclTensor& tensor, Layout layout, std::int64_t heads) {
    aclTensor seen = tensor;
    if (layout == Layout::BatchPlaceRow) {
        const std::int64_t size = tensor.shape[2] / heads;
        const std::int64_t sizes[] = {tensor.shape[0], heads, tensor.shape[1], size};
        const std::int64_t steps[] = {tensor.strides[0], size * tensor.strides[2], tensor.strides[1],
                                      tensor.strides[2]};
        seen.shape = Dims(sizes, 4);
        seen.strides = Dims(steps, 4);
    } else if (layout == Layout::BatchPlaceHead) {
        std::swap(seen.shape[1], seen.shape[2]);
        std::swap(seen.strides[1], seen.strides[2]);
    }
    return seen;
}

aclnnStatus readLayout(const char* given, Layout& layout) {
    if (given == nullptr) {
        return failArgument(ACLNN_ERR_PARAM_NULLPTR, "inputLayout", "null", "'BSND', 'BNSD', 'BSH'");
    }
    for (const auto& [name, found] :
         {std::pair("BSND", Layout::BatchPlaceHead), std::pair("BNSD", Layout::BatchHeadPlace),
          std::pair("BSH", Layout::BatchPlaceRow)}) {
        if (std::strcmp(given, name) == 0) {
            layout = found;
            return ACLNN_SUCCESS;
        }
    }
    return refuse("inputLayout", text("'%s'", given), "'BSND', 'BNSD', 'BSH' on the host device");
}

aclnnStatus checkNumber(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
    return value >= low && value <= high
               ? ACLNN_SUCCESS
               : refuse(name, std::to_string(value),
                        low == high ? text("%lld on the host device", static_cast<long long>(low))
                                    : text("%lld to %lld", static_cast<long long>(low), static_cast<long long>(high)));
}

aclnnStatus readOne(const char* name, const aclTensorList* list, const aclTensor*& tensor) {
    std::vector<aclTensor*> tensors;
    ACLQ_RETURN_IF_FAILED(readList(name, list, tensors));
    if (tensors.size() != 1) {
        return refuse(name, text("%zu tensors", tensors.size()), "one tensor on the host device");
    }
    tensor = tensors[0];
    return checkTensor(name, tensor);
}

}  // namespace

aclnnStatus aclnnFusedInferAttentionScoreV2GetWorkspaceSize(
    const aclTensor* query, const aclTensorList* key, const aclTensorList* value, const aclTensor* pseShiftOptional,
    const aclTensor* attenMaskOptional, const aclIntArray* actualSeqLengthsOptional,
    const aclIntArray* actualSeqLengthsKvOptional, const aclTensor* deqScale1Optional,
    const aclTensor* quantScale1Optional, const aclTensor* deqScale2Optional, const aclTensor* quantScale2Optional,
    const aclTensor* quantOffset2Optional, const aclTensor* antiquantScaleOptional,
    const aclTensor* antiquantOffsetOptional, const aclTensor* blockTableOptional,
    const aclTensor* queryPaddingSizeOptional, const aclTensor* kvPaddingSizeOptional,
    const aclTensor* keyAntiquantScaleOptional, const aclTensor* keyAntiquantOffsetOptional,
    const aclTensor* valueAntiquantScaleOptional, const aclTensor* valueAntiquantOffsetOptional,
    const aclTensor* keySharedPrefixOptional, const aclTensor* valueSharedPrefixOptional,
    const aclIntArray* actualSharedPrefixLenOptional, int64_t numHeads, double scaleValue, int64_t, int64_t,
    char* inputLayout, int64_t numKeyValueHeads, int64_t sparseMode, int64_t innerPrecise, int64_t blockSize,
    int64_t antiquantMode, bool softmaxLseFlag, int64_t keyAntiquantMode, int64_t valueAntiquantMode,
    const aclTensor* attentionOut, const aclTensor* softmaxLse, uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Call call = ACLQ_CALL(aclnnFusedInferAttentionScoreV2);
    return call.prepare([&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensor("query", query));
        const aclTensor* keys = nullptr;
        const aclTensor* values = nullptr;
        ACLQ_RETURN_IF_FAILED(readOne("key", key, keys));
        ACLQ_RETURN_IF_FAILED(readOne("value", value, values));
        ACLQ_RETURN_IF_FAILED(checkTensor("attentionOut", attentionOut));
        const std::pair<const char*, const void*> leftOut[] = {
            {"attenMaskOptional", attenMaskOptional},
            {"actualSeqLengthsOptional", actualSeqLengthsOptional},
            {"actualSeqLengthsKvOptional", actualSeqLengthsKvOptional},
            {"deqScale1Optional", deqScale1Optional},
            {"quantScale1Optional", quantScale1Optional},
            {"deqScale2Optional", deqScale2Optional},
            {"quantScale2Optional", quantScale2Optional},
            {"quantOffset2Optional", quantOffset2Optional},
            {"antiquantScaleOptional", antiquantScaleOptional},
            {"antiquantOffsetOptional", antiquantOffsetOptional},
            {"blockTableOptional", blockTableOptional},
            {"queryPaddingSizeOptional", queryPaddingSizeOptional},
            {"kvPaddingSizeOptional", kvPaddingSizeOptional},
            {"keyAntiquantScaleOptional", keyAntiquantScaleOptional},
            {"keyAntiquantOffsetOptional", keyAntiquantOffsetOptional},
            {"valueAntiquantScaleOptional", valueAntiquantScaleOptional},
            {"valueAntiquantOffsetOptional", valueAntiquantOffsetOptional},
            {"keySharedPrefixOptional", keySharedPrefixOptional},
            {"valueSharedPrefixOptional", valueSharedPrefixOptional},
            {"actualSharedPrefixLenOptional", actualSharedPrefixLenOptional},
        };
        for (const auto& [name, given] : leftOut) {
            if (given != nullptr) {
                return refuse(name, "an object", "null on the host device");
            }
        }
        Layout layout{};
        ACLQ_RETURN_IF_FAILED(readLayout(inputLayout, layout));
        ACLQ_RETURN_IF_FAILED(checkNumber("sparseMode", sparseMode, 0, 0));
        ACLQ_RETURN_IF_FAILED(checkNumber("innerPrecise", innerPrecise, 0, 3));
        ACLQ_RETURN_IF_FAILED(checkNumber("blockSize", blockSize, 0, std::numeric_limits<std::int32_t>::max()));
        ACLQ_RETURN_IF_FAILED(checkNumber("antiquantMode", antiquantMode, 0, 1));
        ACLQ_RETURN_IF_FAILED(checkNumber("keyAntiquantMode", keyAntiquantMode, 0, 1));
        ACLQ_RETURN_IF_FAILED(checkNumber("valueAntiquantMode", valueAntiquantMode, 0, 1));
        constexpr std::int64_t kMostHeads = 256;
        constexpr std::int64_t kMostShared = 64;
        constexpr std::int64_t kMostElements = 512;
        ACLQ_RETURN_IF_FAILED(checkNumber("numHeads", numHeads, 1, kMostHeads));
        const std::int64_t shared = numKeyValueHeads == 0 ? numHeads : numKeyValueHeads;
        if (shared < 0 || numHeads % shared != 0 || numHeads / shared > kMostShared) {
            return refuse(
                "numKeyValueHeads", std::to_string(numKeyValueHeads),
                text("0 or a divisor of numHeads, %lld, at most 64 times smaller", static_cast<long long>(numHeads)));
        }
        const std::int64_t rank = layout == Layout::BatchPlaceRow ? 3 : 4;
        aclTensor seen[4];
        const Argument given[] = {{"query", query}, {"key", keys}, {"value", values}, {"attentionOut", attentionOut}};
        for (int index = 0; index < 4; ++index) {
            const Argument& one = given[index];
            const std::int64_t heads = index == 1 || index == 2 ? shared : numHeads;
            ACLQ_RETURN_IF_FAILED(checkRank(one.name, *one, rank, rank));
            if (rank == 3 && one->shape[2] % heads != 0) {
                return refuse(one.name, "shape " + one->shape.text(),
                              text("a last dimension that is a multiple of %lld heads", static_cast<long long>(heads)));
            }
            seen[index] = ordered(*one, layout, heads);
            if (seen[index].shape[1] != heads) {
                return refuse(one.name, "shape " + one->shape.text(),
                              text("%lld heads", static_cast<long long>(heads)));
            }
        }
        const Dims& shape = seen[0].shape;
        const Dims& keyShape = seen[1].shape;
        const Dims& valueShape = seen[2].shape;
        if (shape[3] > kMostElements || valueShape[3] > kMostElements) {
            return refuse("query", "shape " + query->shape.text(), "heads of at most 512 elements");
        }
        if (keyShape[0] != shape[0] || keyShape[3] != shape[3]) {
            return refuse("key", "shape " + keys->shape.text(),
                          "the batch and head size of query, " + query->shape.text());
        }
        if (valueShape[0] != shape[0] || valueShape[2] != keyShape[2]) {
            return refuse("value", "shape " + values->shape.text(),
                          "the batch and length of key, " + keys->shape.text());
        }
        Dims expected = shape;
        expected[3] = valueShape[3];
        if (!(seen[3].shape == expected)) {
            return refuse("attentionOut", "shape " + attentionOut->shape.text(),
                          "the shape of query, " + query->shape.text() + ", with the head size of value");
        }
        if (pseShiftOptional != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkTensor("pseShiftOptional", pseShiftOptional));
            const Dims& shift = pseShiftOptional->shape;
            ACLQ_RETURN_IF_FAILED(checkRank("pseShiftOptional", *pseShiftOptional, 4, 4));
            if ((shift[0] != 1 && shift[0] != shape[0]) || shift[1] != numHeads || shift[2] != shape[2] ||
                shift[3] != keyShape[2]) {
                const std::int64_t sizes[] = {shape[0], numHeads, shape[2], keyShape[2]};
                return refuse("pseShiftOptional", "shape " + shift.text(),
                              Dims(sizes, 4).text() + ", or 1 as its first dimension");
            }
        }
        if (softmaxLseFlag) {
            ACLQ_RETURN_IF_FAILED(checkTensor("softmaxLse", softmaxLse));
            Dims perRow = shape;
            perRow[3] = 1;
            ACLQ_RETURN_IF_FAILED(checkShape("softmaxLse", *softmaxLse, perRow, "batch, heads, rows of query, 1"));
        }
        if (attentionOut->empty()) {
            return call.nothing();
        }
        return call.launch({{"query", query, false, &seen[0]},
                            {"key", keys, false, &seen[1]},
                            {"value", values, false, &seen[2]},
                            {"attentionOut", attentionOut, false, &seen[3]},
                            {"pseShiftOptional", pseShiftOptional},
                            {"softmaxLse", softmaxLseFlag ? softmaxLse : nullptr}},
                           std::make_shared<Attention>(scaleValue));
    });
}
ACLQ_PHASE_2(aclnnFusedInferAttentionScoreV2)
