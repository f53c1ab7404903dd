// SPDX-License-Identifier: Apache-2.0
// aclnnTransQuantParam (on the host), V2 and V3 (on the device): scale and offset packed into the 64-bit word that the
// matrix unit reads. The host function and the device operators differ; see docs/ops/trans_quant_param.md.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "aclnnop/aclnn_trans_quant_param.h"
#include "aclnnop/aclnn_trans_quant_param_v2.h"
#include "aclnnop/aclnn_trans_quant_param_v3.h"
#include "aclquant/kernels.h"
#include "ops/elements.h"
#include "ops/phase1.h"
#include "simd/numeric.h"

using namespace aclq;

namespace {

constexpr std::uint64_t kSignedResult = 1ULL << 46;
constexpr int kOffsetShift = 37;
std::uint64_t offsetField(std::int32_t offset) {
    return static_cast<std::uint64_t>(std::clamp(offset, -256, 255) & 0x1FF) << kOffsetShift;
}

std::uint32_t bitsOfFloat(float value) {
    return __builtin_bit_cast(std::uint32_t, value);
}

// Tensors: scale, offset (may be left out), out.
class TransQuantParam : public Kernel {
  public:
    explicit TransQuantParam(bool roundToNearest) : roundToNearest_(roundToNearest) {}

    void run(const View* tensors, const KernelContext&) const override {
        const View& out = tensors[2];
        const Values scale(tensors[0]);
        const Values offset(tensors[1]);
        parallelFor(std::max(scale.count, offset.count), kThreadGrain, [&](std::int64_t begin, std::int64_t end) {
            RowWriter writer(out);
            kernels().packScales({scale.from(begin), scale.step, offset.from(begin), offset.step, roundToNearest_},
                                 end - begin, writer.prepareOutput(begin, 1, end - begin));
        });
    }

  private:
    // Those of a tensor, contiguous as phase 2 has made sure; a single one stands for all.
    struct Values {
        explicit Values(const View& view)
            : values(view.present ? floatsOf(view) : nullptr),
              count(view.present ? view.elements() : 0),
              step(count > 1 ? 1 : 0) {}
        const float* from(std::int64_t first) const { return step == 0 ? values : values + first; }

        const float* const values;  // null: there are none
        const std::int64_t count;
        const std::int64_t step;
    };

    const bool roundToNearest_;
};

bool isVectorShape(const Dims& shape) {
    return (shape.rank() == 1 && shape[0] >= 1) || (shape.rank() == 2 && shape[0] == 1 && shape[1] >= 1);
}

aclnnStatus checkVector(const char* argument, const aclTensor& tensor) {
    return isVectorShape(tensor.shape) ? ACLNN_SUCCESS
                                       : refuse(argument, "shape " + tensor.shape.text(),
                                                text("(n,) or (1, n) with n of 1 or more (%s)", settings().soc->name));
}

aclnnStatus checkNd(const char* argument, const aclTensor& tensor) {
    return tensor.format == ACL_FORMAT_ND ? ACLNN_SUCCESS : refuse(argument, "format " + nameOf(tensor.format), "ND");
}

// The chip would read or write past the end of these; see the operator's page.
aclnnStatus checkLengths(const aclTensor& scale, const aclTensor* offset, const aclTensor& out) {
    const std::int64_t scales = scale.elements();
    const std::int64_t offsets = offset != nullptr ? offset->elements() : 0;
    if (scales != 1 && offsets > 1 && scales != offsets) {
        return refuse("offset", "shape " + offset->shape.text(),
                      "one element, or as many as scale of shape " + scale.shape.text());
    }
    const std::int64_t needed = std::max(scales, offsets);
    return out.empty() || out.elements() >= needed
               ? ACLNN_SUCCESS
               : refuse("out", "shape " + out.shape.text(),
                        text("at least %lld elements", static_cast<long long>(needed)));
}

aclnnStatus prepare(const char* operation, const aclTensor* scale, const aclTensor* offset, std::int64_t roundMode,
                    const aclTensor* out, std::uint64_t* workspaceSize, aclOpExecutor** executor) {
    ACLQ_RETURN_IF_FAILED(checkDevice());
    ACLQ_RETURN_IF_FAILED(checkGiven("scale", scale));
    ACLQ_RETURN_IF_FAILED(checkGiven("out", out));
    ACLQ_RETURN_IF_FAILED(checkAlive("offset", offset));
    ACLQ_RETURN_IF_FAILED(checkDtype("scale", *scale, {ACL_FLOAT}));
    if (offset != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkDtype("offset", *offset, {ACL_FLOAT}));
    }
    ACLQ_RETURN_IF_FAILED(checkDtype("out", *out, {ACL_UINT64, ACL_INT64}));
    ACLQ_RETURN_IF_FAILED(checkNd("scale", *scale));
    ACLQ_RETURN_IF_FAILED(checkNd("out", *out));
    if (offset != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkNd("offset", *offset));
    }
    ACLQ_RETURN_IF_FAILED(checkVector("scale", *scale));
    if (offset != nullptr) {
        ACLQ_RETURN_IF_FAILED(checkVector("offset", *offset));
    }
    if (roundMode != 0 && roundMode != 1) {
        // After the shapes, before what only the host device checks.
        return refuse("roundMode", std::to_string(roundMode), "0 (truncate) or 1 (to nearest even)");
    }
    ACLQ_RETURN_IF_FAILED(checkLengths(*scale, offset, *out));
    // The operator itself does this to its caller's tensor.
    const_cast<aclTensor*>(out)->dtype = ACL_UINT64;
    ACLQ_RETURN_IF_FAILED(checkResults(workspaceSize, executor));
    if (out->empty()) {
        return finishEmpty(operation, workspaceSize, executor);
    }
    // Strides of out are ignored, the words are written one behind the other; inputs must be contiguous, which is
    // found out when phase 2 fills in addresses.
    const std::int64_t words = std::max(scale->elements(), offset != nullptr ? offset->elements() : 0);
    aclTensor dense = *out;
    dense.shape = Dims(&words, 1);
    dense.strides = Dims::contiguousStrides(dense.shape);
    return finish(operation, {{"scale", scale, true}, {"offset", offset, true}, {"out", out, true, &dense}},
                  std::make_shared<TransQuantParam>(roundMode == 1), workspaceSize, executor);
}

template <class Body>
aclnnStatus guarded(const char* function, Body&& body) noexcept {
    return api(function, ACLNN_ERR_INNER_CREATE_EXECUTOR, ACLNN_ERR_INNER, static_cast<Body&&>(body));
}

}  // namespace

aclnnStatus aclnnTransQuantParamV2GetWorkspaceSize(const aclTensor* scale, const aclTensor* offset,
                                                   const aclTensor* out, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    return guarded(__func__,
                   [&] { return prepare("aclnnTransQuantParamV2", scale, offset, 0, out, workspaceSize, executor); });
}

aclnnStatus aclnnTransQuantParamV2(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                   const aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}

aclnnStatus aclnnTransQuantParamV3GetWorkspaceSize(const aclTensor* scale, const aclTensor* offset, int64_t roundMode,
                                                   const aclTensor* out, uint64_t* workspaceSize,
                                                   aclOpExecutor** executor) {
    return guarded(__func__, [&] {
        return prepare("aclnnTransQuantParamV3", scale, offset, roundMode, out, workspaceSize, executor);
    });
}

aclnnStatus aclnnTransQuantParamV3(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                   const aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}

aclnnStatus aclnnAclquantTransQuantParamGetWorkspaceSize(const aclTensor* scale, const aclTensor* offsetOptional,
                                                         int64_t roundMode, const aclTensor* yOut,
                                                         uint64_t* workspaceSize, aclOpExecutor** executor) {
    return guarded(__func__, [&] {
        return prepare("aclnnAclquantTransQuantParam", scale, offsetOptional, roundMode, yOut, workspaceSize, executor);
    });
}

aclnnStatus aclnnAclquantTransQuantParam(void* workspace, uint64_t workspaceSize, aclOpExecutor* executor,
                                         aclrtStream stream) {
    return runExecutor(__func__, workspace, workspaceSize, executor, stream, WorkspaceRule::Whole);
}

aclnnStatus aclnnTransQuantParam(const float* scaleArray, uint64_t scaleSize, const float* offsetArray,
                                 uint64_t offsetSize, uint64_t** quantParam, uint64_t* quantParamSize) {
    return guarded(__func__, [&]() -> aclnnStatus {
        if (offsetArray != nullptr && offsetSize == 0) {
            return refuse("offsetSize", "0", "1 or more with an offsetArray");
        }
        if (offsetArray == nullptr && offsetSize != 0) {
            return refuse("offsetArray", "null with offsetSize " + std::to_string(offsetSize),
                          "an array, or null with offsetSize 0");
        }
        if (scaleArray == nullptr || scaleSize == 0) {
            return refuse(scaleArray == nullptr ? "scaleArray" : "scaleSize", scaleArray == nullptr ? "null" : "0",
                          "an array of 1 element or more");
        }
        if (quantParam == nullptr || quantParamSize == nullptr) {
            return failArgument(ACLNN_ERR_PARAM_NULLPTR, quantParam == nullptr ? "quantParam" : "quantParamSize",
                                "null", "a pointer for the result");
        }
        const std::uint64_t longest = std::max(scaleSize, offsetSize);
        const std::uint64_t count = longest == 1 || longest > UINT64_MAX - 15 ? longest : (longest + 15) / 16 * 16;
        // The caller releases it with free().
        auto* words = static_cast<std::uint64_t*>(std::calloc(count, sizeof(std::uint64_t)));
        if (words == nullptr) {
            *quantParamSize = 0;
            return fail(ACLNN_ERR_INNER_NULLPTR,
                        text("no memory for %llu words", static_cast<unsigned long long>(count)));
        }
        for (std::uint64_t i = 0; i < scaleSize; ++i) {
            words[i] = kSignedResult | bitsOfFloat(scaleArray[i]);  // all 32 bits
        }
        for (std::uint64_t i = 0; i < offsetSize; ++i) {
            // Half away from zero, unlike the device operators. Where C leaves the conversion undefined: saturate.
            words[i] |= offsetField(scalar::toInt32(std::round(offsetArray[i])));
        }
        *quantParam = words;
        *quantParamSize = count;
        return ACLNN_SUCCESS;
    });
}
