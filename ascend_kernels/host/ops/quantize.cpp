// SPDX-License-Identifier: Apache-2.0
// aclnnQuantize: x / scales + zeroPoints.
#include "aclnnop/aclnn_quantize.h"

#include "aclquant/kernels.h"
#include "ops/phase1.h"
#include "ops/scaled_quantize.h"

using namespace aclq;

namespace {

aclnnStatus checkShapes(const aclTensor& x, const aclTensor& scales, const aclTensor* zeroPoints, std::int64_t axis,
                        const aclTensor& out) {
    const std::int64_t rank = x.shape.rank();
    ACLQ_RETURN_IF_FAILED(checkRank("x", x, 0, 8));
    ACLQ_RETURN_IF_FAILED(checkShape("out", out, x.shape, "the shape of x"));
    ACLQ_RETURN_IF_FAILED(checkRank("scales", scales, 1, 1));
    const std::int64_t count = scales.shape[0];
    if (zeroPoints != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkRank("zeroPoints", *zeroPoints, 1, 1));
        ACLQ_RETURN_IF_FAILED(checkShape("zeroPoints", *zeroPoints, scales.shape, "the shape of scales"));
    }
    if (count == 1) {
        return ACLNN_SUCCESS;  // per tensor: axis does not matter
    }
    if (axis < -rank || axis >= rank) {
        return refuse(
            "axis", std::to_string(axis),
            text("%lld to %lld for x of shape ", static_cast<long long>(-rank), static_cast<long long>(rank - 1)) +
                x.shape.text());
    }
    const std::int64_t size = x.shape[axis < 0 ? axis + rank : axis];
    if (count != size) {
        return refuse("scales", "shape " + scales.shape.text(),
                      text("(1,) or (%lld,), the size of x's dimension %lld", static_cast<long long>(size),
                           static_cast<long long>(axis)));
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkBf16(const aclTensor& x, const aclTensor& scales, const aclTensor* zeroPoints) {
    const bool scalesBf16 = scales.dtype == ACL_BF16;
    if (!scalesBf16 && (zeroPoints == nullptr || zeroPoints->dtype != ACL_BF16)) {
        return ACLNN_SUCCESS;
    }
    const char* const rule = "BF16: with BF16 scales or zeroPoints, x, scales and zeroPoints are all BF16";
    if (x.dtype != ACL_BF16) {
        return refuse("x", "dtype " + nameOf(x.dtype), rule);
    }
    if (!scalesBf16) {
        return refuse("scales", "dtype " + nameOf(scales.dtype), rule);
    }
    return zeroPoints == nullptr || zeroPoints->dtype == ACL_BF16
               ? ACLNN_SUCCESS
               : refuse("zeroPoints", "dtype " + nameOf(zeroPoints->dtype), rule);
}

aclnnStatus checkDtypes(const aclTensor& x, const aclTensor& scales, const aclTensor* zeroPoints, aclDataType dtype,
                        const aclTensor& out) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype("x", x, {ACL_FLOAT, ACL_FLOAT16}));
        ACLQ_RETURN_IF_FAILED(checkDtype("scales", scales, {ACL_FLOAT, ACL_FLOAT16}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype("x", x, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
        ACLQ_RETURN_IF_FAILED(checkDtype("scales", scales, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
    }
    if (zeroPoints != nullptr && isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype("zeroPoints", *zeroPoints, {ACL_INT8, ACL_UINT8, ACL_INT32}));
    } else if (zeroPoints != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkDtype("zeroPoints", *zeroPoints, {ACL_INT8, ACL_UINT8, ACL_INT32, ACL_BF16}));
    }
    if (dtype != ACL_INT8 && dtype != ACL_UINT8 && dtype != ACL_INT32) {
        return refuse("dtype", nameOf(dtype),
                      namesOf({ACL_INT8, ACL_UINT8, ACL_INT32}) + " (" + settings().soc->name + ")");
    }
    ACLQ_RETURN_IF_FAILED(checkDtype("out", out, {ACL_INT8, ACL_UINT8, ACL_INT32}));
    if (out.dtype != dtype) {
        return refuse("out", "dtype " + nameOf(out.dtype), nameOf(dtype) + ", which argument 'dtype' says");
    }
    return checkBf16(x, scales, zeroPoints);
}

aclnnStatus checkFormat(const char* argument, const aclTensor* tensor) {
    return tensor == nullptr || !isPrivate(tensor->format)
               ? ACLNN_SUCCESS
               : refuse(argument, "format " + nameOf(tensor->format), "a plain format such as ND");
}

aclnnStatus prepare(const char* operation, const aclTensor* x, const aclTensor* scales, const aclTensor* zeroPoints,
                    aclDataType dtype, std::int64_t axis, const aclTensor* out, std::uint64_t* workspaceSize,
                    aclOpExecutor** executor) {
    ACLQ_RETURN_IF_FAILED(checkShapes(*x, *scales, zeroPoints, axis, *out));
    ACLQ_RETURN_IF_FAILED(checkDtypes(*x, *scales, zeroPoints, dtype, *out));
    ACLQ_RETURN_IF_FAILED(checkFormat("x", x));
    ACLQ_RETURN_IF_FAILED(checkFormat("scales", scales));
    ACLQ_RETURN_IF_FAILED(checkFormat("out", out));
    ACLQ_RETURN_IF_FAILED(checkFormat("zeroPoints", zeroPoints));
    if (x->empty() || scales->empty() || out->empty() || (zeroPoints != nullptr && zeroPoints->empty())) {
        return finishEmpty(operation, workspaceSize, executor);
    }
    const auto kernel =
        std::make_shared<ScaledQuantize>(axis < 0 ? axis + x->shape.rank() : axis, true, false, Round::Rint);
    return finish(operation, {{"x", x}, {"scales", scales}, {"zeroPoints", zeroPoints}, {"out", out}}, kernel,
                  workspaceSize, executor);
}

}  // namespace

aclnnStatus aclnnQuantizeGetWorkspaceSize(const aclTensor* x, const aclTensor* scales, const aclTensor* zeroPoints,
                                          aclDataType dtype, int32_t axis, aclTensor* out, uint64_t* workspaceSize,
                                          aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGiven("x", x));
        ACLQ_RETURN_IF_FAILED(checkGiven("scales", scales));
        ACLQ_RETURN_IF_FAILED(checkGiven("out", out));
        ACLQ_RETURN_IF_FAILED(checkAlive("zeroPoints", zeroPoints));
        return prepare("aclnnQuantize", x, scales, zeroPoints, dtype, axis, out, workspaceSize, executor);
    });
}

aclnnStatus aclnnQuantize(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnAclquantQuantizeGetWorkspaceSize(const aclTensor* x, const aclTensor* scales,
                                                  const aclTensor* zeroPointsOptional, int64_t axis,
                                                  const aclTensor* yOut, uint64_t* workspaceSize,
                                                  aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGiven("x", x));
        ACLQ_RETURN_IF_FAILED(checkGiven("scales", scales));
        ACLQ_RETURN_IF_FAILED(checkGiven("yOut", yOut));
        ACLQ_RETURN_IF_FAILED(checkAlive("zeroPointsOptional", zeroPointsOptional));
        return prepare("aclnnAclquantQuantize", x, scales, zeroPointsOptional, yOut->dtype, axis, yOut, workspaceSize,
                       executor);
    });
}

aclnnStatus aclnnAclquantQuantize(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                  aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}
