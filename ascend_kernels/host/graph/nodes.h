// SPDX-License-Identifier: Apache-2.0
// The types of nodes. A kernel gets the node's inputs and returns its outputs, or throws Failure.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "graph/device.h"
#include "graph/model.h"
#include "graph/value.h"

namespace aclq::graph {

// The inputs of a node, in the order in which its type has them.
class Operands {
  public:
    Operands(const Node& node, Device& device, std::vector<const Value*> inputs);

    const Node& node;
    Device& device;

    std::size_t count() const { return inputs_.size(); }
    // An input that must be there.
    const Value& operator[](std::size_t index) const;
    // Null if it is absent.
    const Value* optional(std::size_t index) const { return index < inputs_.size() ? inputs_[index] : nullptr; }
    // The integers of an input, on the host or the device.
    Dims integers(std::size_t index) const;

  private:
    std::vector<const Value*> inputs_;
};

using Results = std::vector<Value>;
using Kernel = Results (*)(const Operands& operands);

// A type of node: its kernel, and the inputs and attributes it may have.
struct Kind {
    Kernel kernel = nullptr;  // null for Data and NetOutput, which the run handles itself
    std::vector<std::string_view> inputs;
    std::vector<std::string_view> attributes;

    bool takesAny() const { return inputs.size() == 1 && inputs[0] == kAny; }
    // The input of the type to which the node's input `index` belongs; inputs.size() if unknown.
    std::size_t placeOf(const Node& node, std::size_t index) const;

    static constexpr std::string_view kAny = "*";  // any number of inputs, whatever their names
};
using Kinds = std::map<std::string_view, Kind>;

// Null for an unsupported type.
const Kind* findKind(std::string_view type);

void addShapeKinds(Kinds& kinds);
void addArithmeticKinds(Kinds& kinds);
void addQuantisationKinds(Kinds& kinds);

// The element type that an attribute names. Quantised types of torch map to their integers.
aclDataType resultType(std::int64_t number);

}  // namespace aclq::graph
