// SPDX-License-Identifier: Apache-2.0
#include "ops/quant_matmul_checks.h"

namespace aclq::quant_matmul {

namespace {

// Strides that swap the last two dimensions of a contiguous tensor. A 1 by 1 matrix does not tell.
bool isTransposedView(const aclTensor& tensor) {
    const std::int64_t last = tensor.shape.rank() - 1;
    if (last < 1 || (tensor.shape[last] == 1 && tensor.shape[last - 1] == 1) || tensor.strides[last - 1] != 1 ||
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

}  // namespace

aclTensor asStored(const aclTensor& tensor, bool& transposed) {
    aclTensor result = tensor;
    if (isTransposedView(tensor)) {
        const std::int64_t last = tensor.shape.rank() - 1;
        std::swap(result.shape[last], result.shape[last - 1]);
        std::swap(result.strides[last], result.strides[last - 1]);
        transposed = !transposed;
    }
    return result;
}

aclnnStatus checkGivenOnes(const Tensors& t) {
    ACLQ_RETURN_IF_FAILED(checkGiven(t.x1));
    ACLQ_RETURN_IF_FAILED(checkGiven(t.x2));
    ACLQ_RETURN_IF_FAILED(checkGiven(t.scale));
    ACLQ_RETURN_IF_FAILED(checkGiven(t.out));
    for (const Argument& optional : {t.offset, t.perToken, t.bias, t.yOffset}) {
        ACLQ_RETURN_IF_FAILED(checkAlive(optional));
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkRanks(const Tensors& t) {
    ACLQ_RETURN_IF_FAILED(checkRank(t.x1, 2, 6));
    ACLQ_RETURN_IF_FAILED(checkRank(t.x2, 2, 6));
    return checkRank(t.out, 2, 6);
}

// Membership in the lists, before the rules on pairs.
aclnnStatus checkEachDtype(const Tensors& t) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype(t.x1, {ACL_INT8}));
        ACLQ_RETURN_IF_FAILED(checkDtype(t.x2, {ACL_INT8}));
        ACLQ_RETURN_IF_FAILED(checkDtype(t.scale, {ACL_UINT64, ACL_INT64, ACL_FLOAT}));
        ACLQ_RETURN_IF_FAILED(checkDtype(t.bias, {ACL_INT32}));
        return checkDtype(t.out, {ACL_INT8, ACL_FLOAT16});
    }
    ACLQ_RETURN_IF_FAILED(checkDtype(t.x1, {ACL_INT8, ACL_INT4, ACL_INT32}));
    ACLQ_RETURN_IF_FAILED(checkDtype(t.x2, {ACL_INT8, ACL_INT4, ACL_INT32}));
    ACLQ_RETURN_IF_FAILED(checkDtype(t.scale, {ACL_UINT64, ACL_INT64, ACL_FLOAT, ACL_BF16}));
    ACLQ_RETURN_IF_FAILED(checkDtype(t.bias, {ACL_INT32, ACL_BF16, ACL_FLOAT16, ACL_FLOAT}));
    return checkDtype(t.out, {ACL_INT8, ACL_FLOAT16, ACL_BF16, ACL_INT32});
}

// With a scale for each row (A2, A3).
aclnnStatus checkPerTokenDtypes(const Tensors& t) {
    const std::string with = text(" with %s", t.perToken.name);
    if (t.perToken->dtype != ACL_FLOAT) {
        return refuseDtype(t.perToken, "FLOAT");
    }
    if (!isOneOf(t.out->dtype, {ACL_FLOAT16, ACL_BF16})) {
        return refuseDtype(t.out, "FLOAT16, BF16" + with);
    }
    if (t.out->dtype == ACL_FLOAT16) {
        return t.scale->dtype == ACL_FLOAT ? checkDtype(t.bias, {ACL_INT32, ACL_FLOAT16, ACL_FLOAT})
                                           : refuseDtype(t.scale, "FLOAT with out of FLOAT16 and" + with.substr(5));
    }
    if (isPacked(t.scale)) {
        return refuseDtype(t.scale, "FLOAT, BF16" + with);
    }
    return checkDtype(t.bias, {ACL_INT32, ACL_BF16, ACL_FLOAT});
}

// Without one.
aclnnStatus checkPlainDtypes(const Tensors& t) {
    const std::string with = text(" with out of %s without %s", nameOf(t.out->dtype).c_str(), t.perToken.name);
    const auto checkBias = [&](std::initializer_list<aclDataType> allowed) {
        return !t.bias || isOneOf(t.bias->dtype, allowed) ? ACLNN_SUCCESS
                                                          : refuseDtype(t.bias, namesOf(allowed) + with);
    };
    switch (t.out->dtype) {
        case ACL_INT32:
            return isPacked(t.scale) ? refuseDtype(t.scale, "FLOAT, BF16" + with) : checkBias({ACL_INT32});
        case ACL_BF16:
            return isPacked(t.scale) ? refuseDtype(t.scale, "FLOAT, BF16" + with)
                                     : checkBias({ACL_INT32, ACL_BF16, ACL_FLOAT});
        default:
            return isPacked(t.scale) ? checkBias({ACL_INT32}) : refuseDtype(t.scale, "UINT64, INT64" + with);
    }
}

// With int4 on both sides, without a scale for each row.
aclnnStatus checkInt4Dtypes(const Tensors& t) {
    if (!isPacked(t.scale)) {
        return refuseDtype(t.scale, text("UINT64, INT64 with int4 without %s", t.perToken.name));
    }
    if (t.bias && t.bias->dtype != ACL_INT32) {
        return refuseDtype(t.bias, text("INT32 with int4 without %s", t.perToken.name));
    }
    return isOneOf(t.out->dtype, {ACL_FLOAT16, ACL_BF16}) ? ACLNN_SUCCESS
                                                          : refuseDtype(t.out, "FLOAT16, BF16 with x1 and x2 of int4");
}

// With a scale for each row, on the inference series.
aclnnStatus checkPerTokenDtypesOfInferenceSeries(const Tensors& t) {
    if (t.perToken->dtype != ACL_FLOAT) {
        return refuseDtype(t.perToken, "FLOAT");
    }
    const std::string with = text(" with %s (%s)", t.perToken.name, settings().soc->name);
    if (t.out->dtype != ACL_FLOAT16) {
        return refuseDtype(t.out, "FLOAT16" + with);
    }
    return t.scale->dtype == ACL_FLOAT ? ACLNN_SUCCESS : refuseDtype(t.scale, "FLOAT" + with);
}

aclnnStatus checkInt4Shapes(const Call& call, const Side& left, const Side& right) {
    const Tensors& t = call.tensors;
    ACLQ_RETURN_IF_FAILED(checkRank(t.bias, 1, 1));
    ACLQ_RETURN_IF_FAILED(checkRank(t.x2, 2, 2));
    if (left.transposed()) {
        return refuse("transposeX1", call.transposeX1 ? "true" : "a transposed view", "false with x1 of int4");
    }
    if (left.columns() % 2 != 0) {
        return refuseShape(t.x1, "an even k (two int4 to a byte)");
    }
    if (!right.transposed() && right.columns() % 2 != 0) {
        return refuseShape(t.x2, "an even n (two int4 to a byte)");
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkK(const Tensors& t, const Side& left, const Side& right) {
    return left.columns() == right.rows()
               ? ACLNN_SUCCESS
               : refuse(t.x2, "k of " + number(right.rows()) + ", shape " + t.x2->shape.text(),
                        number(left.columns()) + ", the k of x1, of shape " + t.x1->shape.text());
}

aclnnStatus checkParameter(const Argument& argument, std::int64_t n) {
    const std::int64_t count = argument->shape.rank() > 0 ? argument->shape.last() : 0;
    return (count == 1 || count == n) && argument->elements() == count
               ? ACLNN_SUCCESS
               : refuseShape(argument, "(1,) or (" + number(n) + ",), the columns of the result");
}

aclnnStatus checkOffset(const Tensors& t, std::int64_t n) {
    ACLQ_RETURN_IF_FAILED(checkRank(t.offset, 1, 1));
    return t.offset ? checkParameter(t.offset, n) : ACLNN_SUCCESS;
}

aclnnStatus broadcast(const Tensors& t, const Side& left, const Side& right, Dims& batch) {
    const std::int64_t rank = std::max(left.batchRank(), right.batchRank());
    std::int64_t sizes[Dims::kMaxRank] = {};
    for (std::int64_t fromEnd = 0; fromEnd < rank; ++fromEnd) {
        const std::int64_t one = left.batchSize(fromEnd);
        const std::int64_t other = right.batchSize(fromEnd);
        if (one != other && one != 1 && other != 1) {
            return refuseShape(t.x2, "batch dimensions that are 1 or those of x1, of shape " + t.x1->shape.text());
        }
        sizes[rank - 1 - fromEnd] = one == 1 ? other : one;
    }
    batch = Dims(sizes, static_cast<std::uint64_t>(rank));
    return ACLNN_SUCCESS;
}

Dims resultShape(const Dims& batch, std::int64_t m, std::int64_t n) {
    std::int64_t sizes[Dims::kMaxRank] = {};
    std::copy_n(batch.data(), batch.rank(), sizes);
    sizes[batch.rank()] = m;
    sizes[batch.rank() + 1] = n;
    return Dims(sizes, static_cast<std::uint64_t>(batch.rank() + 2));
}

// The batch, bias and out.
aclnnStatus checkResult(const Tensors& t, const Side& left, const Side& right) {
    const std::int64_t m = left.rows();
    const std::int64_t n = right.columns();
    Dims batch;
    ACLQ_RETURN_IF_FAILED(broadcast(t, left, right, batch));
    if (t.bias && t.bias->shape.rank() == 3 && batch.rank() == 1) {
        const std::int64_t expected[] = {batch[0], 1, n};
        ACLQ_RETURN_IF_FAILED(checkShape(t.bias, Dims(expected, 3), "the batch, one row, the columns of the result"));
    } else {
        ACLQ_RETURN_IF_FAILED(checkShape(t.bias, Dims(&n, 1),
                                         batch.rank() == 1
                                             ? "the columns of the result, or three dimensions with the batch first"
                                             : "the columns of the result"));
    }
    const Dims& shape = t.out->shape;
    if (t.x1->shape.rank() == 2 && t.x2->shape.rank() == 2 && shape.rank() == 3 && shape[1] == 1) {
        const std::int64_t expected[] = {m, 1, n};
        return checkShape(t.out, Dims(expected, 3), "the rows of x1, one, the columns of x2");
    }
    return checkShape(t.out, resultShape(batch, m, n), "the common batch, the rows of x1, the columns of x2");
}

// Formats are looked at after the shapes. All but the offset's are reset to ND before that, unless they are private.
aclnnStatus checkFormats(const Tensors& t) {
    for (const Argument& argument : {t.x1, t.x2, t.scale, t.perToken, t.bias, t.out}) {
        ACLQ_RETURN_IF_FAILED(checkPlainFormat(argument));
    }
    return checkNd(t.offset);
}

aclnnStatus checkNotEmpty(const Tensors& t) {
    for (const Argument& argument : {t.x1, t.x2}) {
        if (argument->empty()) {
            return refuseShape(argument, "dimensions of 1 or more");
        }
    }
    return ACLNN_SUCCESS;
}

// `given`: the tensors of the client, where those of the call are copies.
aclnnStatus finishProduct(const Call& call, const Tensors& given, Scaling scaling, const Side& left, const Side& right,
                          std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    Tensors tensors = given;
    tensors.x1.seenAs = &left.stored();
    tensors.x2.seenAs = &right.stored();
    tensors.scale.seenAs = call.tensors.scale.tensor;
    tensors.perToken.seenAs = call.tensors.perToken.tensor;
    return finish(call.operation, tensors, makeQuantMatmul({scaling, left.transposed(), right.transposed()}),
                  workspaceSize, executor);
}

}  // namespace aclq::quant_matmul
