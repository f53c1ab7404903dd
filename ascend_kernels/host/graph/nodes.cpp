// SPDX-License-Identifier: Apache-2.0
#include "graph/nodes.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "graph/failure.h"
#include "runtime/made_once.h"

namespace aclq::graph {
namespace {

const Kinds* makeKinds() {
    auto made =
        std::make_unique<Kinds>(Kinds{{"Data", {nullptr, {}, {"index"}}}, {"NetOutput", {nullptr, {Kind::kAny}, {}}}});
    addShapeKinds(*made);
    addArithmeticKinds(*made);
    addQuantisationKinds(*made);
    return made.release();
}

const Kinds& kinds() {
    return MadeOnce<Kinds, makeKinds>::get();
}

}  // namespace

Operands::Operands(const Node& given, Device& on, std::vector<const Value*> inputs)
    : node(given), device(on), inputs_(std::move(inputs)) {}

const Value& Operands::operator[](std::size_t index) const {
    const Value* value = optional(index);
    if (value == nullptr) {
        throw Failure("input " + std::to_string(index) + " is missing");
    }
    return *value;
}

Dims Operands::integers(std::size_t index) const {
    return readIntegers(device.toHost((*this)[index]));
}

// Clients leave out optional inputs, so inputs are found by name, or by position if they have no names.
std::size_t Kind::placeOf(const Node& node, std::size_t index) const {
    const std::string& name = node.inputs[index].name;
    if (takesAny() || name.empty()) {
        return index;
    }
    return static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), name) - inputs.begin());
}

const Kind* findKind(std::string_view type) {
    const auto found = kinds().find(type);
    return found != kinds().end() ? &found->second : nullptr;
}

aclDataType resultType(std::int64_t number) {
    switch (number) {
        case 18:  // qint8
            return ACL_INT8;
        case 20:  // qint32
            return ACL_INT32;
        case 21:  // quint8
            return ACL_UINT8;
        default:
            return static_cast<aclDataType>(number);
    }
}

}  // namespace aclq::graph
