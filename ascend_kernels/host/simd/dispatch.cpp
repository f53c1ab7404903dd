// SPDX-License-Identifier: Apache-2.0
// Which variant of the row kernels runs.
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "simd/kernels.h"
#include "simd/widest.h"

namespace aclq {

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

namespace {

// Each needs more of the processor than the one before it; the definition first.
constexpr std::array kVariants {
    &kScalarKernels,
#if defined(__x86_64__)
        &kAvx2Kernels, &kAvx512Kernels,
#elif defined(__aarch64__)
        &kNeonKernels,
#endif
};

#if defined(__x86_64__)
// Clang's __builtin_cpu_supports learnt this name late.
bool hasF16c() {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

std::size_t countUsable() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !hasF16c() || !__builtin_cpu_supports("fma")) {
        return 1;
    }
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq")) {
        return 2;
    }
#endif
    return kVariants.size();
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

// Null until the first use. Not a function's static variable: its lock would stay held in a child that is forked while
// another thread chooses.
constinit std::atomic<const Kernels*> chosen{nullptr};

}  // namespace

std::span<const Kernels* const> usableKernels() {
    return std::span(kVariants).first(countUsable());
}

bool chooseKernels(const char* name) {
    const Kernels* variant = find(name);
    if (variant != nullptr) {
        chosen = variant;
    }
    return variant != nullptr;
}

const Kernels& kernels() {
    const Kernels* variant = chosen.load(std::memory_order_relaxed);
    if (variant == nullptr) {
        const Kernels* wanted = find(std::getenv("ACLQUANT_HOST_ISA"));
        const Kernels* first = wanted != nullptr ? wanted : find(nullptr);
        // Unless another thread has chosen meanwhile.
        variant = chosen.compare_exchange_strong(variant, first) ? first : variant;
    }
    return *variant;
}

#if defined(__x86_64__)
Vectors vectors() {
    const Kernels* variant = &kernels();
    return variant == &kAvx512Kernels ? Vectors::Avx512
                                      : (variant == &kAvx2Kernels ? Vectors::Avx2 : Vectors::Baseline);
}
#endif

}  // namespace aclq
