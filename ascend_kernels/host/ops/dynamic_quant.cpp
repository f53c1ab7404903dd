// SPDX-License-Identifier: Apache-2.0
// aclnnDynamicQuant, V2, V3, V4: scales and offsets from the data, for each row, for the tensor or for each channel.
#include "ops/dynamic_quant.h"

#include <string_view>

#include "aclnnop/aclnn_dynamic_quant.h"
#include "aclnnop/aclnn_dynamic_quant_v2.h"
#include "aclnnop/aclnn_dynamic_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant_v4.h"
#include "aclquant/kernels.h"
#include "ops/infer.h"

using namespace aclq;

namespace {

constexpr std::int64_t kMaxGroups = 1024;
constexpr std::int64_t kInferenceSeriesBlock = 32;
constexpr float kLargestDstTypeMax = 32768.0F;

using Tensors = DynamicQuantTensors<Argument>;

struct Call {
    const char* operation;
    Tensors tensors;
    DynamicQuantAttributes attributes;
    bool bundled = false;  // of the kernels that come with aclquant: the same types and lengths on all chips
};

aclnnStatus checkGivenOnes(const Tensors& t) {
    ACLQ_RETURN_IF_FAILED(checkGiven(t.x));
    ACLQ_RETURN_IF_FAILED(checkGiven(t.y));
    ACLQ_RETURN_IF_FAILED(checkGiven(t.scale));
    ACLQ_RETURN_IF_FAILED(checkAlive(t.smooth));
    ACLQ_RETURN_IF_FAILED(checkAlive(t.groups));
    return checkAlive(t.offset);
}

aclnnStatus checkDtypes(const Tensors& t, bool bundled) {
    const bool few = isInferenceSeries() && !bundled;
    if (few) {
        ACLQ_RETURN_IF_FAILED(checkDtype(t.x, {ACL_FLOAT16}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype(t.x, {ACL_FLOAT16, ACL_BF16}));
    }
    if (t.smooth) {
        if (t.smooth->dtype != t.x->dtype) {
            return refuseDtype(t.smooth, nameOf(t.x->dtype) + ", the dtype of x");
        }
        ACLQ_RETURN_IF_FAILED(checkDtype(t.groups, {ACL_INT32, ACL_INT64}));
    }
    if (few) {
        ACLQ_RETURN_IF_FAILED(checkDtype(t.y, {ACL_INT8}));
    } else {
        ACLQ_RETURN_IF_FAILED(checkDtype(t.y, {ACL_INT8, ACL_INT4, ACL_INT32}));
    }
    ACLQ_RETURN_IF_FAILED(checkDtype(t.scale, {ACL_FLOAT}));
    return checkDtype(t.offset, {ACL_FLOAT});
}

aclnnStatus checkSmooth(const Tensors& t, QuantMode mode) {
    if (!t.smooth) {
        return ACLNN_SUCCESS;
    }
    if (t.groups) {
        return checkRank(t.groups, 1, 1);
    }
    const std::int64_t rank = t.x->shape.rank();
    const bool perChannel = mode == QuantMode::PerChannel;
    const std::int64_t size = t.x->shape[perChannel ? rank - 2 : rank - 1];
    return checkShape(t.smooth, Dims(&size, 1), perChannel ? "x's second-last dimension" : "x's last dimension");
}

aclnnStatus checkShapes(const Tensors& t, QuantMode mode) {
    ACLQ_RETURN_IF_FAILED(checkRank(t.x, 2, 8));
    ACLQ_RETURN_IF_FAILED(checkSmooth(t, mode));
    ACLQ_RETURN_IF_FAILED(checkQuantized(t.y, t.x));
    constexpr const char* kSource[] = {"x's shape without the last dimension", "one for the tensor",
                                       "x's shape without the second-last dimension"};
    ACLQ_RETURN_IF_FAILED(
        checkShape(t.scale, dynamicQuantParameterShape(t.x->shape, mode), kSource[static_cast<int>(mode)]));
    return checkShape(t.offset, t.scale->shape, "the shape of scaleOut");
}

aclnnStatus refuseTiling(const char* argument, const std::string& got, const std::string& allowed) {
    return failArgument(ACLNN_ERR_INNER_NULLPTR, argument, got, allowed);
}

// The checks accept these, and the tiling behind them refuses them.
aclnnStatus checkTiling(const Tensors& t, float dstTypeMax, bool bundled) {
    const std::int64_t last = t.x->shape.last();
    if (!(dstTypeMax >= 0.0F && dstTypeMax <= kLargestDstTypeMax)) {
        return refuseTiling("dstTypeMax", text("%g", static_cast<double>(dstTypeMax)), "0 to 32768");
    }
    if (isInferenceSeries() && !bundled) {
        return last % kInferenceSeriesBlock == 0
                   ? ACLNN_SUCCESS
                   : refuseTiling(t.x.name, "shape " + t.x->shape.text(),
                                  text("a last dimension that is a multiple of 32 (%s)", settings().soc->name));
    }
    if (!t.smooth || !t.groups) {
        return ACLNN_SUCCESS;
    }
    const std::int64_t groups = t.groups->elements();
    if (groups > kMaxGroups) {
        return refuseTiling(t.groups.name, "shape " + t.groups->shape.text(), "at most 1024 elements");
    }
    if (t.groups->dtype != ACL_INT32) {
        return refuseTiling(t.groups.name, "dtype " + nameOf(t.groups->dtype), "INT32");
    }
    const std::int64_t expected[] = {groups, last};
    const Dims shape = groups == 0 ? Dims(&last, 1) : Dims(expected, 2);
    return t.smooth->shape == shape
               ? ACLNN_SUCCESS
               : refuseTiling(t.smooth.name, "shape " + t.smooth->shape.text(),
                              shape.text() + ", a row of x's last dimension for each element of groupIndexOptional");
}

aclnnStatus prepare(Call call, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    Tensors& t = call.tensors;
    ACLQ_RETURN_IF_FAILED(checkDtypes(t, call.bundled));
    ACLQ_RETURN_IF_FAILED(checkShapes(t, call.attributes.mode));
    if (t.x->empty() || t.y->empty() || t.scale->empty()) {
        return finishEmpty(call.operation, workspaceSize, executor);
    }
    ACLQ_RETURN_IF_FAILED(checkTiling(t, call.attributes.dstTypeMax, call.bundled));
    if (!t.smooth || (t.groups && t.groups->empty())) {
        t.groups.tensor = nullptr;
    }
    // The bundled kernels compute as the A2's of 8.1, on all chips.
    const Family family = call.bundled ? Family::A2 : settings().soc->family;
    const int version = call.bundled ? 8 : static_cast<int>(settings().version.major);
    const auto kernel = makeDynamicQuant(call.attributes, family, version);
    return finish(call.operation, t, kernel, workspaceSize, executor);
}

Tensors named(const aclTensor* x, const aclTensor* smooth, const aclTensor* groups, const aclTensor* y,
              const aclTensor* scale, const aclTensor* offset) {
    return {{"x", x},
            {"smoothScalesOptional", smooth},
            {"groupIndexOptional", groups},
            {"yOut", y},
            {"scaleOut", scale},
            {"offsetOut", offset}};
}

// V3 and V4 have more than their signatures in common.
aclnnStatus prepareNewer(const char* function, Call call, const char* quantMode, std::uint64_t* workspaceSize,
                         aclOpExecutor** executor) {
    return phase1(function, workspaceSize, executor, [&]() -> aclnnStatus {
        const Tensors& t = call.tensors;
        if (settings().strictSoc) {
            return fail(ACLNN_ERR_INNER,
                        text("%s runs on the Ascend 950 family only, this is %s (ACLQUANT_HOST_STRICT_SOC is on)",
                             call.operation, settings().soc->name));
        }
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(t));
        const bool symmetric = call.attributes.symmetric;
        if (symmetric != !t.offset) {
            return refuse(t.offset, symmetric ? "a tensor" : "null",
                          symmetric ? "null with isSymmetrical true" : "a tensor with isSymmetrical false");
        }
        if (!readQuantMode(quantMode, call.attributes.mode)) {
            return refuse("quantMode", quantMode == nullptr ? "null" : text("'%.32s'", quantMode),
                          "'pertoken', 'pertensor' or 'perchannel'");
        }
        if (call.attributes.mode == QuantMode::PerChannel && t.groups) {
            return refuse(t.groups, "a tensor", "null with quantMode 'perchannel'");
        }
        return prepare(call, workspaceSize, executor);
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

namespace aclq {

bool readQuantMode(const char* name, QuantMode& mode) {
    constexpr std::pair<std::string_view, QuantMode> kModes[] = {
        {"pertoken", QuantMode::PerToken}, {"pertensor", QuantMode::PerTensor}, {"perchannel", QuantMode::PerChannel}};
    for (const auto& [known, value] : kModes) {
        if (name != nullptr && known == name) {
            mode = value;
            return true;
        }
    }
    return false;
}

Dims dynamicQuantParameterShape(const Dims& x, QuantMode mode) {
    if (mode == QuantMode::PerTensor) {
        const std::int64_t one = 1;
        return Dims(&one, 1);
    }
    Dims shape(x.data(), static_cast<std::uint64_t>(x.rank() - 1));
    if (mode == QuantMode::PerChannel) {
        shape[shape.rank() - 1] = x.last();
    }
    return shape;
}

}  // namespace aclq

#define ACLQ_DYNAMIC_PHASE_2(name)                                                                           \
    aclnnStatus name(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor, aclrtStream stream) { \
        return launch(__func__, workspace, workspaceSize, executor, stream);                                 \
    }

aclnnStatus aclnnDynamicQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                              const aclTensor* yOut, const aclTensor* scaleOut, uint64_t* workspaceSize,
                                              aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Tensors tensors = named(x, smoothScalesOptional, nullptr, yOut, scaleOut, nullptr);
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(tensors));
        return prepare({"aclnnDynamicQuant", tensors, {true, QuantMode::PerToken}}, workspaceSize, executor);
    });
}
ACLQ_DYNAMIC_PHASE_2(aclnnDynamicQuant)

// dstType is not read: the dtype of yOut decides.
aclnnStatus aclnnDynamicQuantV2GetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                const aclTensor* groupIndexOptional, int64_t, const aclTensor* yOut,
                                                const aclTensor* scaleOut, const aclTensor* offsetOut,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return phase1(__func__, workspaceSize, executor, [&]() -> aclnnStatus {
        const Tensors tensors = named(x, smoothScalesOptional, groupIndexOptional, yOut, scaleOut, offsetOut);
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(tensors));
        return prepare({"aclnnDynamicQuantV2", tensors, {offsetOut == nullptr, QuantMode::PerToken}}, workspaceSize,
                       executor);
    });
}
ACLQ_DYNAMIC_PHASE_2(aclnnDynamicQuantV2)

aclnnStatus aclnnDynamicQuantV3GetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                const aclTensor* groupIndexOptional, int64_t, bool isSymmetrical,
                                                const char* quantMode, const aclTensor* yOut, const aclTensor* scaleOut,
                                                const aclTensor* offsetOut, uint64_t* workspaceSize,
                                                aclOpExecutor** executor) {
    return prepareNewer(__func__,
                        {"aclnnDynamicQuantV3",
                         named(x, smoothScalesOptional, groupIndexOptional, yOut, scaleOut, offsetOut),
                         {isSymmetrical, QuantMode::PerToken}},
                        quantMode, workspaceSize, executor);
}
ACLQ_DYNAMIC_PHASE_2(aclnnDynamicQuantV3)

aclnnStatus aclnnDynamicQuantV4GetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                const aclTensor* groupIndexOptional, int64_t, bool isSymmetrical,
                                                const char* quantMode, float dstTypeMax, const aclTensor* yOut,
                                                const aclTensor* scaleOut, const aclTensor* offsetOut,
                                                uint64_t* workspaceSize, aclOpExecutor** executor) {
    return prepareNewer(__func__,
                        {"aclnnDynamicQuantV4",
                         named(x, smoothScalesOptional, groupIndexOptional, yOut, scaleOut, offsetOut),
                         {isSymmetrical, QuantMode::PerToken, dstTypeMax}},
                        quantMode, workspaceSize, executor);
}
ACLQ_DYNAMIC_PHASE_2(aclnnDynamicQuantV4)

namespace {

aclnnStatus prepareBundled(const char* function, const Call& call, std::uint64_t* workspaceSize,
                           aclOpExecutor** executor) {
    return phase1(function, workspaceSize, executor, [&]() -> aclnnStatus {
        ACLQ_RETURN_IF_FAILED(checkGivenOnes(call.tensors));
        if (!call.attributes.symmetric) {
            ACLQ_RETURN_IF_FAILED(checkGiven(call.tensors.offset));
        }
        return prepare(call, workspaceSize, executor);
    });
}

}  // namespace

aclnnStatus aclnnAclquantDynamicQuantGetWorkspaceSize(const aclTensor* x, const aclTensor* smoothScalesOptional,
                                                      const aclTensor* groupIndexOptional, const aclTensor* yOut,
                                                      const aclTensor* scaleOut, uint64_t* workspaceSize,
                                                      aclOpExecutor** executor) {
    return prepareBundled(__func__,
                          {"aclnnAclquantDynamicQuant",
                           named(x, smoothScalesOptional, groupIndexOptional, yOut, scaleOut, nullptr),
                           {true, QuantMode::PerToken},
                           true},
                          workspaceSize, executor);
}
ACLQ_PHASE_2(aclnnAclquantDynamicQuant, WorkspaceRule::Whole)

aclnnStatus aclnnAclquantDynamicQuantAsymmetricGetWorkspaceSize(const aclTensor* x,
                                                                const aclTensor* smoothScalesOptional,
                                                                const aclTensor* groupIndexOptional,
                                                                const aclTensor* yOut, const aclTensor* scaleOut,
                                                                const aclTensor* offsetOut, uint64_t* workspaceSize,
                                                                aclOpExecutor** executor) {
    return prepareBundled(__func__,
                          {"aclnnAclquantDynamicQuantAsymmetric",
                           named(x, smoothScalesOptional, groupIndexOptional, yOut, scaleOut, offsetOut),
                           {false, QuantMode::PerToken},
                           true},
                          workspaceSize, executor);
}
ACLQ_PHASE_2(aclnnAclquantDynamicQuantAsymmetric, WorkspaceRule::Whole)
