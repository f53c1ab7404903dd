// SPDX-License-Identifier: Apache-2.0
// The quantisation operators as nodes. The operators say which results they demand, and check everything else.
#include <initializer_list>
#include <string>
#include <utility>

#include "aclnnop/aclnn_ascend_anti_quant.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant_v2.h"
#include "aclnnop/aclnn_dynamic_quant_v4.h"
#include "aclnnop/aclnn_quant_matmul_v4.h"
#include "aclnnop/aclnn_quantize.h"
#include "aclnnop/aclnn_trans_quant_param_v3.h"
#include "aclquant/host_device.h"
#include "graph/failure.h"
#include "graph/nodes.h"

namespace aclq::graph {
namespace {

// The results of an operator whose other tensors are given, on the device.
Results makeResults(Device& device, const char* operation, std::initializer_list<const aclTensor*> tensors,
                    aclDataType dtype, const char* mode = nullptr) {
    aclquantOutput outputs[3];
    std::uint64_t count = std::size(outputs);
    check(aclquantInferOutputs(operation, tensors.begin(), tensors.size(), mode, dtype, outputs, &count));
    Results results;
    for (std::uint64_t index = 0; index < count; ++index) {
        const aclquantOutput& output = outputs[index];
        results.push_back(device.make(output.dtype, Dims(output.shape, output.shape + output.rank)));
    }
    return results;
}

Results ascendAntiQuant(const Operands& in) {
    Device& device = in.device;
    const aclDataType dtype = resultType(in.node.integer("dst_type", ACL_FLOAT16));
    const TensorHandle x = device.tensor(in[0]);
    Results results = makeResults(device, "aclnnAscendAntiQuant", {x}, dtype);
    device.call(aclnnAscendAntiQuantGetWorkspaceSize, aclnnAscendAntiQuant, x, device.tensor(in[1]),
                device.tensor(in.optional(2)), dtype, in.node.flag("sqrt_mode", false), device.tensor(results[0]));
    return results;
}

Results ascendQuant(const Operands& in) {
    Device& device = in.device;
    const aclDataType dtype = resultType(in.node.integer("dst_type", ACL_INT8));
    const std::string mode = in.node.text("round_mode", "round");
    const auto axis = static_cast<std::int32_t>(in.node.integer("axis", -1));
    const TensorHandle x = device.tensor(in[0]);
    Results results = makeResults(device, "aclnnAscendQuantV3", {x}, dtype);
    device.call(aclnnAscendQuantV3GetWorkspaceSize, aclnnAscendQuantV3, x, device.tensor(in[1]),
                device.tensor(in.optional(2)), in.node.flag("sqrt_mode", false), mode.c_str(), dtype, axis,
                device.tensor(results[0]));
    return results;
}

// The node's scales have the rank of x, with size 1 in all other dimensions; the operator's have one dimension.
Value flatten(const Value& value) {
    return reshape(value, {countOf(value.shape)});
}

Results quantize(const Operands& in) {
    Device& device = in.device;
    const std::string name = in.node.text("dtype", "");
    const aclDataType dtype = name == "torch.qint8"    ? ACL_INT8
                              : name == "torch.quint8" ? ACL_UINT8
                              : name == "torch.qint32" ? ACL_INT32
                                                       : ACL_DT_UNDEFINED;
    if (dtype == ACL_DT_UNDEFINED) {
        throw Failure("attribute 'dtype': got '" + name + "'; allowed: torch.qint8, torch.quint8, torch.qint32");
    }
    const auto axis = static_cast<std::int32_t>(in.node.integer("axis", 1));
    const TensorHandle x = device.tensor(in[0]);
    const Value scales = flatten(in[1]);
    const Value points = in.optional(2) != nullptr ? flatten(in[2]) : Value();
    Results results = makeResults(device, "aclnnQuantize", {x}, dtype);
    device.call(aclnnQuantizeGetWorkspaceSize, aclnnQuantize, x, device.tensor(scales),
                device.tensor(in.optional(2) != nullptr ? &points : nullptr), dtype, axis, device.tensor(results[0]));
    return results;
}

Results transQuantParam(const Operands& in) {
    Device& device = in.device;
    const TensorHandle scale = device.tensor(in[0]);
    const TensorHandle offset = device.tensor(in.optional(1));
    Results results = makeResults(device, "aclnnTransQuantParamV3", {scale, offset}, ACL_INT64);
    device.call(aclnnTransQuantParamV3GetWorkspaceSize, aclnnTransQuantParamV3, scale, offset,
                in.node.integer("round_mode", 0), device.tensor(results[0]));
    return results;
}

// A matrix, or its transposed view.
TensorHandle matrix(Device& device, const char* name, const Value& value, bool transpose) {
    if (value.shape.size() < 2) {
        throw Failure(std::string(name) + ": got " + describe(value) + "; allowed: 2 dimensions or more");
    }
    Dims shape = value.shape;
    Dims strides(shape.size(), 1);
    for (std::size_t dimension = shape.size() - 1; dimension-- > 0;) {
        strides[dimension] = strides[dimension + 1] * shape[dimension + 1];
    }
    if (transpose) {
        std::swap(*(shape.end() - 1), *(shape.end() - 2));
        std::swap(*(strides.end() - 1), *(strides.end() - 2));
    }
    return device.view(value, shape, strides);
}

Results quantMatmul(const Operands& in) {
    Device& device = in.device;
    const TensorHandle x1 = matrix(device, "x1", in[0], in.node.flag("transpose_x1", false));
    const TensorHandle x2 = matrix(device, "x2", in[1], in.node.flag("transpose_x2", false));
    Results results = makeResults(device, "aclnnQuantMatmulV4", {x1, x2}, resultType(in.node.integer("dtype")));
    device.call(aclnnQuantMatmulV4GetWorkspaceSize, aclnnQuantMatmulV4, x1, x2, device.tensor(in[2]),
                device.tensor(in.optional(3)), device.tensor(in.optional(5)), device.tensor(in.optional(4)), false,
                false, device.tensor(results[0]));
    return results;
}

// `symmetric`: without an offset.
Results quantizeDynamically(const Operands& in, bool symmetric) {
    Device& device = in.device;
    const aclDataType dtype = resultType(in.node.integer("dst_type", ACL_INT8));
    const std::string mode = in.node.text("quant_mode", "pertoken");
    const float most = in.node.real("dst_type_max", 0);
    const TensorHandle x = device.tensor(in[0]);
    const TensorHandle smooth = device.tensor(in.optional(1));
    const TensorHandle groups = device.tensor(in.optional(2));
    Results results = makeResults(device, "aclnnDynamicQuantV4", {x, smooth, groups}, dtype, mode.c_str());
    if (symmetric) {
        results.pop_back();
    }
    const TensorHandle y = device.tensor(results[0]);
    const TensorHandle scale = device.tensor(results[1]);
    const TensorHandle offset = device.tensor(symmetric ? nullptr : &results[2]);
    // The same choice as torch_npu's outside graphs.
    if (mode == "pertoken" && most == 0) {
        device.call(aclnnDynamicQuantV2GetWorkspaceSize, aclnnDynamicQuantV2, x, smooth, groups, dtype, y, scale,
                    offset);
    } else {
        device.call(aclnnDynamicQuantV4GetWorkspaceSize, aclnnDynamicQuantV4, x, smooth, groups, dtype, symmetric,
                    mode.c_str(), most, y, scale, offset);
    }
    return results;
}

Results dynamicQuant(const Operands& in) {
    return quantizeDynamically(in, true);
}
Results dynamicQuantV2(const Operands& in) {
    return quantizeDynamically(in, in.node.flag("is_symmetrical", false));
}

}  // namespace

void addQuantisationKinds(Kinds& kinds) {
    kinds["AscendAntiQuantV2"] = {ascendAntiQuant, {"x", "scale", "offset"}, {"dst_type", "sqrt_mode"}};
    kinds["AscendQuantV2"] = {ascendQuant, {"x", "scale", "offset"}, {"axis", "dst_type", "round_mode", "sqrt_mode"}};
    kinds["Quantize"] = {quantize, {"x", "scales", "zero_points"}, {"axis", "dtype"}};
    kinds["TransQuantParamV2"] = {transQuantParam, {"scale", "offset"}, {"round_mode"}};
    kinds["QuantBatchMatmulV3"] = {quantMatmul,
                                   {"x1", "x2", "scale", "offset", "bias", "pertoken_scale"},
                                   {"dtype", "transpose_x1", "transpose_x2"}};
    kinds["DynamicQuant"] = {dynamicQuant, {"x", "smooth_scales", "group_index"}, {"dst_type"}};
    kinds["DynamicQuantV2"] = {dynamicQuantV2,
                               {"x", "smooth_scales", "group_index"},
                               {"dst_type", "dst_type_max", "is_symmetrical", "quant_mode"}};
}

}  // namespace aclq::graph
