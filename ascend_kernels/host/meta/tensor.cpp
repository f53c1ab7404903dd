// SPDX-License-Identifier: Apache-2.0
#include "meta/tensor.h"

#include <algorithm>
#include <stdexcept>

namespace aclq {

std::int64_t product(const std::int64_t* dimensions, std::int64_t rank) {
    if (std::any_of(dimensions, dimensions + rank, [](std::int64_t size) { return size <= 0; })) {
        return 0;
    }
    std::int64_t product = 1;
    for (std::int64_t index = 0; index < rank; ++index) {
        if (__builtin_mul_overflow(product, dimensions[index], &product)) {
            return INT64_MAX;
        }
    }
    return product;
}

Dims::Dims(const std::int64_t* values, std::uint64_t count) : rank_(static_cast<std::int64_t>(count)) {
    if (count > kMaxRank) {
        throw std::length_error("a tensor has at most 25 dimensions");
    }
    std::copy_n(values, count, values_);
}

std::int64_t Dims::elements() const {
    return product(values_, rank_);
}

bool Dims::operator==(const Dims& other) const {
    return rank_ == other.rank_ && std::equal(values_, values_ + rank_, other.values_);
}

std::string Dims::text() const {
    std::string result = "(";
    for (std::int64_t index = 0; index < rank_; ++index) {
        result += (index > 0 ? ", " : "") + std::to_string(values_[index]);
    }
    return result + (rank_ == 1 ? ",)" : ")");
}

Dims Dims::contiguousStrides(const Dims& shape) {
    Dims strides = shape;
    std::int64_t stride = 1;
    for (std::int64_t index = shape.rank(); index-- > 0;) {
        strides[index] = stride;
        if (__builtin_mul_overflow(stride, std::max<std::int64_t>(shape[index], 1), &stride)) {
            stride = INT64_MAX;
        }
    }
    return strides;
}

}  // namespace aclq

bool aclTensor::contiguous() const {
    if (elements() <= 1) {
        return true;
    }
    std::int64_t expected = 1;
    for (std::int64_t index = shape.rank(); index-- > 0;) {
        if (shape[index] != 1) {
            if (strides[index] != expected) {
                return false;
            }
            if (__builtin_mul_overflow(expected, shape[index], &expected)) {
                expected = INT64_MAX;  // like contiguousStrides()
            }
        }
    }
    return true;
}

void aclTensor::reach(std::int64_t& first, std::int64_t& last) const {
    first = offset;
    last = offset;
    for (std::int64_t index = 0; index < shape.rank(); ++index) {
        std::int64_t distance = 0;
        if (__builtin_mul_overflow(shape[index] - 1, strides[index], &distance) ||
            __builtin_add_overflow(distance < 0 ? first : last, distance, distance < 0 ? &first : &last)) {
            first = INT64_MIN;
            last = INT64_MAX;
            return;
        }
    }
}
