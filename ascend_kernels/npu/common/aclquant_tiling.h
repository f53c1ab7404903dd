// SPDX-License-Identifier: Apache-2.0
// What all tiling functions use. C++11, shared by the host side, the kernels (which read the structures) and the
// emulation.
#pragma once

#include <cstdint>

namespace aclquant {

// What tiling has to know of a chip.
struct TilingChip {
    uint32_t cores;
    uint32_t localBytes;  // of the unified buffer, for the kernel
    bool movesBytes;      // has DataCopyPad
};

// Kept free beside a kernel's buffers: their sizes are rounded up to blocks.
constexpr uint32_t kTilingReserve = 2048;

inline uint64_t TilingRoundUp(uint64_t value, uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

inline uint64_t TilingMin(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

inline uint64_t TilingDivideUp(uint64_t value, uint64_t unit) {
    return (value + unit - 1) / unit;
}

// Rows that have to stay on one core, so that no two cores store into the same 32 bytes: `bytes` in a row of the
// output; `fills`: rows after which the smaller outputs fill a block (8 for a float per row, 1 without).
inline uint64_t TilingGroup(const TilingChip& chip, uint64_t bytes, uint64_t fills) {
    if (chip.movesBytes) {
        return 1;
    }
    uint64_t rows = 1;
    while (rows * bytes % 32 != 0 || rows % fills != 0) {
        rows *= 2;
    }
    return rows;
}

}  // namespace aclquant
