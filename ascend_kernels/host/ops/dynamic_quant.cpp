// SPDX-License-Identifier: Apache-2.0
// aclnnDynamicQuant, V2, V3, V4: parameters taken from the data, one set per row, per tensor or per channel.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "aclnnop/aclnn_dynamic_quant.h"
#include "aclnnop/aclnn_dynamic_quant_v2.h"
#include "aclnnop/aclnn_dynamic_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant_v4.h"
#include "aclquant/kernels.h"
#include "ops/dynamic_quantize.h"
#include "ops/phase1.h"

using namespace aclq;

namespace {

constexpr std::int64_t kMaxGroups = 1024;
constexpr std::int64_t kInferenceSeriesBlock = 32;
constexpr float kLargestDstTypeMax = 32768.0F;

struct Call {
    const char* operation;
    const aclTensor* x;
    const aclTensor* smooth;
    const aclTensor* group;
    bool symmetric;
    QuantMode mode;
    const aclTensor* y;
    const aclTensor* scale;
    const aclTensor* offset;
    float dstTypeMax = 0.0F;
    bool bundled = false;  // of the bundled kernels: the same types and lengths on all chips
};

aclnnStatus checkDtypes(const Call& call) {
    if (isInferenceSeries()) {
        ACLQ_RETURN_IF_FAILED(checkDtype("x", *call.x, {ACL_FLOAT16}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype("x", *call.x, {ACL_FLOAT16, ACL_BF16}));
    }
    if (call.smooth != nullptr) {
        if (call.smooth->dtype != call.x->dtype) {
            return refuse("smoothScalesOptional", "dtype " + nameOf(call.smooth->dtype),
                          nameOf(call.x->dtype) + ", the dtype of x");
        }
        if (call.group != nullptr) {
            ACLQ_RETURN_IF_FAILED(checkDtype("groupIndexOptional", *call.group, {ACL_INT32, ACL_INT64}));
        }
    }
    if (isInferenceSeries() && !call.bundled) {
        ACLQ_RETURN_IF_FAILED(checkDtype("yOut", *call.y, {ACL_INT8}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype("yOut", *call.y, {ACL_INT8, ACL_INT4, ACL_INT32}));
    }
    ACLQ_RETURN_IF_FAILED(checkDtype("scaleOut", *call.scale, {ACL_FLOAT}));
    return call.offset != nullptr ? checkDtype("offsetOut", *call.offset, {ACL_FLOAT}) : ACLNN_SUCCESS;
}

aclnnStatus checkSmooth(const Call& call) {
    if (call.smooth == nullptr) {
        return ACLNN_SUCCESS;
    }
    if (call.group != nullptr) {
        return checkRank("groupIndexOptional", *call.group, 1, 1);
    }
    const std::int64_t rank = call.x->shape.rank();
    const bool perChannel = call.mode == QuantMode::PerChannel;
    const std::int64_t size = call.x->shape[perChannel ? rank - 2 : rank - 1];
    return checkShape("smoothScalesOptional", *call.smooth, Dims(&size, 1),
                      perChannel ? "x's second-last dimension" : "x's last dimension");
}

// Shape of scale and offset.
Dims parameterShape(const Call& call) {
    const Dims& x = call.x->shape;
    const std::int64_t one = 1;
    switch (call.mode) {
        case QuantMode::PerTensor:
            return Dims(&one, 1);
        case QuantMode::PerToken:
            return Dims(x.data(), static_cast<std::uint64_t>(x.rank() - 1));
        default:
            Dims shape(x.data(), static_cast<std::uint64_t>(x.rank() - 1));
            shape[shape.rank() - 1] = x.last();
            return shape;
    }
}

aclnnStatus checkShapes(const Call& call) {
    ACLQ_RETURN_IF_FAILED(checkRank("x", *call.x, 2, 8));
    ACLQ_RETURN_IF_FAILED(checkSmooth(call));
    if (call.y->dtype == ACL_INT32) {
        ACLQ_RETURN_IF_FAILED(checkPacked("yOut", *call.y, *call.x,
                                          "x's shape with an eighth of the last dimension (eight int4 to an INT32)"));
    } else {
        ACLQ_RETURN_IF_FAILED(checkShape("yOut", *call.y, call.x->shape, "the shape of x"));
    }
    if (call.y->dtype == ACL_INT4) {
        ACLQ_RETURN_IF_FAILED(checkEven("yOut", *call.y));
    }
    constexpr const char* kSource[] = {"x's shape without the last dimension", "one set for the tensor",
                                       "x's shape without the second-last dimension"};
    ACLQ_RETURN_IF_FAILED(
        checkShape("scaleOut", *call.scale, parameterShape(call), kSource[static_cast<int>(call.mode)]));
    return call.offset != nullptr ? checkShape("offsetOut", *call.offset, call.scale->shape, "the shape of scaleOut")
                                  : ACLNN_SUCCESS;
}

aclnnStatus refuseTiling(const char* argument, const std::string& got, const std::string& allowed) {
    return failArgument(ACLNN_ERR_INNER_NULLPTR, argument, got, allowed);
}

// What the checks let through and the tiling behind them refuses.
aclnnStatus checkTiling(const Call& call) {
    const std::int64_t last = call.x->shape.last();
    if (!(call.dstTypeMax >= 0.0F && call.dstTypeMax <= kLargestDstTypeMax)) {
        return refuseTiling("dstTypeMax", text("%g", static_cast<double>(call.dstTypeMax)), "0 to 32768");
    }
    if (isInferenceSeries() && !call.bundled) {
        return last % kInferenceSeriesBlock == 0
                   ? ACLNN_SUCCESS
                   : refuseTiling("x", "shape " + call.x->shape.text(),
                                  text("a last dimension that is a multiple of 32 (%s)", settings().soc->name));
    }
    if (call.smooth == nullptr || call.group == nullptr) {
        return ACLNN_SUCCESS;
    }
    const std::int64_t groups = call.group->elements();
    if (groups > kMaxGroups) {
        return refuseTiling("groupIndexOptional", "shape " + call.group->shape.text(), "at most 1024 elements");
    }
    if (call.group->dtype != ACL_INT32) {
        return refuseTiling("groupIndexOptional", "dtype " + nameOf(call.group->dtype), "INT32");
    }
    const std::int64_t expected[] = {groups, last};
    const Dims shape = groups == 0 ? Dims(&last, 1) : Dims(expected, 2);
    return call.smooth->shape == shape
               ? ACLNN_SUCCESS
               : refuseTiling("smoothScalesOptional", "shape " + call.smooth->shape.text(),
                              shape.text() + ", a row of x's last dimension for each element of groupIndexOptional");
}

aclnnStatus prepare(const Call& call, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    ACLQ_RETURN_IF_FAILED(checkDtypes(call));
    ACLQ_RETURN_IF_FAILED(checkShapes(call));
    if (call.x->empty() || call.y->empty() || call.scale->empty()) {
        return finishEmpty(call.operation, workspaceSize, executor);
    }
    ACLQ_RETURN_IF_FAILED(checkTiling(call));
    const bool grouped = call.smooth != nullptr && call.group != nullptr && !call.group->empty();
    // The bundled kernels compute as the A2's of 8.1, on all chips.
    const Family family = call.bundled ? Family::A2 : settings().soc->family;
    const int version = call.bundled ? 8 : static_cast<int>(settings().version.major);
    const auto kernel = std::make_shared<DynamicQuantize>(call.symmetric, call.mode, family, version);
    return finish(call.operation,
                  {{"x", call.x},
                   {"smoothScalesOptional", call.smooth},
                   {"groupIndexOptional", grouped ? call.group : nullptr},
                   {"yOut", call.y},
                   {"scaleOut", call.scale},
                   {"offsetOut", call.offset}},
                  kernel, workspaceSize, executor);
}

aclnnStatus checkTensors(const aclTensor* x, const aclTensor* smooth, const aclTensor* group, const aclTensor* y,
                         const aclTensor* scale, const aclTensor* offset) {
    ACLQ_RETURN_IF_FAILED(checkGiven("x", x));
    ACLQ_RETURN_IF_FAILED(checkGiven("yOut", y));
    ACLQ_RETURN_IF_FAILED(checkGiven("scaleOut", scale));
    ACLQ_RETURN_IF_FAILED(checkAlive("smoothScalesOptional", smooth));
    ACLQ_RETURN_IF_FAILED(checkAlive("groupIndexOptional", group));
    return checkAlive("offsetOut", offset);
}

aclnnStatus checkMode(const char* quantMode, const aclTensor* group, QuantMode& mode) {
    constexpr const char* kAllowed = "'pertoken', 'pertensor' or 'perchannel'";
    if (quantMode == nullptr) {
        return refuse("quantMode", "null", kAllowed);
    }
    const std::string_view name(quantMode);
    if (name != "pertoken" && name != "pertensor" && name != "perchannel") {
        return refuse("quantMode", text("'%.32s'", quantMode), kAllowed);
    }
    mode =
        name == "pertoken" ? QuantMode::PerToken : (name == "pertensor" ? QuantMode::PerTensor : QuantMode::PerChannel);
    return mode == QuantMode::PerChannel && group != nullptr
               ? refuse("groupIndexOptional", "a tensor", "null with quantMode 'perchannel'")
               : ACLNN_SUCCESS;
}

// V3 and V4 beyond their signatures.
aclnnStatus prepareNewer(const char* function, const char* operation, const aclTensor* x, const aclTensor* smooth,
                         const aclTensor* group, bool symmetric, const char* quantMode, float dstTypeMax,
                         const aclTensor* y, const aclTensor* scale, const aclTensor* offset,
                         std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(function, workspaceSize, executor, [&]() -> aclnnStatus {
        if (settings().strictSoc) {
            return fail(ACLNN_ERR_INNER,
                        text("%s runs on the Ascend 950 family only, this is %s (ACLQUANT_HOST_STRICT_SOC is on)",
                             operation, settings().soc->name));
        }
        ACLQ_RETURN_IF_FAILED(checkTensors(x, smooth, group, y, scale, offset));
        if (symmetric != (offset == nullptr)) {
            return refuse("offsetOut", symmetric ? "a tensor" : "null",
                          symmetric ? "null with isSymmetrical true" : "a tensor with isSymmetrical false");
        }
        QuantMode mode = QuantMode::PerToken;
        ACLQ_RETURN_IF_FAILED(checkMode(quantMode, group, mode));
        return prepare({operation, x, smooth, group, symmetric, mode, y, scale, offset, dstTypeMax}, workspaceSize,
                       executor);
    });
}

// Phase 2 of these operators answers every failure with one code.
aclnnStatus launch(const char* operation, void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                   aclrtStream stream) {
    const aclnnStatus status = runExecutor(operation, workspace, workspaceSize, executor, stream);
    return status == ACLNN_SUCCESS ? status : api(operation, ACLNN_ERR_INNER, ACLNN_ERR_INNER, [&] {
        return fail(ACLNN_ERR_INNER, text("phase 2 of this operator reports every failure as %d; the reason was %d %s",
                                          ACLNN_ERR_INNER, status, codeName(status)));
    });
}

}  // namespace

aclnnStatus aclnnDynamicQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                              const aclTensor* yOut, const aclTensor* scaleOut, uint64_t* workspaceSize,
                                              aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensors(x, smoothScalesOptional, nullptr, yOut, scaleOut, nullptr));
        return prepare(
            {"aclnnDynamicQuant", x, smoothScalesOptional, nullptr, true, QuantMode::PerToken, yOut, scaleOut, nullptr},
            workspaceSize, executor);
    });
}

aclnnStatus aclnnDynamicQuant(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return launch(__func__, workspace, workspaceSize, executor, stream);
}

// dstType is not read: the dtype of yOut decides.
aclnnStatus aclnnDynamicQuantV2GetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                const aclTensor* groupIndexOptional, int64_t, const aclTensor* yOut,
                                                const aclTensor* scaleOut, const aclTensor* offsetOut,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensors(x, smoothScalesOptional, groupIndexOptional, yOut, scaleOut, offsetOut));
        return prepare({"aclnnDynamicQuantV2", x, smoothScalesOptional, groupIndexOptional, offsetOut == nullptr,
                        QuantMode::PerToken, yOut, scaleOut, offsetOut},
                       workspaceSize, executor);
    });
}

aclnnStatus aclnnDynamicQuantV2(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return launch(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnDynamicQuantV3GetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                const aclTensor* groupIndexOptional, int64_t, bool isSymmetrical,
                                                const char* quantMode, const aclTensor* yOut, const aclTensor* scaleOut,
                                                const aclTensor* offsetOut, uint64_t* workspaceSize,
                                                aclOpExecutor** executor) {
    return prepareNewer(__func__, "aclnnDynamicQuantV3", x, smoothScalesOptional, groupIndexOptional, isSymmetrical,
                        quantMode, 0.0F, yOut, scaleOut, offsetOut, workspaceSize, executor);
}

aclnnStatus aclnnDynamicQuantV3(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return launch(__func__, workspace, workspaceSize, executor, stream);
}

aclnnStatus aclnnDynamicQuantV4GetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                const aclTensor* groupIndexOptional, int64_t, bool isSymmetrical,
                                                const char* quantMode, float dstTypeMax, const aclTensor* yOut,
                                                const aclTensor* scaleOut, const aclTensor* offsetOut,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return prepareNewer(__func__, "aclnnDynamicQuantV4", x, smoothScalesOptional, groupIndexOptional, isSymmetrical,
                        quantMode, dstTypeMax, yOut, scaleOut, offsetOut, workspaceSize, executor);
}

aclnnStatus aclnnDynamicQuantV4(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) {
    return launch(__func__, workspace, workspaceSize, executor, stream);
}

namespace {

aclnnStatus prepareBundled(const char* function, const char* operation, const aclTensor* x, const aclTensor* smooth,
                           const aclTensor* group, bool symmetric, const aclTensor* y, const aclTensor* scale,
                           const aclTensor* offset, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(function, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkTensors(x, smooth, group, y, scale, offset));
        if (!symmetric) {
            ACLQ_RETURN_IF_FAILED(checkGiven("offsetOut", offset));
        }
        return prepare({operation, x, smooth, group, symmetric, QuantMode::PerToken, y, scale, offset, 0.0F, true},
                       workspaceSize, executor);
    });
}

}  // namespace

aclnnStatus aclnnAclquantDynamicQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                      const aclTensor* groupIndexOptional, const aclTensor* yOut,
                                                      const aclTensor* scaleOut, uint64_t* workspaceSize,
                                                      aclOpExecutor** executor) {
    return prepareBundled(__func__, "aclnnAclquantDynamicQuant", x, smoothScalesOptional, groupIndexOptional, true,
                          yOut, scaleOut, nullptr, workspaceSize, executor);
}

aclnnStatus aclnnAclquantDynamicQuant(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                      aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}

aclnnStatus aclnnAclquantDynamicQuantAsymmetricGetWorkspaceSize(const aclTensor* x,
                                                                const aclTensor* smoothScalesOptional,
                                                                const aclTensor* groupIndexOptional,
                                                                const aclTensor* yOut, const aclTensor* scaleOut,
                                                                const aclTensor* offsetOut, uint64_t* workspaceSize,
                                                                aclOpExecutor** executor) {
    return prepareBundled(__func__, "aclnnAclquantDynamicQuantAsymmetric", x, smoothScalesOptional, groupIndexOptional,
                          false, yOut, scaleOut, offsetOut, workspaceSize, executor);
}

aclnnStatus aclnnAclquantDynamicQuantAsymmetric(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                                aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}
