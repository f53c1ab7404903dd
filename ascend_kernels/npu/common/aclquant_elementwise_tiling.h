// SPDX-License-Identifier: Apache-2.0
// Tiling of the static operators: quantize, ascend_quant, anti_quant. C++11.
//
// Tensors are folded to rows and columns by how the scale runs; the key says which:
//   0  one scale: a single row
//   1  a scale for each column, the last axis: their tile of columns is loaded once, then all rows pass
//   2  a scale for each row, any other axis: row r has scale r % scales
#pragma once

#include "aclquant_tiling.h"

namespace aclquant {

struct ElementwiseTiling {
    uint64_t rows, cols;
    uint64_t scales;     // elements of scale
    uint64_t groups;     // rows are given to cores in groups of groupRows; the last group takes what is left
    uint64_t blockCols;  // columns of a core; the last one takes what is left
    uint32_t groupRows;
    uint32_t colBlocks;           // cores beside each other
    uint32_t tileRows, tileCols;  // tileCols: a multiple of 64
    uint32_t buffers;
    uint32_t hasOffset;
    uint32_t scaleTwice;
    uint32_t roundMode;              // AscendC::RoundMode
    uint32_t scaleType, offsetType;  // aclDataType
};

struct ElementwisePlan {
    ElementwiseTiling tiling;
    uint64_t key;
    uint32_t blocks;
};

struct ElementwiseShape {
    uint64_t outer, middle, inner;  // dimensions before the scale's axis, the axis, behind it
    uint64_t scales;                // 1 or middle
    uint32_t inputBits, outputBits;
};

constexpr uint32_t kElementwiseMaxRows = 248;
constexpr uint32_t kElementwiseSplitCols = 1024;  // less is not worth a core
constexpr uint64_t kElementwiseTileBytes = 16384;

inline bool TileElementwise(const TilingChip& chip, const ElementwiseShape& shape, ElementwisePlan& plan) {
    ElementwiseTiling& t = plan.tiling;
    const uint64_t elements = shape.outer * shape.middle * shape.inner;
    const bool odd = elements % 2 != 0 && (shape.inputBits == 4 || shape.outputBits == 4);
    if (elements == 0 || odd || (shape.scales != 1 && shape.scales != shape.middle)) {
        return false;
    }
    plan.key = shape.scales == 1 ? 0 : (shape.inner == 1 ? 1 : 2);
    t.rows = plan.key == 0 ? 1 : (plan.key == 1 ? shape.outer : shape.outer * shape.middle);
    t.cols = elements / t.rows;
    t.scales = shape.scales;
    const bool narrow = shape.inputBits == 4 || shape.outputBits == 4;
    if (narrow && t.cols % 2 != 0) {
        return false;
    }
    const uint64_t rowBytes = t.cols * shape.outputBits / 8;
    t.groupRows = t.rows == 1 ? 1 : static_cast<uint32_t>(TilingGroup(chip, rowBytes, 1));
    t.groups = t.rows / t.groupRows == 0 ? 1 : t.rows / t.groupRows;
    t.colBlocks = 1;
    t.blockCols = t.cols;
    if (t.groups * 2 <= chip.cores && t.cols >= 2 * kElementwiseSplitCols &&
        (chip.movesBytes || t.rows == 1 || rowBytes % 32 == 0)) {
        const uint64_t blocks = TilingMin(chip.cores / t.groups, t.cols / kElementwiseSplitCols);
        t.blockCols = TilingRoundUp(TilingDivideUp(t.cols, blocks), 256);
        t.colBlocks = static_cast<uint32_t>(TilingDivideUp(t.cols, t.blockCols));
        const uint64_t last = (t.cols - (t.colBlocks - 1) * t.blockCols) * shape.outputBits / 8;
        if (last < 32 && t.colBlocks > 1) {
            --t.colBlocks;  // too little for a separate store
        }
    }
    const uint64_t rowBlocks = TilingMin(chip.cores / t.colBlocks, t.groups);
    plan.blocks = static_cast<uint32_t>(rowBlocks * t.colBlocks);

    // Local memory: the tile twice as read and as stored, as float and half; one row of scales and offsets, as float
    // and as read, and what unpacks int4 (offsets for Gather, halves). With a scale for each row, two numbers for each
    // row.
    t.buffers = 2;
    const uint64_t bits2 = 2 * (2ULL * shape.inputBits + 2ULL * shape.outputBits + 32 + 16);  // of an element, doubled
    const uint64_t perRow = 48;
    const uint64_t perCol = 4 + 4 + 4 + 2 + (shape.inputBits == 4 ? 4 + 8 : 0);
    const uint64_t free = chip.localBytes - kTilingReserve - kElementwiseMaxRows * 16;
    const uint64_t coreCols = t.colBlocks == 1 ? t.cols : t.blockCols + 256;
    const uint64_t coreRows =
        TilingMin(t.rows, TilingDivideUp(t.groups, rowBlocks) * t.groupRows + t.rows % t.groupRows);
    const uint64_t most = (free - perRow) * 16 / (bits2 + 16 * perCol) / 64 * 64;
    uint64_t cols = TilingRoundUp(coreCols, 64);
    if (cols > most) {
        const uint64_t pieces = TilingDivideUp(cols, most);
        cols = TilingMin(most, TilingRoundUp(TilingDivideUp(coreCols, pieces), 64));
    } else if (coreRows == 1 && cols * shape.inputBits / 8 > 2 * kElementwiseTileBytes) {
        cols = TilingMin(cols, TilingRoundUp(TilingDivideUp(cols, 4), 512));  // copies and arithmetic overlap
    }
    t.tileCols = static_cast<uint32_t>(cols);
    const uint64_t fit = (free - cols * perCol) / (cols * bits2 / 16 + perRow);
    uint64_t rows = TilingMin(TilingMin(fit == 0 ? 1 : fit, kElementwiseMaxRows), coreRows);
    const uint64_t quarter = TilingDivideUp(coreRows, 4),
                   large = TilingDivideUp(kElementwiseTileBytes * 8, cols * shape.inputBits);
    rows = TilingMin(rows, quarter > large ? quarter : large);
    t.tileRows = static_cast<uint32_t>(rows);
    return true;
}

// Bytes moved between global and local memory, exact with DataCopyPad; for the model in the documentation. With a scale
// for each row it is loaded with each tile of the row.
inline uint64_t ElementwiseTraffic(const ElementwisePlan& plan, const ElementwiseShape& shape,
                                   uint64_t parameterBytes) {
    const ElementwiseTiling& t = plan.tiling;
    const uint64_t elements = t.rows * t.cols;
    const uint64_t rowBlocks = plan.blocks / t.colBlocks;
    const uint64_t last = t.cols - (t.colBlocks - 1) * t.blockCols;
    const uint64_t tiles =
        (t.colBlocks - 1) * TilingDivideUp(t.blockCols, t.tileCols) + TilingDivideUp(last, t.tileCols);
    const uint64_t parameters = plan.key == 0 ? plan.blocks : (plan.key == 1 ? rowBlocks * t.cols : t.rows * tiles);
    return elements * (shape.inputBits + shape.outputBits) / 8 + parameters * parameterBytes;
}

}  // namespace aclquant
