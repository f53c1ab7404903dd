// SPDX-License-Identifier: Apache-2.0
// Turns conditions and types that are known when a kernel is called into constants of its loop.
#pragma once

#include <type_traits>

#include "simd/kernels.h"

namespace aclq::ACLQ_ISA {

// A value as a constant.
template <auto value>
using Constant = std::integral_constant<decltype(value), value>;

// Calls body with each condition as a constant, std::true_type or std::false_type.
template <bool... known, class Body>
inline void withConstants(Body&& body) {
    body(std::bool_constant<known>{}...);
}
template <bool... known, class Body, class... Rest>
inline void withConstants(Body&& body, bool first, Rest... rest) {
    first ? withConstants<known..., true>(body, rest...) : withConstants<known..., false>(body, rest...);
}

// Calls body with x as a pointer to its type.
template <class Body>
ACLQ_INLINE inline void withSource(Source source, const void* x, Body&& body) {
    switch (source) {
        case Source::Float:
            return body(static_cast<const float*>(x));
        case Source::Half:
            return body(static_cast<const Half*>(x));
        case Source::BFloat16:
            return body(static_cast<const BFloat16*>(x));
    }
}

// The same for operators whose x is of a 16-bit format.
template <class Body>
ACLQ_INLINE inline void withHalves(Source source, const void* x, Body&& body) {
    source == Source::Half ? body(static_cast<const Half*>(x)) : body(static_cast<const BFloat16*>(x));
}

constexpr std::int64_t bitsOf(Source source) {
    return source == Source::Float ? 32 : 16;
}

}  // namespace aclq::ACLQ_ISA
