// SPDX-License-Identifier: Apache-2.0
// The operators' tiling functions for Python: numbers in, the bytes of the tiling structure out.
#include "aclquant_dynamic_quant_tiling.h"
#include "aclquant_elementwise_tiling.h"
#include "aclquant_trans_quant_param_tiling.h"
#include "machine.h"
#include "run.h"

namespace {

template <class Plan>
uint64_t give(const Plan& plan, void* tiling, uint64_t* key, uint32_t* blocks) {
    std::memcpy(tiling, &plan.tiling, sizeof plan.tiling);
    *key = plan.key;
    *blocks = plan.blocks;
    return sizeof plan.tiling;
}

uint64_t number(int64_t value) {
    return static_cast<uint64_t>(value);
}

// The first numbers of "elementwise".
aclquant::ElementwiseShape elementwise(const int64_t* n) {
    return {number(n[1]),
            number(n[2]),
            number(n[3]),
            number(n[4]),
            static_cast<uint32_t>(n[5]),
            static_cast<uint32_t>(n[6])};
}

}  // namespace

// numbers[0]: bytes of local memory, 0 for the chip's own.
// dynamic_quant: rows, cols, int4, smooth, elements of group_index
// elementwise: outer, middle, inner, scales, bits of x, bits of y, has offset, scale twice, round mode, types of scale
// and offset
// trans_quant_param: scales, offsets, round mode
// For the traffic in bytes, dynamic_quant has [6] asymmetric, and elementwise [12] bytes of a scale and its offset.
uint64_t emuTile(const char* op, const int64_t* n, uint32_t cores, void* tiling, uint64_t* key, uint32_t* blocks) {
    const aclquant::TilingChip chip{cores, n[0] != 0 ? static_cast<uint32_t>(n[0]) : emu::kChip.localBytes,
                                    emu::kChip.movesBytes};
    const std::string name = op;
    if (name == "dynamic_quant") {
        aclquant::DynamicQuantPlan plan{};
        return aclquant::TileDynamicQuant(chip, number(n[1]), number(n[2]), n[3] != 0, n[4] != 0, number(n[5]), plan)
                   ? give(plan, tiling, key, blocks)
                   : 0;
    }
    if (name == "elementwise") {
        const aclquant::ElementwiseShape shape = elementwise(n);
        aclquant::ElementwisePlan plan{};
        plan.tiling.hasOffset = n[7] != 0;
        plan.tiling.scaleTwice = n[8] != 0;
        plan.tiling.roundMode = static_cast<uint32_t>(n[9]);
        plan.tiling.scaleType = static_cast<uint32_t>(n[10]);
        plan.tiling.offsetType = static_cast<uint32_t>(n[11]);
        return aclquant::TileElementwise(chip, shape, plan) ? give(plan, tiling, key, blocks) : 0;
    }
    if (name == "trans_quant_param") {
        aclquant::TransQuantParamPlan plan{};
        return aclquant::TileTransQuantParam(chip, number(n[1]), number(n[2]), n[3], plan)
                   ? give(plan, tiling, key, blocks)
                   : 0;
    }
    return 0;
}

uint64_t emuTraffic(const char* op, const int64_t* n, uint32_t cores) {
    const aclquant::TilingChip chip{cores, n[0] != 0 ? static_cast<uint32_t>(n[0]) : emu::kChip.localBytes,
                                    emu::kChip.movesBytes};
    if (std::string(op) == "dynamic_quant") {
        aclquant::DynamicQuantPlan plan{};
        return aclquant::TileDynamicQuant(chip, number(n[1]), number(n[2]), n[3] != 0, n[4] != 0, number(n[5]), plan)
                   ? aclquant::DynamicQuantTraffic(plan, n[3] != 0, n[6] != 0)
                   : 0;
    }
    const aclquant::ElementwiseShape shape = elementwise(n);
    aclquant::ElementwisePlan plan{};
    return aclquant::TileElementwise(chip, shape, plan) ? aclquant::ElementwiseTraffic(plan, shape, number(n[12])) : 0;
}
