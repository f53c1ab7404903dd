// SPDX-License-Identifier: Apache-2.0
// A parsed and checked graph (ge.proto.ModelDef), with its nodes in an order in which they can run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/value.h"

namespace aclq::graph {

using Attribute = std::variant<std::monostate, std::string, std::int64_t, float, bool, Dims, Value>;

// An output of another node.
struct Source {
    std::size_t node = 0;
    std::size_t output = 0;
};

struct Input {
    std::string name;              // empty if the graph has no name for it
    std::optional<Source> source;  // empty: an optional input that was not given
};

struct Node {
    std::string name;
    std::string type;
    std::vector<Input> inputs;
    std::map<std::string, Attribute, std::less<>> attributes;

    // The attribute, or its default. Throws Failure if it is of another kind.
    std::string text(std::string_view attribute, std::string_view otherwise) const;
    std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
    float real(std::string_view attribute, float otherwise) const;
    bool flag(std::string_view attribute, bool otherwise) const;
    Dims integers(std::string_view attribute) const;
    // Also throws Failure if it is missing.
    const Value& tensor(std::string_view attribute) const;
    std::int64_t integer(std::string_view attribute) const;
};

struct Model {
    std::vector<Node> nodes;
};

// Throws Failure.
Model readModel(std::string_view bytes);

}  // namespace aclq::graph
