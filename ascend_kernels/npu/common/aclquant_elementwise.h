// SPDX-License-Identifier: Apache-2.0
// The static operators: a scale and an offset for a tensor, for columns or for rows, in float, each operation rounded.
#pragma once

#include "aclquant_elementwise_tiling.h"
#include "aclquant_int4.h"
#include "aclquant_move.h"
#include "aclquant_numbers.h"

namespace aclquant {

enum class Formula {
    kMultiply,  // x * scale [* scale] + offset
    kDivide,    // x / scale + offset
    kAnti,      // (x + offset) * scale [* scale]
};

constexpr uint32_t kTypeFloat = 0, kTypeHalf = 1, kTypeInt8 = 2, kTypeInt32 = 3, kTypeUint8 = 4, kTypeBfloat16 = 27;

// X: float, half, bfloat16_t, int8_t, int4b_t. Y: int8_t, uint8_t, int32_t, int4b_t, half, bfloat16_t.
template <class X, class Y, Formula kFormula>
class Elementwise {
    static constexpr bool kPackedX = std::is_same<X, int4b_t>::value, kPackedY = std::is_same<Y, int4b_t>::value;
    static constexpr uint32_t kPerX = kPackedX ? 2 : 1, kPerY = kPackedY ? 2 : 1;
    using Stored = typename std::conditional<kPackedY, int8_t, Y>::type;  // int4 travel as bytes
    using Loaded = typename std::conditional<kPackedX, int8_t, X>::type;
    static constexpr uint32_t kLanes = 64, kMaxStride = 255;

  public:
    __aicore__ inline void Init(TPipe* pipe, const ElementwiseTiling& tiling, uint32_t mode, GM_ADDR x, GM_ADDR scale,
                                GM_ADDR offset, GM_ADDR y) {
        pipe_ = pipe;
        t_ = tiling;
        mode_ = mode;
        x_.SetGlobalBuffer((__gm__ Loaded*)x, t_.rows * t_.cols / kPerX);
        y_.SetGlobalBuffer((__gm__ Stored*)y, t_.rows * t_.cols / kPerY);
        scaleBytes_ = WidthOf(t_.scaleType);
        offsetBytes_ = WidthOf(t_.offsetType);
        scale_.SetGlobalBuffer((__gm__ uint8_t*)scale, t_.scales * scaleBytes_);
        offset_.SetGlobalBuffer((__gm__ uint8_t*)offset, t_.scales * offsetBytes_);
        const uint32_t elements = t_.tileRows * t_.tileCols;
        const uint32_t parameters = mode_ == 2 ? RoundUp(t_.tileRows, 64) : t_.tileCols;
        pipe_->InitBuffer(input_, static_cast<uint8_t>(t_.buffers), elements * sizeof(Loaded) / kPerX);
        pipe_->InitBuffer(output_, static_cast<uint8_t>(t_.buffers), elements * sizeof(Stored) / kPerY);
        pipe_->InitBuffer(floatBuffer_, elements * sizeof(float));
        pipe_->InitBuffer(halfBuffer_, elements * sizeof(half));
        pipe_->InitBuffer(scaleBuffer_, parameters * sizeof(float));
        pipe_->InitBuffer(offsetBuffer_, parameters * sizeof(float));
        pipe_->InitBuffer(rawBuffer_, parameters * sizeof(float));
        pipe_->InitBuffer(rawHalfBuffer_, parameters * sizeof(half));
        pipe_->InitBuffer(tailBuffer_, kBlock);
        floats_ = floatBuffer_.template Get<float>();
        halves_ = halfBuffer_.template Get<half>();
        scales_ = scaleBuffer_.template Get<float>();
        offsets_ = offsetBuffer_.template Get<float>();
        store_.Init(pipe_, tailBuffer_);
        if constexpr (kPackedX) {
            unpack_.Init(pipe_, t_.tileCols);
        }
        if (kFormula == Formula::kDivide && mode_ == 2) {
            pipe_->InitBuffer(divisorBuffer_, t_.tileCols * sizeof(float));
            divisors_ = divisorBuffer_.template Get<float>();
        }
    }

    __aicore__ inline void Process() {
        SetDeqScale(static_cast<half>(1.0f));  // barriers come before its first use
        const uint64_t unit = GetBlockIdx() / t_.colBlocks, units = GetBlockNum() / t_.colBlocks;
        const uint64_t colBlock = GetBlockIdx() % t_.colBlocks;
        const uint64_t base = t_.groups / units, extra = t_.groups % units;
        const uint64_t firstGroup = unit * base + Smaller(unit, extra);
        const uint64_t lastGroup = firstGroup + base + (unit < extra ? 1 : 0);
        const uint64_t firstRow = firstGroup * t_.groupRows;
        endRow_ = lastGroup == t_.groups ? t_.rows : lastGroup * t_.groupRows;
        const uint64_t firstCol = colBlock * t_.blockCols;
        const uint64_t endCol = colBlock + 1 == t_.colBlocks ? t_.cols : firstCol + t_.blockCols;
        ownBegin_ = firstRow * t_.cols + firstCol;
        ownEnd_ = (endRow_ - 1) * t_.cols + endCol;
        if (mode_ == 0) {
            LoadParameters(0, 1);
            Spread();
        }
        for (uint64_t col = firstCol; col < endCol; col += t_.tileCols) {
            const uint32_t cols = static_cast<uint32_t>(Smaller(t_.tileCols, endCol - col));
            if (mode_ == 1) {
                LoadParameters(col, cols);
            }
            Columns(firstRow, col, cols);
        }
    }

  private:
    // All rows of the core, for some columns.
    __aicore__ inline void Columns(uint64_t firstRow, uint64_t col, uint32_t cols) {
        uint64_t row = firstRow;
        uint32_t rows = RowsAt(row);
        Load(row, col, rows, cols);
        while (row < endRow_) {
            const uint64_t next = row + rows;
            const uint32_t nextRows = next < endRow_ ? RowsAt(next) : 0;
            if (nextRows != 0) {
                Load(next, col, nextRows, cols);
            }
            const Tile tile{rows, cols, t_.tileCols};
            if (mode_ == 2) {
                ACLQUANT_FENCE(pipe_, S_MTE2);  // the scalar unit has read those of the tile before
                LoadParameters(row % t_.scales, rows);
                ACLQUANT_FENCE(pipe_, V_S);
            }
            Compute(tile);
            Store(row, col, tile);
            row = next;
            rows = nextRows;
        }
    }

    // With a scale for each row a tile ends where the scales begin again.
    __aicore__ inline uint32_t RowsAt(uint64_t row) const {
        const uint64_t rows = Smaller(t_.tileRows, endRow_ - row);
        return static_cast<uint32_t>(mode_ == 2 ? Smaller(rows, t_.scales - row % t_.scales) : rows);
    }

    __aicore__ inline void Load(uint64_t row, uint64_t col, uint32_t rows, uint32_t cols) {
        LocalTensor<Loaded> x = input_.template AllocTensor<Loaded>();
        LoadRows(x, x_[(row * t_.cols + col) / kPerX], rows, cols / kPerX, t_.cols / kPerX, t_.tileCols / kPerX);
        input_.EnQue(x);
    }

    __aicore__ inline void Store(uint64_t row, uint64_t col, const Tile& tile) {
        LocalTensor<Stored> y = output_.template DeQue<Stored>();
        const uint64_t at = row * t_.cols + col;
        store_.Store(y_, at / kPerY, ownBegin_ / kPerY, ownEnd_ / kPerY, y, tile.rows, tile.cols / kPerY,
                     t_.cols / kPerY, tile.pitch / kPerY);
        output_.FreeTensor(y);
    }

    // ---- Scales and offsets ----

    static __aicore__ inline uint32_t WidthOf(uint32_t type) {
        return type == kTypeFloat || type == kTypeInt32 ? 4 : (type == kTypeHalf || type == kTypeBfloat16 ? 2 : 1);
    }

    __aicore__ inline void LoadParameters(uint64_t first, uint32_t count) {
        LoadParameter(scales_, scale_, t_.scaleType, scaleBytes_, first, count);
        if (t_.hasOffset != 0) {
            LoadParameter(offsets_, offset_, t_.offsetType, offsetBytes_, first, count);
        }
    }

    __aicore__ inline void LoadParameter(const LocalTensor<float>& to, const GlobalTensor<uint8_t>& from, uint32_t type,
                                         uint32_t width, uint64_t first, uint32_t count) {
        const LocalTensor<uint8_t> raw =
            type == kTypeFloat ? to.template ReinterpretCast<uint8_t>() : rawBuffer_.template Get<uint8_t>();
        const LocalTensor<half> halves = rawHalfBuffer_.template Get<half>();
        const uint32_t bytes = count * width;
        ACLQUANT_FENCE(pipe_, V_MTE2);  // what was there has been used
        LoadRows(raw, from[first * width], 1, bytes, bytes, RoundUp(bytes, kBlock));
        ACLQUANT_FENCE(pipe_, MTE2_V);
        const Tile tile{1, count, count};
        if (type == kTypeHalf) {
            ToFloat(to, raw.template ReinterpretCast<half>(), halves, tile);
        } else if (type == kTypeInt8) {
            ToFloat(to, raw.template ReinterpretCast<int8_t>(), halves, tile);
        } else if (type == kTypeUint8) {
            ToFloat(to, raw, halves, tile);
        } else if (type == kTypeInt32) {
            ToFloat(to, raw.template ReinterpretCast<int32_t>(), halves, tile);
        }
        if constexpr (kHasBfloat16) {
            if (type == kTypeBfloat16) {
                ToFloat(to, raw.template ReinterpretCast<bfloat16_t>(), halves, tile);
            }
        }
    }

    // One for the tensor becomes one for each column.
    __aicore__ inline void Spread() {
        ACLQUANT_FENCE(pipe_, V_S);
        const float scale = scales_.GetValue(0);
        const float offset = t_.hasOffset != 0 ? offsets_.GetValue(0) : 0.0f;
        ACLQUANT_FENCE(pipe_, S_V);
        Duplicate(scales_, scale, t_.tileCols);
        if (t_.hasOffset != 0) {
            Duplicate(offsets_, offset, t_.tileCols);
        }
        PipeBarrier<PIPE_V>();
    }

    // ---- Arithmetic ----

    __aicore__ inline void Compute(const Tile& tile) {
        LocalTensor<Loaded> x = input_.template DeQue<Loaded>();
        if constexpr (std::is_same<X, float>::value) {
            if constexpr (kFormula == Formula::kDivide) {
                Apply<Step::kDivide>(floats_, x, scales_, tile);
            } else {
                Apply<Step::kMultiply>(floats_, x, scales_, tile);
            }
            input_.FreeTensor(x);
        } else {
            if constexpr (kPackedX) {
                unpack_.Run(halves_, x, floats_, tile);
                CastRows(floats_, halves_, RoundMode::CAST_NONE, tile);
                PipeBarrier<PIPE_V>();
            } else {
                ToFloat(floats_, x, halves_, tile);
            }
            input_.FreeTensor(x);
            if constexpr (kFormula == Formula::kAnti) {
                if (t_.hasOffset != 0) {
                    Apply<Step::kAdd>(floats_, floats_, offsets_, tile);
                }
                Apply<Step::kMultiply>(floats_, floats_, scales_, tile);
            } else if constexpr (kFormula == Formula::kDivide) {
                Apply<Step::kDivide>(floats_, floats_, scales_, tile);
            } else {
                Apply<Step::kMultiply>(floats_, floats_, scales_, tile);
            }
        }
        if (kFormula != Formula::kDivide && t_.scaleTwice != 0) {
            Apply<Step::kMultiply>(floats_, floats_, scales_, tile);
        }
        if (kFormula != Formula::kAnti && t_.hasOffset != 0) {
            Apply<Step::kAdd>(floats_, floats_, offsets_, tile);
        }
        LocalTensor<Y> y = output_.template AllocTensor<Y>();
        FromFloat(y, floats_, halves_, static_cast<RoundMode>(t_.roundMode), tile);
        output_.EnQue(y);
        PipeBarrier<PIPE_V>();  // the next tile goes into the same floats and halves
    }

    enum class Step { kAdd, kMultiply, kDivide };

    // The rows of a tile with their scales or offsets. Ends with a barrier.
    template <Step kStep>
    __aicore__ inline void Apply(const LocalTensor<float>& to, const LocalTensor<float>& from,
                                 const LocalTensor<float>& parameters, const Tile& tile) {
        if (mode_ == 2) {
            for (uint32_t row = 0; row < tile.rows; ++row) {
                const uint32_t at = row * tile.pitch;
                const float value = parameters.GetValue(row);
                if constexpr (kStep == Step::kAdd) {
                    Adds(to[at], from[at], value, tile.cols);
                } else if constexpr (kStep == Step::kMultiply) {
                    Muls(to[at], from[at], value, tile.cols);
                } else {
                    Duplicate(divisors_, value, tile.cols);
                    PipeBarrier<PIPE_V>();
                    Div(to[at], from[at], divisors_, tile.cols);
                    PipeBarrier<PIPE_V>();
                }
            }
        } else if (tile.rows > (tile.cols + kLanes - 1) / kLanes && tile.pitch / 8 <= kMaxStride) {
            // More rows than stripes of 64 columns: a stripe of all rows in one instruction.
            const uint8_t step = static_cast<uint8_t>(tile.pitch / 8);
            const BinaryRepeatParams down{1, 1, 1, step, step, 0};
            for (uint32_t col = 0; col < tile.cols; col += kLanes) {
                const uint64_t mask = Smaller(kLanes, tile.cols - col);
                const uint8_t rows = static_cast<uint8_t>(tile.rows);
                if constexpr (kStep == Step::kAdd) {
                    Add(to[col], from[col], parameters[col], mask, rows, down);
                } else if constexpr (kStep == Step::kMultiply) {
                    Mul(to[col], from[col], parameters[col], mask, rows, down);
                } else {
                    Div(to[col], from[col], parameters[col], mask, rows, down);
                }
            }
        } else {
            for (uint32_t row = 0; row < tile.rows; ++row) {
                const uint32_t at = row * tile.pitch;
                if constexpr (kStep == Step::kAdd) {
                    Add(to[at], from[at], parameters, tile.cols);
                } else if constexpr (kStep == Step::kMultiply) {
                    Mul(to[at], from[at], parameters, tile.cols);
                } else {
                    Div(to[at], from[at], parameters, tile.cols);
                }
            }
        }
        PipeBarrier<PIPE_V>();
    }

    TPipe* pipe_;
    ElementwiseTiling t_;
    GlobalTensor<Loaded> x_;
    GlobalTensor<Stored> y_;
    GlobalTensor<uint8_t> scale_, offset_;
    TQue<TPosition::VECIN, 2> input_;
    TQue<TPosition::VECOUT, 2> output_;
    TBuf<TPosition::VECCALC> floatBuffer_, halfBuffer_, scaleBuffer_, offsetBuffer_, rawBuffer_, rawHalfBuffer_,
        tailBuffer_, divisorBuffer_;
    LocalTensor<float> floats_, scales_, offsets_, divisors_;
    LocalTensor<half> halves_;
    RowStore<Stored> store_;
    typename std::conditional<kPackedX, UnpackInt4, NoUnpack>::type unpack_;
    uint64_t endRow_, ownBegin_, ownEnd_;  // rows; elements of y, if columns are shared of a single row
    uint32_t mode_, scaleBytes_, offsetBytes_;
};

template <class X, class Y, Formula kFormula>
__aicore__ inline void RunElementwise(TPipe* pipe, const ElementwiseTiling& tiling, uint32_t mode, GM_ADDR x,
                                      GM_ADDR scale, GM_ADDR offset, GM_ADDR y) {
    Elementwise<X, Y, kFormula> kernel;
    kernel.Init(pipe, tiling, mode, x, scale, offset, y);
    kernel.Process();
}

}  // namespace aclquant

#define ACLQUANT_ELEMENTWISE(X, Y, FORMULA, SCALE, OFFSET)                                  \
    if (TILING_KEY_IS(0)) {                                                                 \
        aclquant::RunElementwise<X, Y, FORMULA>(&pipe, tilingData, 0, x, SCALE, OFFSET, y); \
    } else if (TILING_KEY_IS(1)) {                                                          \
        aclquant::RunElementwise<X, Y, FORMULA>(&pipe, tilingData, 1, x, SCALE, OFFSET, y); \
    } else if (TILING_KEY_IS(2)) {                                                          \
        aclquant::RunElementwise<X, Y, FORMULA>(&pipe, tilingData, 2, x, SCALE, OFFSET, y); \
    }
