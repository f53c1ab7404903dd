// SPDX-License-Identifier: Apache-2.0
// Tiling of the dynamic quantisations. C++11.
//
//   key = path + 10 * smooth
//   path   0  whole rows in local memory, one buffer each for input and output
//          1  the same, two buffers
//          2  rows longer than local memory, in pieces: once for the extremes, once for the results
//          3  the same, a row shared by several cores: each finds the extremes of the whole row and makes its share of
//          results
//   smooth 0  none,  1  one row of smooth scales,  2  one for each group of rows
#pragma once

#include "aclquant_tiling.h"

namespace aclquant {

struct DynamicQuantTiling {
    uint64_t rows;
    uint64_t cols;
    uint64_t groups;  // rows are given to cores in groups of groupRows; the last group takes what is left
    uint32_t groupRows;
    uint32_t shares;      // cores that share each group's rows
    uint64_t shareCols;   // columns of a share
    uint32_t tileRows;    // rows in local memory at once
    uint32_t tileCols;    // columns in local memory at once, a multiple of 64
    uint32_t buffers;     // of input and output
    uint32_t smoothRows;  // 0, 1, or the number of groups in group_index
};

constexpr uint32_t kDynamicParameters = 512;  // scales kept before they are stored
constexpr uint32_t kDynamicMaxRows = 248;     // a reduction repeats up to 255 times
constexpr uint32_t kDynamicMaxGroups = 1024;
constexpr uint32_t kDynamicShareCols = 4096;   // less is not worth a core
constexpr uint64_t kDynamicTileBytes = 16384;  // copies of so much run at the full rate

struct DynamicQuantPlan {
    DynamicQuantTiling tiling;
    uint64_t key;
    uint32_t blocks;
};

// Local memory for a row, beside the tile's own; see the buffers of DynamicQuant::Init.
constexpr uint32_t kDynamicRowBytes = 2 * (64 * 4 + 8 * 4 + 4);

// `int4`: y holds int4. False if there is nothing to do or too many groups.
inline bool TileDynamicQuant(const TilingChip& chip, uint64_t rows, uint64_t cols, bool int4, bool smooth,
                             uint64_t indices, DynamicQuantPlan& plan) {
    if (rows == 0 || cols == 0 || indices > kDynamicMaxGroups || (int4 && cols % 2 != 0)) {
        return false;
    }
    DynamicQuantTiling& t = plan.tiling;
    const uint64_t rowBytes = int4 ? cols / 2 : cols;
    t.rows = rows;
    t.cols = cols;
    t.smoothRows = !smooth ? 0 : (indices == 0 ? 1 : static_cast<uint32_t>(indices));
    t.groupRows = static_cast<uint32_t>(TilingGroup(chip, rowBytes, 8));
    t.groups = rows / t.groupRows == 0 ? 1 : rows / t.groupRows;
    t.shares = 1;
    t.shareCols = cols;
    // Few long rows: cores that would be idle take a part of the columns.
    const bool divisible = chip.movesBytes || rowBytes % 32 == 0;
    if (t.groups * 2 <= chip.cores && cols >= 2 * kDynamicShareCols && divisible) {
        const uint64_t shares = TilingMin(chip.cores / t.groups, cols / kDynamicShareCols);
        t.shareCols = TilingRoundUp(TilingDivideUp(cols, shares), 512);
        t.shares = static_cast<uint32_t>(TilingDivideUp(cols, t.shareCols));
    }
    const uint64_t units = TilingMin(chip.cores / t.shares, t.groups);
    plan.blocks = static_cast<uint32_t>(units * t.shares);

    const uint64_t table = indices == 0 ? 0 : TilingRoundUp(indices * 4, 32);
    const uint64_t fixed = kTilingReserve + 2 * kDynamicParameters * 4 + table + 64;
    const uint64_t half = int4 ? 1 : 2;               // bytes of y, twice
    const uint64_t smoothBytes = smooth ? 4 + 2 : 0;  // an element of smooth, as float and as read
    const uint64_t pitch = TilingRoundUp(cols, 64);
    const uint64_t perCore = TilingMin(rows, TilingDivideUp(t.groups, units) * t.groupRows + rows % t.groupRows);
    uint64_t path = t.shares > 1 ? 3 : 2;
    for (uint32_t buffers = 2; buffers >= 1 && path == 2; --buffers) {
        const uint64_t perRow = pitch * (2 * buffers + 4 + 2) + pitch * half * buffers / 2 + kDynamicRowBytes;
        const uint64_t free = chip.localBytes - fixed;
        if (pitch * smoothBytes + perRow > free) {
            continue;
        }
        uint64_t fit = TilingMin(TilingMin((free - pitch * smoothBytes) / perRow, kDynamicMaxRows), perCore);
        if (buffers == 2) {
            // At least four tiles for a core, so that copies and arithmetic overlap, unless they would be small.
            const uint64_t quarter = TilingDivideUp(perCore, 4);
            const uint64_t large = TilingDivideUp(kDynamicTileBytes, pitch * 2);
            fit = TilingMin(fit, quarter > large ? quarter : large);
        }
        t.tileRows = static_cast<uint32_t>(fit);
        t.tileCols = static_cast<uint32_t>(pitch);
        t.buffers = buffers;
        path = buffers - 1;
    }
    if (path >= 2) {
        const uint64_t perCol2 = 2 * (2 * 2 + 4 + 2) + half * 2 + (smooth ? 2 * (4 + 2 * 2) : 0);
        const uint64_t most = (chip.localBytes - fixed - kDynamicRowBytes) * 2 / perCol2 / 512 * 512;
        t.tileRows = 1;
        t.tileCols = static_cast<uint32_t>(TilingMin(most, TilingRoundUp(t.shareCols, 512)));
        t.buffers = 2;
    }
    plan.key = path + (!smooth ? 0 : (indices == 0 ? 10 : 20));
    return true;
}

// Bytes moved between global and local memory, exact with DataCopyPad and without changes of group within a tile; for
// the model in the documentation.
inline uint64_t DynamicQuantTraffic(const DynamicQuantPlan& plan, bool int4, bool asymmetric) {
    const DynamicQuantTiling& t = plan.tiling;
    const uint64_t path = plan.key % 10, smooth = plan.key / 10;
    const uint64_t units = plan.blocks / t.shares;
    const uint64_t passes = path < 2 ? 1 : t.shares + 1;
    const uint64_t x = t.rows * t.cols * 2 * passes;
    const uint64_t y = t.rows * t.cols / (int4 ? 2 : 1);
    const uint64_t reads =
        path < 2 ? (smooth == 1 ? units : TilingMin(t.rows, t.smoothRows + units - 1)) : t.rows * passes;
    const uint64_t scales = smooth == 0 ? 0 : reads * t.cols * 2;
    const uint64_t indices = smooth == 2 ? plan.blocks * t.smoothRows * 4ULL : 0;
    return x + y + scales + indices + t.rows * 4 * (asymmetric ? 2 : 1);
}

}  // namespace aclquant
