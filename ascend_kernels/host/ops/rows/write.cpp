// SPDX-License-Identifier: Apache-2.0
#include "ops/rows/write.h"

#include <cstring>

#include "ops/rows/by_size.h"
#include "ops/rows/view.h"

namespace aclq {
namespace {

template <class T>
void scatter(const unsigned char* from, std::int64_t step, std::int64_t n, unsigned char* to) {
    for (std::int64_t i = 0; i < n; ++i) {
        std::memcpy(to + i * step * static_cast<std::int64_t>(sizeof(T)),
                    from + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    }
}

}  // namespace

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
    // The eight int4 of an INT32 are consecutive.
    const bool packed = view_.dtype == ACL_INT32;
    if (packed && dimension + 1 == view_.rank && mergeable()) {
        return 1;
    }
    return packed ? view_.strides[dimension] * 8 : view_.strides[dimension];
}

// The `step` of INT32 is 1 if they are consecutive, else 8 times their distance.
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

void writeFloat(const View& view, std::int64_t index, float value) {
    std::memcpy(view.data + (view.offset + offsetOf(view, index)) * 4, &value, sizeof value);
}

}  // namespace aclq
