// SPDX-License-Identifier: Apache-2.0
// aclnnQuantize: x / scales + zeroPoints.
#include "ops/quantize.h"

#include <algorithm>

#include "aclnnop/aclnn_quantize.h"
#include "aclquant/kernels.h"

using namespace aclq;

namespace {

using Call = QuantizeTensors<Argument>;

aclnnStatus checkShapes(const Call& call, std::int64_t axis) {
    const std::int64_t rank = call.x->shape.rank();
    ACLQ_RETURN_IF_FAILED(checkRank(call.x, 0, 8));
    ACLQ_RETURN_IF_FAILED(checkShape(call.y, call.x->shape, "the shape of x"));
    ACLQ_RETURN_IF_FAILED(checkRank(call.scale, 1, 1));
    ACLQ_RETURN_IF_FAILED(checkRank(call.offset, 1, 1));
    ACLQ_RETURN_IF_FAILED(checkShape(call.offset, call.scale->shape, "the shape of scales"));
    const std::int64_t count = call.scale->shape[0];
    if (count == 1) {
        return ACLNN_SUCCESS;  // per tensor: axis does not matter
    }
    if (axis < -rank || axis >= rank) {
        return refuse(
            "axis", std::to_string(axis),
            text("%lld to %lld for x of shape ", static_cast<long long>(-rank), static_cast<long long>(rank - 1)) +
                call.x->shape.text());
    }
    const std::int64_t size = call.x->shape[axis < 0 ? axis + rank : axis];
    return count == size ? ACLNN_SUCCESS
                         : refuseShape(call.scale, text("(1,) or (%lld,), the size of x's dimension %lld",
                                                        static_cast<long long>(size), static_cast<long long>(axis)));
}

// BF16 scales or zeroPoints go with BF16 only.
aclnnStatus checkBf16(const Call& call) {
    const auto isBf16 = [](const Argument& argument) { return argument && argument->dtype == ACL_BF16; };
    if (!isBf16(call.scale) && !isBf16(call.offset)) {
        return ACLNN_SUCCESS;
    }
    for (const Argument& argument : {call.x, call.scale, call.offset}) {
        if (argument && !isBf16(argument)) {
            return refuseDtype(argument, "BF16: with BF16 scales or zeroPoints, x, scales and zeroPoints are all BF16");
        }
    }
    return ACLNN_SUCCESS;
}

aclnnStatus checkDtypes(const Call& call, aclDataType dtype) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype(call.x, {ACL_FLOAT, ACL_FLOAT16}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scale, {ACL_FLOAT, ACL_FLOAT16}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.offset, {ACL_INT8, ACL_UINT8, ACL_INT32}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype(call.x, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scale, {ACL_FLOAT, ACL_FLOAT16, ACL_BF16}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.offset, {ACL_INT8, ACL_UINT8, ACL_INT32, ACL_BF16}));
    }
    const std::initializer_list<aclDataType> results{ACL_INT8, ACL_UINT8, ACL_INT32};
    if (std::find(results.begin(), results.end(), dtype) == results.end()) {
        return refuse("dtype", nameOf(dtype), namesOf(results) + " (" + settings().soc->name + ")");
    }
    ACLQ_RETURN_IF_FAILED(checkDtype(call.y, results));
    if (call.y->dtype != dtype) {
        return refuseDtype(call.y, nameOf(dtype) + ", which argument 'dtype' says");
    }
    return checkBf16(call);
}

aclnnStatus checkGivenOnes(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkGiven(call.x));
    ACLQ_RETURN_IF_FAILED(checkGiven(call.scale));
    ACLQ_RETURN_IF_FAILED(checkGiven(call.y));
    return checkAlive(call.offset);
}

aclnnStatus prepare(const char* operation, const Call& call, aclDataType dtype, std::int64_t axis,
                    std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    ACLQ_RETURN_IF_FAILED(checkShapes(call, axis));
    ACLQ_RETURN_IF_FAILED(checkDtypes(call, dtype));
    bool empty = false;
    for (const Argument& argument : {call.x, call.scale, call.y, call.offset}) {
        ACLQ_RETURN_IF_FAILED(checkPlainFormat(argument));
        empty = empty || (argument && argument->empty());
    }
    if (empty) {
        return finishEmpty(operation, workspaceSize, executor);
    }
    const std::int64_t axisOfX = axis < 0 ? axis + call.x->shape.rank() : axis;
    return finish(operation, call, makeQuantize({axisOfX, true}), workspaceSize, executor);
}

}  // namespace

aclnnStatus aclnnQuantizeGetWorkspaceSize(const aclTensor* x, const aclTensor* scales, const aclTensor* zeroPoints,
                                          aclDataType dtype, int32_t axis, aclTensor* out, uint64_t* workspaceSize,
                                          aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{{"x", x}, {"scales", scales}, {"zeroPoints", zeroPoints}, {"out", out}};
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(call));
        return prepare("aclnnQuantize", call, dtype, axis, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnQuantize)

aclnnStatus aclnnAclquantQuantizeGetWorkspaceSize(const aclTensor* x, const aclTensor* scales,
                                                  const aclTensor* zeroPointsOptional, int64_t axis,
                                                  const aclTensor* yOut, uint64_t* workspaceSize,
                                                  aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{{"x", x}, {"scales", scales}, {"zeroPoints", zeroPointsOptional}, {"out", yOut}};
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(call));
        return prepare("aclnnAclquantQuantize", call, yOut->dtype, axis, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnAclquantQuantize, WorkspaceRule::Whole)
