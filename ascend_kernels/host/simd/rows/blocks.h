// SPDX-License-Identifier: Apache-2.0
// A block: sixty-four elements as four sets of lanes. Arithmetic on blocks, and on blocks and factors.
#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include "simd/rows/elements.h"

namespace aclq::ACLQ_ISA {

constexpr std::int64_t kBlock = 4 * Lanes::kCount;  // elements

// A block of results is computed by a policy with two functions: quick(), and exact(), which computes it again where a
// value may be beyond int32. Again: loads of exact(). The compiler must take their addresses for others, as it would
// otherwise store registers for each block to keep values that are rarely needed a second time.
enum class Loads { First, Again };

template <Loads loads, class T>
ACLQ_INLINE inline const T* reloaded(const T* x) {
    if constexpr (loads == Loads::Again) {
        asm("" : "+r"(x));
    }
    return x;
}

// Scales or offsets of a row: one for each element, or one for all.
template <bool each>
class Factors {
  public:
    ACLQ_INLINE explicit Factors(const float* values) : same_(*values) {}
    template <Loads loads = Loads::First>
    ACLQ_INLINE Factors block(std::int64_t) const {
        return Factors(&same_);
    }
    ACLQ_INLINE Lanes part(int) const { return broadcast(same_); }

  private:
    const float same_;  // compilers keep its lanes in a register; lanes that are copied, some do not
};

template <>
class Factors<true> {
  public:
    ACLQ_INLINE explicit Factors(const float* values) : values_(values) {}
    template <Loads loads = Loads::First>
    ACLQ_INLINE Factors block(std::int64_t i) const {
        return Factors(reloaded<loads>(values_ + i));
    }
    ACLQ_INLINE Lanes part(int number) const { return load(values_ + number * Lanes::kCount); }

  private:
    const float* const values_;
};

// The block whose parts make(number) gives.
template <class Make>
ACLQ_INLINE inline Block makeBlock(Make&& make) {
    return Block{{make(0), make(1), make(2), make(3)}};
}
template <class X>
ACLQ_INLINE inline Block loadBlock(X x) {
    return makeBlock([&](int part) ACLQ_INLINE { return load(at(x, part * Lanes::kCount)); });
}
template <bool each>
ACLQ_INLINE inline Block operator+(const Block& block, const Factors<each>& factors) {
    return makeBlock([&](int part) ACLQ_INLINE { return block.part[part] + factors.part(part); });
}
template <bool each>
ACLQ_INLINE inline Block operator*(const Block& block, const Factors<each>& factors) {
    return makeBlock([&](int part) ACLQ_INLINE { return block.part[part] * factors.part(part); });
}
template <bool each>
ACLQ_INLINE inline Block operator/(const Block& block, const Factors<each>& factors) {
    return makeBlock([&](int part) ACLQ_INLINE { return block.part[part] / factors.part(part); });
}

// work(0), work(1), ..., each number a constant.
template <int... number, class Work>
ACLQ_INLINE inline void unroll(std::integer_sequence<int, number...>, Work&& work) {
    (work(std::integral_constant<int, number>{}), ...);
}
template <int count, class Work>
ACLQ_INLINE inline void unroll(Work&& work) {
    unroll(std::make_integer_sequence<int, count>{}, work);
}

// The type of the vectors that results consist of.
template <class Results>
using VectorOf = std::remove_cvref_t<decltype(Results{}.part[0])>;

// The block of a policy, rounded to integers. Within: no value is NaN or beyond the limits of the type.
template <bool pack, bool within, class Policy>
ACLQ_INLINE inline auto integers(const Policy& policy, Integers type) {
    const auto bytes = narrowed(policy, pack ? Integers::Int4 : type, within);
    if constexpr (pack) {
        return packed(bytes);
    } else {
        return bytes;
    }
}
template <bool pack>
using IntegerVector = VectorOf<std::conditional_t<pack, Nibbles, Bytes>>;

}  // namespace aclq::ACLQ_ISA
