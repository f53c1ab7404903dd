// SPDX-License-Identifier: Apache-2.0
// Nodes that reinterpret memory, and nodes that compute shapes. They do not touch device memory.
#include <algorithm>
#include <string>

#include "graph/failure.h"
#include "graph/nodes.h"
#include "meta/dtype.h"

namespace aclq::graph {
namespace {

Results constant(const Operands& in) {
    return {in.node.tensor("value")};
}
Results identity(const Operands& in) {
    return {in[0]};
}
Results shapeOf(const Operands& in) {
    return {makeIntegers(static_cast<aclDataType>(in.node.integer("dtype", ACL_INT32)), in[0].shape)};
}

Results reshapeTo(const Operands& in) {
    if (in.node.integer("axis", 0) != 0 || in.node.integer("num_axes", -1) != -1) {
        throw Failure("only all axes together are given another shape (axis 0, num_axes -1)");
    }
    Dims shape = in.integers(1);
    const auto open = std::find(shape.begin(), shape.end(), -1);
    if (open != shape.end()) {
        *open = 1;
        const std::int64_t rest = countOf(shape);
        *open = rest != 0 ? countOf(in[0].shape) / rest : 0;
    }
    return {reshape(in[0], shape)};
}

// New axes, numbered as in the result.
Results unsqueeze(const Operands& in, Dims axes) {
    const auto rank = static_cast<std::int64_t>(in[0].shape.size() + axes.size());
    for (std::int64_t& axis : axes) {
        axis += axis < 0 ? rank : 0;
    }
    std::sort(axes.begin(), axes.end());
    Dims shape = in[0].shape;
    for (const std::int64_t axis : axes) {
        if (axis < 0 || axis > static_cast<std::int64_t>(shape.size())) {
            throw Failure("a tensor of shape " + describe(in[0].shape) + " gets no axes " + describe(axes));
        }
        shape.insert(shape.begin() + axis, 1);
    }
    return {reshape(in[0], shape)};
}

Results unsqueezeByAttribute(const Operands& in) {
    return unsqueeze(in, in.node.integers("axes"));
}
Results unsqueezeByInput(const Operands& in) {
    return unsqueeze(in, in.integers(1));
}

// Without axes: all of size 1.
Results squeeze(const Operands& in) {
    const Dims axes = in.node.integers("axis");
    const auto rank = static_cast<std::int64_t>(in[0].shape.size());
    Dims shape;
    for (std::int64_t index = 0; index < rank; ++index) {
        const bool named = std::find_if(axes.begin(), axes.end(), [&](std::int64_t axis) {
                               return axis == index || axis == index - rank;
                           }) != axes.end();
        const std::int64_t size = in[0].shape[static_cast<std::size_t>(index)];
        if (size != 1 || !(named || axes.empty())) {
            shape.push_back(size);
        }
    }
    return {reshape(in[0], shape)};
}

// Smaller elements add an axis or, with keep_dim, lengthen the last one; larger elements remove or shorten it.
Results bitcast(const Operands& in) {
    Value y = in[0];
    y.dtype = static_cast<aclDataType>(in.node.integer("type"));
    const std::int64_t from = bitsOf(in[0].dtype);
    const std::int64_t to = bitsOf(y.dtype);
    const bool keep = in.node.flag("keep_dim", false);
    const auto refuse = [&] {
        throw Failure("elements of " + describe(in[0]) + " cannot be taken for " + nameOf(y.dtype));
    };
    if (from == 0 || to == 0 || (from != to && keep && y.shape.empty())) {
        refuse();
    }
    if (to < from && from % to == 0) {
        if (keep) {
            y.shape.back() *= from / to;
        } else {
            y.shape.push_back(from / to);
        }
    } else if (to > from && to % from == 0 && !y.shape.empty() && y.shape.back() % (to / from) == 0) {
        y.shape.back() /= to / from;
        if (!keep) {
            if (y.shape.back() != 1) {
                refuse();
            }
            y.shape.pop_back();
        }
    } else if (to != from) {
        refuse();
    }
    return {y};
}

// Sizes of a shape; torchair uses them in graphs for all sizes.
Results gather(const Operands& in) {
    if (in[0].onDevice || in[0].shape.size() != 1 || in.node.integer("batch_dims", 0) != 0) {
        throw Failure("only sizes out of a shape are gathered; got " + describe(in[0]));
    }
    const Dims sizes = readIntegers(in[0]);
    Dims picked;
    for (std::int64_t index : in.integers(1)) {
        index += index < 0 ? static_cast<std::int64_t>(sizes.size()) : 0;
        if (index < 0 || index >= static_cast<std::int64_t>(sizes.size())) {
            throw Failure("a shape of " + std::to_string(sizes.size()) + " sizes has no size " + std::to_string(index));
        }
        picked.push_back(sizes[static_cast<std::size_t>(index)]);
    }
    return {reshape(makeIntegers(in[0].dtype, picked), in[1].shape)};
}

}  // namespace

void addShapeKinds(Kinds& kinds) {
    kinds["Const"] = {constant, {}, {"value"}};
    kinds["Constant"] = kinds["Const"];
    kinds["Identity"] = {identity, {"x"}, {}};
    kinds["Shape"] = {shapeOf, {"x"}, {"dtype"}};
    kinds["Gather"] = {
        gather, {"x", "indices"}, {"batch_dims", "is_preprocessed", "negative_index_support", "validate_indices"}};
    kinds["Reshape"] = {reshapeTo, {"x", "shape"}, {"axis", "num_axes"}};
    kinds["Unsqueeze"] = {unsqueezeByAttribute, {"x"}, {"axes"}};
    kinds["UnsqueezeV3"] = {unsqueezeByInput, {"x", "axes"}, {}};
    kinds["ExpandDims"] = {unsqueezeByInput, {"x", "axis"}, {}};
    kinds["Squeeze"] = {squeeze, {"x"}, {"axis"}};
    kinds["Bitcast"] = {bitcast, {"x"}, {"keep_dim", "type"}};
}

}  // namespace aclq::graph
