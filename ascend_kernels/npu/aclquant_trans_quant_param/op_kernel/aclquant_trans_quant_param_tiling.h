// SPDX-License-Identifier: Apache-2.0
// Tiling of trans_quant_param. C++11.
//   key 0  the scale is truncated,  1  it is rounded to the nearest even
#pragma once

#include "aclquant_tiling.h"

namespace aclquant {

struct TransQuantParamTiling {
    uint64_t words;
    uint64_t blockWords;  // of a core; the last one takes what is left
    uint64_t scales, offsets;
    uint32_t tileWords;  // a multiple of 64
    uint32_t reserved;
};

struct TransQuantParamPlan {
    TransQuantParamTiling tiling;
    uint64_t key;
    uint32_t blocks;
};

constexpr uint32_t kTransQuantParamTile = 2048;

inline bool TileTransQuantParam(const TilingChip& chip, uint64_t scales, uint64_t offsets, int64_t roundMode,
                                TransQuantParamPlan& plan) {
    if (scales == 0 || (scales != 1 && offsets > 1 && scales != offsets) || (roundMode != 0 && roundMode != 1)) {
        return false;
    }
    TransQuantParamTiling& t = plan.tiling;
    t.words = scales > offsets ? scales : offsets;
    t.scales = scales;
    t.offsets = offsets;
    t.reserved = 0;
    // A core is worth starting for some hundreds of words.
    t.blockWords = TilingRoundUp(TilingDivideUp(t.words, chip.cores), 64);
    t.blockWords = t.blockWords < 512 ? 512 : t.blockWords;
    uint64_t blocks = TilingDivideUp(t.words, t.blockWords);
    if (blocks > 1 && t.words - (blocks - 1) * t.blockWords < 4) {
        --blocks;  // less than 32 bytes
    }
    t.tileWords = static_cast<uint32_t>(TilingMin(kTransQuantParamTile, TilingRoundUp(t.blockWords, 64)));
    plan.blocks = static_cast<uint32_t>(blocks);
    plan.key = static_cast<uint64_t>(roundMode);
    return true;
}

}  // namespace aclquant
