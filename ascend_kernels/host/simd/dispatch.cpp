// SPDX-License-Identifier: Apache-2.0
// Which variant of the row kernels runs.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "simd/kernels.h"

namespace aclq {

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

namespace {

// In order of preference, the definition first.
std::vector<const Kernels*> findUsable() {
    std::vector<const Kernels*> usable{&kScalarKernels};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("fma")) {
        usable.push_back(&kAvx2Kernels);
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq")) {
        usable.push_back(&kAvx512Kernels);
    }
#elif defined(__aarch64__)
    usable.push_back(&kNeonKernels);
#endif
    return usable;
}

const Kernels* find(const char* name) {
    const std::span<const Kernels* const> usable = usableKernels();
    if (name == nullptr || *name == '\0') {
        return usable.back();
    }
    for (const Kernels* variant : usable) {
        if (std::strcmp(variant->name, name) == 0) {
            return variant;
        }
    }
    return nullptr;
}

std::atomic<const Kernels*>& chosen() {
    static std::atomic<const Kernels*> variant = [] {
        const Kernels* wanted = find(std::getenv("ACLQUANT_HOST_ISA"));
        return wanted != nullptr ? wanted : find(nullptr);
    }();
    return variant;
}

}  // namespace

std::span<const Kernels* const> usableKernels() {
    static const std::vector<const Kernels*> usable = findUsable();
    return usable;
}

bool chooseKernels(const char* name) {
    const Kernels* variant = find(name);
    if (variant != nullptr) {
        chosen() = variant;
    }
    return variant != nullptr;
}

const Kernels& kernels() {
    return *chosen();
}

}  // namespace aclq
