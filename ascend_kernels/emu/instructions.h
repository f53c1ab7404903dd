// SPDX-License-Identifier: Apache-2.0
// The vector instructions the kernels use: what each chip accepts, and what it computes. One IEEE operation to the
// nearest even per instruction, nothing fused.
#pragma once

#include "machine.h"

namespace emu {

enum class Binary { Add, Sub, Mul, Div, Max, Min, And, Or };
enum class Unary { Abs };

// A scalar operand has the tensor's type; its bits.
struct Scalar {
    Type type;
    std::uint64_t bits;
};

void binary(Place place, Binary operation, const Local& to, const Local& a, const Local& b, const Lanes& lanes);
void withScalar(Place place, Binary operation, const Local& to, const Local& a, Scalar scalar, const Lanes& lanes);
void unary(Place place, Unary operation, const Local& to, const Local& a, const Lanes& lanes);
void duplicate(Place place, const Local& to, Scalar scalar, const Lanes& lanes);
void shift(Place place, bool left, const Local& to, const Local& a, std::int64_t by, const Lanes& lanes);
void cast(Place place, const Local& to, const Local& from, Rounding mode, std::uint32_t count);
void gather(Place place, const Local& to, const Local& from, const Local& offsets, std::uint32_t base,
            std::uint32_t count);
// One result per 32 bytes, packed.
void blockReduce(Place place, bool largest, const Local& to, const Local& from, std::uint32_t repeats,
                 std::uint32_t mask, std::uint32_t toStep, std::uint32_t block, std::uint32_t repeat);
// ReduceMax and ReduceMin over `count` elements; the result goes to element 0.
void reduce(Place place, bool largest, const Local& to, const Local& from, const Local& work, std::uint32_t count);
void setDeqScale(Place place, float scale);

}  // namespace emu
