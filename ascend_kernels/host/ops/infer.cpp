// SPDX-License-Identifier: Apache-2.0
#include "ops/infer.h"

#include <algorithm>

#include "ops/dynamic_quant.h"
#include "ops/quant_matmul.h"
#include "ops/trans_quant_param.h"

namespace aclq {

bool quantizedShape(const Dims& x, aclDataType dtype, Dims& shape) {
    shape = x;
    if (dtype != ACL_INT32) {
        return true;
    }
    if (x.rank() == 0 || x.last() % 8 != 0) {
        return false;
    }
    shape[x.rank() - 1] /= 8;
    return true;
}

bool unpackedShape(const Dims& x, aclDataType dtype, Dims& shape) {
    const std::int64_t one = 1;
    shape = dtype == ACL_INT32 && x.rank() == 0 ? Dims(&one, 1) : x;
    return dtype != ACL_INT32 || !__builtin_mul_overflow(shape.last(), 8, &shape[shape.rank() - 1]);
}

namespace {

using Request = InferenceRequest;
using Outputs = std::vector<InferredOutput>;

aclnnStatus given(const Request& request, std::size_t index, const char* name) {
    return checkGiven(name, request.tensor(index));
}

aclnnStatus sameShape(const Request& request, Outputs& outputs) {
    ACLQ_RETURN_IF_FAILED(given(request, 0, "x"));
    outputs = {{request.dtype, request.tensors[0]->shape}};
    return ACLNN_SUCCESS;
}

aclnnStatus quantized(const Request& request, Outputs& outputs) {
    ACLQ_RETURN_IF_FAILED(given(request, 0, "x"));
    const Dims& x = request.tensors[0]->shape;
    outputs = {{request.dtype, {}}};
    return quantizedShape(x, request.dtype, outputs[0].shape)
               ? ACLNN_SUCCESS
               : refuse("x", "shape " + x.text(), "a last dimension that is a multiple of 8 for results of INT32");
}

aclnnStatus antiQuantized(const Request& request, Outputs& outputs) {
    ACLQ_RETURN_IF_FAILED(given(request, 0, "x"));
    const aclTensor& x = *request.tensors[0];
    outputs = {{request.dtype, {}}};
    return unpackedShape(x.shape, x.dtype, outputs[0].shape)
               ? ACLNN_SUCCESS
               : refuse("x", "shape " + x.shape.text(), "a last dimension of which eight times fit into 64 bits");
}

aclnnStatus transQuantParam(const Request& request, Outputs& outputs) {
    ACLQ_RETURN_IF_FAILED(given(request, 0, "scale"));
    ACLQ_RETURN_IF_FAILED(checkAlive("offset", request.tensor(1)));
    const aclTensor* offset = request.tensor(1);
    outputs = {
        {request.dtype, transQuantParamShape(request.tensors[0]->shape, offset != nullptr ? &offset->shape : nullptr)}};
    return ACLNN_SUCCESS;
}

// Scale and offset follow y; a caller without an offset leaves the last one out.
aclnnStatus dynamicQuant(const Request& request, Outputs& outputs) {
    ACLQ_RETURN_IF_FAILED(quantized(request, outputs));
    const Dims& x = request.tensors[0]->shape;
    ACLQ_RETURN_IF_FAILED(checkRank("x", *request.tensors[0], 2, 8));
    QuantMode mode = QuantMode::PerToken;
    if (request.mode != nullptr && !readQuantMode(request.mode, mode)) {
        return refuse("mode", text("'%.32s'", request.mode), "'pertoken', 'pertensor' or 'perchannel'");
    }
    const InferredOutput parameters{ACL_FLOAT, dynamicQuantParameterShape(x, mode)};
    outputs.push_back(parameters);
    outputs.push_back(parameters);
    return ACLNN_SUCCESS;
}

aclnnStatus quantMatmul(const Request& request, Outputs& outputs) {
    ACLQ_RETURN_IF_FAILED(given(request, 0, "x1"));
    ACLQ_RETURN_IF_FAILED(given(request, 1, "x2"));
    outputs = {{request.dtype, {}}};
    return quantMatmulShape(*request.tensors[0], *request.tensors[1], outputs[0].shape);
}

struct Inference {
    std::string_view operation;
    aclnnStatus (*infer)(const Request& request, Outputs& outputs);
};
constexpr Inference kInferences[] = {
    {"aclnnQuantize", sameShape},
    {"aclnnAscendQuant", quantized},
    {"aclnnAscendQuantV3", quantized},
    {"aclnnAscendAntiQuant", antiQuantized},
    {"aclnnTransQuantParamV2", transQuantParam},
    {"aclnnTransQuantParamV3", transQuantParam},
    {"aclnnDynamicQuant", dynamicQuant},
    {"aclnnDynamicQuantV2", dynamicQuant},
    {"aclnnDynamicQuantV3", dynamicQuant},
    {"aclnnDynamicQuantV4", dynamicQuant},
    {"aclnnQuantMatmulV3", quantMatmul},
    {"aclnnQuantMatmulV4", quantMatmul},
    {"aclnnQuantMatmulV5", quantMatmul},
};

}  // namespace

aclnnStatus inferOutputs(const InferenceRequest& request, std::vector<InferredOutput>& outputs) {
    const auto* const found =
        std::find_if(std::begin(kInferences), std::end(kInferences),
                     [&](const Inference& inference) { return inference.operation == request.operation; });
    return found != std::end(kInferences) ? found->infer(request, outputs)
                                          : refuse("operation", text("'%.64s'", std::string(request.operation).c_str()),
                                                   "a quantisation operator of two phases, such as aclnnQuantize");
}

}  // namespace aclq
