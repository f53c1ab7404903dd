// SPDX-License-Identifier: Apache-2.0
// Conversions of tiles: the chains of instructions that round once. A tile is `rows` rows of `cols` elements, `pitch`
// apart; the elements between a row's end and the next row are not touched.
#pragma once

#include <type_traits>

#include "aclquant_chip.h"

namespace aclquant {

using namespace AscendC;

struct Tile {
    uint32_t rows, cols, pitch;
};

template <class D, class S>
__aicore__ inline void CastRows(const LocalTensor<D>& to, const LocalTensor<S>& from, RoundMode mode,
                                const Tile& tile) {
    if (tile.cols == tile.pitch) {
        Cast(to, from, mode, tile.rows * tile.cols);
        return;
    }
    for (uint32_t row = 0; row < tile.rows; ++row) {
        Cast(to[row * tile.pitch], from[row * tile.pitch], mode, tile.cols);
    }
}

// To float. int8 and uint8 go through `halves`; float stays where it is. Ends with a barrier.
template <class T>
__aicore__ inline LocalTensor<float> ToFloat(const LocalTensor<float>& to, const LocalTensor<T>& from,
                                             const LocalTensor<half>& halves, const Tile& tile) {
    if constexpr (std::is_same<T, float>::value) {
        return from;
    } else {
        if constexpr (sizeof(T) == 1) {
            CastRows(halves, from, RoundMode::CAST_NONE, tile);
            PipeBarrier<PIPE_V>();
            CastRows(to, halves, RoundMode::CAST_NONE, tile);
        } else if constexpr (std::is_same<T, int32_t>::value) {
            CastRows(to, from, kIntToFloat, tile);
        } else {
            CastRows(to, from, RoundMode::CAST_NONE, tile);
        }
        PipeBarrier<PIPE_V>();
        return to;
    }
}

// float to the result, rounded once in `mode`, saturating; destroys `values`. Needs SetDeqScale(1).
// int8, uint8 and int4 go through int32 and half: int32 takes the rounding, half holds what is in range exactly.
template <class T>
__aicore__ inline void FromFloat(const LocalTensor<T>& to, const LocalTensor<float>& values,
                                 const LocalTensor<half>& halves, RoundMode mode, const Tile& tile) {
    if constexpr (std::is_same<T, half>::value) {
        CastRows(to, values, kToHalf, tile);
    } else if constexpr (std::is_same<T, bfloat16_t>::value) {
        CastRows(to, values, RoundMode::CAST_RINT, tile);
    } else if constexpr (std::is_same<T, int32_t>::value) {
        CastRows(to, values, mode, tile);
    } else {
        const LocalTensor<int32_t> whole = values.template ReinterpretCast<int32_t>();
        CastRows(whole, values, mode, tile);
        PipeBarrier<PIPE_V>();
        CastRows(halves, whole, RoundMode::CAST_NONE, tile);
        PipeBarrier<PIPE_V>();
        CastRows(to, halves, std::is_same<T, int4b_t>::value ? kWholeToInt4 : RoundMode::CAST_TRUNC, tile);
    }
}

}  // namespace aclquant
