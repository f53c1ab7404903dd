// SPDX-License-Identifier: Apache-2.0
// Failures: thrown inside the library, turned into a status and a sentence at its interface.
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>

namespace aclq::graph {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

constexpr std::uint32_t kSuccess = 0;
constexpr std::uint32_t kFailed = 0xFFFFFFFF;

// Keeps the sentence for the calling thread and returns kFailed.
std::uint32_t report(const char* sentence) noexcept;
// The last sentence of the calling thread, never empty.
const char* lastReport() noexcept;

// Runs the body of an exported function and lets no exception out.
template <class Body>
std::uint32_t guarded(Body&& body) noexcept {
    try {
        body();
        return kSuccess;
    } catch (const std::bad_alloc&) {
        return report("the host has no memory left");
    } catch (const std::exception& error) {
        return report(error.what());
    } catch (...) {
        return report("an unknown exception");
    }
}

}  // namespace aclq::graph
