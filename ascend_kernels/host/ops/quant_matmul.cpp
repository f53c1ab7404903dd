// SPDX-License-Identifier: Apache-2.0
// aclnnQuantMatmulV3, V4, V5: what is legal. The product itself is in quant_matmul_kernel.cpp.
#include "ops/quant_matmul.h"

#include <algorithm>
#include <utility>

#include "aclnnop/aclnn_quant_matmul_v3.h"
#include "aclnnop/aclnn_quant_matmul_v4.h"
#include "aclnnop/aclnn_quant_matmul_v5.h"
#include "ops/phase1.h"

using namespace aclq;

namespace {

constexpr std::int64_t kLongestAxis = 65535;

// Arguments under the names of one version.
struct Call {
    const char* operation;
    bool fifth;
    const aclTensor* x1;
    const aclTensor* x2;
    const aclTensor* scale;
    const aclTensor* offset;
    const aclTensor* perToken;
    const aclTensor* bias;
    bool transposeX1;
    bool transposeX2;
    const aclTensor* out;

    const char* scaleName() const { return fifth ? "x2Scale" : "scale"; }
    const char* offsetName() const { return fifth ? "x2Offset" : "offset"; }
    const char* perTokenName() const { return fifth ? "x1Scale" : "pertokenScaleOptional"; }
};

bool isOneOf(aclDataType dtype, std::initializer_list<aclDataType> dtypes) {
    return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
}
bool isWord(const aclTensor& tensor) {
    return isOneOf(tensor.dtype, {ACL_UINT64, ACL_INT64});
}
// An INT32 input holds int4.
aclDataType elementOf(const aclTensor& tensor) {
    return tensor.dtype == ACL_INT32 ? ACL_INT4 : tensor.dtype;
}

// Strides that swap the last two dimensions of a contiguous tensor. A 1 by 1 matrix does not tell.
bool isTransposedView(const aclTensor& tensor) {
    const std::int64_t last = tensor.shape.rank() - 1;
    if ((tensor.shape[last] == 1 && tensor.shape[last - 1] == 1) || tensor.strides[last - 1] != 1 ||
        tensor.strides[last] != tensor.shape[last - 1]) {
        return false;
    }
    std::int64_t step = tensor.shape[last] * tensor.shape[last - 1];
    for (std::int64_t index = last - 1; index-- > 0;) {
        if (tensor.strides[index] != step) {
            return false;
        }
        step *= tensor.shape[index];
    }
    return true;
}

// An input as it is stored: a transposed view is turned back, and the flag with it.
class Side {
  public:
    Side(const aclTensor& tensor, bool transposed) : stored_(tensor), transposed_(transposed) {
        const std::int64_t last = tensor.shape.rank() - 1;
        if (isTransposedView(tensor)) {
            std::swap(stored_.shape[last], stored_.shape[last - 1]);
            std::swap(stored_.strides[last], stored_.strides[last - 1]);
            transposed_ = !transposed_;
        }
        rows_ = stored_.shape[last - 1];
        columns_ = tensor.dtype == ACL_INT32 ? stored_.shape[last] * 8 : stored_.shape[last];
        longest_ = columns_;
        if (transposed_) {
            std::swap(rows_, columns_);
        }
    }
    const aclTensor& stored() const { return stored_; }
    bool transposed() const { return transposed_; }
    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    // The stored last dimension, in elements.
    std::int64_t lastAxis() const { return longest_; }
    std::int64_t batchRank() const { return stored_.shape.rank() - 2; }
    // Counted from the last batch dimension.
    std::int64_t batchSize(std::int64_t fromEnd) const {
        return fromEnd < batchRank() ? stored_.shape[batchRank() - 1 - fromEnd] : 1;
    }

  private:
    aclTensor stored_;
    bool transposed_;
    std::int64_t rows_;
    std::int64_t columns_;
    std::int64_t longest_;
};

aclnnStatus refuseDtype(const char* argument, const aclTensor& tensor, const std::string& allowed) {
    return refuse(argument, "dtype " + nameOf(tensor.dtype), allowed);
}

aclnnStatus checkRanks(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkRank("x1", *call.x1, 2, 6));
    ACLQ_RETURN_IF_FAILED(checkRank("x2", *call.x2, 2, 6));
    ACLQ_RETURN_IF_FAILED(checkRank("out", *call.out, 2, 6));
    const std::int64_t rank = call.scale->shape.rank();
    if (rank == 1 || (!call.fifth && rank == call.x2->shape.rank())) {
        return ACLNN_SUCCESS;
    }
    return refuse(call.scaleName(), "shape " + call.scale->shape.text(),
                  call.fifth ? "1 dimension" : "1 dimension, or as many as x2");
}

// The inference series has no int4.
aclnnStatus checkSoc(const Call& call) {
    if (!isInferenceSeries() || call.fifth) {
        return ACLNN_SUCCESS;
    }
    for (const auto& [name, tensor] : {std::pair{"x1", call.x1}, std::pair{"x2", call.x2}}) {
        if (elementOf(*tensor) == ACL_INT4) {
            return failArgument(ACLNN_ERR_RUNTIME_ERROR, name, "dtype " + nameOf(tensor->dtype),
                                text("INT8 (%s)", settings().soc->name));
        }
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkEach(const Call& call) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype("x1", *call.x1, {ACL_INT8}));
        ACLQ_RETURN_IF_FAILED(checkDtype("x2", *call.x2, {ACL_INT8}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scaleName(), *call.scale, {ACL_UINT64, ACL_INT64, ACL_FLOAT}));
        if (call.bias != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkDtype("bias", *call.bias, {ACL_INT32}));
        }
        return checkDtype("out", *call.out, {ACL_INT8, ACL_FLOAT16});
    }
    ACLQ_RETURN_IF_FAILED(checkDtype("x1", *call.x1, {ACL_INT8, ACL_INT4, ACL_INT32}));
    ACLQ_RETURN_IF_FAILED(checkDtype("x2", *call.x2, {ACL_INT8, ACL_INT4, ACL_INT32}));
    ACLQ_RETURN_IF_FAILED(checkDtype(call.scaleName(), *call.scale, {ACL_UINT64, ACL_INT64, ACL_FLOAT, ACL_BF16}));
    if (call.bias != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkDtype("bias", *call.bias, {ACL_INT32, ACL_BF16, ACL_FLOAT16, ACL_FLOAT}));
    }
    return checkDtype("out", *call.out, {ACL_INT8, ACL_FLOAT16, ACL_BF16, ACL_INT32});
}

aclnnStatus checkPerToken(const Call& call) {
    const aclDataType out = call.out->dtype;
    if (call.perToken->dtype != ACL_FLOAT) {
        return refuseDtype(call.perTokenName(), *call.perToken, "FLOAT");
    }
    if (isInferenceSeries()) {
        return refuse(call.perTokenName(), "a tensor", text("null with x2 of format ND (%s)", settings().soc->name));
    }
    if (!isOneOf(out, {ACL_FLOAT16, ACL_BF16})) {
        return refuseDtype("out", *call.out, text("FLOAT16, BF16 with %s", call.perTokenName()));
    }
    if (out == ACL_FLOAT16 && call.scale->dtype != ACL_FLOAT) {
        return refuseDtype(call.scaleName(), *call.scale,
                           text("FLOAT with %s and out of FLOAT16", call.perTokenName()));
    }
    if (call.bias != nullptr && out == ACL_BF16 && call.bias->dtype == ACL_FLOAT16) {
        return refuseDtype("bias", *call.bias, "INT32, BF16, FLOAT with out of BF16");
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkWithoutPerToken(const Call& call) {
    const aclDataType out = call.out->dtype;
    if (call.bias != nullptr && call.bias->dtype == ACL_FLOAT16) {
        return refuseDtype("bias", *call.bias, text("INT32, BF16, FLOAT without %s", call.perTokenName()));
    }
    if (call.bias != nullptr && call.bias->dtype == ACL_FLOAT && out != ACL_BF16) {
        return refuseDtype("bias", *call.bias,
                           text("INT32 with out of %s without %s", nameOf(out).c_str(), call.perTokenName()));
    }
    if (isOneOf(out, {ACL_INT8, ACL_FLOAT16}) && !isWord(*call.scale)) {
        return refuseDtype(call.scaleName(), *call.scale,
                           text("UINT64, INT64 with out of %s without %s", nameOf(out).c_str(), call.perTokenName()));
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkDtypes(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkEach(call));
    if (elementOf(*call.x1) != elementOf(*call.x2)) {
        return refuseDtype("x2", *call.x2, nameOf(call.x1->dtype) + ", the dtype of x1");
    }
    const aclDataType out = call.out->dtype;
    const aclDataType scale = call.scale->dtype;
    if (call.offset != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkDtype(call.offsetName(), *call.offset, {ACL_FLOAT}));
        if (out != ACL_INT8) {
            return refuse(call.offsetName(), "a tensor", "null with out of " + nameOf(out));
        }
    }
    if (call.bias != nullptr && call.bias->dtype == ACL_BF16 && out != ACL_BF16) {
        return refuseDtype("bias", *call.bias, "BF16 only with out of BF16, which is " + nameOf(out));
    }
    if (scale == ACL_BF16 && !isOneOf(out, {ACL_BF16, ACL_INT32})) {
        return refuseDtype(call.scaleName(), *call.scale,
                           "BF16 only with out of BF16 or INT32, which is " + nameOf(out));
    }
    if (isOneOf(out, {ACL_BF16, ACL_INT32}) && isWord(*call.scale)) {
        return refuseDtype(call.scaleName(), *call.scale, "FLOAT, BF16 with out of " + nameOf(out));
    }
    if (out == ACL_INT8 && !isWord(*call.scale)) {
        return refuseDtype(call.scaleName(), *call.scale, "UINT64, INT64 with out of INT8");
    }
    if (out == ACL_INT32 && call.bias != nullptr && call.bias->dtype != ACL_INT32) {
        return refuseDtype("bias", *call.bias, "INT32 with out of INT32");
    }
    ACLQ_RETURN_IF_FAILED(call.perToken != nullptr ? checkPerToken(call) : checkWithoutPerToken(call));
    if (elementOf(*call.x1) == ACL_INT4 && !isOneOf(out, {ACL_FLOAT16, ACL_BF16})) {
        return refuseDtype("out", *call.out, "FLOAT16, BF16 with x1 and x2 of int4");
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkInt4(const Call& call, const Side& left, const Side& right) {
    if (elementOf(*call.x1) != ACL_INT4) {
        return ACLNN_SUCCESS;
    }
    if (call.bias != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkRank("bias", *call.bias, 1, 1));
    }
    ACLQ_RETURN_IF_FAILED(checkRank("x2", *call.x2, 2, 2));
    if (left.transposed()) {
        return refuse("transposeX1", call.transposeX1 ? "true" : "a transposed view", "false with x1 of int4");
    }
    if (left.columns() % 2 != 0) {
        return refuse("x1", "shape " + call.x1->shape.text(), "an even k (two int4 to a byte)");
    }
    if (!right.transposed() && right.columns() % 2 != 0) {
        return refuse("x2", "shape " + call.x2->shape.text(), "an even n (two int4 to a byte)");
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkLimit(const Call& call, const Side& left, const Side& right) {
    const bool vectors = call.perToken != nullptr && call.perToken->shape.rank() == 1 && call.scale->shape.rank() == 1;
    const bool exempt = !isInferenceSeries() && call.x1->dtype == ACL_INT8 && !isWord(*call.scale) && vectors;
    if (call.fifth || exempt) {
        return ACLNN_SUCCESS;
    }
    if (left.lastAxis() > kLongestAxis || right.lastAxis() > kLongestAxis) {
        const bool first = left.lastAxis() > kLongestAxis;
        return refuse(first ? "x1" : "x2", "shape " + (first ? call.x1 : call.x2)->shape.text(),
                      "a last axis of at most 65535");
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkFormat(const char* argument, const aclTensor* tensor) {
    return tensor == nullptr || !isPrivate(tensor->format) ? ACLNN_SUCCESS
                                                           : refuse(argument, "format " + nameOf(tensor->format), "ND");
}

aclnnStatus checkParameter(const char* argument, const aclTensor& tensor, std::int64_t n) {
    const std::int64_t count = tensor.shape.last();
    return (count == 1 || count == n) && tensor.elements() == count
               ? ACLNN_SUCCESS
               : refuse(argument, "shape " + tensor.shape.text(),
                        text("(1,) or (%lld,), the columns of the result", static_cast<long long>(n)));
}

aclnnStatus checkParameters(const Call& call, const Side& left, const Side& right) {
    ACLQ_RETURN_IF_FAILED(checkParameter(call.scaleName(), *call.scale, right.columns()));
    if (call.offset != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkRank(call.offsetName(), *call.offset, 1, 1));
        ACLQ_RETURN_IF_FAILED(checkParameter(call.offsetName(), *call.offset, right.columns()));
    }
    const std::int64_t rows = left.rows();
    return call.perToken != nullptr
               ? checkShape(call.perTokenName(), *call.perToken, Dims(&rows, 1), "an element for each row of x1")
               : ACLNN_SUCCESS;
}

aclnnStatus broadcast(const Call& call, const Side& left, const Side& right, Dims& batch) {
    const std::int64_t rank = std::max(left.batchRank(), right.batchRank());
    std::int64_t sizes[Dims::kMaxRank] = {};
    for (std::int64_t fromEnd = 0; fromEnd < rank; ++fromEnd) {
        const std::int64_t one = left.batchSize(fromEnd);
        const std::int64_t other = right.batchSize(fromEnd);
        if (one != other && one != 1 && other != 1) {
            return refuse("x2", "shape " + call.x2->shape.text(),
                          "batch dimensions that are 1 or those of x1, of shape " + call.x1->shape.text());
        }
        sizes[rank - 1 - fromEnd] = one == 1 ? other : one;
    }
    batch = Dims(sizes, static_cast<std::uint64_t>(rank));
    return ACLNN_SUCCESS;
}

aclnnStatus checkBias(const Call& call, const Dims& batch, std::int64_t n) {
    if (call.bias == nullptr) {
        return ACLNN_SUCCESS;
    }
    const Dims& shape = call.bias->shape;
    if (shape.rank() == 3 && batch.rank() == 1) {
        const std::int64_t expected[] = {batch[0], 1, n};
        return checkShape("bias", *call.bias, Dims(expected, 3), "the batch, one row, the columns of the result");
    }
    return checkShape("bias", *call.bias, Dims(&n, 1),
                      batch.rank() == 1 ? "the columns of the result, or three dimensions with the batch first"
                                        : "the columns of the result");
}

aclnnStatus checkOut(const Call& call, const Dims& batch, std::int64_t m, std::int64_t n) {
    const Dims& shape = call.out->shape;
    if (call.x1->shape.rank() == 2 && call.x2->shape.rank() == 2 && shape.rank() == 3 && shape[1] == 1) {
        const std::int64_t expected[] = {m, 1, n};
        return checkShape("out", *call.out, Dims(expected, 3), "the rows of x1, one, the columns of x2");
    }
    std::int64_t sizes[Dims::kMaxRank] = {};
    std::copy_n(batch.data(), batch.rank(), sizes);
    sizes[batch.rank()] = m;
    sizes[batch.rank() + 1] = n;
    return checkShape("out", *call.out, Dims(sizes, static_cast<std::uint64_t>(batch.rank() + 2)),
                      "the common batch, the rows of x1, the columns of x2");
}

aclnnStatus checkShapes(const Call& call, const Side& left, const Side& right) {
    ACLQ_RETURN_IF_FAILED(checkInt4(call, left, right));
    if (left.columns() != right.rows()) {
        return refuse(
            "x2", text("k of %lld, shape ", static_cast<long long>(right.rows())) + call.x2->shape.text(),
            text("%lld, the k of x1, of shape ", static_cast<long long>(left.columns())) + call.x1->shape.text());
    }
    ACLQ_RETURN_IF_FAILED(checkLimit(call, left, right));
    ACLQ_RETURN_IF_FAILED(checkFormat("x2", call.x2));
    ACLQ_RETURN_IF_FAILED(checkParameters(call, left, right));
    Dims batch;
    ACLQ_RETURN_IF_FAILED(broadcast(call, left, right, batch));
    ACLQ_RETURN_IF_FAILED(checkBias(call, batch, right.columns()));
    return checkOut(call, batch, left.rows(), right.columns());
}

aclnnStatus checkFormats(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkFormat("x1", call.x1));
    ACLQ_RETURN_IF_FAILED(checkFormat(call.scaleName(), call.scale));
    ACLQ_RETURN_IF_FAILED(checkFormat(call.offsetName(), call.offset));
    ACLQ_RETURN_IF_FAILED(checkFormat(call.perTokenName(), call.perToken));
    ACLQ_RETURN_IF_FAILED(checkFormat("bias", call.bias));
    return checkFormat("out", call.out);
}

aclnnStatus prepare(const Call& call, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    ACLQ_RETURN_IF_FAILED(checkRanks(call));
    ACLQ_RETURN_IF_FAILED(checkSoc(call));
    ACLQ_RETURN_IF_FAILED(checkDtypes(call));
    const Side left(*call.x1, call.transposeX1);
    const Side right(*call.x2, call.transposeX2);
    ACLQ_RETURN_IF_FAILED(checkShapes(call, left, right));
    ACLQ_RETURN_IF_FAILED(checkFormats(call));
    for (const auto& [name, tensor] : {std::pair{"x1", call.x1}, std::pair{"x2", call.x2}}) {
        if (tensor->empty()) {
            return refuse(name, "shape " + tensor->shape.text(), "dimensions of 1 or more");
        }
    }
    return finish(call.operation,
                  {{"x1", call.x1, false, &left.stored()},
                   {"x2", call.x2, false, &right.stored()},
                   {call.scaleName(), call.scale},
                   {call.perTokenName(), call.perToken},
                   {"bias", call.bias},
                   {"out", call.out},
                   {call.offsetName(), call.offset}},
                  makeQuantMatmul(left.transposed(), right.transposed()), workspaceSize, executor);
}

aclnnStatus checkTensors(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkGiven("x1", call.x1));
    ACLQ_RETURN_IF_FAILED(checkGiven("x2", call.x2));
    ACLQ_RETURN_IF_FAILED(checkGiven(call.scaleName(), call.scale));
    ACLQ_RETURN_IF_FAILED(checkGiven("out", call.out));
    ACLQ_RETURN_IF_FAILED(checkAlive(call.offsetName(), call.offset));
    ACLQ_RETURN_IF_FAILED(checkAlive(call.perTokenName(), call.perToken));
    return checkAlive("bias", call.bias);
}

// Not given: null, or without elements.
aclnnStatus checkAbsent(const char* argument, const aclTensor* tensor, const std::string& where) {
    ACLQ_RETURN_IF_FAILED(checkAlive(argument, tensor));
    if (tensor == nullptr || tensor->empty()) {
        return ACLNN_SUCCESS;
    }
    return failArgument(ACLNN_ERR_PARAM_NULLPTR, argument, "a tensor of shape " + tensor->shape.text(),
                        "null, or a tensor without elements" + where);
}

const aclTensor* unlessEmpty(const aclTensor* tensor) {
    return tensor != nullptr && tensor->empty() ? nullptr : tensor;
}

aclnnStatus refuseMode(const char* mode) {
    return fail(ACLNN_ERR_INNER_FIND_KERNEL_ERROR, text("the host device does not compute %s", mode));
}

// The fifth version beyond the fourth.
aclnnStatus checkNewer(const Call& call, const aclTensor* yScale, const aclTensor* x1Offset, const aclTensor* yOffset,
                       std::int64_t groupSize) {
    if (!isInferenceSeries() && call.x1->dtype == ACL_INT8 && elementOf(*call.x2) == ACL_INT4) {
        return refuseMode("products of x1 in INT8 and x2 in int4, whose results depend on the order of additions");
    }
    if (!isInferenceSeries() && groupSize != 0 && call.scale->shape.rank() == 2) {
        return refuseMode("products with scales for groups along k");
    }
    ACLQ_RETURN_IF_FAILED(checkAbsent("yScale", yScale, ""));
    ACLQ_RETURN_IF_FAILED(checkAbsent("x1Offset", x1Offset, ""));
    ACLQ_RETURN_IF_FAILED(checkAbsent("yOffset", yOffset, ""));
    if (call.out->dtype != ACL_INT8) {
        ACLQ_RETURN_IF_FAILED(checkAbsent("x2Offset", call.offset, " with out of " + nameOf(call.out->dtype)));
    }
    return groupSize == 0 ? ACLNN_SUCCESS
                          : refuse("groupSize", std::to_string(groupSize), "0 without scales for groups");
}

}  // namespace

aclnnStatus aclnnQuantMatmulV3GetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, const aclTensor* scale,
                                               const aclTensor* offset, const aclTensor* bias, bool transposeX1,
                                               bool transposeX2, const aclTensor* out, uint64_t* workspaceSize,
                                               aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{"aclnnQuantMatmulV3", false,       x1, x2, scale, offset, nullptr, bias,
                        transposeX1,          transposeX2, out};
        ACLQ_RETURN_IF_FAILED(checkTensors(call));
        return prepare(call, workspaceSize, executor);
    });
}

aclnnStatus aclnnQuantMatmulV3(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnQuantMatmulV4GetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, const aclTensor* scale,
                                               const aclTensor* offset, const aclTensor* pertokenScaleOptional,
                                               const aclTensor* bias, bool transposeX1, bool transposeX2,
                                               const aclTensor* out, uint64_t* workspaceSize,
                                               aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{"aclnnQuantMatmulV4",  false, x1,          x2,          scale, offset,
                        pertokenScaleOptional, bias,  transposeX1, transposeX2, out};
        ACLQ_RETURN_IF_FAILED(checkTensors(call));
        return prepare(call, workspaceSize, executor);
    });
}

aclnnStatus aclnnQuantMatmulV4(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnQuantMatmulV5GetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, const aclTensor* x1Scale,
                                               const aclTensor* x2Scale, const aclTensor* yScale,
                                               const aclTensor* x1Offset, const aclTensor* x2Offset,
                                               const aclTensor* yOffset, const aclTensor* bias, bool transposeX1,
                                               bool transposeX2, int64_t groupSize, aclTensor* out,
                                               uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        Call call{"aclnnQuantMatmulV5", true, x1, x2, x2Scale, x2Offset, x1Scale, bias, transposeX1, transposeX2, out};
        ACLQ_RETURN_IF_FAILED(checkTensors(call));
        ACLQ_RETURN_IF_FAILED(checkNewer(call, yScale, x1Offset, yOffset, groupSize));
        call.offset = unlessEmpty(x2Offset);
        call.perToken = unlessEmpty(x1Scale);
        return prepare(call, workspaceSize, executor);
    });
}

aclnnStatus aclnnQuantMatmulV5(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream);
}
