// SPDX-License-Identifier: Apache-2.0
// Copies of rows between global and local memory, of any length, on both chip families. int4 travel as bytes.
//
// A copy on the inference series moves whole blocks of 32 bytes. Loads read up to 31 bytes past a row: every allocation
// has them. Stores may not write there. A row that is followed by another of the same core, stored later, is rounded
// up, and the next row repairs what was overwritten. Any other row ends with a block that is read back, completed and
// stored again.
#pragma once

#include "aclquant_chip.h"

namespace aclquant {

using namespace AscendC;

// Loads `rows` rows of `cols` elements; `globalPitch` and `localPitch` from one row to the next. Whole blocks in local
// memory.
template <class T>
__aicore__ inline void LoadRows(const LocalTensor<T>& to, const GlobalTensor<T>& from, uint32_t rows, uint32_t cols,
                                uint64_t globalPitch, uint32_t localPitch) {
    const uint32_t bytes = cols * sizeof(T);
    const uint64_t gap = (globalPitch - cols) * sizeof(T);
    const uint32_t localGap = (localPitch * static_cast<uint32_t>(sizeof(T)) - RoundUp(bytes, kBlock)) / kBlock;
    if constexpr (kMovesBytes) {
        if (rows == 1 || gap <= 0xFFFFFFFFU) {
            DataCopyPad(to, from,
                        DataCopyExtParams{static_cast<uint16_t>(rows), bytes,
                                          static_cast<uint32_t>(rows == 1 ? 0 : gap), localGap, 0},
                        DataCopyPadExtParams<T>{});
            return;
        }
        for (uint32_t row = 0; row < rows; ++row) {
            DataCopyPad(to[row * localPitch], from[row * globalPitch], DataCopyExtParams{1, bytes, 0, 0, 0},
                        DataCopyPadExtParams<T>{});
        }
    } else {
        if (bytes % kBlock == 0 && gap % kBlock == 0 && gap / kBlock <= 0xFFFF && bytes / kBlock <= 0xFFFF) {
            DataCopy(to, from,
                     DataCopyParams{static_cast<uint16_t>(rows), static_cast<uint16_t>(bytes / kBlock),
                                    static_cast<uint16_t>(gap / kBlock), static_cast<uint16_t>(localGap)});
            return;
        }
        for (uint32_t row = 0; row < rows; ++row) {
            DataCopy(to[row * localPitch], from[row * globalPitch],
                     static_cast<uint32_t>(RoundUp(bytes, kBlock) / sizeof(T)));
        }
    }
}

// Stores rows from the element `begin` of a tensor on. The core's own part of the tensor, which it stores in ascending
// order, is from `ownBegin` to `ownEnd`. `tail`: 32 bytes of local memory, used on the inference series.
template <class T>
class RowStore {
  public:
    __aicore__ inline void Init(TPipe* pipe, TBuf<TPosition::VECCALC>& tail) {
        pipe_ = pipe;
        if constexpr (!kMovesBytes) {
            tail_ = tail.Get<T>();
        }
    }

    __aicore__ inline void Store(const GlobalTensor<T>& tensor, uint64_t begin, uint64_t ownBegin, uint64_t ownEnd,
                                 const LocalTensor<T>& from, uint32_t rows, uint32_t cols, uint64_t globalPitch,
                                 uint32_t localPitch) {
        const uint32_t bytes = cols * sizeof(T);
        const uint64_t gap = (globalPitch - cols) * sizeof(T);
        const uint32_t localGap = (localPitch * static_cast<uint32_t>(sizeof(T)) - RoundUp(bytes, kBlock)) / kBlock;
        if constexpr (kMovesBytes) {
            if (rows == 1 || gap <= 0xFFFFFFFFU) {
                DataCopyPad(tensor[begin], from,
                            DataCopyExtParams{static_cast<uint16_t>(rows), bytes, localGap,
                                              static_cast<uint32_t>(rows == 1 ? 0 : gap), 0});
                return;
            }
            for (uint32_t row = 0; row < rows; ++row) {
                DataCopyPad(tensor[begin + row * globalPitch], from[row * localPitch],
                            DataCopyExtParams{1, bytes, 0, 0, 0});
            }
        } else {
            if (bytes % kBlock == 0 && gap % kBlock == 0 && gap / kBlock <= 0xFFFF && bytes / kBlock <= 0xFFFF) {
                Repair();
                DataCopy(tensor[begin], from,
                         DataCopyParams{static_cast<uint16_t>(rows), static_cast<uint16_t>(bytes / kBlock),
                                        static_cast<uint16_t>(localGap), static_cast<uint16_t>(gap / kBlock)});
                return;
            }
            StoreUnaligned(tensor, begin, ownBegin, ownEnd, from, rows, cols, globalPitch, localPitch);
        }
    }

  private:
    __aicore__ inline void StoreUnaligned(const GlobalTensor<T>& tensor, uint64_t begin, uint64_t ownBegin,
                                          uint64_t ownEnd, const LocalTensor<T>& from, uint32_t rows, uint32_t cols,
                                          uint64_t globalPitch, uint32_t localPitch) {
        constexpr uint32_t kPerBlock = kBlock / sizeof(T);
        const uint32_t rounded = RoundUp(cols, kPerBlock), whole = cols / kPerBlock * kPerBlock;
        for (uint32_t row = 0; row < rows; ++row) {
            const uint64_t at = row * globalPitch;
            Repair();
            if (globalPitch == cols && begin + at + rounded <= ownEnd) {
                DataCopy(tensor[begin + at], from[row * localPitch], rounded);
                overran_ = true;
                continue;
            }
            if (whole != 0) {
                DataCopy(tensor[begin + at], from[row * localPitch], whole);
            }
            if (whole != cols) {
                StoreTail(tensor, begin + at + whole, ownBegin, from[row * localPitch], whole, cols - whole);
            }
        }
    }

    // What the copy before has overwritten is stored after it.
    __aicore__ inline void Repair() {
        if (overran_) {
            PipeBarrier<PIPE_MTE3>();
            overran_ = false;
        }
    }

    // Fewer elements than a block holds, `whole` behind the row's begin: into the 32 bytes of the core's own part that
    // end with them, or begin with that part; the others stay as they are. Where the tensor itself is smaller than a
    // block, the bytes behind it are stored as they were read.
    __aicore__ inline void StoreTail(const GlobalTensor<T>& tensor, uint64_t begin, uint64_t ownBegin,
                                     const LocalTensor<T>& from, uint32_t whole, uint32_t count) {
        constexpr uint32_t kPerBlock = kBlock / sizeof(T);
        const uint64_t end = begin + count;
        const uint64_t start = end < ownBegin + kPerBlock ? ownBegin : end - kPerBlock;
        ACLQUANT_FENCE(pipe_, MTE3_MTE2);  // what it stored before, here and from tail_
        DataCopy(tail_, tensor[start], kPerBlock);
        ACLQUANT_FENCE(pipe_,
                       MTE2_S);  // also for `from`: the store has waited for the vector unit, the load for the store
        for (uint32_t i = 0; i < count; ++i) {
            tail_.SetValue(static_cast<uint32_t>(begin - start) + i, from.GetValue(whole + i));
        }
        ACLQUANT_FENCE(pipe_, S_MTE3);
        DataCopy(tensor[start], tail_, kPerBlock);
    }

    TPipe* pipe_;
    LocalTensor<T> tail_;
    bool overran_ = false;
};

}  // namespace aclquant
