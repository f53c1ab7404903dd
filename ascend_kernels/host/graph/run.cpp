// SPDX-License-Identifier: Apache-2.0
#include "graph/run.h"

#include <algorithm>
#include <utility>

#include "graph/failure.h"
#include "graph/nodes.h"

namespace aclq::graph {
namespace {

std::shared_ptr<std::uint8_t> borrowed(std::uint8_t* memory) {
    return {memory, [](std::uint8_t*) {}};
}

// An input of the client, which keeps its memory.
Value takeInput(const Node& node, const std::vector<ge::Tensor>& inputs) {
    const std::int64_t index = node.integer("index", 0);
    if (index < 0 || static_cast<std::uint64_t>(index) >= inputs.size()) {
        throw Failure("it is input " + std::to_string(index) + " of the graph, which got " +
                      std::to_string(inputs.size()));
    }
    ge::Tensor tensor = inputs[static_cast<std::size_t>(index)];
    Value value;
    value.dtype = static_cast<aclDataType>(tensor.GetDataType());
    for (std::size_t axis = 0; axis < tensor.GetShapeDimNum(); ++axis) {
        value.shape.push_back(tensor.GetShapeDim(axis));
    }
    value.onDevice = tensor.GetPlacement() == ge::kPlacementDevice;
    value.data = borrowed(tensor.GetData());
    // The tensor's size is ignored: torchair keeps the size of an earlier run if the address is the same.
    if (bytesOf(value) != 0 && tensor.GetData() == nullptr) {
        throw Failure("input " + std::to_string(index) + " of the graph, " + describe(value) + ", has no memory");
    }
    return value;
}

// The results so far, by node and output.
class Progress {
  public:
    explicit Progress(const Model& model) : model_(model), all_(model.nodes.size()) {}

    const Value* find(const std::optional<Source>& source) const {
        if (!source) {
            return nullptr;
        }
        const std::vector<Value>& outputs = all_[source->node];
        if (source->output >= outputs.size()) {
            throw Failure("it needs output " + std::to_string(source->output) + " of " +
                          describe(model_.nodes[source->node]) + ", which has " + std::to_string(outputs.size()));
        }
        return &outputs[source->output];
    }

    std::vector<const Value*> inputsOf(const Node& node, const Kind& kind) const {
        std::vector<const Value*> inputs(kind.takesAny() ? node.inputs.size() : kind.inputs.size());
        for (std::size_t index = 0; index < node.inputs.size(); ++index) {
            inputs[kind.placeOf(node, index)] = find(node.inputs[index].source);
        }
        return inputs;
    }

    void keep(std::size_t node, std::vector<Value> outputs) { all_[node] = std::move(outputs); }

  private:
    const Model& model_;
    std::vector<std::vector<Value>> all_;
};

}  // namespace

std::string describe(const Node& node) {
    return "graph node '" + node.name + "' (" + node.type + ")";
}

void checkNodes(const Model& model) {
    std::string unknown;
    for (const Node& node : model.nodes) {
        const Kind* kind = findKind(node.type);
        if (kind == nullptr) {
            unknown += (unknown.empty() ? "" : ", ") + node.type + " ('" + node.name + "')";
            continue;
        }
        for (std::size_t index = 0; index < node.inputs.size(); ++index) {
            if (!kind->takesAny() && kind->placeOf(node, index) >= kind->inputs.size()) {
                throw Failure(describe(node) + ": the host device does not know its input " + std::to_string(index) +
                              " '" + node.inputs[index].name + "'");
            }
        }
        for (const auto& [name, attribute] : node.attributes) {
            const auto& known = kind->attributes;
            if (!name.starts_with("_") && std::find(known.begin(), known.end(), name) == known.end()) {
                throw Failure(describe(node) + ": the host device does not know its attribute '" + name + "'");
            }
        }
    }
    if (!unknown.empty()) {
        throw Failure("the host device cannot run this graph: it has no nodes of type " + unknown);
    }
}

std::vector<Value> run(const Model& model, Device& device, const std::vector<ge::Tensor>& inputs) {
    Progress results(model);
    std::vector<Value> delivered;
    for (std::size_t index = 0; index < model.nodes.size(); ++index) {
        const Node& node = model.nodes[index];
        try {
            if (node.type == "Data") {
                results.keep(index, {takeInput(node, inputs)});
            } else if (const Operands operands(node, device, results.inputsOf(node, *findKind(node.type)));
                       node.type == "NetOutput") {
                for (std::size_t output = 0; output < operands.count(); ++output) {
                    delivered.push_back(operands[output]);
                }
            } else {
                results.keep(index, findKind(node.type)->kernel(operands));
            }
        } catch (const Failure& failure) {
            throw Failure(describe(node) + ": " + failure.what());
        }
    }
    return delivered;
}

namespace {

Value copyToHost(Device& device, const Value& value) {
    if (value.onDevice) {
        return device.toHost(value);
    }
    Value copied = makeHost(value.dtype, value.shape);
    std::copy_n(value.data.get(), bytesOf(value), copied.data.get());
    return copied;
}

}  // namespace

void deliver(const std::vector<Value>& results, Device& device, bool toDevice, std::vector<ge::Tensor>& outputs) {
    if (outputs.empty()) {
        outputs.resize(results.size());
    }
    if (outputs.size() != results.size()) {
        throw Failure("the graph has " + std::to_string(results.size()) + " outputs; got room for " +
                      std::to_string(outputs.size()));
    }
    for (std::size_t index = 0; index < results.size(); ++index) {
        ge::Tensor& output = outputs[index];
        Value value = results[index];
        const std::uint64_t size = bytesOf(value);
        if (toDevice && output.GetData() != nullptr) {
            if (output.GetSize() < size) {
                throw Failure("output " + std::to_string(index) + " of the graph has " + std::to_string(size) +
                              " bytes; got room for " + std::to_string(output.GetSize()));
            }
            device.copy(value, borrowed(output.GetData()));
        } else {
            if (toDevice) {
                // Inputs belong to the client, and two equal results must not share memory.
                value = device.toDevice(value);
                value = device.giveAway(value) ? value : device.copy(value);
            } else {
                value = copyToHost(device, value);
            }
            if (output.ResetData(value.data.get(), size, [data = value.data](std::uint8_t*) {}) != kSuccess) {
                throw Failure(lastReport());
            }
        }
        output.SetDataType(static_cast<ge::DataType>(value.dtype));
        output.SetFormat(ge::FORMAT_ND);
        output.SetPlacement(toDevice ? ge::kPlacementDevice : ge::kPlacementHost);
        output.SetShapeDimNum(value.shape.size());
        output.SetOriginShapeDimNum(value.shape.size());
        for (std::size_t axis = 0; axis < value.shape.size(); ++axis) {
            output.SetShapeDim(axis, value.shape[axis]);
            output.SetOriginShapeDim(axis, value.shape[axis]);
        }
    }
}

}  // namespace aclq::graph
