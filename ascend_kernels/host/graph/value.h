// SPDX-License-Identifier: Apache-2.0
// A value on an edge of a graph: a contiguous tensor, on the host or on the device.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "acl/acl_base.h"

namespace aclq::graph {

using Dims = std::vector<std::int64_t>;

struct Value {
    aclDataType dtype = ACL_DT_UNDEFINED;
    Dims shape;
    bool onDevice = false;
    std::shared_ptr<std::uint8_t> data;
};

// Elements, and bytes of dense memory. Throw Failure for invalid sizes.
std::int64_t countOf(const Dims& shape);
std::uint64_t bytesOf(const Value& value);
// "FLOAT16 (2, 3)"
std::string describe(const Value& value);
std::string describe(const Dims& shape);

// On the host, uninitialised.
Value makeHost(aclDataType dtype, Dims shape);
// Integers (INT32 or INT64) on the host, one dimension.
Value makeIntegers(aclDataType dtype, const Dims& integers);
Dims readIntegers(const Value& host);
// The same memory seen as another shape of as many elements.
Value reshape(Value value, Dims shape);
// The shape that two shapes are broadcast to.
Dims broadcast(const Dims& one, const Dims& other);

}  // namespace aclq::graph
