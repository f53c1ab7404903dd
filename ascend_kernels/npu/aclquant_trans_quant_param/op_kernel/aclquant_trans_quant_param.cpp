// SPDX-License-Identifier: Apache-2.0
// word = (bits of scale without the last 13) | 1 << 46 | (offset as 9 bits) << 37. In 32-bit halves: the low one is the
// scale, the high one 0x4000 + offset * 32. Neither chip family has all instructions on 32-bit integers, so logic is
// done in 16 bits and a bit is moved by way of float, which is exact.
#include "aclquant_move.h"
#include "aclquant_numbers.h"
#include "aclquant_trans_quant_param_tiling.h"

namespace aclquant {

template <bool kRound>
class TransQuantParam {
  public:
    __aicore__ inline void Init(TPipe* pipe, const TransQuantParamTiling& tiling, GM_ADDR scale, GM_ADDR offset,
                                GM_ADDR y) {
        pipe_ = pipe;
        t_ = tiling;
        scale_.SetGlobalBuffer((__gm__ float*)scale, t_.scales);
        offset_.SetGlobalBuffer((__gm__ float*)offset, t_.offsets);
        y_.SetGlobalBuffer((__gm__ int32_t*)y, t_.words * 2);
        const uint32_t bytes = t_.tileWords * sizeof(int32_t);
        pipe_->InitBuffer(scaleQueue_, 2, bytes);
        pipe_->InitBuffer(offsetQueue_, 2, bytes);
        pipe_->InitBuffer(output_, 2, 2 * bytes);
        pipe_->InitBuffer(halvesBuffer_, 2 * bytes);
        pipe_->InitBuffer(orderBuffer_, 2 * bytes);
        pipe_->InitBuffer(maskBuffer_, bytes);
        pipe_->InitBuffer(workBuffer_, 3 * bytes);
        pipe_->InitBuffer(tailBuffer_, kBlock);
        low_ = halvesBuffer_.Get<int32_t>();
        high_ = low_[t_.tileWords];
        mask_ = maskBuffer_.Get<uint32_t>();
        work_ = workBuffer_.Get<int32_t>();
        store_.Init(pipe_, tailBuffer_);
    }

    __aicore__ inline void Process() {
        MakeOrder();
        const uint64_t first = GetBlockIdx() * t_.blockWords;
        const uint64_t end = GetBlockIdx() + 1 == GetBlockNum() ? t_.words : first + t_.blockWords;
        // Copies run a tile ahead.
        Load(first, end);
        for (uint64_t word = first; word < end; word += t_.tileWords) {
            if (word + t_.tileWords < end) {
                Load(word + t_.tileWords, end);
            }
            Compute(word, end);
        }
    }

  private:
    __aicore__ inline uint32_t CountAt(uint64_t word, uint64_t end) const {
        return static_cast<uint32_t>(Smaller(t_.tileWords, end - word));
    }

    __aicore__ inline void Load(uint64_t word, uint64_t end) {
        LoadOne(scaleQueue_, scale_, t_.scales, word, CountAt(word, end));
        if (t_.offsets != 0) {
            LoadOne(offsetQueue_, offset_, t_.offsets, word, CountAt(word, end));
        }
    }

    __aicore__ inline void LoadOne(TQue<TPosition::VECIN, 2>& queue, const GlobalTensor<float>& from, uint64_t present,
                                   uint64_t word, uint32_t count) {
        LocalTensor<float> values = queue.AllocTensor<float>();
        const uint32_t cols = present == 1 ? 1 : count;
        LoadRows(values, from[present == 1 ? 0 : word], 1, cols, cols, t_.tileWords);
        queue.EnQue(values);
    }

    // A single one stands for all.
    __aicore__ inline LocalTensor<float> Take(TQue<TPosition::VECIN, 2>& queue, uint64_t present, uint32_t count) {
        LocalTensor<float> values = queue.DeQue<float>();
        if (present == 1 && count > 1) {
            ACLQUANT_FENCE(pipe_, V_S);
            const float value = values.GetValue(0);
            ACLQUANT_FENCE(pipe_, S_V);
            Duplicate(values, value, count);
            PipeBarrier<PIPE_V>();
        }
        return values;
    }

    __aicore__ inline void Compute(uint64_t word, uint64_t end) {
        const uint32_t count = CountAt(word, end);
        LocalTensor<float> scales = Take(scaleQueue_, t_.scales, count);
        const LocalTensor<int32_t> bits = scales.ReinterpretCast<int32_t>();
        if constexpr (kRound) {
            RoundScales(bits, count);
        }
        Mask(low_, bits, 0xFFFFE000, count);
        scaleQueue_.FreeTensor(scales);
        if (t_.offsets != 0) {
            LocalTensor<float> offsets = Take(offsetQueue_, t_.offsets, count);
            const LocalTensor<int32_t> whole = offsets.ReinterpretCast<int32_t>();
            Cast(whole, offsets, RoundMode::CAST_RINT, count);
            PipeBarrier<PIPE_V>();
            Maxs(whole, whole, static_cast<int32_t>(-256), count);
            PipeBarrier<PIPE_V>();
            Mins(whole, whole, static_cast<int32_t>(255), count);
            PipeBarrier<PIPE_V>();
            Muls(whole, whole, static_cast<int32_t>(32), count);
            Mask(high_, whole, 0x00003FE0, count);
            offsetQueue_.FreeTensor(offsets);
            Adds(high_, high_, static_cast<int32_t>(0x4000), count);
        } else {
            Duplicate(high_, static_cast<int32_t>(0x4000), count);
        }
        PipeBarrier<PIPE_V>();
        // The order is that of full tiles: low and high halves are a tile apart.
        LocalTensor<int32_t> words = output_.AllocTensor<int32_t>();
        Gather(words, low_, orderBuffer_.Get<uint32_t>(), 0, 2 * count);
        output_.EnQue(words);
        words = output_.DeQue<int32_t>();
        store_.Store(y_, 2 * word, 2 * (GetBlockIdx() * t_.blockWords), 2 * end, words, 1, 2 * count, 2 * count,
                     2 * t_.tileWords);
        output_.FreeTensor(words);
    }

    // to = from & mask; may be the same. A barrier comes before `from` is read, and one at the end.
    __aicore__ inline void Mask(const LocalTensor<int32_t>& to, const LocalTensor<int32_t>& from, uint32_t mask,
                                uint32_t count) {
        Duplicate(mask_, mask, count);
        PipeBarrier<PIPE_V>();
        And(to.ReinterpretCast<uint16_t>(), from.ReinterpretCast<uint16_t>(), mask_.ReinterpretCast<uint16_t>(),
            2 * count);
        PipeBarrier<PIPE_V>();
    }

    // 1 where a multiple of `unit` is not 0; values are 0 or unit.
    __aicore__ inline void ToOnes(const LocalTensor<int32_t>& values, float inverseOfUnit, uint32_t count) {
        const LocalTensor<float> floats = work_[2 * t_.tileWords].ReinterpretCast<float>();
        Cast(floats, values, kIntToFloat, count);
        PipeBarrier<PIPE_V>();
        Muls(floats, floats, inverseOfUnit, count);
        PipeBarrier<PIPE_V>();
        Cast(values, floats, RoundMode::CAST_RINT, count);
        PipeBarrier<PIPE_V>();
    }

    // To the nearest even of 10 bits of mantissa. Zeros and subnormals become signed zeros, infinities and NaN stay.
    __aicore__ inline void RoundScales(const LocalTensor<int32_t>& bits, uint32_t count) {
        constexpr int32_t kLowestExponent = 0x00800000;
        const LocalTensor<int32_t> some = work_, increment = work_[t_.tileWords];
        // all ones where the exponent is not 0, else the sign alone
        Mask(some, bits, 0x7F800000, count);
        Muls(increment, some, static_cast<int32_t>(-1), count);
        PipeBarrier<PIPE_V>();
        Mins(some, some, kLowestExponent, count);
        PipeBarrier<PIPE_V>();
        ToOnes(some, 1.0f / 8388608.0f, count);
        Muls(some, some, static_cast<int32_t>(-1), count);
        // 1 where the exponent is not 255
        Adds(increment, increment, static_cast<int32_t>(0x7F800000), count);
        PipeBarrier<PIPE_V>();
        Mins(increment, increment, kLowestExponent, count);
        PipeBarrier<PIPE_V>();
        ToOnes(increment, 1.0f / 8388608.0f, count);
        Duplicate(mask_, static_cast<uint32_t>(0x80000000), count);
        PipeBarrier<PIPE_V>();
        Or(some.ReinterpretCast<uint16_t>(), some.ReinterpretCast<uint16_t>(), mask_.ReinterpretCast<uint16_t>(),
           2 * count);
        PipeBarrier<PIPE_V>();
        And(bits.ReinterpretCast<uint16_t>(), bits.ReinterpretCast<uint16_t>(), some.ReinterpretCast<uint16_t>(),
            2 * count);
        // add 0xFFF, and one more where the last bit that stays is 1
        Mask(some, bits, 0x00002000, count);
        ToOnes(some, 1.0f / 8192.0f, count);
        Adds(some, some, static_cast<int32_t>(0xFFF), count);
        PipeBarrier<PIPE_V>();
        Mul(some, some, increment, count);
        PipeBarrier<PIPE_V>();
        // a signed zero stays below the bits that count
        Add(bits, bits, some, count);
    }

    // Byte offsets that interleave the halves: 0, a tile, 4, a tile and 4, ...
    __aicore__ inline void MakeOrder() {
        const LocalTensor<uint32_t> order = orderBuffer_.Get<uint32_t>();
        const uint32_t total = 2 * t_.tileWords, first = total < 64 ? total : 64;
        for (uint32_t k = 0; k < first; ++k) {
            order.SetValue(k, k / 2 * 4 + (k % 2) * t_.tileWords * 4);
        }
        ACLQUANT_FENCE(pipe_, S_V);
        const LocalTensor<int32_t> numbers = order.ReinterpretCast<int32_t>();
        for (uint32_t made = first; made < total; made *= 2) {
            const uint32_t count = made < total - made ? made : total - made;
            Adds(numbers[made], numbers, static_cast<int32_t>(made * 2), count);
            PipeBarrier<PIPE_V>();
        }
    }

    TPipe* pipe_;
    TransQuantParamTiling t_;
    GlobalTensor<float> scale_, offset_;
    GlobalTensor<int32_t> y_;
    TQue<TPosition::VECIN, 2> scaleQueue_, offsetQueue_;
    TQue<TPosition::VECOUT, 2> output_;
    TBuf<TPosition::VECCALC> halvesBuffer_, orderBuffer_, maskBuffer_, workBuffer_, tailBuffer_;
    LocalTensor<int32_t> low_, high_, work_;
    LocalTensor<uint32_t> mask_;
    RowStore<int32_t> store_;
};

template <bool kRound>
__aicore__ inline void RunTransQuantParam(TPipe* pipe, const TransQuantParamTiling& tiling, GM_ADDR scale,
                                          GM_ADDR offset, GM_ADDR y) {
    TransQuantParam<kRound> kernel;
    kernel.Init(pipe, tiling, scale, offset, y);
    kernel.Process();
}

}  // namespace aclquant

extern "C" __global__ __aicore__ void aclquant_trans_quant_param(GM_ADDR scale, GM_ADDR offset, GM_ADDR y,
                                                                 GM_ADDR workspace, GM_ADDR tiling) {
#if __CCE_AICORE__ == 220
    KERNEL_TASK_TYPE_DEFAULT(KERNEL_TYPE_AIV_ONLY);
#endif
    REGISTER_TILING_DEFAULT(aclquant::TransQuantParamTiling);
    GET_TILING_DATA(tilingData, tiling);
    AscendC::TPipe pipe;
    if (TILING_KEY_IS(0)) {
        aclquant::RunTransQuantParam<false>(&pipe, tilingData, scale, offset, y);
    } else if (TILING_KEY_IS(1)) {
        aclquant::RunTransQuantParam<true>(&pipe, tilingData, scale, offset, y);
    }
}
