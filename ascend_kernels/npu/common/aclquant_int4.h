// SPDX-License-Identifier: Apache-2.0
// int4 to half. A2 and A3 have an instruction. The inference series takes the bytes apart in half arithmetic, all of it
// exact: a byte b is 16 * high + low, high = floor(b / 16) is signed already, low is 0 to 15 and loses 16 from 8 on.
#pragma once

#include "aclquant_numbers.h"

namespace aclquant {

using namespace AscendC;

struct NoUnpack {};

class UnpackInt4 {
  public:
    __aicore__ inline void Init(TPipe* pipe, uint32_t cols) {
        pipe_ = pipe;
        if constexpr (!kUnpacksInt4) {
            cols_ = cols;
            pipe->InitBuffer(order_, cols * sizeof(uint32_t));
            pipe->InitBuffer(nibbles_, 2 * cols * sizeof(half));
            MakeOrder();
        }
    }

    // `scratch` holds an int32 for each element of a row. Ends with a barrier.
    __aicore__ inline void Run(const LocalTensor<half>& to, const LocalTensor<int8_t>& from,
                               const LocalTensor<float>& scratch, const Tile& tile) {
        if constexpr (kUnpacksInt4) {
            CastRows(to, from.template ReinterpretCast<int4b_t>(), RoundMode::CAST_NONE, tile);
            PipeBarrier<PIPE_V>();
        } else {
            for (uint32_t row = 0; row < tile.rows; ++row) {
                Row(to[row * tile.pitch], from[row * tile.pitch / 2], scratch.template ReinterpretCast<int32_t>(),
                    tile.cols / 2);
            }
        }
    }

  private:
    __aicore__ inline void Row(const LocalTensor<half>& to, const LocalTensor<int8_t>& from,
                               const LocalTensor<int32_t>& whole, uint32_t bytes) {
        const LocalTensor<half> nibbles = nibbles_.Get<half>();
        const LocalTensor<half> low = nibbles, high = nibbles[cols_ / 2], work = nibbles[cols_];
        Cast(low, from, RoundMode::CAST_NONE, bytes);
        PipeBarrier<PIPE_V>();
        FloorOfSixteenth(high, low, work, whole, bytes);
        TakeSixteen(low, high, work, bytes);  // 0 to 15
        Adds(work, low, static_cast<half>(8.0f), bytes);
        PipeBarrier<PIPE_V>();
        // 1 from 8 on
        Muls(work, work, static_cast<half>(0.0625f), bytes);
        PipeBarrier<PIPE_V>();
        Cast(whole, work, RoundMode::CAST_FLOOR, bytes);
        PipeBarrier<PIPE_V>();
        Cast(work, whole, RoundMode::CAST_NONE, bytes);
        PipeBarrier<PIPE_V>();
        Muls(work, work, static_cast<half>(-16.0f), bytes);
        PipeBarrier<PIPE_V>();
        Add(low, low, work, bytes);
        PipeBarrier<PIPE_V>();
        Gather(to, nibbles, order_.Get<uint32_t>(), 0, 2 * bytes);
        PipeBarrier<PIPE_V>();
    }

    __aicore__ inline void FloorOfSixteenth(const LocalTensor<half>& to, const LocalTensor<half>& from,
                                            const LocalTensor<half>& work, const LocalTensor<int32_t>& whole,
                                            uint32_t count) {
        Muls(work, from, static_cast<half>(0.0625f), count);
        PipeBarrier<PIPE_V>();
        Cast(whole, work, RoundMode::CAST_FLOOR, count);
        PipeBarrier<PIPE_V>();
        Cast(to, whole, RoundMode::CAST_NONE, count);
        PipeBarrier<PIPE_V>();
    }

    __aicore__ inline void TakeSixteen(const LocalTensor<half>& from, const LocalTensor<half>& times,
                                       const LocalTensor<half>& work, uint32_t count) {
        Muls(work, times, static_cast<half>(-16.0f), count);
        PipeBarrier<PIPE_V>();
        Add(from, from, work, count);
        PipeBarrier<PIPE_V>();
    }

    // Byte offsets of element k in [low | high]: 2 * (k / 2), and a row of lows further for odd k.
    __aicore__ inline void MakeOrder() {
        const LocalTensor<uint32_t> order = order_.Get<uint32_t>();
        const uint32_t first = cols_ < 64 ? cols_ : 64;
        for (uint32_t k = 0; k < first; ++k) {
            order.SetValue(k, k / 2 * 2 + (k % 2) * cols_);
        }
        ACLQUANT_FENCE(pipe_, S_V);
        const LocalTensor<int32_t> numbers = order.ReinterpretCast<int32_t>();
        for (uint32_t made = first; made < cols_; made *= 2) {
            const uint32_t count = made < cols_ - made ? made : cols_ - made;
            Adds(numbers[made], numbers, static_cast<int32_t>(made), count);
            PipeBarrier<PIPE_V>();
        }
    }

    TPipe* pipe_;
    uint32_t cols_;
    TBuf<TPosition::VECCALC> order_, nibbles_;
};

}  // namespace aclquant
