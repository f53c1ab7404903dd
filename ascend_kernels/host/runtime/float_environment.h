// SPDX-License-Identifier: Apache-2.0
// Kernels may run in a client's thread, whose rounding and subnormal modes (a library built with fast-math sets them)
// must not change results: the standard environment holds while one of these lives.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace aclq {

class FloatEnvironment {
  public:
    FloatEnvironment() : saved_(get()) { set(kStandard); }
    ~FloatEnvironment() { set(saved_); }
    FloatEnvironment(const FloatEnvironment&) = delete;
    FloatEnvironment& operator=(const FloatEnvironment&) = delete;

  private:
#if defined(__x86_64__)
    using Control = unsigned int;
    static constexpr Control kStandard = 0x1F80;  // nearest even, subnormals kept, exceptions masked
    static Control get() {
        return _mm_getcsr();
    }
    static void set(Control control) {
        _mm_setcsr(control);
    }
#elif defined(__aarch64__)
    using Control = std::uint64_t;
    static constexpr Control kStandard = 0;
    static Control get() {
        Control control = 0;
        asm volatile("mrs %0, fpcr" : "=r"(control));
        return control;
    }
    static void set(Control control) {
        asm volatile("msr fpcr, %0" : : "r"(control));
    }
#else
#error "the host device is written for x86-64 and aarch64"
#endif
    Control saved_;
};

}  // namespace aclq
