// SPDX-License-Identifier: Apache-2.0
// What differs between the chip families, for the kernels: A2 and A3 (architecture 2201) and the inference series
// (2002).
#pragma once

#include "kernel_operator.h"

namespace aclquant {

#if defined(__NPU_ARCH__)
constexpr bool kInferenceSeries = __NPU_ARCH__ == 2002;
#else
constexpr bool kInferenceSeries = __CCE_AICORE__ == 200;
#endif

// DataCopyPad: copies of any number of bytes. Without it, copies are whole blocks.
constexpr bool kMovesBytes = !kInferenceSeries;
constexpr bool kHasBfloat16 = !kInferenceSeries;
// There is an instruction from int4b_t to half.
constexpr bool kUnpacksInt4 = !kInferenceSeries;

// Modes of conversions that mean the same and have other names. A plain conversion rounds to the nearest even.
constexpr AscendC::RoundMode kToHalf = kInferenceSeries ? AscendC::RoundMode::CAST_NONE : AscendC::RoundMode::CAST_RINT;
constexpr AscendC::RoundMode kIntToFloat =
    kInferenceSeries ? AscendC::RoundMode::CAST_NONE : AscendC::RoundMode::CAST_RINT;
constexpr AscendC::RoundMode kWholeToInt4 =
    kInferenceSeries ? AscendC::RoundMode::CAST_NONE : AscendC::RoundMode::CAST_TRUNC;

constexpr uint32_t kBlock = 32;  // bytes of the smallest copy, and the alignment of local memory

// The second pipe waits for what has been issued to the first. A macro, so that each has its line in the emulation's
// reports.
#define ACLQUANT_FENCE(pipe, EVENT)                                           \
    {                                                                         \
        auto id = (pipe)->template FetchEventID<AscendC::HardEvent::EVENT>(); \
        AscendC::SetFlag<AscendC::HardEvent::EVENT>(id);                      \
        AscendC::WaitFlag<AscendC::HardEvent::EVENT>(id);                     \
    }

__aicore__ inline uint32_t RoundUp(uint32_t value, uint32_t unit) {
    return (value + unit - 1) / unit * unit;
}

__aicore__ inline uint64_t Smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

}  // namespace aclquant
