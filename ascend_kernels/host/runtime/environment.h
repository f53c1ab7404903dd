// SPDX-License-Identifier: Apache-2.0
// Settings from environment variables. An invalid value is reported on stderr, once per process, and the default is
// used.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace aclq {

// A whole number in decimal digits, from `low` to `high`.
std::uint64_t numberFrom(const char* variable, std::uint64_t low, std::uint64_t high, std::uint64_t fallback);
// 0 or 1.
bool switchFrom(const char* variable, bool fallback);
// One of the words; the first one is the default.
const char* wordFrom(const char* variable, std::initializer_list<const char*> words);
// Any text; null when the variable is missing or empty.
const char* textFrom(const char* variable);

// Reports an ignored value, and the value used instead.
void reportRefusedValue(const char* variable, const char* allowed, const char* instead);
// Reports unknown variables of the host device, such as misspelt ones.
void reportUnknownVariables();

}  // namespace aclq
