// SPDX-License-Identifier: Apache-2.0
#include "graph/value.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "graph/failure.h"
#include "meta/dtype.h"

namespace aclq::graph {

std::string describe(const Dims& shape) {
    std::string text = "(";
    for (std::size_t index = 0; index < shape.size(); ++index) {
        text += (index != 0 ? ", " : "") + std::to_string(shape[index]);
    }
    return text + (shape.size() == 1 ? ",)" : ")");
}

std::string describe(const Value& value) {
    return nameOf(value.dtype) + " " + describe(value.shape);
}

std::int64_t countOf(const Dims& shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) {
        // Far above any tensor; the number of bits still fits into 64 bits.
        if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > (std::int64_t{1} << 48)) {
            throw Failure(describe(shape) + " is not the shape of a tensor");
        }
    }
    return count;
}

std::uint64_t bytesOf(const Value& value) {
    const std::int64_t bits = bitsOf(value.dtype);
    if (bits == 0) {
        throw Failure("tensors of type " + nameOf(value.dtype) + " have no elements of a fixed size");
    }
    return (static_cast<std::uint64_t>(countOf(value.shape)) * static_cast<std::uint64_t>(bits) + 7) / 8;
}

Value makeHost(aclDataType dtype, Dims shape) {
    Value value{dtype, std::move(shape), false, nullptr};
    value.data = std::shared_ptr<std::uint8_t>(new std::uint8_t[bytesOf(value)], std::default_delete<std::uint8_t[]>());
    return value;
}

Value makeIntegers(aclDataType dtype, const Dims& integers) {
    Value value = makeHost(dtype, {static_cast<std::int64_t>(integers.size())});
    for (std::size_t index = 0; index < integers.size(); ++index) {
        const auto narrow = static_cast<std::int32_t>(integers[index]);
        if (dtype == ACL_INT64) {
            std::memcpy(value.data.get() + index * sizeof(std::int64_t), &integers[index], sizeof(std::int64_t));
        } else if (dtype == ACL_INT32 && narrow == integers[index]) {
            std::memcpy(value.data.get() + index * sizeof narrow, &narrow, sizeof narrow);
        } else {
            throw Failure(std::to_string(integers[index]) + " cannot be kept as " + nameOf(dtype));
        }
    }
    return value;
}

Dims readIntegers(const Value& host) {
    if (host.dtype != ACL_INT32 && host.dtype != ACL_INT64) {
        throw Failure("got " + describe(host) + " where integers (INT32, INT64) are needed");
    }
    Dims integers(static_cast<std::size_t>(countOf(host.shape)));
    for (std::size_t index = 0; index < integers.size(); ++index) {
        if (host.dtype == ACL_INT64) {
            std::memcpy(&integers[index], host.data.get() + index * sizeof(std::int64_t), sizeof(std::int64_t));
        } else {
            std::int32_t narrow = 0;
            std::memcpy(&narrow, host.data.get() + index * sizeof narrow, sizeof narrow);
            integers[index] = narrow;
        }
    }
    return integers;
}

Value reshape(Value value, Dims shape) {
    if (countOf(value.shape) != countOf(shape)) {
        throw Failure("a tensor of shape " + describe(value.shape) + " cannot have shape " + describe(shape));
    }
    value.shape = std::move(shape);
    return value;
}

Dims broadcast(const Dims& one, const Dims& other) {
    Dims result(std::max(one.size(), other.size()));
    const auto fromTheEnd = [](const Dims& shape, std::size_t index) {
        return index < shape.size() ? shape[shape.size() - 1 - index] : 1;
    };
    for (std::size_t index = 0; index < result.size(); ++index) {
        const std::int64_t a = fromTheEnd(one, index);
        const std::int64_t b = fromTheEnd(other, index);
        if (a != b && a != 1 && b != 1) {
            throw Failure("shapes " + describe(one) + " and " + describe(other) + " cannot be broadcast together");
        }
        result[result.size() - 1 - index] = a == 1 ? b : a;
    }
    return result;
}

}  // namespace aclq::graph
