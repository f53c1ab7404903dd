// SPDX-License-Identifier: Apache-2.0
// aclnnQuantMatmulV3 and V4.
#include "ops/quant_matmul.h"

#include "aclnnop/aclnn_quant_matmul_v3.h"
#include "aclnnop/aclnn_quant_matmul_v4.h"
#include "ops/quant_matmul_checks.h"

using namespace aclq;
using namespace aclq::quant_matmul;

namespace {

constexpr std::int64_t kLongestAxis = 65535;

aclnnStatus checkOlderDtypes(const Tensors& t) {
    ACLQ_RETURN_IF_FAILED(checkEachDtype(t));
    if (elementOf(t.x1) != elementOf(t.x2)) {
        return refuseDtype(t.x2, nameOf(t.x1->dtype) + ", the dtype of x1");
    }
    ACLQ_RETURN_IF_FAILED(checkDtype(t.offset, {ACL_FLOAT}));
    if (t.offset && t.out->dtype != ACL_INT8) {
        return refuse(t.offset, "a tensor", "null with out of " + nameOf(t.out->dtype));
    }
    if (isInferenceSeries()) {
        return t.perToken ? checkPerTokenDtypesOfInferenceSeries(t) : checkPlainDtypes(t);
    }
    if (isInt4(t.x1) && !t.perToken) {
        ACLQ_RETURN_IF_FAILED(checkInt4Dtypes(t));
    }
    return t.perToken ? checkPerTokenDtypes(t) : checkPlainDtypes(t);
}

aclnnStatus checkLongestAxis(const Tensors& t, const Side& left, const Side& right) {
    const bool vectors = t.perToken && t.perToken->shape.rank() == 1 && t.scale->shape.rank() == 1;
    if (!isInferenceSeries() && t.x1->dtype == ACL_INT8 && !isPacked(t.scale) && vectors) {
        return ACLNN_SUCCESS;
    }
    if (left.lastAxis() > kLongestAxis || right.lastAxis() > kLongestAxis) {
        return refuseShape(left.lastAxis() > kLongestAxis ? t.x1 : t.x2, "a last axis of at most 65535");
    }
    return ACLNN_SUCCESS;
}

aclnnStatus prepareOlder(const Call& call, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    const Tensors& t = call.tensors;
    ACLQ_RETURN_IF_FAILED(checkGivenOnes(t));
    ACLQ_RETURN_IF_FAILED(checkRanks(t));
    const std::int64_t rank = t.scale->shape.rank();
    if (rank != 1 && rank != t.x2->shape.rank()) {
        return refuseShape(t.scale, "1 dimension, or as many as x2");
    }
    for (const Argument& side : {t.x1, t.x2}) {
        if (isInferenceSeries() && isInt4(side)) {
            return failArgument(ACLNN_ERR_RUNTIME_ERROR, side.name, "dtype " + nameOf(side->dtype),
                                text("INT8 (%s)", settings().soc->name));
        }
    }
    ACLQ_RETURN_IF_FAILED(checkOlderDtypes(t));
    const Side left(*t.x1, call.transposeX1);
    const Side right(*t.x2, call.transposeX2);
    if (isInt4(t.x1)) {
        ACLQ_RETURN_IF_FAILED(checkInt4Shapes(call, left, right));
    }
    ACLQ_RETURN_IF_FAILED(checkK(t, left, right));
    ACLQ_RETURN_IF_FAILED(checkLongestAxis(t, left, right));
    ACLQ_RETURN_IF_FAILED(checkPlainFormat(t.x2));
    ACLQ_RETURN_IF_FAILED(checkParameter(t.scale, right.columns()));
    ACLQ_RETURN_IF_FAILED(checkOffset(t, right.columns()));
    const std::int64_t m = left.rows();
    ACLQ_RETURN_IF_FAILED(checkShape(t.perToken, Dims(&m, 1), "an element for each row of x1"));
    ACLQ_RETURN_IF_FAILED(checkResult(t, left, right));
    ACLQ_RETURN_IF_FAILED(checkFormats(t));
    ACLQ_RETURN_IF_FAILED(checkNotEmpty(t));
    return finishProduct(call, t, Scaling::Whole, left, right, workspaceSize, executor);
}

}  // namespace

namespace aclq {

aclnnStatus quantMatmulShape(const aclTensor& x1, const aclTensor& x2, Dims& shape) {
    const Tensors tensors{{"x1", &x1}, {"x2", &x2}, {}, {}, {}, {}, {}, {}};
    ACLQ_RETURN_IF_FAILED(checkRank(tensors.x1, 2, 6));
    ACLQ_RETURN_IF_FAILED(checkRank(tensors.x2, 2, 6));
    const Side left(x1, false);
    const Side right(x2, false);
    Dims batch;
    ACLQ_RETURN_IF_FAILED(broadcast(tensors, left, right, batch));
    shape = resultShape(batch, left.rows(), right.columns());
    return ACLNN_SUCCESS;
}

}  // namespace aclq
aclnnStatus aclnnQuantMatmulV3GetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, const aclTensor* scale,
                                               const aclTensor* offset, const aclTensor* bias, bool transposeX1,
                                               bool transposeX2, const aclTensor* out, uint64_t* workspaceSize,
                                               aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Tensors tensors{{"x1", x1},     {"x2", x2},   {"scale", scale},   {"pertokenScaleOptional", nullptr},
                              {"bias", bias}, {"out", out}, {"offset", offset}, {"yOffset", nullptr}};
        return prepareOlder({"aclnnQuantMatmulV3", tensors, transposeX1, transposeX2}, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnQuantMatmulV3)

aclnnStatus aclnnQuantMatmulV4GetWorkspaceSize(const aclTensor* x1, const aclTensor* x2, const aclTensor* scale,
                                               const aclTensor* offset, const aclTensor* pertokenScaleOptional,
                                               const aclTensor* bias, bool transposeX1, bool transposeX2,
                                               const aclTensor* out, uint64_t* workspaceSize,
                                               aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Tensors tensors{
            {"x1", x1},     {"x2", x2},   {"scale", scale},   {"pertokenScaleOptional", pertokenScaleOptional},
            {"bias", bias}, {"out", out}, {"offset", offset}, {"yOffset", nullptr}};
        return prepareOlder({"aclnnQuantMatmulV4", tensors, transposeX1, transposeX2}, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnQuantMatmulV4)
