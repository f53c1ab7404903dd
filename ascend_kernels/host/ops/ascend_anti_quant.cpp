// SPDX-License-Identifier: Apache-2.0
// aclnnAscendAntiQuant: (x + offset) * scale.
#include "ops/ascend_anti_quant.h"

#include "aclnnop/aclnn_ascend_anti_quant.h"
#include "aclquant/kernels.h"
#include "ops/infer.h"

using namespace aclq;

namespace {

using Call = AntiQuantTensors<Argument>;

// `bundled`: of the kernels that come with aclquant, which take int4 on all chips.
aclnnStatus checkDtypes(const Call& call, std::int64_t dstType, bool bundled) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(bundled ? checkDtype(call.x, {ACL_INT4, ACL_INT8, ACL_INT32})
                                      : checkDtype(call.x, {ACL_INT8}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.y, {ACL_FLOAT16}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scale, {ACL_FLOAT}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype(call.x, {ACL_INT4, ACL_INT8, ACL_INT32}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.y, {ACL_FLOAT16, ACL_BF16}));
        ACLQ_RETURN_IF_FAILED(checkDtype(call.scale, {ACL_FLOAT, ACL_BF16}));
    }
    if (call.offset && call.offset->dtype != call.scale->dtype) {
        return refuseDtype(call.offset, nameOf(call.scale->dtype) + ", the dtype of scale");
    }
    // Clients pass a 32-bit enumerator here, whose upper half is not defined.
    const auto destination = static_cast<std::int32_t>(dstType);
    return destination == call.y->dtype ? ACLNN_SUCCESS
                                        : refuse("dstType", std::to_string(destination),
                                                 text("%d (%s), the dtype of y", static_cast<int>(call.y->dtype),
                                                      nameOf(call.y->dtype).c_str()));
}

aclnnStatus checkOutput(const Call& call) {
    Dims expected;
    if (!unpackedShape(call.x->shape, call.x->dtype, expected)) {
        return refuseShape(call.x, "a last dimension of which eight times fit into 64 bits");
    }
    ACLQ_RETURN_IF_FAILED(checkShape(call.y, expected,
                                     call.x->dtype == ACL_INT32
                                         ? "x's shape with eight times the last dimension (eight int4 to an INT32)"
                                         : "the shape of x"));
    return call.x->dtype == ACL_INT4 && (expected.rank() == 0 || expected.last() % 2 != 0)
               ? refuse(call.x, "dtype INT4 with shape " + expected.text(),
                        "an even last dimension (two int4 to a byte)")
               : ACLNN_SUCCESS;
}

aclnnStatus checkShapes(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkOutput(call));
    ACLQ_RETURN_IF_FAILED(checkRank(call.x, 0, 8));
    ACLQ_RETURN_IF_FAILED(checkRank(call.scale, 1, 1));
    ACLQ_RETURN_IF_FAILED(checkRank(call.offset, 1, 1));
    ACLQ_RETURN_IF_FAILED(checkShape(call.offset, call.scale->shape, "the shape of scale"));
    const Dims& y = call.y->shape;
    const std::int64_t size = y.rank() > 0 ? y.last() : 1;
    const std::int64_t count = call.scale->shape[0];
    if (count == 1 || count == size) {
        return ACLNN_SUCCESS;
    }
    return refuseShape(call.scale, size == 1
                                       ? std::string("(1,)")
                                       : text("(1,) or (%lld,), y's last dimension", static_cast<long long>(size)));
}

aclnnStatus prepare(const char* operation, const Call& call, std::int64_t dstType, bool sqrtMode, bool bundled,
                    std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    ACLQ_RETURN_IF_FAILED(checkDtypes(call, dstType, bundled));
    ACLQ_RETURN_IF_FAILED(checkShapes(call));
    if (call.x->empty()) {
        return finishEmpty(operation, workspaceSize, executor);
    }
    if (call.x->dtype == ACL_INT4 && !call.x->contiguous()) {
        return refuse(call.x, "dtype INT4 with strides " + call.x->strides.text(), "a contiguous tensor");
    }
    return finish(operation, call, makeAntiQuant(sqrtMode), workspaceSize, executor);
}

aclnnStatus checkGivenOnes(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkGiven(call.x));
    ACLQ_RETURN_IF_FAILED(checkGiven(call.scale));
    ACLQ_RETURN_IF_FAILED(checkGiven(call.y));
    return checkAlive(call.offset);
}

}  // namespace

aclnnStatus aclnnAscendAntiQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale, const aclTensor* offset,
                                                 int64_t dstType, bool sqrtMode, const aclTensor* y,
                                                 uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{{"x", x}, {"scale", scale}, {"offset", offset}, {"y", y}};
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(call));
        return prepare("aclnnAscendAntiQuant", call, dstType, sqrtMode, false, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnAscendAntiQuant)

aclnnStatus aclnnAclquantAntiQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* scale,
                                                   const aclTensor* offsetOptional, bool sqrtMode,
                                                   const aclTensor* yOut, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Call call{{"x", x}, {"scale", scale}, {"offsetOptional", offsetOptional}, {"yOut", yOut}};
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(call));
        return prepare("aclnnAclquantAntiQuant", call, yOut->dtype, sqrtMode, true, workspaceSize, executor);
    });
}
ACLQ_PHASE_2(aclnnAclquantAntiQuant, WorkspaceRule::Whole)
