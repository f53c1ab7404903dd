// SPDX-License-Identifier: Apache-2.0
#include "ops/elements.h"

#include <cstring>

#include "simd/numeric.h"

namespace aclq {
namespace {

using namespace scalar;

// Keeps rows of a tile from falling into the same places of a cache.
constexpr std::int64_t kPadding = 64;

// Rows that lie side by side, `step` elements from one column to the next, one behind the other. `count` rows.
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

// The same for a full tile: each column is read at once, and early, because it begins a new page in a large tensor.
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

template <class T>
void scatter(const unsigned char* from, std::int64_t step, std::int64_t n, unsigned char* to) {
    for (std::int64_t i = 0; i < n; ++i) {
        std::memcpy(to + i * step * static_cast<std::int64_t>(sizeof(T)),
                    from + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    }
}

// Calls body with an unsigned type of the size.
template <class Body>
void withSize(std::int64_t size, Body&& body) {
    switch (size) {
        case 1:
            return body(std::uint8_t{});
        case 2:
            return body(std::uint16_t{});
        case 8:
            return body(std::uint64_t{});
        default:
            return body(std::uint32_t{});
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

Source sourceOf(aclDataType dtype) {
    return dtype == ACL_FLOAT16 ? Source::Half : (dtype == ACL_BF16 ? Source::BFloat16 : Source::Float);
}

RowReader::RowReader(const View& view) : view_(view), size_(bitsOf(view.dtype) / 8) {}

const void* RowReader::read(std::int64_t offset, std::int64_t step, std::int64_t n, std::int64_t beside) {
    const unsigned char* from = view_.data + (view_.offset + offset) * size_;
    if (step == 1 || n == 1) {
        return from;
    }
    // Rows a line apart would all fall into the same few places of the nearest cache.
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

RowWriter::RowWriter(const View& view)
    : view_(view), size_(bitsOf(view.dtype) / 8), streamer_(view.elements() * size_) {}

Output RowWriter::prepareOutput(std::int64_t offset, std::int64_t step, std::int64_t n) {
    buffered_ = step != 1 && n != 1;
    if (!buffered_) {
        return {place(offset), streamer_.active()};
    }
    buffer_.resize(static_cast<std::size_t>(n * size_));
    return {buffer_.data()};
}

void* RowWriter::prepare(std::int64_t offset, std::int64_t step, std::int64_t n) {
    const Output output = prepareOutput(offset, step, n);
    if (!output.streamed) {
        return output.data;
    }
    buffered_ = true;
    buffer_.resize(static_cast<std::size_t>(n * size_));
    return buffer_.data();
}

void RowWriter::store(std::int64_t offset, std::int64_t step, std::int64_t n) {
    if (step != 1 && n != 1) {
        withSize(size_, [&](auto element) { scatter<decltype(element)>(buffer_.data(), step, n, place(offset)); });
    } else if (buffered_) {
        kernels().streamTo(place(offset), buffer_.data(), n * size_);
    }
}

QuantizedWriter::QuantizedWriter(const View& view) : view_(view), streamer_(view.elements() * bitsOf(view.dtype) / 8) {}

bool QuantizedWriter::mergeable() const {
    const std::int64_t last = view_.rank - 1;
    return view_.dtype != ACL_INT32 || view_.shape[last] == 1 || view_.strides[last] == 1;
}

std::int64_t QuantizedWriter::logicalStride(std::int64_t dimension) const {
    // Within a word int4 follow each other.
    const bool words = view_.dtype == ACL_INT32;
    if (words && dimension + 1 == view_.rank && mergeable()) {
        return 1;
    }
    return words ? view_.strides[dimension] * 8 : view_.strides[dimension];
}

// Words' `step` is 1 if they lie behind each other, else 8 times their distance.
unsigned char* QuantizedWriter::place(std::int64_t offset, std::int64_t step, std::int64_t first,
                                      std::int64_t n) const {
    switch (view_.dtype) {
        case ACL_INT8:
            return step == 1 || n == 1 ? view_.data + view_.offset + offset + first * step : nullptr;
        case ACL_INT32:
            return step == 1 || n == 8
                       ? view_.data + (view_.offset + offset / 8 + (step == 1 ? first / 8 : first / 8 * (step / 8))) * 4
                       : nullptr;
        default: {
            const std::int64_t nibble = view_.offset + offset + first;
            return step == 1 && nibble % 2 == 0 && n % 2 == 0 ? view_.data + nibble / 2 : nullptr;
        }
    }
}

IntegerOutput QuantizedWriter::prepare(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n) {
    const Integers type = view_.dtype == ACL_INT8 ? Integers::Int8 : Integers::Int4;
    if (unsigned char* const to = place(offset, step, first, n); to != nullptr) {
        return {{to, streamer_.active()}, type, view_.dtype != ACL_INT8};
    }
    buffer_.resize(static_cast<std::size_t>(n));
    return {{buffer_.data()}, type, view_.dtype == ACL_INT32};
}

void QuantizedWriter::store(std::int64_t offset, std::int64_t step, std::int64_t first, std::int64_t n) {
    if (place(offset, step, first, n) != nullptr) {
        return;
    }
    switch (view_.dtype) {
        case ACL_INT8:
            return scatter<std::uint8_t>(buffer_.data(), step, n, view_.data + view_.offset + offset + first * step);
        case ACL_INT32:
            return scatter<std::uint32_t>(buffer_.data(), step / 8, n / 8,
                                          view_.data + (view_.offset + offset / 8 + first / 8 * (step / 8)) * 4);
        default:
            for (std::int64_t i = 0; i < n; ++i) {
                const std::int64_t at = view_.offset + offset + (first + i) * step;
                unsigned char& byte = view_.data[at >> 1];
                const int shift = (at & 1) != 0 ? 4 : 0;
                byte = static_cast<unsigned char>((byte & ~(15 << shift)) | (buffer_[static_cast<std::size_t>(i)] & 15)
                                                                                << shift);
            }
    }
}

bool contiguous(const View& view) {
    std::int64_t step = 1;
    for (std::int64_t dimension = view.rank; dimension-- > 0;) {
        if (view.shape[dimension] != 1 && view.strides[dimension] != step) {
            return false;
        }
        step *= view.shape[dimension];
    }
    return true;
}

std::int64_t offsetOf(const View& view, std::int64_t index) {
    std::int64_t offset = 0;
    for (std::int64_t dimension = view.rank; dimension-- > 0;) {
        offset += index % view.shape[dimension] * view.strides[dimension];
        index /= view.shape[dimension];
    }
    return offset;
}

Floats readFloats(const View& view) {
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

void writeFloat(const View& view, std::int64_t index, float value) {
    std::memcpy(view.data + (view.offset + offsetOf(view, index)) * 4, &value, sizeof value);
}

}  // namespace aclq
