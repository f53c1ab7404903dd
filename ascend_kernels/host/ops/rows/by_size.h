// SPDX-License-Identifier: Apache-2.0
// Moving elements only depends on their size.
#pragma once

#include <cstdint>

namespace aclq {

// An element of COMPLEX128.
struct SixteenBytes {
    std::uint64_t halves[2];
};

// Calls body with an element of this many bytes.
template <class Body>
void withSize(std::int64_t size, Body&& body) {
    switch (size) {
        case 1:
            return body(std::uint8_t{});
        case 2:
            return body(std::uint16_t{});
        case 8:
            return body(std::uint64_t{});
        case 16:
            return body(SixteenBytes{});
        default:
            return body(std::uint32_t{});
    }
}

}  // namespace aclq
