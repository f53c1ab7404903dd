// SPDX-License-Identifier: Apache-2.0
// Element types: size and the name used in error texts.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "acl/acl_base.h"

namespace aclq {

// Bits per element; 0 for types without a fixed size and unknown numbers.
std::int64_t bitsOf(aclDataType dtype);
// Alignment of an element's address, in bytes: its size, or that of its parts.
std::uint64_t alignmentOf(aclDataType dtype);
// "FLOAT16"; "dtype 99" for unknown numbers.
std::string nameOf(aclDataType dtype);
std::string namesOf(std::initializer_list<aclDataType> dtypes);
// Blocked layouts, which only matrix operators read.
bool isPrivate(aclFormat format);
std::string nameOf(aclFormat format);
const char* knownNameOf(aclFormat format);  // null for another format

}  // namespace aclq
