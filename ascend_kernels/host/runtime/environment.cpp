// SPDX-License-Identifier: Apache-2.0
#include "runtime/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/kept_texts.h"
#include "runtime/status.h"

namespace aclq {
namespace {

constexpr const char* kPrefix =
    "ACLQUANT_"
    "HOST_";
// LIBRARY is read by the Python package.
constexpr const char* kVariables[] = {"BLAS",       "DELAY",        "DEVICES",   "ISA",    "LIBRARY",
                                      "MEMORY",     "MEMORY_LIMIT", "POISON",    "REPORT", "SOC",
                                      "STRICT_SOC", "THREADS",      "WORKSPACE", "VERSION"};

// A forked child reads its environment again, but does not repeat the reports.
void say(const std::string& variable, const std::string& sentence) {
    static constinit KeptTexts said;
    if (said.find(variable) == nullptr) {
        said.keep(variable);
        const std::string line = "aclquant: " + variable + sentence + "\n";
        (void)!::write(STDERR_FILENO, line.data(), line.size());
    }
}

}  // namespace

const char* textFrom(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? value : nullptr;
}

void reportRefusedValue(const char* variable, const char* allowed, const char* instead) {
    say(variable, text(" is '%.64s'; allowed: %s. It is not used: %s", std::getenv(variable), allowed, instead));
}

std::uint64_t numberFrom(const char* variable, std::uint64_t low, std::uint64_t high, std::uint64_t fallback) {
    const char* value = textFrom(variable);
    if (value == nullptr) {
        return fallback;
    }
    std::uint64_t number = 0;
    bool fits = true;
    for (const char* digit = value; *digit != '\0' && fits; ++digit) {
        fits = *digit >= '0' && *digit <= '9' && !__builtin_mul_overflow(number, std::uint64_t{10}, &number) &&
               !__builtin_add_overflow(number, static_cast<std::uint64_t>(*digit - '0'), &number);
    }
    if (fits && number >= low && number <= high) {
        return number;
    }
    reportRefusedValue(variable,
                       text("a whole number in decimal digits, %llu to %llu", static_cast<unsigned long long>(low),
                            static_cast<unsigned long long>(high))
                           .c_str(),
                       text("%llu holds", static_cast<unsigned long long>(fallback)).c_str());
    return fallback;
}

bool switchFrom(const char* variable, bool fallback) {
    return numberFrom(variable, 0, 1, fallback ? 1 : 0) != 0;
}

const char* wordFrom(const char* variable, std::initializer_list<const char*> words) {
    const char* value = textFrom(variable);
    if (value == nullptr) {
        return *words.begin();
    }
    std::string allowed;
    for (const char* word : words) {
        if (std::strcmp(word, value) == 0) {
            return word;
        }
        allowed += (allowed.empty() ? "" : ", ") + std::string(word);
    }
    reportRefusedValue(variable, allowed.c_str(), text("%s holds", *words.begin()).c_str());
    return *words.begin();
}

void reportUnknownVariables() {
    const std::size_t length = std::strlen(kPrefix);
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        if (std::strncmp(*entry, kPrefix, length) != 0) {
            continue;
        }
        const std::string name(*entry + length, std::strcspn(*entry + length, "="));
        if (std::find(std::begin(kVariables), std::end(kVariables), name) == std::end(kVariables)) {
            say(kPrefix + name, " is not a variable of the host device; docs/environment.md lists them");
        }
    }
}

}  // namespace aclq
