// SPDX-License-Identifier: Apache-2.0
// Where the elements of a row are: behind a pointer to their type, or packed as int4, two in a byte.
#pragma once

#include <cstdint>

namespace aclq::ACLQ_ISA {

// The bytes of n elements.
template <class T>
constexpr std::int64_t sizeOf(const T*, std::int64_t n) {
    return n * static_cast<std::int64_t>(sizeof(T));
}
constexpr std::int64_t sizeOf(PackedInt4, std::int64_t n) {
    return (n + 1) / 2;
}
// The place of element i, which is even for packed int4.
template <class T>
ACLQ_INLINE inline const T* at(const T* x, std::int64_t i) {
    return x + i;
}
ACLQ_INLINE inline PackedInt4 at(PackedInt4 x, std::int64_t i) {
    return {x.data + i / 2};
}
template <class T>
ACLQ_INLINE inline const unsigned char* bytesOf(const T* x) {
    return reinterpret_cast<const unsigned char*>(x);
}
ACLQ_INLINE inline const unsigned char* bytesOf(PackedInt4 x) {
    return x.data;
}
// The same kind of pointer as the first argument, to these bytes.
template <class T>
ACLQ_INLINE inline const T* like(const T*, const unsigned char* bytes) {
    return reinterpret_cast<const T*>(bytes);
}
ACLQ_INLINE inline PackedInt4 like(PackedInt4, const unsigned char* bytes) {
    return {bytes};
}

}  // namespace aclq::ACLQ_ISA
