// SPDX-License-Identifier: Apache-2.0
#include "ops/rows/read.h"

#include <algorithm>
#include <cstring>

#include "ops/rows/by_size.h"
#include "ops/rows/pieces.h"
#include "ops/rows/view.h"
#include "simd/numeric.h"

namespace aclq {
namespace {

using namespace scalar;

// Between rows of a tile: rows at distances of a power of two would share few cache sets.
constexpr std::int64_t kPadding = 64;

// `count` interleaved rows, `step` elements from one column to the next, made consecutive.
template <class T>
void gatherRows(const unsigned char* from, std::int64_t step, std::int64_t n, unsigned char* to, std::int64_t pitch,
                std::int64_t count) {
    constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t row = 0; row < count; ++row) {
            std::memcpy(to + row * pitch + i * kSize, from + (i * step + row) * kSize, sizeof(T));
        }
    }
}

// The same for a full tile: each column is read in one go, and prefetched, because it begins a new page in a large
// tensor.
template <class T>
void gatherTile(const unsigned char* from, std::int64_t step, std::int64_t n, unsigned char* to, std::int64_t pitch) {
    constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
    constexpr std::int64_t kAhead = 32;  // columns
    for (std::int64_t i = 0; i < n; ++i) {
        __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(from) +
                                                         static_cast<std::uintptr_t>((i + kAhead) * step * kSize)));
        T column[kTileRows];
        std::memcpy(column, from + i * step * kSize, sizeof column);
        for (std::int64_t row = 0; row < kTileRows; ++row) {
            std::memcpy(to + row * pitch + i * kSize, &column[row], sizeof(T));
        }
    }
}

float readFloat(const unsigned char* at, aclDataType dtype) {
    const auto load = [at](auto value) {
        std::memcpy(&value, at, sizeof value);
        return widen(value);
    };
    switch (dtype) {
        case ACL_FLOAT16:
            return load(Half{});
        case ACL_BF16:
            return load(BFloat16{});
        case ACL_INT8:
            return load(std::int8_t{});
        case ACL_UINT8:
            return load(std::uint8_t{});
        case ACL_INT32:
            return load(std::int32_t{});
        default:
            return load(float{});
    }
}

}  // namespace

RowReader::RowReader(const View& view) : view_(view), size_(bitsOf(view.dtype) / 8) {}

const void* RowReader::read(std::int64_t offset, std::int64_t step, std::int64_t n, std::int64_t beside) {
    const unsigned char* from = view_.data + (view_.offset + offset) * size_;
    if (step == 1 || n == 1) {
        return from;
    }
    const std::int64_t pitch = n * size_ + kPadding;
    const bool kept = step == step_ && n == length_ && offset >= offset_ && offset < offset_ + rows_;
    if (!kept) {
        rows_ = std::min(beside, kTileRows);
        offset_ = offset;
        step_ = step;
        length_ = n;
        buffer_.resize(static_cast<std::size_t>(pitch * rows_));
        withSize(size_, [&](auto element) {
            rows_ == kTileRows ? gatherTile<decltype(element)>(from, step, n, buffer_.data(), pitch)
                               : gatherRows<decltype(element)>(from, step, n, buffer_.data(), pitch, rows_);
        });
    }
    return buffer_.data() + (offset - offset_) * pitch;
}

Floats readFloats(const View& view) {
    if (!view.present) {
        return {};
    }
    const std::int64_t size = bitsOf(view.dtype) / 8;
    Floats values(static_cast<std::size_t>(view.elements()));
    if ((view.dtype == ACL_FLOAT || view.dtype == ACL_FLOAT16 || view.dtype == ACL_BF16) && contiguous(view)) {
        kernels().smoothRow(sourceOf(view.dtype), view.data + view.offset * size, nullptr, 0, view.elements(),
                            values.data());
        return values;
    }
    const bool dense = contiguous(view);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        values[i] = readFloat(view.data + (view.offset + (dense ? at : offsetOf(view, at))) * size, view.dtype);
    }
    return values;
}

std::vector<std::int64_t> readIntegers(const View& view) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(view.elements()));
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::int32_t value = 0;
        std::memcpy(&value, view.data + (view.offset + offsetOf(view, static_cast<std::int64_t>(i))) * 4, sizeof value);
        values[i] = value;
    }
    return values;
}

}  // namespace aclq
