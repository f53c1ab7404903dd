// SPDX-License-Identifier: Apache-2.0
// The work on one row of contiguous elements. Operators (ops/) turn tensors of any strides into such rows.
#pragma once

#include <cstdint>
#include <span>

namespace aclq {

// Bit patterns of the two 16-bit formats.
enum class Half : std::uint16_t {};
enum class BFloat16 : std::uint16_t {};

enum class Round { Rint, Floor, Ceil, Trunc };
enum class Source { Float, Half, BFloat16 };

// The number of rows that may be interleaved, that is, processed together.
constexpr int kInterleaved = 4;

// y = saturate(round(x * scale + offset)), or x / scale + offset.
struct QuantizeRows {
    const float* scale;
    const float* offset;   // null: no addition
    std::int64_t step;     // of scale and offset within a row: 1 or 0
    std::int64_t rowStep;  // and from row to row
    bool divide;
    bool scaleTwice;  // multiply by the scale twice, rounding each time
    Round mode;
};

// y = (x + offset) * scale
struct AntiQuantizeRows {
    const float* scale;
    const float* offset;
    std::int64_t step;  // within a row, the same for all rows: 1 or 0
    bool scaleTwice;
    bool saturate;
    bool finite;  // scale and offset are. Then no result is NaN: no sum overflows, and infinite products are
                  // those of scales that are not 0
};

// Min and max of a row; NaN if any element is NaN.
struct MinMax {
    float low;
    float high;
};

// y = x * smooth * factor + shift
struct AffineRows {
    const float* smooth;      // the same for all rows; null: none
    std::int64_t smoothStep;  // 1: one for each element; 0: one for the row
    const float* factor;
    const float* shift;    // null: no addition
    std::int64_t step;     // of factor and shift within a row: 1 or 0
    std::int64_t rowStep;  // and from row to row
};

// y = x * smooth, quantised with a scale per row, computed from its min and max, and an offset unless symmetric.
struct DynamicRows {
    const float* smooth;  // one for each element, the same for all rows; null: none
    bool symmetric;
    bool scaleByProduct;  // which of two formulas gives the scale of symmetric rows
    float* scale;         // these are results, one for each row
    float* offset;        // null: not written
};

// Scales and offsets that become the packed scales of the matrix unit.
struct ScalesToPack {
    const float* scale;
    std::int64_t scaleStep;  // 1, or 0: one for all
    const float* offset;     // null: 0
    std::int64_t offsetStep;
    bool nearest;  // scales are rounded to nearest even, not cut
};

enum class Integers { Int8, Int4, Uint8 };
struct Limits {
    float low;
    float high;
};
constexpr Limits limitsOf(Integers type) {
    return type == Integers::Int8 ? Limits{-128.0F, 127.0F}
                                  : (type == Integers::Int4 ? Limits{-8.0F, 7.0F} : Limits{0.0F, 255.0F});
}

// The destination of consecutive rows. Streamed: written with non-temporal stores, so that memory is not read before it
// is overwritten; finishStreaming() makes such results visible to other threads.
struct Output {
    void* data;
    bool streamed = false;
};

// One byte each, or two int4 per byte, the first in the low nibble (rows then have an even length).
struct IntegerOutput {
    Output to;
    Integers type;
    bool packed = false;
};

// `count` rows of n elements each.
struct Kernels {
    const char* name;
    void (*quantize)(const QuantizeRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                     const IntegerOutput& y);
    void (*quantizeToInt32)(const QuantizeRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                            const Output& y);
    // x: int8, or int4, two per byte. y: float16 or bfloat16.
    void (*antiQuantize)(const AntiQuantizeRows& rows, const void* x, bool packed, std::int64_t count, std::int64_t n,
                         const Output& y, bool half);
    // Min and max of x * factor (of x without a factor); step: of the factor within a row, the same for all rows. Here
    // and in the next two, x is float16 or bfloat16.
    void (*minMaxOfRows)(Source source, const void* x, const float* factor, std::int64_t step, std::int64_t count,
                         std::int64_t n, MinMax* minMax);
    // y = saturate(rint(x * smooth * factor + shift)), each operation rounded.
    void (*quantizeAffine)(const AffineRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                           const IntegerOutput& y);
    // As described at DynamicRows; n is not 0. y: int8, or int4, two per byte.
    void (*quantizeDynamic)(const DynamicRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                            const Output& y, bool packed);
    // values = x * factor, as floats.
    void (*smoothRow)(Source source, const void* x, const float* factor, std::int64_t step, std::int64_t n,
                      float* values);
    // Two per byte, the first in the low nibble; n is even.
    void (*unpackInt4)(const std::uint8_t* x, std::int64_t n, std::int8_t* y);
    // n packed scales of 64 bits: 19 bits of the scale, 9 bits of its offset, and the bit for a signed result. They
    // may be unaligned.
    void (*packScales)(const ScalesToPack& from, std::int64_t n, const Output& words);
    // Copies with non-temporal stores, as described at Output.
    void (*streamTo)(void* to, const void* from, std::int64_t bytes);
    void (*finishStreaming)();
};

// The variant in use: the last one of those this processor can run, or the one that ACLQUANT_HOST_ISA names.
const Kernels& kernels();
// Chooses a variant by name, null or "" for the best; false if this processor cannot run it.
bool chooseKernels(const char* name);
// All that this processor can run, the definition ("scalar") first.
std::span<const Kernels* const> usableKernels();

}  // namespace aclq
