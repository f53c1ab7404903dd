// SPDX-License-Identifier: Apache-2.0
// Loops that are written once and run in the widest vectors of the processor.
#pragma once

#include <utility>

namespace aclq {

#if defined(__x86_64__)
enum class Vectors { Baseline, Avx2, Avx512 };

// Those of the row kernels in use (kernels.h).
Vectors vectors();

// `flatten` compiles what body() calls for these instructions too. A copy of body cannot be changed by what its loop
// writes, so that what it captured stays in registers.
template <class Body>
__attribute__((target("avx2"), flatten, noinline)) void runInAvx2(Body body) {
    body();
}
#if defined(__clang__)
#define ACLQ_AVX512 "avx512f,avx512bw,avx512dq,avx512vl"
#else
#define ACLQ_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"  // Clang needs no such wish
#endif
template <class Body>
__attribute__((target(ACLQ_AVX512), flatten, noinline)) void runInAvx512(Body body) {
    body();
}
#undef ACLQ_AVX512
#endif

// Calls body(), a plain loop, compiled for each instruction set. Without contraction, all give the same bits.
template <class Body>
void widest(Body&& body) {
#if defined(__x86_64__)
    switch (vectors()) {
        case Vectors::Avx512:
            return runInAvx512(body);
        case Vectors::Avx2:
            return runInAvx2(body);
        case Vectors::Baseline:
            break;
    }
#endif
    body();
}

}  // namespace aclq
