// SPDX-License-Identifier: Apache-2.0
// The hash that names a piece of recorded memory (FIPS 180-4).
#pragma once

#include <cstddef>
#include <string>

namespace aclq::trace {

// 64 hexadecimal digits.
std::string sha256(const void* data, std::size_t size);

// CRC-32 of zlib, which guards each line of a recording.
unsigned crc32(const void* data, std::size_t size);

}  // namespace aclq::trace
