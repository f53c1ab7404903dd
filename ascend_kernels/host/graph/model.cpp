// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of ge_ir.proto; fields that are not needed to run a graph are skipped.
#include "graph/model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "graph/failure.h"
#include "graph/wire.h"

namespace aclq::graph {
namespace {

// The numbers of types in serialised descriptions, which differ from those of aclDataType (attributes use the latter).
constexpr std::array kDtypes{
    ACL_DT_UNDEFINED, ACL_FLOAT, ACL_FLOAT16, ACL_INT8,   ACL_UINT8, ACL_INT16,  ACL_UINT16,
    ACL_INT32,        ACL_INT64, ACL_UINT32,  ACL_UINT64, ACL_BOOL,  ACL_DOUBLE,
};
constexpr std::uint64_t kBf16 = 27;
constexpr std::uint64_t kInt4 = 28;

aclDataType dtypeOf(std::uint64_t number) {
    if (number < kDtypes.size()) {
        return kDtypes[number];
    }
    return number == kBf16 ? ACL_BF16 : number == kInt4 ? ACL_INT4 : ACL_DT_UNDEFINED;
}

void readDescriptor(std::string_view bytes, Value& value) {
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        if (field.number == 2) {
            value.dtype = dtypeOf(static_cast<std::uint64_t>(field.integer()));
        } else if (field.number == 3) {
            Reader shape(field.text());
            for (Field dim; shape.next(dim);) {
                if (dim.number == 1) {
                    dim.appendIntegers(value.shape);
                }
            }
        }
    }
}

Value readTensor(std::string_view bytes) {
    Value described;
    std::string_view data;
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        if (field.number == 1) {
            readDescriptor(field.text(), described);
        } else if (field.number == 2) {
            data = field.text();
        }
    }
    // The size first: a wrong shape must not allocate memory.
    if (data.size() < bytesOf(described)) {
        throw Failure("a constant " + describe(described) + " has only " + std::to_string(data.size()) + " bytes");
    }
    Value value = makeHost(described.dtype, described.shape);
    std::copy_n(data.begin(), bytesOf(value), value.data.get());
    return value;
}

Attribute readList(std::string_view bytes) {
    Dims integers;
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        if (field.number == 3) {
            field.appendIntegers(integers);
        }
    }
    return integers;
}

Attribute readAttribute(std::string_view bytes) {
    Attribute attribute;
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (field.number) {
            case 1:
                attribute = readList(field.text());
                break;
            case 2:
                attribute = std::string(field.text());
                break;
            case 3:
            case 15:  // a type, in the numbers of aclDataType
                attribute = field.integer();
                break;
            case 4:
                attribute = field.real();
                break;
            case 5:
                attribute = field.integer() != 0;
                break;
            case 12:
                attribute = readTensor(field.text());
                break;
            default:
                break;
        }
    }
    return attribute;
}

void readEntry(std::string_view bytes, Node& node) {
    std::string key;
    Attribute attribute;
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        if (field.number == 1) {
            key = field.text();
        } else if (field.number == 2) {
            attribute = readAttribute(field.text());
        }
    }
    node.attributes[key] = std::move(attribute);
}

// A node, the sources of its inputs ("producer:output"), and their names.
struct Parsed {
    Node node;
    std::vector<std::string> sources;
    std::vector<std::string> names;
};

std::string readName(std::string_view bytes) {
    std::string name;
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        if (field.number == 1) {
            name = field.text();
        }
    }
    return name;
}

Parsed readNode(std::string_view bytes) {
    Parsed parsed;
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (field.number) {
            case 1:
                parsed.node.name = field.text();
                break;
            case 2:
                parsed.node.type = field.text();
                break;
            case 5:
                parsed.sources.emplace_back(field.text());
                break;
            case 10:
                readEntry(field.text(), parsed.node);
                break;
            case 33:
                parsed.names.push_back(readName(field.text()));
                break;
            default:
                break;
        }
    }
    return parsed;
}

std::vector<Parsed> readGraph(std::string_view bytes) {
    std::vector<Parsed> nodes;
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        if (field.number == 6) {
            nodes.push_back(readNode(field.text()));
        }
    }
    return nodes;
}

using Numbers = std::map<std::string, std::size_t, std::less<>>;

// The node and the number of its output; -1: only an order, the node runs earlier.
std::pair<std::size_t, std::int64_t> findSource(const std::string& input, const Numbers& numbers, const Node& node) {
    const auto colon = input.rfind(':');
    std::int64_t output = 0;
    if (colon != std::string::npos) {
        const char* const end = input.data() + input.size();
        const auto [stop, error] = std::from_chars(input.data() + colon + 1, end, output);
        const auto found = numbers.find(std::string_view(input).substr(0, colon));
        if (error == std::errc() && stop == end && output >= -1 && found != numbers.end()) {
            return {found->second, output};
        }
    }
    throw Failure("node '" + node.name + "' has the input '" + input + "', which is not an output of a node");
}

// An order in which every node comes after those it needs.
std::vector<std::size_t> order(const std::vector<std::vector<std::size_t>>& needs) {
    std::vector<std::vector<std::size_t>> users(needs.size());
    std::vector<std::size_t> missing(needs.size());
    std::vector<std::size_t> ready;
    for (std::size_t node = 0; node < needs.size(); ++node) {
        missing[node] = needs[node].size();
        for (const std::size_t source : needs[node]) {
            users[source].push_back(node);
        }
        if (missing[node] == 0) {
            ready.push_back(node);
        }
    }
    for (std::size_t next = 0; next < ready.size(); ++next) {
        for (const std::size_t user : users[ready[next]]) {
            if (--missing[user] == 0) {
                ready.push_back(user);
            }
        }
    }
    if (ready.size() != needs.size()) {
        throw Failure("the graph has a cycle");
    }
    return ready;
}

Model link(std::vector<Parsed> parsed) {
    Numbers numbers;
    for (std::size_t index = 0; index < parsed.size(); ++index) {
        if (!numbers.emplace(parsed[index].node.name, index).second) {
            throw Failure("the graph has two nodes with the name '" + parsed[index].node.name + "'");
        }
    }
    std::vector<std::vector<std::size_t>> needs(parsed.size());
    for (std::size_t index = 0; index < parsed.size(); ++index) {
        Node& node = parsed[index].node;
        const std::vector<std::string>& names = parsed[index].names;
        for (const std::string& input : parsed[index].sources) {
            std::optional<Source> from;
            if (!input.empty()) {
                const auto [source, output] = findSource(input, numbers, node);
                needs[index].push_back(source);
                if (output < 0) {
                    continue;  // only an order, without a name
                }
                from = Source{source, static_cast<std::size_t>(output)};
            }
            node.inputs.push_back({node.inputs.size() < names.size() ? names[node.inputs.size()] : "", from});
        }
    }
    const std::vector<std::size_t> ordered = order(needs);
    std::vector<std::size_t> place(ordered.size());
    for (std::size_t index = 0; index < ordered.size(); ++index) {
        place[ordered[index]] = index;
    }
    Model model;
    for (const std::size_t index : ordered) {
        for (Input& input : parsed[index].node.inputs) {
            if (input.source) {
                input.source->node = place[input.source->node];
            }
        }
        model.nodes.push_back(std::move(parsed[index].node));
    }
    return model;
}

template <class T>
const T* find(const Node& node, std::string_view name) {
    const auto found = node.attributes.find(name);
    if (found == node.attributes.end()) {
        return nullptr;
    }
    const T* value = std::get_if<T>(&found->second);
    if (value == nullptr) {
        throw Failure("attribute '" + std::string(name) + "' is of another kind than this node type has");
    }
    return value;
}

template <class T>
const T& need(const Node& node, std::string_view name) {
    const T* value = find<T>(node, name);
    if (value == nullptr) {
        throw Failure("attribute '" + std::string(name) + "' is missing");
    }
    return *value;
}

}  // namespace

Model readModel(std::string_view bytes) {
    Reader reader(bytes);
    for (Field field; reader.next(field);) {
        if (field.number == 7) {
            return link(readGraph(field.text()));
        }
    }
    throw Failure("the serialised model has no graph");
}

std::string Node::text(std::string_view attribute, std::string_view otherwise) const {
    const auto* value = find<std::string>(*this, attribute);
    return value != nullptr ? *value : std::string(otherwise);
}

std::int64_t Node::integer(std::string_view attribute, std::int64_t otherwise) const {
    const auto* value = find<std::int64_t>(*this, attribute);
    return value != nullptr ? *value : otherwise;
}

float Node::real(std::string_view attribute, float otherwise) const {
    const auto* value = find<float>(*this, attribute);
    return value != nullptr ? *value : otherwise;
}

bool Node::flag(std::string_view attribute, bool otherwise) const {
    const auto* value = find<bool>(*this, attribute);
    return value != nullptr ? *value : otherwise;
}

Dims Node::integers(std::string_view attribute) const {
    return need<Dims>(*this, attribute);
}
const Value& Node::tensor(std::string_view attribute) const {
    return need<Value>(*this, attribute);
}
std::int64_t Node::integer(std::string_view attribute) const {
    return need<std::int64_t>(*this, attribute);
}

}  // namespace aclq::graph
