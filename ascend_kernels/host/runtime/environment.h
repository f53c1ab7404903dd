// SPDX-License-Identifier: Apache-2.0
// Settings from environment variables. A value that does not fit is never taken for another: it is reported on stderr,
// once in the life of a process, and the default holds.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace aclq {

// A whole number in decimal digits, from `low` to `high`.
std::uint64_t numberFrom(const char* variable, std::uint64_t low, std::uint64_t high, std::uint64_t fallback);
// 0 or 1.
bool switchFrom(const char* variable, bool fallback);
// One of the words, the first of which is the default.
const char* wordFrom(const char* variable, std::initializer_list<const char*> words);
// Any text; null when the variable is missing or empty.
const char* textFrom(const char* variable);

// Reports a value that was not taken, and what holds instead.
void reportRefusedValue(const char* variable, const char* allowed, const char* instead);
// Reports variables of the host device that do not exist, such as misspelt ones.
void reportUnknownVariables();

}  // namespace aclq
