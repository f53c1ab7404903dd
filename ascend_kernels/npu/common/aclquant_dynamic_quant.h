// SPDX-License-Identifier: Apache-2.0
// Dynamic quantisation of rows, with and without offset. All arithmetic in float, each operation rounded, as the A2's
// kernels do it, on both chip families:
//   asymmetric  scale = max((max - min) / RANGE, 1e-12), offset = TOP - max / scale, y = rint(v * (1 / scale) + offset)
//   symmetric   q = TOP / max|v|, scale = 1 / q, y = rint(v * q)
// v = x, or x * smooth. Divisions are the scalar unit's, one row at a time: the accuracy of the vector unit's is not
// documented.
#pragma once

#include "aclquant_dynamic_quant_tiling.h"
#include "aclquant_move.h"
#include "aclquant_numbers.h"

namespace aclquant {

// X: half or bfloat16_t. Y: int8_t, or int4b_t packed in bytes. kSmooth: 0 none, 1 one row, 2 a row for each group.
template <class X, class Y, bool kAsymmetric, int kSmooth>
class DynamicQuant {
    static constexpr bool kInt4 = std::is_same<Y, int4b_t>::value;
    static constexpr uint32_t kPerByte = kInt4 ? 2 : 1;
    static constexpr uint32_t kLanes = 64;  // floats of one repeat
    static constexpr uint32_t kMaxRepeats = 255;

  public:
    __aicore__ inline void Init(TPipe* pipe, const DynamicQuantTiling& tiling, GM_ADDR x, GM_ADDR smooth, GM_ADDR index,
                                GM_ADDR y, GM_ADDR scale, GM_ADDR offset) {
        pipe_ = pipe;
        t_ = tiling;
        x_.SetGlobalBuffer((__gm__ X*)x, t_.rows * t_.cols);
        y_.SetGlobalBuffer((__gm__ int8_t*)y, t_.rows * t_.cols / kPerByte);
        scale_.SetGlobalBuffer((__gm__ float*)scale, t_.rows);
        if constexpr (kAsymmetric) {
            offset_.SetGlobalBuffer((__gm__ float*)offset, t_.rows);
        }
        const uint32_t elements = t_.tileRows * t_.tileCols;
        pipe_->InitBuffer(input_, static_cast<uint8_t>(t_.buffers), elements * sizeof(X));
        pipe_->InitBuffer(output_, static_cast<uint8_t>(t_.buffers), elements / kPerByte);
        pipe_->InitBuffer(floatBuffer_, elements * sizeof(float));
        pipe_->InitBuffer(halfBuffer_, elements * sizeof(half));
        pipe_->InitBuffer(lanesBuffer_, 2 * t_.tileRows * kLanes * sizeof(float));
        pipe_->InitBuffer(blocksBuffer_, 2 * t_.tileRows * 8 * sizeof(float));
        pipe_->InitBuffer(extremesBuffer_, 2 * RoundUp(t_.tileRows, 8) * sizeof(float));
        pipe_->InitBuffer(parametersBuffer_, 2 * kDynamicParameters * sizeof(float));
        pipe_->InitBuffer(tailBuffer_, kBlock);
        floats_ = floatBuffer_.template Get<float>();
        halves_ = halfBuffer_.template Get<half>();
        highLanes_ = lanesBuffer_.template Get<float>();
        lowLanes_ = highLanes_[t_.tileRows * kLanes];
        highBlocks_ = blocksBuffer_.template Get<float>();
        lowBlocks_ = highBlocks_[t_.tileRows * 8];
        high_ = extremesBuffer_.template Get<float>();
        low_ = high_[RoundUp(t_.tileRows, 8)];
        scales_ = parametersBuffer_.template Get<float>();
        offsets_ = scales_[kDynamicParameters];
        yStore_.Init(pipe_, tailBuffer_);
        parameterStore_.Init(pipe_, tailBuffer_);
        if constexpr (kSmooth != 0) {
            smooth_.SetGlobalBuffer((__gm__ X*)smooth, t_.smoothRows * t_.cols);
            pipe_->InitBuffer(smoothInput_, t_.tileRows == 1 && t_.buffers == 2 ? 2 : 1, t_.tileCols * sizeof(X));
            pipe_->InitBuffer(smoothBuffer_, t_.tileCols * sizeof(float));
            smoothFloats_ = smoothBuffer_.template Get<float>();
        }
        if constexpr (kSmooth == 2) {
            index_.SetGlobalBuffer((__gm__ int32_t*)index, t_.smoothRows);
            pipe_->InitBuffer(indexBuffer_, RoundUp(t_.smoothRows * sizeof(int32_t), kBlock));
            ends_ = indexBuffer_.template Get<int32_t>();
        }
    }

    __aicore__ inline void Process(bool resident) {
        SetDeqScale(static_cast<half>(1.0f));  // barriers come before its first use
        // The groups of this core, and its share of their columns.
        const uint64_t unit = GetBlockIdx() / t_.shares, units = GetBlockNum() / t_.shares;
        share_ = static_cast<uint32_t>(GetBlockIdx() % t_.shares);
        const uint64_t base = t_.groups / units, extra = t_.groups % units;
        const uint64_t firstGroup = unit * base + Smaller(unit, extra);
        const uint64_t lastGroup = firstGroup + base + (unit < extra ? 1 : 0);
        firstRow_ = firstGroup * t_.groupRows;
        endRow_ = lastGroup == t_.groups ? t_.rows : lastGroup * t_.groupRows;
        if constexpr (kSmooth == 2) {
            LoadRows(ends_, index_, 1, t_.smoothRows, t_.smoothRows, t_.smoothRows);
            ACLQUANT_FENCE(pipe_, MTE2_S);
        }
        kept_ = 0;
        stored_ = firstRow_;
        if (resident) {
            WholeRows();
        } else {
            LongRows();
        }
        StoreParameters();
    }

  private:
    // ---- Rows that fit into local memory ----

    __aicore__ inline void WholeRows() {
        if constexpr (kSmooth == 1) {
            LoadSmooth(0, 0, static_cast<uint32_t>(t_.cols));
            UseSmooth(static_cast<uint32_t>(t_.cols));
        }
        const bool ahead = t_.buffers == 2;
        if (ahead) {
            LoadTile(firstRow_, 0, RowsAt(firstRow_), static_cast<uint32_t>(t_.cols));
        }
        for (uint64_t row = firstRow_; row < endRow_; row += t_.tileRows) {
            const uint64_t next = row + t_.tileRows;
            // Before the scalar unit waits for this tile's extremes.
            if (ahead && next < endRow_) {
                LoadTile(next, 0, RowsAt(next), static_cast<uint32_t>(t_.cols));
            } else if (!ahead) {
                LoadTile(row, 0, RowsAt(row), static_cast<uint32_t>(t_.cols));
            }
            const Tile tile{RowsAt(row), static_cast<uint32_t>(t_.cols), t_.tileCols};
            Widen(tile, row);
            BeginExtremes(tile.rows);
            FindExtremes(tile);
            EndExtremes(tile.rows);
            Quantize(tile);
            StoreTile(row, 0, tile);
            KeepParameters(tile.rows);
        }
    }

    __aicore__ inline uint32_t RowsAt(uint64_t row) const {
        return static_cast<uint32_t>(Smaller(t_.tileRows, endRow_ - row));
    }

    // ---- Rows in pieces ----

    __aicore__ inline void LongRows() {
        const uint64_t pieces = (t_.cols + t_.tileCols - 1) / t_.tileCols;
        const uint64_t begin = share_ * t_.shareCols;
        const uint64_t end = Smaller(begin + t_.shareCols, t_.cols);
        // Cores that share a row begin at different places: they do not read the same memory at the same time.
        const uint64_t start = pieces * share_ / t_.shares;
        for (uint64_t row = firstRow_; row < endRow_; ++row) {
            const uint64_t smoothRow = kSmooth == 2 ? GroupOf(row) : 0;
            BeginExtremes(1);
            LoadPiece(row, smoothRow, start * t_.tileCols, t_.cols);
            for (uint64_t i = 0; i < pieces; ++i) {
                const uint64_t piece = (start + i) % pieces;
                if (i + 1 < pieces) {
                    LoadPiece(row, smoothRow, (start + i + 1) % pieces * t_.tileCols, t_.cols);
                }
                const Tile tile{1, PieceCols(piece * t_.tileCols, t_.cols), t_.tileCols};
                WidenPiece(tile);
                FindExtremes(tile);
            }
            EndExtremes(1);
            LoadPiece(row, smoothRow, begin, end);
            for (uint64_t col = begin; col < end; col += t_.tileCols) {
                if (col + t_.tileCols < end) {
                    LoadPiece(row, smoothRow, col + t_.tileCols, end);
                }
                const Tile tile{1, PieceCols(col, end), t_.tileCols};
                WidenPiece(tile);
                if (col == begin) {
                    Parameters(0);
                }
                Apply(tile);
                StoreTile(row, col, tile);
            }
            KeepParameters(1);
        }
    }

    __aicore__ inline uint32_t PieceCols(uint64_t col, uint64_t end) const {
        return static_cast<uint32_t>(Smaller(t_.tileCols, end - col));
    }

    __aicore__ inline void LoadPiece(uint64_t row, uint64_t smoothRow, uint64_t col, uint64_t end) {
        LoadTile(row, col, 1, PieceCols(col, end));
        if constexpr (kSmooth != 0) {
            LoadSmooth(smoothRow, col, PieceCols(col, end));
        }
    }

    __aicore__ inline void WidenPiece(const Tile& tile) {
        LocalTensor<X> x = input_.template DeQue<X>();
        Cast(floats_, x, RoundMode::CAST_NONE, tile.cols);
        input_.FreeTensor(x);
        PipeBarrier<PIPE_V>();
        if constexpr (kSmooth != 0) {
            UseSmooth(tile.cols);
            Mul(floats_, floats_, smoothFloats_, tile.cols);
            PipeBarrier<PIPE_V>();
        }
    }

    // ---- Steps of both ----

    __aicore__ inline void LoadTile(uint64_t row, uint64_t col, uint32_t rows, uint32_t cols) {
        LocalTensor<X> x = input_.template AllocTensor<X>();
        LoadRows(x, x_[row * t_.cols + col], rows, cols, t_.cols, t_.tileCols);
        input_.EnQue(x);
    }

    __aicore__ inline void LoadSmooth(uint64_t smoothRow, uint64_t col, uint32_t cols) {
        LocalTensor<X> smooth = smoothInput_.template AllocTensor<X>();
        LoadRows(smooth, smooth_[smoothRow * t_.cols + col], 1, cols, cols, t_.tileCols);
        smoothInput_.EnQue(smooth);
    }

    __aicore__ inline void UseSmooth(uint32_t cols) {
        LocalTensor<X> smooth = smoothInput_.template DeQue<X>();
        Cast(smoothFloats_, smooth, RoundMode::CAST_NONE, cols);
        smoothInput_.FreeTensor(smooth);
        PipeBarrier<PIPE_V>();
    }

    // The first group that ends behind the row; rows only move on. Rows behind the last group get the last one's
    // scales.
    __aicore__ inline uint64_t GroupOf(uint64_t row) {
        while (group_ + 1 < t_.smoothRows &&
               static_cast<int64_t>(ends_.GetValue(group_)) <= static_cast<int64_t>(row)) {
            ++group_;
        }
        return group_;
    }

    __aicore__ inline void Widen(const Tile& tile, uint64_t row) {
        LocalTensor<X> x = input_.template DeQue<X>();
        CastRows(floats_, x, RoundMode::CAST_NONE, tile);
        input_.FreeTensor(x);
        PipeBarrier<PIPE_V>();
        if constexpr (kSmooth != 0) {
            for (uint32_t r = 0; r < tile.rows; ++r) {
                if constexpr (kSmooth == 2) {
                    const uint64_t group = GroupOf(row + r);
                    if (!hasSmooth_ || group != smoothGroup_) {
                        hasSmooth_ = true;
                        smoothGroup_ = static_cast<uint32_t>(group);
                        LoadSmooth(group, 0, tile.cols);
                        PipeBarrier<PIPE_V>();  // the rows before have used the scales before
                        UseSmooth(tile.cols);
                    }
                }
                Mul(floats_[r * tile.pitch], floats_[r * tile.pitch], smoothFloats_, tile.cols);
            }
            // The barrier of BeginExtremes comes before the first use.
        }
    }

    __aicore__ inline void BeginExtremes(uint32_t rows) {
        Duplicate(highLanes_.template ReinterpretCast<uint32_t>(), static_cast<uint32_t>(0xFF800000),
                  rows * kLanes);  // -inf
        Duplicate(lowLanes_.template ReinterpretCast<uint32_t>(), static_cast<uint32_t>(0x7F800000), rows * kLanes);
        PipeBarrier<PIPE_V>();
    }

    // Lane l collects the extremes of columns l, l + 64, ...; the destination stays while the source moves on.
    __aicore__ inline void FindExtremes(const Tile& tile) {
        const BinaryRepeatParams gather{1, 1, 1, 0, 8, 0};
        for (uint32_t col = 0; col < tile.cols; col += kLanes * kMaxRepeats) {
            const uint32_t cols = static_cast<uint32_t>(Smaller(tile.cols - col, kLanes * kMaxRepeats));
            const uint32_t whole = cols / kLanes * kLanes;
            if (whole != 0) {
                const uint8_t repeats = static_cast<uint8_t>(whole / kLanes);
                for (uint32_t r = 0; r < tile.rows; ++r) {
                    const LocalTensor<float> row = floats_[r * tile.pitch + col];
                    Max(highLanes_[r * kLanes], row, highLanes_[r * kLanes], static_cast<uint64_t>(kLanes), repeats,
                        gather);
                    Min(lowLanes_[r * kLanes], row, lowLanes_[r * kLanes], static_cast<uint64_t>(kLanes), repeats,
                        gather);
                }
                PipeBarrier<PIPE_V>();
            }
            if (whole != cols) {
                for (uint32_t r = 0; r < tile.rows; ++r) {
                    const LocalTensor<float> row = floats_[r * tile.pitch + col + whole];
                    Max(highLanes_[r * kLanes], row, highLanes_[r * kLanes], cols - whole);
                    Min(lowLanes_[r * kLanes], row, lowLanes_[r * kLanes], cols - whole);
                }
                PipeBarrier<PIPE_V>();
            }
        }
    }

    // 64 lanes of each row to 8, then to one.
    __aicore__ inline void EndExtremes(uint32_t rows) {
        BlockReduceMax(highBlocks_, highLanes_, rows, kLanes, 1, 1, 8);
        BlockReduceMin(lowBlocks_, lowLanes_, rows, kLanes, 1, 1, 8);
        PipeBarrier<PIPE_V>();
        const uint32_t repeats = rows / 8, rest = rows % 8;
        if (repeats != 0) {
            BlockReduceMax(high_, highBlocks_, repeats, kLanes, 1, 1, 8);
            BlockReduceMin(low_, lowBlocks_, repeats, kLanes, 1, 1, 8);
        }
        if (rest != 0) {
            BlockReduceMax(high_[repeats * 8], highBlocks_[repeats * kLanes], 1, rest * 8, 1, 1, 8);
            BlockReduceMin(low_[repeats * 8], lowBlocks_[repeats * kLanes], 1, rest * 8, 1, 1, 8);
        }
        ACLQUANT_FENCE(pipe_, V_S);
    }

    // From the extremes of a row: its scale, offset and factor.
    __aicore__ inline void Parameters(uint32_t row) {
        constexpr float kTop = kInt4 ? 7.0f : 127.0f;
        const float high = high_.GetValue(row), low = low_.GetValue(row);
        const uint32_t at = kept_ + row;
        if constexpr (kAsymmetric) {
            float scale = (high - low) / (kInt4 ? 15.0f : 255.0f);
            scale = scale > 1e-12f ? scale : 1e-12f;  // also instead of NaN
            shift_ = kTop - high / scale;
            factor_ = 1.0f / scale;
            scales_.SetValue(at, scale);
            offsets_.SetValue(at, shift_);
        } else {
            const float negated = 0.0f - low;
            const float largest = high > negated ? high : negated;
            factor_ = kTop / largest;
            scales_.SetValue(at, 1.0f / factor_);
        }
    }

    __aicore__ inline void Quantize(const Tile& tile) {
        if (kept_ + tile.rows > kDynamicParameters) {
            StoreParameters();
        }
        for (uint32_t r = 0; r < tile.rows; ++r) {
            Parameters(r);
            Muls(floats_[r * tile.pitch], floats_[r * tile.pitch], factor_, tile.cols);
        }
        PipeBarrier<PIPE_V>();
        if constexpr (kAsymmetric) {
            for (uint32_t r = 0; r < tile.rows; ++r) {
                Adds(floats_[r * tile.pitch], floats_[r * tile.pitch], offsets_.GetValue(kept_ + r), tile.cols);
            }
            PipeBarrier<PIPE_V>();
        }
        Round(tile);
    }

    __aicore__ inline void Apply(const Tile& tile) {
        Muls(floats_, floats_, factor_, tile.cols);
        PipeBarrier<PIPE_V>();
        if constexpr (kAsymmetric) {
            Adds(floats_, floats_, shift_, tile.cols);
            PipeBarrier<PIPE_V>();
        }
        Round(tile);
    }

    __aicore__ inline void Round(const Tile& tile) {
        LocalTensor<Y> y = output_.template AllocTensor<Y>();
        FromFloat(y, floats_, halves_, RoundMode::CAST_RINT, tile);
        output_.EnQue(y);
    }

    __aicore__ inline void StoreTile(uint64_t row, uint64_t col, const Tile& tile) {
        LocalTensor<int8_t> y = output_.template DeQue<int8_t>();
        const uint64_t at = row * t_.cols + col;
        yStore_.Store(y_, at / kPerByte, firstRow_ * t_.cols / kPerByte, endRow_ * t_.cols / kPerByte, y, tile.rows,
                      tile.cols / kPerByte, t_.cols / kPerByte, tile.pitch / kPerByte);
        output_.FreeTensor(y);
    }

    // Scales and offsets go out together, not four bytes at a time.
    __aicore__ inline void KeepParameters(uint32_t rows) {
        kept_ += rows;
        if (kept_ == kDynamicParameters) {
            StoreParameters();
        }
        // The scalar unit has read the extremes; the next ones come from the vector unit.
        ACLQUANT_FENCE(pipe_, S_V);
    }

    __aicore__ inline void StoreParameters() {
        if (kept_ != 0 && share_ == 0) {
            ACLQUANT_FENCE(pipe_, S_MTE3);
            parameterStore_.Store(scale_, stored_, firstRow_, endRow_, scales_, 1, kept_, kept_, kept_);
            if constexpr (kAsymmetric) {
                parameterStore_.Store(offset_, stored_, firstRow_, endRow_, offsets_, 1, kept_, kept_, kept_);
            }
            ACLQUANT_FENCE(pipe_, MTE3_S);
        }
        stored_ += kept_;
        kept_ = 0;
    }

    TPipe* pipe_;
    DynamicQuantTiling t_;
    GlobalTensor<X> x_, smooth_;
    GlobalTensor<int32_t> index_;
    GlobalTensor<int8_t> y_;
    GlobalTensor<float> scale_, offset_;
    TQue<TPosition::VECIN, 2> input_, smoothInput_;
    TQue<TPosition::VECOUT, 2> output_;
    TBuf<TPosition::VECCALC> floatBuffer_, halfBuffer_, lanesBuffer_, blocksBuffer_, extremesBuffer_, parametersBuffer_,
        tailBuffer_, smoothBuffer_, indexBuffer_;
    LocalTensor<float> floats_, smoothFloats_, highLanes_, lowLanes_, highBlocks_, lowBlocks_, high_, low_, scales_,
        offsets_;
    LocalTensor<half> halves_;
    LocalTensor<int32_t> ends_;
    RowStore<int8_t> yStore_;
    RowStore<float> parameterStore_;
    uint64_t firstRow_, endRow_, stored_;
    uint32_t share_, kept_;
    uint32_t group_ = 0, smoothGroup_ = 0;
    bool hasSmooth_ = false;
    float factor_, shift_;
};

template <class X, class Y, bool kAsymmetric, int kSmooth>
__aicore__ inline void RunDynamicQuant(TPipe* pipe, const DynamicQuantTiling& tiling, bool resident, GM_ADDR x,
                                       GM_ADDR smooth, GM_ADDR index, GM_ADDR y, GM_ADDR scale, GM_ADDR offset) {
    DynamicQuant<X, Y, kAsymmetric, kSmooth> kernel;
    kernel.Init(pipe, tiling, x, smooth, index, y, scale, offset);
    kernel.Process(resident);
}

}  // namespace aclquant

// The variants that the tiling chooses from; the compiler makes a function of each key it sees.
#define ACLQUANT_DYNAMIC_QUANT_CASE(KEY, X, Y, ASYMMETRIC, OFFSET)                                                   \
    if (TILING_KEY_IS(KEY)) {                                                                                        \
        aclquant::RunDynamicQuant<X, Y, ASYMMETRIC, (KEY) / 10>(&pipe, tilingData, (KEY) % 10 < 2, x, smooth_scales, \
                                                                group_index, y, scale, OFFSET);                      \
    }
// clang-format off
#define ACLQUANT_DYNAMIC_QUANT(X, Y, ASYMMETRIC, OFFSET)          \
    ACLQUANT_DYNAMIC_QUANT_CASE(0, X, Y, ASYMMETRIC, OFFSET)      \
    ACLQUANT_DYNAMIC_QUANT_CASE(1, X, Y, ASYMMETRIC, OFFSET)      \
    ACLQUANT_DYNAMIC_QUANT_CASE(2, X, Y, ASYMMETRIC, OFFSET)      \
    ACLQUANT_DYNAMIC_QUANT_CASE(3, X, Y, ASYMMETRIC, OFFSET)      \
    ACLQUANT_DYNAMIC_QUANT_CASE(10, X, Y, ASYMMETRIC, OFFSET)     \
    ACLQUANT_DYNAMIC_QUANT_CASE(11, X, Y, ASYMMETRIC, OFFSET)     \
    ACLQUANT_DYNAMIC_QUANT_CASE(12, X, Y, ASYMMETRIC, OFFSET)     \
    ACLQUANT_DYNAMIC_QUANT_CASE(13, X, Y, ASYMMETRIC, OFFSET)     \
    ACLQUANT_DYNAMIC_QUANT_CASE(20, X, Y, ASYMMETRIC, OFFSET)     \
    ACLQUANT_DYNAMIC_QUANT_CASE(21, X, Y, ASYMMETRIC, OFFSET)     \
    ACLQUANT_DYNAMIC_QUANT_CASE(22, X, Y, ASYMMETRIC, OFFSET)     \
    ACLQUANT_DYNAMIC_QUANT_CASE(23, X, Y, ASYMMETRIC, OFFSET)
// clang-format on

// The type in which y's bytes are made: an INT32 holds eight int4.
#define ACLQUANT_TYPE_OF_Y(TYPE) std::conditional<std::is_same<TYPE, int8_t>::value, int8_t, int4b_t>::type
