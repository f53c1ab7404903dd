// SPDX-License-Identifier: Apache-2.0
// The quantisation operators as nodes: shapes of the results are found here, everything else by the operators.
#include <algorithm>
#include <string>

#include "aclnnop/aclnn_ascend_anti_quant.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant_v2.h"
#include "aclnnop/aclnn_dynamic_quant_v4.h"
#include "aclnnop/aclnn_quant_matmul_v4.h"
#include "aclnnop/aclnn_quantize.h"
#include "aclnnop/aclnn_trans_quant_param_v3.h"
#include "graph/failure.h"
#include "graph/nodes.h"

namespace aclq::graph {
namespace {

Results ascendAntiQuant(const Operands& in) {
    Device& device = in.device;
    const aclDataType dtype = resultType(in.node.integer("dst_type", ACL_FLOAT16));
    const Value y = device.make(dtype, in[0].shape);
    device.call(aclnnAscendAntiQuantGetWorkspaceSize, aclnnAscendAntiQuant, device.tensor(in[0]), device.tensor(in[1]),
                device.tensor(in.optional(2)), dtype, in.node.flag("sqrt_mode", false), device.tensor(y));
    return {y};
}

Results ascendQuant(const Operands& in) {
    Device& device = in.device;
    const aclDataType dtype = resultType(in.node.integer("dst_type", ACL_INT8));
    const std::string mode = in.node.text("round_mode", "round");
    const auto axis = static_cast<std::int32_t>(in.node.integer("axis", -1));
    const Value y = device.make(dtype, in[0].shape);
    device.call(aclnnAscendQuantV3GetWorkspaceSize, aclnnAscendQuantV3, device.tensor(in[0]), device.tensor(in[1]),
                device.tensor(in.optional(2)), in.node.flag("sqrt_mode", false), mode.c_str(), dtype, axis,
                device.tensor(y));
    return {y};
}

// The node's scales have the rank of x, with ones beside the axis; the operator's have one dimension.
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
    const Value y = device.make(dtype, in[0].shape);
    const Value scales = flatten(in[1]);
    const Value points = in.optional(2) != nullptr ? flatten(in[2]) : Value();
    device.call(aclnnQuantizeGetWorkspaceSize, aclnnQuantize, device.tensor(in[0]), device.tensor(scales),
                device.tensor(in.optional(2) != nullptr ? &points : nullptr), dtype, axis, device.tensor(y));
    return {y};
}

Results transQuantParam(const Operands& in) {
    Device& device = in.device;
    const Value* offset = in.optional(1);
    const bool longer =
        offset != nullptr && in[0].shape.size() == 1 && !offset->shape.empty() && offset->shape[0] >= in[0].shape[0];
    const Value y = device.make(ACL_INT64, longer ? offset->shape : in[0].shape);
    device.call(aclnnTransQuantParamV3GetWorkspaceSize, aclnnTransQuantParamV3, device.tensor(in[0]),
                device.tensor(offset), in.node.integer("round_mode", 0), device.tensor(y));
    return {y};
}

Results quantMatmul(const Operands& in) {
    Device& device = in.device;
    const bool transpose1 = in.node.flag("transpose_x1", false);
    const bool transpose2 = in.node.flag("transpose_x2", false);
    const Value& x1 = in[0];
    const Value& x2 = in[1];
    if (x1.shape.size() < 2 || x2.shape.size() < 2) {
        throw Failure("x1 and x2: got " + describe(x1) + " and " + describe(x2) + "; allowed: 2 dimensions or more");
    }
    Dims shape = broadcast({x1.shape.begin(), x1.shape.end() - 2}, {x2.shape.begin(), x2.shape.end() - 2});
    shape.push_back(*(x1.shape.end() - (transpose1 ? 1 : 2)));
    shape.push_back(*(x2.shape.end() - (transpose2 ? 2 : 1)));
    const Value y = device.make(resultType(in.node.integer("dtype")), shape);
    device.call(aclnnQuantMatmulV4GetWorkspaceSize, aclnnQuantMatmulV4, device.tensor(x1), device.tensor(x2),
                device.tensor(in[2]), device.tensor(in.optional(3)), device.tensor(in.optional(5)),
                device.tensor(in.optional(4)), transpose1, transpose2, device.tensor(y));
    return {y};
}

Dims parameterShape(const Value& x, const std::string& mode) {
    if (x.shape.size() < 2) {
        throw Failure("x: got " + describe(x) + "; allowed: 2 dimensions or more");
    }
    if (mode == "pertensor") {
        return {1};
    }
    Dims shape = x.shape;
    shape.erase(shape.end() - (mode == "perchannel" ? 2 : 1));  // another mode is for phase 1 to refuse
    return shape;
}

// `symmetric`: without an offset.
Results quantizeDynamically(const Operands& in, bool symmetric) {
    Device& device = in.device;
    const aclDataType dtype = resultType(in.node.integer("dst_type", ACL_INT8));
    const std::string mode = in.node.text("quant_mode", "pertoken");
    const float most = in.node.real("dst_type_max", 0);
    const Dims shape = parameterShape(in[0], mode);
    Results results{device.make(dtype, in[0].shape), device.make(ACL_FLOAT, shape)};
    if (!symmetric) {
        results.push_back(device.make(ACL_FLOAT, shape));
    }
    const TensorHandle x = device.tensor(in[0]);
    const TensorHandle smooth = device.tensor(in.optional(1));
    const TensorHandle groups = device.tensor(in.optional(2));
    const TensorHandle y = device.tensor(results[0]);
    const TensorHandle scale = device.tensor(results[1]);
    const TensorHandle offset = device.tensor(symmetric ? nullptr : &results[2]);
    // As torch_npu chooses outside of graphs.
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
