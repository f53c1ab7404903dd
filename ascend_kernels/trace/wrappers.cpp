// SPDX-License-Identifier: Apache-2.0
// One wrapper for each function of include/, and the table of all of them.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "call.h"

#define ACLQ_WRAPPER __attribute__((visibility("default")))

using aclq::trace::call;
using namespace aclq::trace;  // NOLINT: the numbers of the functions

#include "wrappers.inc"

namespace aclq::trace {

#include "tables.inc"

// Apart from the table of functions: with addresses of functions in it, that would be filled by code at start-up.
void* wrapperOf(const Function& function) {
    return kWrappers[&function - functions];
}

Function* findFunction(const char* name) {
    static const auto* const byName = [] {
        auto* const made = new std::unordered_map<std::string_view, Function*>;
        for (Function& function : functions) {
            made->emplace(function.name, &function);
        }
        return made;
    }();
    const auto found = byName->find(name);
    return found == byName->end() ? nullptr : found->second;
}

const char* codeName(std::int64_t code) {
    for (const EnumEntry& entry : kCodes) {
        if (entry.value == code) {
            return entry.name;
        }
    }
    return "";
}

namespace {
[[maybe_unused]] const bool ready = setUp();
}

}  // namespace aclq::trace
