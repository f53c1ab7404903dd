// SPDX-License-Identifier: Apache-2.0
// The row kernels, written once over sixteen lanes; each variant's file chooses the lanes, includes this and compiles
// it with its instructions. What the operations on lanes mean is said in lanes_scalar.h. Loops work on whole blocks of
// sixty-four elements; forAnyLength brings them to rows of any length.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace aclq::ACLQ_ISA {

// Elements of a block.
constexpr std::int64_t kBlock = 4 * Lanes::kCount;
constexpr std::int64_t kLine = 64;  // bytes
// How far ahead of the work memory is asked for: processors do not do it themselves across the ends of pages, and what
// comes from 4 KiB ahead is still late (tried; more than this changes nothing). It comes to the second cache, so that
// factors stay in the nearest one; from so little ahead to that one.
constexpr std::int64_t kAheadBytes = 16 * 1024;
constexpr std::int64_t kSoonBytes = 2 * 1024;
// Factors for each element of rows longer than this would not stay in the nearest cache. Where that counts (AVX-512;
// AVX2 loses by it; NEON was not measured), such rows are worked on side by side, and they are read once for all of
// these.
constexpr std::int64_t kNear = 4096;
// The extremes of rows that are no longer than this are found side by side.
constexpr std::int64_t kShort = 1024;
// So many products with smooth scales are kept in the nearest cache until values are made of them.
constexpr std::int64_t kKept = 2048;

// Rows are pointers, or int4 packed in bytes.
template <class T>
constexpr std::int64_t sizeOf(const T*, std::int64_t n) {
    return n * static_cast<std::int64_t>(sizeof(T));
}
constexpr std::int64_t sizeOf(PackedInt4, std::int64_t n) {
    return (n + 1) / 2;
}
template <class T>
ACLQ_INLINE inline const T* at(const T* x, std::int64_t i) {
    return x + i;
}
ACLQ_INLINE inline PackedInt4 at(PackedInt4 x, std::int64_t i) {
    return {x.data + i / 2};
}
template <class T>
ACLQ_INLINE inline const unsigned char* bytesOf(const T* x) {
    return reinterpret_cast<const unsigned char*>(x);
}
ACLQ_INLINE inline const unsigned char* bytesOf(PackedInt4 x) {
    return x.data;
}
template <class T>
ACLQ_INLINE inline const T* like(const T*, const unsigned char* bytes) {
    return reinterpret_cast<const T*>(bytes);
}
ACLQ_INLINE inline PackedInt4 like(PackedInt4, const unsigned char* bytes) {
    return {bytes};
}

enum class Cache { Nearest, Second };

// Asks for the block that lies so many bytes further on. That may be past the end: asking is no access.
template <Cache cache, class X>
ACLQ_INLINE inline void askFor(X x, std::int64_t bytes) {
    const auto from = reinterpret_cast<std::uintptr_t>(bytesOf(x)) + static_cast<std::uintptr_t>(bytes);
    for (std::int64_t line = 0; line < sizeOf(x, kBlock); line += kLine) {
        __builtin_prefetch(reinterpret_cast<const void*>(from + static_cast<std::uintptr_t>(line)), 0,
                           cache == Cache::Nearest ? 3 : 2);
    }
}

// Asks for what comes after a block that is read once.
template <class X>
ACLQ_INLINE inline void askAhead(X x) {
    askFor<Cache::Second>(x, kAheadBytes);
    askFor<Cache::Nearest>(x, kSoonBytes);
}

// x; again: in a way that the compiler takes for another place. What is rarely needed again is read again then: else
// registers would be stored each time, to have it.
template <class T, bool again>
ACLQ_INLINE inline const T* placeOf(const T* x, std::bool_constant<again>) {
    if constexpr (again) {
        asm("" : "+r"(x));
    }
    return x;
}

// Factors of rows: one each for their elements, or one for all.
template <bool each>
class Factors {
  public:
    ACLQ_INLINE explicit Factors(const float* values) : same_(*values) {}
    template <class Again = std::false_type>
    ACLQ_INLINE Factors block(std::int64_t, Again = {}) const {
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
    template <class Again = std::false_type>
    ACLQ_INLINE Factors block(std::int64_t i, Again again = {}) const {
        return Factors(placeOf(values_ + i, again));
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

// Puts vectors of results behind each other. Those to be streamed are, at any multiple of sixteen bytes: where that is
// no place for a whole vector, pieces of two that follow each other are joined. Elsewhere they are stored. Loops have
// one of their own, which lives in registers. close(), once, after the last put(), streams what is left of the last
// vector; moveTo() does so itself.
template <class Vector>
class Results {
  public:
    ACLQ_INLINE explicit Results(const Output& y, std::int64_t bytes = 0) : wanted_(y.streamed) {
        begin(static_cast<unsigned char*>(y.data) + bytes);
    }

    // Where the next ones go, if not behind the last ones.
    ACLQ_INLINE void moveTo(unsigned char* place) {
        if (place != at(shift_)) {
            close();
            begin(place);
        }
    }

    template <int count>
    ACLQ_INLINE void put(const Vectors<Vector, count>& results) {
        const auto place = [&](int number) ACLQ_INLINE { return at(number * kSize); };
        const auto proceed = [&]() ACLQ_INLINE { to_ += count * sizeof(Vector); };
        if constexpr (kJoined) {
            const auto follow = [&]() ACLQ_INLINE {
                unroll<count - 1>([&](auto number) ACLQ_INLINE {
                    stream(joint_.join(results.part[number], results.part[number + 1]), place(number + 1));
                });
                before_ = results.part[count - 1];
                proceed();
            };
            if (way_ == Way::Joined) [[likely]] {
                stream(joint_.join(before_, results.part[0]), place(0));
                return follow();
            }
            if (way_ == Way::Opened) {
                open(results.part[0]);
                return follow();
            }
        }
        unroll<count>([&](auto number) ACLQ_INLINE {
            way_ == Way::Streamed ? stream(results.part[number], place(number))
                                  : store(results.part[number], place(number));
        });
        proceed();
    }

    ACLQ_INLINE void close() {
        if constexpr (kJoined) {
            if (way_ == Way::Joined) {
                streamPieces(before_, kSize - shift_, kSize, at(0));
            }
        }
    }

  private:
    enum class Way { Stored, Streamed, Opened, Joined };
    static constexpr auto kSize = static_cast<std::int64_t>(sizeof(Vector));
    static constexpr std::int64_t kPiece = 16;  // the least that can be streamed
    static constexpr bool kJoined = kStreamAlignment<Vector> > 1;

    ACLQ_INLINE unsigned char* at(std::int64_t bytes) const {
        return reinterpret_cast<unsigned char*>(to_ + static_cast<std::uintptr_t>(bytes));
    }

    ACLQ_INLINE void begin(unsigned char* place) {
        to_ = reinterpret_cast<std::uintptr_t>(place);
        const auto beyond = [&](std::int64_t size) {
            return static_cast<std::int64_t>(to_ % static_cast<std::uintptr_t>(size));
        };
        const bool streamed = wanted_ && beyond(std::min(kPiece, kStreamAlignment<Vector>)) == 0;
        shift_ = streamed ? beyond(kStreamAlignment<Vector>) : 0;
        way_ = !streamed ? Way::Stored : (shift_ == 0 ? Way::Streamed : Way::Opened);
        joint_ = Joint<Vector>(shift_);
        to_ -= static_cast<std::uintptr_t>(shift_);
    }

    // Streams the first vector up to where a whole one has its place.
    ACLQ_INLINE void open(const Vector& first) {
        streamPieces(first, 0, kSize - shift_, at(shift_));
        way_ = Way::Joined;
    }

    static ACLQ_INLINE void streamPieces(const Vector& vector, std::int64_t first, std::int64_t last,
                                         unsigned char* to) {
        alignas(64) unsigned char bytes[kSize];
        store(vector, bytes);
        for (std::int64_t at = first; at < last; at += kPiece) {
            streamSixteen(bytes + at, to + (at - first));
        }
    }

    Way way_;
    bool wanted_;
    std::uintptr_t to_;   // where the next whole vector has its place: the first one's begins before all results
    std::int64_t shift_;  // how far behind that the next results have theirs
    Vector before_{};
    Joint<Vector> joint_{0};
};

// What make(number) gives for each of the rows side by side.
template <int side, class Make>
ACLQ_INLINE inline auto forEachSide(Make&& make) {
    return [&]<int... number>(std::integer_sequence<int, number...>) ACLQ_INLINE {
        return std::array{make(number)...};
    }
    (std::make_integer_sequence<int, side>{});
}

// Calls work(number) for each of the rows side by side. One alone has a constant number, so that what it has lives in
// registers.
template <int side, class Work>
ACLQ_INLINE inline void forBeside(Work&& work) {
    if constexpr (side == 1) {
        work(std::integral_constant<int, 0>{});
    } else {
        for (int number = 0; number < side; ++number) {
            work(number);
        }
    }
}

// How many rows are worked on side by side, if asked for: the others come after them.
template <bool maySide>
ACLQ_INLINE inline std::int64_t rowsBeside(std::int64_t count, bool sides) {
    return maySide && sides ? count - count % kSide : 0;
}

// Calls work(row, side) for all rows, kSide of them side by side or one. That number is a constant.
template <bool maySide, class Work>
ACLQ_INLINE inline void forSides(std::int64_t count, bool sides, Work&& work) {
    const std::int64_t beside = rowsBeside<maySide>(count, sides);
    if constexpr (maySide) {
        for (std::int64_t row = 0; row < beside; row += kSide) {
            work(row, std::integral_constant<int, kSide>{});
        }
    }
    for (std::int64_t row = beside; row < count; ++row) {
        work(row, std::integral_constant<int, 1>{});
    }
}

// What puts the results of rows that lie behind each other to their places.
template <class Vector, bool maySide>
class RowsOfResults {
  public:
    ACLQ_INLINE RowsOfResults(const Output& y, std::int64_t bytesOfRow) : y_(y), bytesOfRow_(bytesOfRow), one_(y) {}

    // Calls body(results, row, side) for so many rows, with what puts the results of each of the rows side by side.
    template <class Body>
    ACLQ_INLINE void forRows(std::int64_t first, std::int64_t count, bool sides, Body&& body) {
        std::array one{one_};
        one[0].moveTo(static_cast<unsigned char*>(y_.data) + (first + rowsBeside<maySide>(count, sides)) * bytesOfRow_);
        forSides<maySide>(count, sides, [&](std::int64_t number, auto side) ACLQ_INLINE {
            const std::int64_t row = first + number;
            if constexpr (side() == 1) {
                body(one, row, side);
            } else {
                auto results = forEachSide<side()>(
                    [&](int beside) ACLQ_INLINE { return Results<Vector>(y_, (row + beside) * bytesOfRow_); });
                body(results, row, side);
                for (Results<Vector>& each : results) {
                    each.close();
                }
            }
        });
        one_ = one[0];
    }
    ACLQ_INLINE ~RowsOfResults() { one_.close(); }
    RowsOfResults(const RowsOfResults&) = delete;
    RowsOfResults& operator=(const RowsOfResults&) = delete;

  private:
    const Output y_;
    const std::int64_t bytesOfRow_;
    Results<Vector> one_;
};

template <class Vector, bool maySide, class Body>
ACLQ_INLINE inline void forRows(const Output& y, std::int64_t bytesOfRow, std::int64_t count, bool sides, Body&& body) {
    RowsOfResults<Vector, maySide>(y, bytesOfRow).forRows(0, count, sides, body);
}

// Whether quotients by it, of 16-bit floats, may be found in the quick way: they are exact but for those so small that
// to nearest they are 0 anyway, and those that an int32 cannot hold.
inline bool isTame(float divisor) {
    return std::fabs(divisor) >= 0x1p-60F && std::fabs(divisor) <= 0x1p60F;
}

// A value as a constant.
template <auto value>
using Constant = std::integral_constant<decltype(value), value>;

// Calls finish(results, block) with each block of x scaled and shifted: block(exact) makes it, in the exact way if that
// constant is true. Divide, twice and mode are as the rows say; constants of them make a loop that asks less.
template <class Vector, bool each, class Divide, class Twice, class Mode, class X, class Finish>
ACLQ_INLINE inline void forScaled(const QuantizeRows& rows, Divide divide, Twice twice, Mode mode, const X* x,
                                  std::int64_t count, std::int64_t n, const Output& y, std::int64_t bytesOfRow,
                                  Finish&& finish) {
    constexpr bool kQuick = kQuickDivision && !each && sizeof(X) == sizeof(std::uint16_t);
    const bool shifted = rows.offset != nullptr;
    forRows<Vector, each && Lanes::kShare>(
        y, bytesOfRow, count, n > kNear, [&](auto& results, std::int64_t row, auto side) ACLQ_INLINE {
            const std::int64_t at = each ? 0 : row * rows.rowStep;
            const Factors<each> scales(rows.scale + at);
            const Factors<each> offsets((shifted ? rows.offset : rows.scale) + at);
            const bool quick = kQuick && divide && mode == Round::Rint && isTame(rows.scale[at]);
            const float inverse = 1.0F / rows.scale[at];
            const Factors<false> reciprocal(&inverse);
            for (std::int64_t i = 0; i < n; i += kBlock) {
                forBeside<side()>([&](auto number) ACLQ_INLINE {
                    const X* const from = x + (row + number) * n + i;
                    askAhead(from);
                    finish(results[number], [&](auto exact) ACLQ_INLINE {
                        const Factors<each> scale = scales.block(i, exact);
                        Block block = loadBlock(placeOf(from, exact));
                        if (!divide) {
                            block = block * scale;
                            if (twice) {
                                block = block * scale;
                            }
                        } else if (kQuick && !exact() && quick) {
                            block = makeBlock([&](int part) ACLQ_INLINE {
                                return quotient(block.part[part], scale.part(part), reciprocal.part(part));
                            });
                        } else {
                            block = block / scale;
                        }
                        return shifted ? block + offsets.block(i, exact) : block;
                    });
                });
            }
        });
}

// Calls body with the truth of each condition as a constant.
template <bool... known, class Body>
inline void withConstants(Body&& body) {
    body(std::bool_constant<known>{}...);
}
template <bool... known, class Body, class... Rest>
inline void withConstants(Body&& body, bool first, Rest... rest) {
    first ? withConstants<known..., true>(body, rest...) : withConstants<known..., false>(body, rest...);
}

// Calls body with x as a pointer to its own type.
template <class Body>
ACLQ_INLINE inline void withSource(Source source, const void* x, Body&& body) {
    switch (source) {
        case Source::Float:
            return body(static_cast<const float*>(x));
        case Source::Half:
            return body(static_cast<const Half*>(x));
        case Source::BFloat16:
            return body(static_cast<const BFloat16*>(x));
    }
}

// The vectors that results are put in.
template <class Results>
using VectorOf = std::remove_cvref_t<decltype(Results{}.part[0])>;

// A block's results as integers. Within: nothing is beyond the limits, nor NaN.
template <bool pack, bool within, class Exact>
ACLQ_INLINE inline auto integers(const Block& block, Integers type, Exact&& exact) {
    const auto bytes = narrow(block, pack ? Integers::Int4 : type, exact, within);
    if constexpr (pack) {
        return packed(bytes);
    } else {
        return bytes;
    }
}
template <bool pack>
using IntegerVector = VectorOf<std::conditional_t<pack, Nibbles, Bytes>>;

inline void quantizeBlocks(const QuantizeRows& rows, Source source, const void* data, std::int64_t count,
                           std::int64_t n, const IntegerOutput& y) {
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto each, auto pack) {
                using Vector = IntegerVector<pack()>;
                const auto run = [&](auto divide, auto twice, auto mode, auto type) {
                    forScaled<Vector, each()>(
                        rows, divide, twice, mode, x, count, n, y.to, pack() ? n / 2 : n,
                        [&](auto& results, const auto& block) ACLQ_INLINE {
                            const auto make = [&](auto exact) ACLQ_INLINE {
                                return mode == Round::Rint ? block(exact) : rounded(block(exact), mode);
                            };
                            results.put(integers<pack(), false>(make(std::false_type{}), type,
                                                                [&]() ACLQ_INLINE { return make(std::true_type{}); }));
                        });
                };
                // What is asked of each block costs up to a tenth: what is usual has loops of its own.
                constexpr Integers kUsual = pack() ? Integers::Int4 : Integers::Int8;
                if (rows.scaleTwice || rows.mode != Round::Rint || y.type != kUsual) {
                    run(rows.divide, rows.scaleTwice, rows.mode, y.type);
                } else if (rows.divide) {
                    run(std::true_type{}, std::false_type{}, Constant<Round::Rint>{}, Constant<kUsual>{});
                } else {
                    run(std::false_type{}, std::false_type{}, Constant<Round::Rint>{}, Constant<kUsual>{});
                }
            },
            rows.step != 0, y.packed);
    });
}

inline void quantizeBlocksToInt32(const QuantizeRows& rows, Source source, const void* data, std::int64_t count,
                                  std::int64_t n, const Output& y) {
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto each) {
                using Vector = VectorOf<decltype(toInt32(Block{}))>;
                forScaled<Vector, each()>(rows, rows.divide, rows.scaleTwice, rows.mode, x, count, n, y, 4 * n,
                                          [](auto& results, const auto& block)
                                              ACLQ_INLINE { results.put(toInt32(block(std::true_type{}))); });
            },
            rows.step != 0);
    });
}

// Usual: factors are finite, so that no result is NaN, and scale once.
template <Overflow overflow, bool usual, bool each, class Y, class X>
inline void antiQuantize(const AntiQuantizeRows& rows, X x, std::int64_t count, std::int64_t n, const Output& y) {
    using Vector = VectorOf<decltype(toHalves<overflow, usual, Y>(Block{}))>;
    const bool twice = !usual && rows.scaleTwice;
    const bool shifted = rows.offset != nullptr;
    const Factors<each> scales(rows.scale);
    const Factors<each> offsets(shifted ? rows.offset : rows.scale);
    forRows<Vector, each && Lanes::kShare>(y, 2 * n, count, n > kNear,
                                           [&](auto& results, std::int64_t row, auto side) ACLQ_INLINE {
                                               for (std::int64_t i = 0; i < n; i += kBlock) {
                                                   const Factors<each> scale = scales.block(i);
                                                   const Factors<each> offset = offsets.block(i);
                                                   forBeside<side()>([&](auto number) ACLQ_INLINE {
                                                       const X from = at(x, (row + number) * n + i);
                                                       askAhead(from);
                                                       Block block = loadBlock(from);
                                                       if (shifted) {
                                                           block = block + offset;
                                                       }
                                                       block = block * scale;
                                                       if (twice) {
                                                           block = block * scale;
                                                       }
                                                       results[number].put(toHalves<overflow, usual, Y>(block));
                                                   });
                                               }
                                           });
}

inline void antiQuantizeEach(const AntiQuantizeRows& rows, const void* data, bool isPacked, std::int64_t count,
                             std::int64_t n, const Output& y, bool isHalf) {
    withConstants(
        [&](auto saturate, auto usual, auto each, auto half, auto pack) {
            using X = std::conditional_t<pack(), PackedInt4, const std::int8_t*>;
            using Y = std::conditional_t<half(), Half, BFloat16>;
            const X x = like(X{}, static_cast<const unsigned char*>(data));
            antiQuantize<saturate() ? Overflow::Saturate : Overflow::InfNan, usual(), each(), Y>(rows, x, count, n, y);
        },
        rows.saturate, rows.finite && !rows.scaleTwice, rows.step != 0, isHalf, isPacked);
}

inline void antiQuantizeBlocks(const AntiQuantizeRows& rows, const void* data, bool isPacked, std::int64_t count,
                               std::int64_t n, const Output& y, bool isHalf) {
    if (Lanes::kDefinition || !isPacked || rows.step != 0 || count * n <= kBlock) {
        antiQuantizeEach(rows, data, isPacked, count, n, y, isHalf);
        return;
    }
    // With one factor for all there are sixteen results: they are computed once, and looked up.
    const std::uint8_t all[kBlock / 2] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE};
    std::uint16_t found[kBlock];
    antiQuantizeEach(rows, all, true, 1, kBlock, Output{found}, isHalf);
    const Sixteen table(found);
    const PackedInt4 x{static_cast<const std::uint8_t*>(data)};
    Results<VectorOf<decltype(table.lookUp(x))>> results(y);
    for (std::int64_t i = 0; i < count * n; i += kBlock) {
        askAhead(at(x, i));
        results.put(table.lookUp(at(x, i)));
    }
    results.close();
}

template <bool smoothed, class X>
inline float product(const float* factor, std::int64_t step, X x, std::int64_t i) {
    return smoothed ? widen(x[i]) * factor[i * step] : widen(x[i]);
}

// The definition.
template <bool smoothed, class X>
inline Extent extentByValue(const X* x, const float* factor, std::int64_t step, std::int64_t n) {
    Extent extent{__builtin_inff(), -__builtin_inff()};
    bool nan = false;
    for (std::int64_t i = 0; i < n; ++i) {
        const float v = product<smoothed>(factor, step, x, i);
        extent.low = v < extent.low ? v : extent.low;
        extent.high = v > extent.high ? v : extent.high;
        nan |= v != v;
    }
    // Adding 0 makes the sign of a zero the same for every variant.
    return nan ? Extent{__builtin_nanf(""), __builtin_nanf("")} : Extent{extent.low + 0.0F, extent.high + 0.0F};
}

// The largest bits of so many rows. Comparing bits as integers orders floats of one sign, the negative ones backwards:
// read as signed, the largest is that of the largest value, unless all are negative (`above`); read as unsigned, it is
// that of the smallest value, unless none is negative (`below`).
template <class Bits>
struct LargestOfRows {
    using Signed = std::make_signed_t<Bits>;
    Bits above[Lanes::kCount];
    Bits below[Lanes::kCount];

    // Lanes of no row are 0.
    ACLQ_INLINE explicit LargestOfRows(std::int64_t count) {
        for (std::int64_t row = count; row < Lanes::kCount; ++row) {
            above[row] = below[row] = 0;
        }
    }

    // Of rows side by side. value(number, i): the bits of the elements from `first` on, which are not among the
    // extremes.
    template <class E, int side, class Value>
    ACLQ_INLINE void set(std::int64_t row, const E (&extremes)[side], std::int64_t first, std::int64_t n,
                         Value&& value) {
        if constexpr (requires { largestOfFour(extremes, above, below); }) {
            largestOfFour(extremes, above + row, below + row);
        } else {
            for (int number = 0; number < side; ++number) {
                above[row + number] = static_cast<Bits>(extremes[number].largest());
                below[row + number] = extremes[number].largestUnsigned();
            }
        }
        if (first < n) {
            for (int number = 0; number < side; ++number) {
                for (std::int64_t i = first; i < n; ++i) {
                    const Bits bits = value(number, i);
                    above[row + number] = static_cast<Bits>(
                        std::max(static_cast<Signed>(above[row + number]), static_cast<Signed>(bits)));
                    below[row + number] = std::max(below[row + number], bits);
                }
            }
        }
    }
};

// The bits of 16-bit values need no conversion; those of products do.
template <int side, class X>
ACLQ_INLINE inline void largestOf(const X* x, std::int64_t n, std::int64_t row, LargestOfRows<std::uint16_t>& largest) {
    Extremes16 extremes[side];
    std::int64_t i = 0;
    for (; i + Extremes16::kCount <= n; i += Extremes16::kCount) {
        unroll<side>([&](auto number) ACLQ_INLINE { extremes[number].include(x + number * n + i); });
    }
    largest.set(row, extremes, i, n,
                [&](int number, std::int64_t rest) { return static_cast<std::uint16_t>(x[number * n + rest]); });
}

// Of products, in rows side by side. They are kept, unless `kept` is null.
template <bool each, int side, class X>
ACLQ_INLINE inline void largestOf(const X* x, const float* factor, std::int64_t n, std::int64_t row,
                                  LargestOfRows<std::uint32_t>& largest, float* kept) {
    Extremes extremes[side];
    const Factors<false> same(factor);
    std::int64_t i = 0;
    for (; i + Lanes::kCount <= n; i += Lanes::kCount) {
        const Lanes factors = each ? load(factor + i) : same.part(0);
        unroll<side>([&](auto number) ACLQ_INLINE {
            const Lanes products = load(x + number * n + i) * factors;
            extremes[number].template include<side>(products);
            if (kept != nullptr) {
                store(products, kept + number * n + i);
            }
        });
    }
    largest.set(row, extremes, i, n, [&](int number, std::int64_t rest) {
        return bitCast<std::uint32_t>(widen(x[number * n + rest]) * factor[each ? rest : 0]);
    });
}

// Of values that all have one sign, the one nearest to zero has the smallest bits.
template <class Bits, class Value>
inline Bits leastOf(std::int64_t n, Value&& value) {
    Bits least = std::numeric_limits<Bits>::max();
    for (std::int64_t i = 0; i < n; ++i) {
        least = std::min(least, bitCast<Bits>(value(i)));
    }
    return least;
}

// The first `count` of numbers for all lanes.
ACLQ_INLINE inline void copySome(const float (&from)[Lanes::kCount], std::int64_t count, float* to) {
    if (count == Lanes::kCount) {
        std::memcpy(to, from, sizeof from);
    } else {
        std::copy_n(from, count, to);
    }
}

// Smallest and largest values of some rows; NaN where any is NaN, 0 in lanes of no row.
struct Extents {
    float low[Lanes::kCount];
    float high[Lanes::kCount];
};

// Whether both are true, without a choice between ways: so loops become lanes.
constexpr bool both(bool a, bool b) {
    return (static_cast<int>(a) & static_cast<int>(b)) != 0;
}

// Extents by the largest bits. least(row): the least bits of a row whose values all have one sign, which are the other
// end of its extent.
template <class Format, class Bits, class Least>
ACLQ_INLINE inline void extentsOf(const LargestOfRows<Bits>& largest, std::int64_t count, Extents& extents,
                                  Least&& least) {
    const auto widened = [](const Bits* bits, float* to)
                             ACLQ_INLINE { store(load(reinterpret_cast<const Format*>(bits)) + broadcast(0.0F), to); };
    widened(largest.below, extents.low);
    widened(largest.above, extents.high);
    int odd = 0;
#pragma GCC unroll 1  // unrolled, it would not become lanes
    for (std::int64_t row = 0; row < Lanes::kCount; ++row) {
        odd |= both(extents.low[row] <= 0.0F, extents.high[row] >= 0.0F) ? 0 : 1;
    }
    for (std::int64_t row = 0; odd != 0 && row < count; ++row) {
        float& low = extents.low[row];
        float& high = extents.high[row];
        if (low != low || high != high) {  // NaN lie outside the infinities
            low = high = __builtin_nanf("");
        } else if (low > 0.0F) {
            low = widen(bitCast<Format>(least(row))) + 0.0F;
        } else if (high < 0.0F) {
            high = widen(bitCast<Format>(least(row))) + 0.0F;
        }
    }
}

inline constexpr float kOne = 1.0F;

// Of so many rows at most as Extents hold.
template <bool smoothed, bool each, class X>
ACLQ_INLINE inline void findExtents(const X* x, const float* factor, std::int64_t count, std::int64_t n,
                                    Extents& extents, float* kept = nullptr) {
    constexpr std::int64_t kStep = each ? 1 : 0;
    if (Lanes::kDefinition || n == 0) {
        extents = {};
        for (std::int64_t row = 0; row < count; ++row) {
            const Extent extent = extentByValue<smoothed>(x + row * n, factor, kStep, n);
            extents.low[row] = extent.low;
            extents.high[row] = extent.high;
        }
        return;
    }
    if constexpr (!smoothed && sizeof(X) == sizeof(std::uint16_t)) {
        LargestOfRows<std::uint16_t> largest(count);
        forSides<!Lanes::kDefinition>(count, n <= kShort, [&](std::int64_t row, auto side) ACLQ_INLINE {
            largestOf<side()>(x + row * n, n, row, largest);
        });
        extentsOf<X>(largest, count, extents, [&](std::int64_t row) {
            return leastOf<std::uint16_t>(n, [&](std::int64_t i) { return x[row * n + i]; });
        });
    } else {
        LargestOfRows<std::uint32_t> largest(count);
        forSides<!Lanes::kDefinition>(
            count, n <= kShort || (each && Lanes::kShare && n > kNear), [&](std::int64_t row, auto side) ACLQ_INLINE {
                largestOf<each, side()>(
                    x + row * n, smoothed ? factor : &kOne, n, row, largest,
                    kept == nullptr ? nullptr : kept + row * n);  // floats alone are products with 1
            });
        extentsOf<float>(largest, count, extents, [&](std::int64_t row) {
            return leastOf<std::uint32_t>(
                n, [&](std::int64_t i) { return product<smoothed>(factor, kStep, x + row * n, i); });
        });
    }
}

template <bool smoothed, bool each, class X>
inline void extentsOfRows(const X* x, const float* factor, std::int64_t count, std::int64_t n, Extent* extents) {
    for (std::int64_t first = 0; first < count; first += Lanes::kCount) {
        const std::int64_t some = std::min(Lanes::kCount, count - first);
        Extents found;
        findExtents<smoothed, each>(x + first * n, factor, some, n, found);
        for (std::int64_t row = 0; row < some; ++row) {
            extents[first + row] = {found.low[row], found.high[row]};
        }
    }
}

inline void extentsOfRows(Source source, const void* data, const float* factor, std::int64_t step, std::int64_t count,
                          std::int64_t n, Extent* extents) {
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto smoothed, auto each) {
                if constexpr (smoothed() || !each()) {
                    extentsOfRows<smoothed(), each()>(x, factor, count, n, extents);
                }
            },
            factor != nullptr, factor != nullptr && step != 0);
    });
}

// Rows from `first` on; they and their factors are counted from there. Within: no result is beyond the limits of its
// type. ask(element): asks for memory when the turn comes to the block that begins there.
template <bool smoothed, bool smoothEach, bool each, bool shifted, bool pack, bool within, class X, class Put,
          class Ask>
ACLQ_INLINE inline void quantizeAffine(const AffineRows& rows, const X* x, std::int64_t first, std::int64_t count,
                                       std::int64_t n, Integers type, Put& put, Ask&& ask) {
    const Factors<smoothEach> smooths(smoothed ? rows.smooth : rows.factor);
    const float* const shiftOfRow = shifted ? rows.shift : rows.factor;
    put.forRows(first, count, n > kNear, [&](auto& results, std::int64_t row, auto side) ACLQ_INLINE {
        const auto factors = forEachSide<side()>(
            [&](int number) ACLQ_INLINE { return Factors<each>(rows.factor + (row - first + number) * rows.rowStep); });
        const auto shifts = forEachSide<side()>(
            [&](int number) ACLQ_INLINE { return Factors<each>(shiftOfRow + (row - first + number) * rows.rowStep); });
        for (std::int64_t i = 0; i < n; i += kBlock) {
            forBeside<side()>([&](auto number) ACLQ_INLINE {
                const std::int64_t element = (row - first + number) * n + i;
                const X* const from = x + element;
                const auto make = [&](auto again) ACLQ_INLINE {
                    Block block = loadBlock(placeOf(from, again));
                    if constexpr (smoothed) {
                        block = block * smooths.block(i, again);
                    }
                    block = block * factors[number].block(i, again);
                    if constexpr (shifted) {
                        block = block + shifts[number].block(i, again);
                    }
                    return block;
                };
                ask(element);
                results[number].put(integers<pack, within>(make(std::false_type{}), type,
                                                           [&]() ACLQ_INLINE { return make(std::true_type{}); }));
            });
        }
    });
}

inline void quantizeBlocksAffine(const AffineRows& rows, Source source, const void* data, std::int64_t count,
                                 std::int64_t n, const IntegerOutput& y) {
    AffineRows smoothed = rows;
    if (rows.smooth == nullptr) {  // a product with 1 is exact, and costs less than loops of their own
        smoothed.smooth = &kOne;
        smoothed.smoothStep = 0;
    }
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto smoothEach, auto each, auto shifted, auto pack) {
                RowsOfResults<IntegerVector<pack()>, (smoothEach() || each()) && Lanes::kShare> put(y.to,
                                                                                                    pack() ? n / 2 : n);
                quantizeAffine<true, smoothEach(), each(), shifted(), pack(), false>(
                    smoothed, x, 0, count, n, y.type, put,
                    [x](std::int64_t element) ACLQ_INLINE { askAhead(x + element); });
            },
            smoothed.smoothStep != 0, smoothed.step != 0, smoothed.shift != nullptr, y.packed);
    });
}

// Calls body(values, step, rowStep) with each kind of factors, and says that they are there for each element.
template <class Body>
inline void replaceFactors(QuantizeRows& rows, Body&& body) {
    body(rows.scale, rows.step, rows.rowStep);
    body(rows.offset, rows.step, rows.rowStep);
    rows.step = 1;
}
template <class Body>
inline void replaceFactors(AntiQuantizeRows& rows, Body&& body) {
    body(rows.scale, rows.step, 0);
    body(rows.offset, rows.step, 0);
    rows.step = 1;
}
template <class Body>
inline void replaceFactors(AffineRows& rows, Body&& body) {
    body(rows.smooth, rows.smoothStep, 0);
    body(rows.factor, rows.step, rows.rowStep);
    body(rows.shift, rows.step, rows.rowStep);
    rows.smoothStep = 1;
    rows.step = 1;
}

inline QuantizeRows rowsFrom(QuantizeRows rows, std::int64_t row) {
    rows.scale += row * rows.rowStep;
    rows.offset = rows.offset == nullptr ? nullptr : rows.offset + row * rows.rowStep;
    return rows;
}
inline AntiQuantizeRows rowsFrom(const AntiQuantizeRows& rows, std::int64_t) {
    return rows;
}
inline AffineRows rowsFrom(AffineRows rows, std::int64_t row) {
    rows.factor += row * rows.rowStep;
    rows.shift = rows.shift == nullptr ? nullptr : rows.shift + row * rows.rowStep;
    return rows;
}

// Calls run(rows, x, count, n, y), which works on whole blocks, for rows of any length: what is behind the last whole
// block of a row, and rows shorter than one, as many as fit, are worked on in buffers that have room for one. Sizes are
// in bits of an element.
template <class Rows, class Run>
inline void forAnyLength(const Rows& rows, const void* x, std::int64_t xBits, std::int64_t count, std::int64_t n,
                         const Output& y, std::int64_t yBits, Run&& run) {
    const auto from = [&](std::int64_t element) { return static_cast<const unsigned char*>(x) + element * xBits / 8; };
    const auto to = [&](std::int64_t element) { return static_cast<unsigned char*>(y.data) + element * yBits / 8; };
    // What `some` rows have from element `first` on, which lies behind each other.
    const auto runInBuffers = [&](std::int64_t row, std::int64_t some, std::int64_t first) {
        const std::int64_t length = n - first;
        alignas(64) unsigned char elements[4 * kBlock] = {};
        std::memcpy(elements, from(row * n + first), static_cast<std::size_t>((some * length * xBits + 7) / 8));
        alignas(64) float factors[3][kBlock];
        float(*buffer)[kBlock] = factors;
        Rows one = rows;
        replaceFactors(one, [&](const float*& values, std::int64_t step, std::int64_t rowStep) {
            if (values != nullptr) {
                float* next = *buffer;
                for (std::int64_t number = row; number < row + some; ++number) {
                    for (std::int64_t i = first; i < n; ++i) {
                        *next++ = values[number * rowStep + i * step];
                    }
                }
                std::fill(next, *buffer + kBlock, 1.0F);
                values = *buffer++;
            }
        });
        alignas(64) unsigned char results[4 * kBlock];
        run(one, elements, 1, kBlock, Output{results});
        std::memcpy(to(row * n + first), results, static_cast<std::size_t>(some * length * yBits / 8));
    };
    if (n % kBlock == 0) {
        run(rows, x, count, n, y);
    } else if (n < kBlock) {
        const std::int64_t together = kBlock / n;
        for (std::int64_t row = 0; row < count; row += together) {
            runInBuffers(row, std::min(together, count - row), 0);
        }
    } else {
        const std::int64_t whole = n - n % kBlock;
        for (std::int64_t row = 0; row < count; ++row) {
            run(rowsFrom(rows, row), from(row * n), 1, whole, Output{to(row * n), y.streamed});
            runInBuffers(row, 1, whole);
        }
    }
}

constexpr std::int64_t bitsOf(Source source) {
    return source == Source::Float ? 32 : 16;
}

inline void quantize(const QuantizeRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                     const IntegerOutput& y) {
    forAnyLength(
        rows, x, bitsOf(source), count, n, y.to, y.packed ? 4 : 8,
        [&](const QuantizeRows& some, const void* from, std::int64_t number, std::int64_t length, const Output& to) {
            quantizeBlocks(some, source, from, number, length, {to, y.type, y.packed});
        });
}
inline void quantizeToInt32(const QuantizeRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                            const Output& y) {
    forAnyLength(rows, x, bitsOf(source), count, n, y, 32,
                 [&](const QuantizeRows& some, const void* from, std::int64_t number, std::int64_t length,
                     const Output& to) { quantizeBlocksToInt32(some, source, from, number, length, to); });
}
inline void antiQuantize(const AntiQuantizeRows& rows, const void* x, bool isPacked, std::int64_t count, std::int64_t n,
                         const Output& y, bool isHalf) {
    forAnyLength(rows, x, isPacked ? 4 : 8, count, n, y, 16,
                 [&](const AntiQuantizeRows& some, const void* from, std::int64_t number, std::int64_t length,
                     const Output& to) { antiQuantizeBlocks(some, from, isPacked, number, length, to, isHalf); });
}
inline void quantizeAffine(const AffineRows& rows, Source source, const void* x, std::int64_t count, std::int64_t n,
                           const IntegerOutput& y) {
    forAnyLength(
        rows, x, bitsOf(source), count, n, y.to, y.packed ? 4 : 8,
        [&](const AffineRows& some, const void* from, std::int64_t number, std::int64_t length, const Output& to) {
            quantizeBlocksAffine(some, source, from, number, length, {to, y.type, y.packed});
        });
}

// Parameters of some rows, and whether all their results are within the limits.
struct ParametersOfRows {
    float scale[Lanes::kCount];
    float offset[Lanes::kCount];
    float factor[Lanes::kCount];
    bool within;
};

// Loops over all lanes become vectors; those of no row are not looked at. Kept: where products with smooth scales go,
// unless null.
template <bool smoothed, bool shifted, class X>
ACLQ_INLINE inline void findParameters(const DynamicRows& rows, const X* x, std::int64_t count, std::int64_t n,
                                       Integers type, ParametersOfRows& found, float* kept) {
    // Products so small are those of finite values, and so exact that to nearest the extremes become the limits, or
    // what lies between.
    constexpr float kExact = 0x1p14F;
    const Limits limits = limitsOf(type);
    Extents extents;
    findExtents<smoothed, smoothed>(x, rows.smooth, count, n, extents, kept);
    int beyond = 0;
    for (std::int64_t row = 0; row < Lanes::kCount; ++row) {
        const Extent extent{extents.low[row], extents.high[row]};
        const Parameters parameters =
            shifted ? asymmetric(extent, limits) : symmetric(extent, limits, rows.scaleByProduct);
        found.scale[row] = parameters.scale;
        found.offset[row] = parameters.offset;
        // What is all 0 stays so: its product with an infinite factor would be NaN, which becomes 0, too.
        const bool zeros = both(extent.low == 0.0F, extent.high == 0.0F);
        found.factor[row] = zeros ? 0.0F : parameters.factor;
        const bool exact = both(std::fabs(extent.low * found.factor[row]) < kExact,
                                std::fabs(extent.high * found.factor[row]) < kExact);
        beyond |= exact ? 0 : 1;
    }
    found.within = beyond == 0;
}

// Keep: products with smooth scales are not made twice. Rows that have results beyond the limits or NaN, and those
// found together with them, go the general way.
template <bool smoothed, bool keep, bool shifted, bool pack, class X>
inline void quantizeDynamic(const DynamicRows& rows, Source source, const X* x, std::int64_t count, std::int64_t n,
                            const Output& y) {
    constexpr Integers kType = pack ? Integers::Int4 : Integers::Int8;
    constexpr bool kHalves =
        sizeof(X) == sizeof(std::uint16_t);  // no operator has other rows: they go the way of odd lengths
    // Rows that stay in the nearest cache until they are read again.
    const std::int64_t together = std::clamp<std::int64_t>(
        (keep ? kKept : kNear) / n, smoothed && Lanes::kShare && n > kNear ? kSide : 1, Lanes::kCount);
    const std::int64_t next = sizeOf(x, together * n);
    const std::int64_t ahead = std::max(kAheadBytes, next);
    const std::int64_t soon = n <= kNear ? next : kSoonBytes;
    const std::int64_t bytesOfRow = pack ? n / 2 : n;
    RowsOfResults<IntegerVector<pack>, smoothed && Lanes::kShare> put(y, bytesOfRow);
    alignas(64) float kept[keep ? kKept : 1];
    for (std::int64_t row = 0; row < count; row += together) {
        const std::int64_t some = std::min(together, count - row);
        const X* const from = x + row * n;
        const auto ask = [from, ahead, soon](std::int64_t element) ACLQ_INLINE {
            askFor<Cache::Second>(from + element, ahead);
            askFor<Cache::Nearest>(from + element, soon);
        };
        ParametersOfRows found;
        findParameters<smoothed, shifted>(rows, from, some, n, kType, found, keep ? kept : nullptr);
        copySome(found.scale, some, rows.scale + row);
        if (rows.offset != nullptr) {
            copySome(found.offset, some, rows.offset + row);
        }
        const AffineRows affine{.smooth = rows.smooth,
                                .smoothStep = 1,
                                .factor = found.factor,
                                .shift = shifted ? found.offset : nullptr,
                                .step = 0,
                                .rowStep = 1};
        if constexpr (keep) {
            if (found.within) {
                quantizeAffine<false, false, false, shifted, pack, true>(affine, kept, row, some, n, kType, put, ask);
                continue;
            }
        } else if constexpr (kHalves) {
            if (found.within && n % kBlock == 0) {
                quantizeAffine<smoothed, smoothed, false, shifted, pack, true>(affine, from, row, some, n, kType, put,
                                                                               ask);
                continue;
            }
        }
        quantizeAffine(affine, source, from, some, n,
                       {{static_cast<unsigned char*>(y.data) + row * bytesOfRow, y.streamed}, kType, pack});
    }
}

inline void quantizeDynamic(const DynamicRows& rows, Source source, const void* data, std::int64_t count,
                            std::int64_t n, const Output& y, bool packed) {
    const bool smooth = rows.smooth != nullptr;
    const bool keeps = smooth && n % kBlock == 0 && n <= kKept / kSide;
    withSource(source, data, [&](const auto* x) {
        withConstants(
            [&](auto smoothed, auto keep, auto shifted, auto pack) {
                constexpr bool kKeep = keep() && !Lanes::kDefinition && sizeof(*x) == sizeof(std::uint16_t);
                if constexpr (smoothed() || !keep()) {
                    quantizeDynamic<smoothed(), kKeep, shifted(), pack()>(rows, source, x, count, n, y);
                }
            },
            smooth, keeps, !rows.symmetric, packed);
    });
}

inline void smoothRow(Source source, const void* data, const float* factor, std::int64_t step, std::int64_t n,
                      float* values) {
    withSource(source, data, [&](const auto* x) {
        for (std::int64_t i = 0; i < n; ++i) {
            values[i] = factor == nullptr ? widen(x[i]) : widen(x[i]) * factor[i * step];
        }
    });
}

inline void unpackInt4(const std::uint8_t* x, std::int64_t n, std::int8_t* y) {
    for (std::int64_t i = 0; i < n / 2; ++i) {
        const std::uint32_t first = ((x[i] & 0x0FU) ^ 0x08U) - 0x08U;
        const std::uint32_t second = (x[i] >> 4 ^ 0x08U) - 0x08U;
        const auto pair = static_cast<std::uint16_t>((first & 0xFFU) | second << 8);
        std::memcpy(y + 2 * i, &pair, sizeof pair);
    }
}

template <bool nearest, bool shifted, std::int64_t scaleStep, std::int64_t offsetStep>
inline void packWords(const float* scale, const float* offset, std::int64_t n, unsigned char* words) {
    for (std::int64_t i = 0; i < n; ++i) {
        // Half a word at a time: 32 bits vectorise better.
        const std::uint32_t low = toNineteenBits<nearest>(scale[i * scaleStep]);
        std::uint32_t high = 1U << 14;
        if constexpr (shifted) {
            high |= (static_cast<std::uint32_t>(toSmallInteger(offset[i * offsetStep], -256.0F, 255.0F)) & 0x1FFU) << 5;
        }
        const std::uint64_t word = static_cast<std::uint64_t>(high) << 32 | low;
        std::memcpy(words + i * 8, &word, sizeof word);
    }
}

inline void packScales(const ScaleWords& from, std::int64_t n, const Output& y) {
    withConstants(
        [&](auto nearest, auto shifted, auto scaleEach, auto offsetEach) {
            using Vector = VectorOf<decltype(toInt32(Block{}))>;  // bytes as they are in memory
            constexpr std::int64_t kScaleStep = scaleEach() ? 1 : 0;
            constexpr std::int64_t kOffsetStep = offsetEach() ? 1 : 0;
            const auto pack = [&](std::int64_t first, std::int64_t count, unsigned char* words) {
                const float* const offset = shifted() ? from.offset + first * kOffsetStep : nullptr;
                packWords<nearest(), shifted(), kScaleStep, kOffsetStep>(from.scale + first * kScaleStep, offset, count,
                                                                         words);
            };
            std::int64_t done = 0;
            Results<Vector> results(y);
            for (; done + kBlock <= n; done += kBlock) {
                Vectors<Vector, 8 * kBlock / sizeof(Vector)> words;
                if (scaleEach()) {
                    askAhead(from.scale + done);
                }
                if (shifted() && offsetEach()) {
                    askAhead(from.offset + done);
                }
                pack(done, kBlock, reinterpret_cast<unsigned char*>(&words));
                results.put(words);
            }
            results.close();
            pack(done, n - done, static_cast<unsigned char*>(y.data) + 8 * done);
        },
        from.nearest, from.offset != nullptr, from.scaleStep != 0, from.offsetStep != 0);
}

inline void streamTo(void* to, const void* from, std::int64_t bytes) {
    using Vector = VectorOf<decltype(toInt32(Block{}))>;  // bytes as they are in memory
    constexpr auto kSize = static_cast<std::int64_t>(sizeof(Vector));
    auto* const target = static_cast<unsigned char*>(to);
    const auto* const source = static_cast<const unsigned char*>(from);
    // What is before the first line is copied.
    std::int64_t done = std::min(bytes, static_cast<std::int64_t>(-reinterpret_cast<std::uintptr_t>(target) % kLine));
    std::memcpy(target, source, static_cast<std::size_t>(done));
    Results<Vector> results(Output{target + done, true});
    for (; done + kSize <= bytes; done += kSize) {
        Vectors<Vector, 1> vector;
        std::memcpy(&vector, source + done, sizeof vector);
        results.put(vector);
    }
    results.close();
    std::memcpy(target + done, source + done, static_cast<std::size_t>(bytes - done));
}

inline constexpr Kernels table(const char* name) {
    return Kernels{name,      quantize,   quantizeToInt32, antiQuantize, extentsOfRows, quantizeAffine, quantizeDynamic,
                   smoothRow, unpackInt4, packScales,      streamTo,     streamFence};
}

}  // namespace aclq::ACLQ_ISA
