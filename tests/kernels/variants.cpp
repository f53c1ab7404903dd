// SPDX-License-Identifier: Apache-2.0
// Compares every variant of the row kernels with the definition, bit for bit. Prints how many results were compared, or
// the first difference, with status 1. Rows lie against a page that must not be touched, so that a kernel that reads or
// writes behind its row ends the program.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "simd/kernels.h"

using namespace aclq;

namespace {

std::int64_t compared = 0;
// For emulators: fewer float patterns, and not all pairs of scales and offsets. All values of 16 bits and less stay.
bool sparse = false;
const Kernels* definition = nullptr;
const Kernels* variant = nullptr;

// n elements that end at an inaccessible page; the page before the first one is inaccessible as well.
template <class T>
class Guarded {
  public:
    explicit Guarded(std::size_t most) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        room_ = (most * sizeof(T) + page - 1) / page * page;
        base_ =
            static_cast<unsigned char*>(mmap(nullptr, room_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (base_ == MAP_FAILED || mprotect(base_ + page, room_, PROT_READ | PROT_WRITE) != 0) {
            std::perror("guarded memory");
            std::exit(2);
        }
        base_ += page;
    }
    // Room for n elements, the end at the guard or the beginning behind one.
    T* end(std::size_t n) const { return reinterpret_cast<T*>(base_ + room_ - n * sizeof(T)); }
    T* begin() const { return reinterpret_cast<T*>(base_); }
    T* fill(const std::vector<T>& values, bool atEnd) const {
        T* const to = atEnd ? end(values.size()) : begin();
        std::copy(values.begin(), values.end(), to);
        return to;
    }

  private:
    unsigned char* base_ = nullptr;
    std::size_t room_ = 0;
};

template <class T>
std::string hex(const T& value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    char text[32];
    std::snprintf(text, sizeof text, "0x%0*" PRIx64, static_cast<int>(2 * sizeof value), bits);
    return text;
}

// Any two NaN are equal only if their bits are: the kernels promise the bits.
template <class Y, class Describe>
void compare(const Y* expected, const Y* actual, std::int64_t n, Describe&& describe) {
    compared += n;
    if (std::memcmp(expected, actual, static_cast<std::size_t>(n) * sizeof(Y)) == 0) {
        return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        if (std::memcmp(expected + i, actual + i, sizeof(Y)) != 0) {
            std::printf("%s differs from %s: %s: element %" PRId64 " of %" PRId64 ": %s instead of %s\n", variant->name,
                        definition->name, describe(i).c_str(), i, n, hex(actual[i]).c_str(), hex(expected[i]).c_str());
            std::exit(1);
        }
    }
}

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

float fromBits(std::uint32_t bits) {
    return __builtin_bit_cast(float, bits);
}

// Patterns of a float: an even sample of all of them, and the neighbourhoods of everything special.
std::vector<float> floatPatterns() {
    std::vector<float> values;
    for (std::uint64_t bits = 0; bits < (1ULL << 32); bits += sparse ? 65537 : 4099) {
        values.push_back(fromBits(static_cast<std::uint32_t>(bits)));
    }
    std::vector<float> places{0.0F,    0x1p-149F, 0x1p-126F, 0x1p-24F, 0x1p-14F,        0.5F,
                              1.0F,    2048.0F,   65504.0F,  65520.0F, 0x1p22F,         0x1p23F,
                              0x1p24F, 0x1p30F,   0x1p31F,   0x1p32F,  0x1.fffffep127F, kInf};
    for (int i = -260; i <= 260; ++i) {
        places.push_back(static_cast<float>(i) * 0.5F);
    }
    for (const float place : places) {
        const auto bits = __builtin_bit_cast(std::uint32_t, place);
        for (std::uint32_t near = 0; near < 9; ++near) {
            values.push_back(fromBits(bits - 4 + near));
            values.push_back(fromBits((bits - 4 + near) ^ 0x80000000U));
        }
    }
    for (const std::uint32_t bits : {0x7F800001U, 0x7FC00000U, 0x7FFFFFFFU, 0xFF800001U, 0xFFC00000U, 0xFFFFFFFFU}) {
        values.push_back(fromBits(bits));
    }
    return values;
}

std::vector<std::uint16_t> allHalves() {
    std::vector<std::uint16_t> values(65536);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<std::uint16_t>(i);
    }
    return values;
}

// Scales and offsets for ties, saturation, overflow, subnormal products and NaN.
// Quotients by 41 show whether the quick division is a division.
const std::vector<float> kScales{1.0F,      0.5F,     3.0F, -0.7F, 41.0F, 0x1p-10F, 0x1p20F, 0x1p-126F,
                                 0x1p-149F, 0x1p126F, 0.0F, -0.0F, kInf,  -kInf,    kNan};
const std::vector<float> kOffsets{0.0F, -0.0F, 0.5F, -3.0F, 127.0F, 0x1p24F, -0x1p31F, 0x1p-149F, kInf, kNan};

struct Input {
    Source source;
    const char* name;
    std::size_t size;  // of an element
    std::vector<unsigned char> bytes;
    std::int64_t count() const { return static_cast<std::int64_t>(bytes.size() / size); }
    // Of a 16-bit format, as x of dynamic quantisation.
    bool isHalves() const { return source != Source::Float; }
};

template <class T>
Input makeInput(Source source, const char* name, const std::vector<T>& values) {
    Input input{source, name, sizeof(T), {}};
    input.bytes.resize(values.size() * sizeof(T));
    std::memcpy(input.bytes.data(), values.data(), input.bytes.size());
    return input;
}

std::string describeInput(const Input& input, const void* x, std::int64_t i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, static_cast<const unsigned char*>(x) + static_cast<std::size_t>(i) * input.size, input.size);
    char text[64];
    std::snprintf(text, sizeof text, "x %s 0x%x", input.name, bits);
    return text;
}

template <class Y>
struct Results {
    std::vector<Y> expected;
    std::vector<Y> actual;
    explicit Results(std::int64_t n) : expected(static_cast<std::size_t>(n)), actual(static_cast<std::size_t>(n)) {}
};

template <class Y, class Run>
void quantizeBoth(const char* kernel, const Input& input, const void* x, std::int64_t n, const QuantizeRows& row,
                  Run&& run) {
    static Results<Y> results(1 << 22);
    run(*definition, results.expected.data());
    run(*variant, results.actual.data());
    compare(results.expected.data(), results.actual.data(), n, [&](std::int64_t i) {
        const std::int64_t at = i * row.step;
        return std::string(kernel) + " " + describeInput(input, x, i) + " scale " + hex(row.scale[at]) + " offset " +
               (row.offset != nullptr ? hex(row.offset[at]) : "none") + (row.divide ? " divide" : "") +
               (row.scaleTwice ? " twice" : "") + " mode " + std::to_string(static_cast<int>(row.mode));
    });
}

void quantize(const Input& input, const void* x, std::int64_t n, const QuantizeRows& row, bool everything) {
    for (const Integers type : {Integers::Int8, Integers::Int4, Integers::Uint8}) {
        if (type == Integers::Uint8 && !everything) {
            continue;
        }
        quantizeBoth<std::int8_t>("quantize", input, x, n, row, [&](const Kernels& k, std::int8_t* y) {
            k.quantize(row, input.source, x, 1, n, {{y}, type});
        });
    }
    if (everything && row.mode == Round::Rint) {
        quantizeBoth<std::int32_t>("quantizeToInt32", input, x, n, row, [&](const Kernels& k, std::int32_t* y) {
            k.quantizeToInt32(row, input.source, x, 1, n, {y});
        });
    }
}

// All patterns, with one scale and offset for all.
void everyPattern(const Input& input) {
    const std::int64_t n = input.count();
    const bool large = sparse || n > 70000;
    for (std::size_t s = 0; s < kScales.size(); ++s) {
        for (int way = 0; way < 3; ++way) {
            for (std::size_t o = 0; o <= kOffsets.size(); ++o) {
                if (large && o != kOffsets.size() && (o + s) % 5 != 0) {
                    continue;  // a large input meets each scale and each offset, not all pairs
                }
                const float* offset = o < kOffsets.size() ? &kOffsets[o] : nullptr;
                for (const Round mode : {Round::Rint, Round::Floor, Round::Ceil, Round::Trunc}) {
                    if (mode != Round::Rint && (o + s + static_cast<std::size_t>(mode)) % 3 != 0) {
                        continue;
                    }
                    quantize(input, input.bytes.data(), n,
                             QuantizeRows{&kScales[s], offset, 0, 0, way == 1, way == 2, mode}, way != 2);
                }
            }
        }
    }
}

void affine(const Input& input, const void* x, std::int64_t rows, std::int64_t n, const AffineRows& what) {
    if (!input.isHalves()) {
        return;
    }
    static Results<std::int8_t> results(1 << 22);
    for (const Integers type : {Integers::Int8, Integers::Int4}) {
        definition->quantizeAffine(what, input.source, x, rows, n, {{results.expected.data()}, type});
        variant->quantizeAffine(what, input.source, x, rows, n, {{results.actual.data()}, type});
        compare(results.expected.data(), results.actual.data(), rows * n, [&](std::int64_t i) {
            const std::int64_t at = i / n * what.rowStep + i % n * what.step;
            return "quantizeAffine " + describeInput(input, x, i) + " smooth " +
                   (what.smooth != nullptr ? hex(what.smooth[i % n * what.smoothStep]) : "none") + " factor " +
                   hex(what.factor[at]) + " shift " + (what.shift != nullptr ? hex(what.shift[at]) : "none");
        });
    }
}

void everyAffine(const Input& input) {
    for (std::size_t f = 0; f < kScales.size(); ++f) {
        for (std::size_t s = 0; s <= kOffsets.size(); ++s) {
            if (sparse && (f + s) % 4 != 0) {
                continue;
            }
            const float* shift = s < kOffsets.size() ? &kOffsets[s] : nullptr;
            affine(input, input.bytes.data(), 1, input.count(), AffineRows{nullptr, 0, &kScales[f], shift, 0, 0});
            affine(input, input.bytes.data(), 1, input.count(),
                   AffineRows{&kScales[(f + s) % kScales.size()], 0, &kScales[f], shift, 0, 0});
        }
    }
}

void antiQuantize(const AntiQuantizeRows& row, const void* x, bool packed, std::int64_t n, bool half) {
    static Results<std::uint16_t> results(1024);
    definition->antiQuantize(row, x, packed, 1, n, {results.expected.data()}, half);
    variant->antiQuantize(row, x, packed, 1, n, {results.actual.data()}, half);
    compare(results.expected.data(), results.actual.data(), n, [&](std::int64_t i) {
        const std::uint8_t byte = static_cast<const std::uint8_t*>(x)[packed ? i / 2 : i];
        return std::string("antiQuantize to ") + (half ? "float16" : "bfloat16") + (packed ? ": int4 in " : ": int8 ") +
               hex(byte) + " scale " + hex(row.scale[i * row.step]) + " offset " +
               (row.offset != nullptr ? hex(row.offset[i * row.step]) : "none") + (row.scaleTwice ? " twice" : "") +
               (row.saturate ? " saturating" : "");
    });
}

// All int8 times scales and offsets that lead to every kind of half.
void everyInt8(const std::vector<float>& patterns) {
    std::vector<std::int8_t> x(256);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<std::int8_t>(i);
    }
    const auto both = [&](AntiQuantizeRows row) {
        const auto finite = [&](const float* values) {
            return values == nullptr || std::all_of(values, values + (row.step != 0 ? 256 : 1),
                                                    [](float value) { return std::isfinite(value); });
        };
        const bool allFinite = finite(row.scale) && finite(row.offset);
        for (const bool said : {false, true}) {
            if (said && !allFinite) {
                continue;
            }
            row.finite = said;
            for (const bool half : {true, false}) {
                antiQuantize(row, x.data(), false, 256, half);
                antiQuantize(row, x.data(), true, 256, half);  // all pairs of nibbles but half of the bytes
                antiQuantize(row, x.data() + 128, true, 256, half);
            }
        }
    };
    for (int choice = 0; choice < 4; ++choice) {
        const bool twice = (choice & 1) != 0;
        const bool saturate = (choice & 2) != 0;
        for (const float scale : kScales) {
            both(AntiQuantizeRows{&scale, nullptr, 0, twice, saturate, false});
            for (const float offset : kOffsets) {
                both(AntiQuantizeRows{&scale, &offset, 0, twice, saturate, false});
            }
        }
        // Each element its own scale: rounding and overflow of the halves, everywhere.
        for (std::size_t first = 0; first + 512 <= patterns.size(); first += 256) {
            both(AntiQuantizeRows{&patterns[first], (first / 256) % 2 != 0 ? &patterns[first + 256] : nullptr, 1, twice,
                                  saturate, false});
        }
    }
}

void minMax(const Input& input, const void* x, std::int64_t rows, std::int64_t n, const float* factor,
            std::int64_t step) {
    if (!input.isHalves()) {
        return;
    }
    static Results<MinMax> results(65536);
    definition->minMaxOfRows(input.source, x, factor, step, rows, n, results.expected.data());
    variant->minMaxOfRows(input.source, x, factor, step, rows, n, results.actual.data());
    compare(results.expected.data(), results.actual.data(), rows, [&](std::int64_t row) {
        return "minMaxOfRows of " + std::to_string(n) + (factor != nullptr ? " smoothed" : "") + " from " +
               describeInput(input, x, row * n);
    });
}

// Lengths, alignments, and factors for each element; rows end at a guarded page or begin behind one.
void everyLength(const Input& input, const std::vector<float>& patterns) {
    constexpr std::int64_t kMost = 131;
    const Guarded<unsigned char> memory(8 * 1024);
    const Guarded<float> scales(kMost);
    const Guarded<float> offsets(kMost);
    const Guarded<std::int8_t> bytes(4 * kMost);
    const Guarded<std::int32_t> words(kMost);
    std::uint32_t random = 12345;
    const auto next = [&] { return (random = random * 1664525U + 1013904223U) >> 8; };
    const auto floats = [&](std::int64_t n) {
        std::vector<float> values(static_cast<std::size_t>(n));
        for (float& value : values) {
            const std::uint32_t choice = next();
            value = choice % 4 == 0
                        ? patterns[next() % patterns.size()]
                        : (choice % 4 == 1 ? kScales[next() % kScales.size()]
                                           : static_cast<float>(static_cast<int>(next() % 512) - 256) * 0.25F);
        }
        return values;
    };
    for (std::int64_t n = 0; n < kMost; ++n) {
        for (int turn = 0; turn < 12; ++turn) {
            const bool atEnd = turn % 3 != 0;
            const auto size = static_cast<std::size_t>(n) * input.size;
            unsigned char* const x =
                atEnd ? memory.end(size) : memory.begin() + input.size * static_cast<std::size_t>(turn);
            for (std::int64_t i = 0; i < n; ++i) {
                const auto from = static_cast<std::size_t>(next()) % static_cast<std::size_t>(input.count());
                std::memcpy(x + static_cast<std::size_t>(i) * input.size, input.bytes.data() + from * input.size,
                            input.size);
            }
            const float* const scale = scales.fill(floats(std::max<std::int64_t>(n, 1)), atEnd);
            const float* const offset = offsets.fill(floats(std::max<std::int64_t>(n, 1)), !atEnd);
            for (const std::int64_t step : {0, 1}) {
                const QuantizeRows row{scale,         turn % 2 != 0 ? offset : nullptr, step, 0, turn % 4 < 2,
                                       turn % 5 == 4, static_cast<Round>(turn % 4)};
                quantize(input, x, n, row, true);
                minMax(input, x, 1, n, turn % 2 != 0 ? scale : nullptr, step);
                affine(input, x, 1, n,
                       AffineRows{turn % 3 != 0 ? scale : nullptr, step, offset, turn % 4 != 0 ? scale : nullptr,
                                  1 - step, 0});
                // Where results end: nothing may be written behind them.
                std::int8_t* const y = atEnd ? bytes.end(static_cast<std::size_t>(n)) : bytes.begin();
                variant->quantize(row, input.source, x, 1, n, {{y, true}, Integers::Int8});
                if (input.isHalves()) {
                    variant->quantizeAffine(AffineRows{nullptr, 0, scale, offset, step, 0}, input.source, x, 1, n,
                                            {{y}, Integers::Int4});
                }
                variant->quantizeToInt32(row, input.source, x, 1, n,
                                         {words.end(static_cast<std::size_t>(n)), turn % 2 != 0});
                if (n % 2 == 0) {
                    std::int8_t* const half = atEnd ? bytes.end(static_cast<std::size_t>(n / 2)) : bytes.begin();
                    variant->quantize(row, input.source, x, 1, n, {{half, turn % 2 != 0}, Integers::Int4, true});
                }
                std::vector<float> expected(static_cast<std::size_t>(n));
                definition->smoothRow(input.source, x, turn % 2 != 0 ? scale : nullptr, step, n, expected.data());
                float* const smoothed = offsets.end(static_cast<std::size_t>(n));
                variant->smoothRow(input.source, x, turn % 2 != 0 ? scale : nullptr, step, n, smoothed);
                for (std::int64_t i = 0; i < n; ++i) {
                    // The NaN of a product of two NaN is not defined, and irrelevant, because integers follow.
                    const auto at = static_cast<std::size_t>(i);
                    if (!(std::isnan(expected[at]) && std::isnan(smoothed[i]))) {
                        compare(&expected[at], smoothed + i, 1,
                                [&](std::int64_t) { return "smoothRow " + describeInput(input, x, i); });
                    }
                }
                offsets.fill(floats(std::max<std::int64_t>(n, 1)), !atEnd);
            }
        }
    }
}

// Several rows at once: of any length, of some that are worked on side by side, with factors of their elements or of
// the rows, streamed or not, packed or not.
void severalRows(const Input& input) {
    std::uint32_t random = 99;
    const auto next = [&] { return (random = random * 1664525U + 1013904223U) >> 8; };
    for (const std::int64_t n : {2, 6, 62, 64, 66, 128, 130, 320, 4096, 4160, 4198}) {
        constexpr std::int64_t kRows = 7;
        const std::int64_t all = kRows * n;
        std::vector<unsigned char> x(static_cast<std::size_t>(all) * input.size);
        for (std::size_t at = 0; at < x.size(); at += input.size) {
            std::memcpy(&x[at], input.bytes.data() + next() % static_cast<std::uint32_t>(input.count()) * input.size,
                        input.size);
            if (next() % 64 != 0) {  // mostly magnitudes around 1
                unsigned char& high = x[at + input.size - 1];
                high = static_cast<unsigned char>((high & 0x80) | (input.source == Source::Half ? 0x3C : 0x3F));
            }
        }
        std::vector<float> each(static_cast<std::size_t>(n));
        std::vector<float> added(each.size());
        for (std::size_t i = 0; i < each.size(); ++i) {
            each[i] = static_cast<float>(static_cast<int>(next() % 512) - 256) * 0.25F;
            added[i] = static_cast<float>(static_cast<int>(next() % 512) - 256) * 0.5F;
        }
        const float factors[kRows] = {1.0F, 100.0F, -3.5F, 0x1p20F, 64.0F, 0.0F, 0x1p-140F};
        const float shifts[kRows] = {0.5F, -127.5F, 0.0F, 0x1p29F, 7.5F, -8.5F, 127.5F};
        minMax(input, x.data(), kRows, n, nullptr, 0);
        minMax(input, x.data(), kRows, n, each.data(), 1);
        affine(input, x.data(), kRows, n, AffineRows{nullptr, 0, factors, shifts, 0, 1});
        affine(input, x.data(), kRows, n, AffineRows{&factors[4], 0, factors, shifts, 0, 1});
        affine(input, x.data(), kRows, n, AffineRows{&factors[2], 0, factors, nullptr, 0, 1});
        affine(input, x.data(), kRows, n, AffineRows{each.data(), 1, factors, shifts, 0, 1});
        affine(input, x.data(), kRows, n, AffineRows{each.data(), 1, each.data(), added.data(), 1, 0});
        // All rows at once are the rows one by one, for each kind of results.
        std::vector<unsigned char> expected(static_cast<std::size_t>(all) * 4);
        const auto same = [&](const char* name, std::int64_t yBits, auto&& oneByOne, auto&& together) {
            const auto size = static_cast<std::size_t>(all * yBits / 8);
            for (std::int64_t row = 0; row < kRows; ++row) {
                oneByOne(row, x.data() + static_cast<std::size_t>(row * n) * input.size,
                         Output{expected.data() + row * n * yBits / 8});
            }
            for (const std::size_t shift : {0, 16, 40}) {
                for (const bool streamed : {false, true}) {
                    std::vector<unsigned char> actual(size + 128, 0xEE);
                    unsigned char* const to =
                        actual.data() + (64 - reinterpret_cast<std::uintptr_t>(actual.data()) % 64) + shift;
                    together(Output{to, streamed});
                    variant->finishStreaming();
                    compare(expected.data(), to, static_cast<std::int64_t>(size), [&](std::int64_t i) {
                        return std::string(name) + ", byte " + std::to_string(i) + ", rows of " + std::to_string(n) +
                               (streamed ? ", streamed" : "");
                    });
                }
            }
        };
        for (const std::int64_t step : {0, 1}) {
            for (const bool shifted : {false, true}) {
                const float* const scale = step == 0 ? factors : each.data();
                const float* const offset = !shifted ? nullptr : (step == 0 ? shifts : added.data());
                const QuantizeRows rows{scale, offset, step, 1 - step, shifted, false, Round::Rint};
                const auto one = [&](std::int64_t row) {
                    QuantizeRows part = rows;
                    part.scale += row * part.rowStep;
                    part.offset = part.offset == nullptr ? nullptr : part.offset + row * part.rowStep;
                    return part;
                };
                for (const bool pack : {false, true}) {
                    const Integers type = pack ? Integers::Int4 : Integers::Int8;
                    same(
                        "rows quantized", pack ? 4 : 8,
                        [&](std::int64_t row, const void* from, const Output& y) {
                            variant->quantize(one(row), input.source, from, 1, n, {y, type, pack});
                        },
                        [&](const Output& y) {
                            variant->quantize(rows, input.source, x.data(), kRows, n, {y, type, pack});
                        });
                    if (!input.isHalves()) {
                        continue;
                    }
                    const AffineRows affineRows{step == 0 ? nullptr : added.data(), 1, factors,
                                                shifted ? shifts : nullptr,         0, 1};
                    same(
                        "rows quantized affinely", pack ? 4 : 8,
                        [&](std::int64_t row, const void* from, const Output& y) {
                            AffineRows part = affineRows;
                            part.factor += row;
                            part.shift = part.shift == nullptr ? nullptr : part.shift + row;
                            variant->quantizeAffine(part, input.source, from, 1, n, {y, type, pack});
                        },
                        [&](const Output& y) {
                            variant->quantizeAffine(affineRows, input.source, x.data(), kRows, n, {y, type, pack});
                        });
                }
                same(
                    "rows to int32", 32,
                    [&](std::int64_t row, const void* from, const Output& y) {
                        variant->quantizeToInt32(one(row), input.source, from, 1, n, y);
                    },
                    [&](const Output& y) { variant->quantizeToInt32(rows, input.source, x.data(), kRows, n, y); });
                // The bytes of x serve as int8, and as pairs of int4.
                for (const bool pack : {false, true}) {
                    const AntiQuantizeRows back{scale, offset, step, false, false, true};
                    const auto from = [&](std::int64_t row) { return x.data() + (pack ? row * n / 2 : row * n); };
                    same(
                        "rows to 16 bits", 16,
                        [&](std::int64_t row, const void*, const Output& y) {
                            variant->antiQuantize(back, from(row), pack, 1, n, y, shifted);
                        },
                        [&](const Output& y) { variant->antiQuantize(back, x.data(), pack, kRows, n, y, shifted); });
                }
            }
        }
    }
}

// Rows with a scale each: anything, and values close together, far from 0 and near it, whose results are the
// largest numbers that can still be within the limits; rows of zeros, and some with an infinity or NaN.
void dynamicRows(const Input& input) {
    std::uint32_t random = 7;
    const auto next = [&] { return (random = random * 1664525U + 1013904223U) >> 8; };
    const auto below = [&](std::int64_t most) { return static_cast<std::int64_t>(next()) % most; };
    constexpr std::int64_t kRows = 37;  // twice as many as parameters are found at a time, and five
    constexpr std::int64_t kCounts[] = {kRows, 16, 1, 3};
    const Guarded<unsigned char> memory(static_cast<std::size_t>(kRows) * 8192 * input.size);
    for (const std::int64_t n : {1, 3, 62, 63, 64, 65, 66, 128, 320, 448, 512, 576, 1024, 1088, 4096, 4160, 8192}) {
        const std::int64_t all = kRows * n;
        unsigned char* const x = memory.end(static_cast<std::size_t>(all) * input.size);
        const auto put = [&](std::int64_t at, std::int64_t pattern) {
            std::memcpy(x + static_cast<std::size_t>(at) * input.size,
                        input.bytes.data() + static_cast<std::size_t>(pattern) * input.size, input.size);
        };
        std::vector<float> smooth(static_cast<std::size_t>(n));
        for (float& value : smooth) {
            value = static_cast<float>(below(512) - 256) * 0x1p-7F;
        }
        const int turns = (n > 2000 ? 2 : 12) / (sparse ? 2 : 1);
        for (int turn = 0; turn < turns; ++turn) {
            for (std::int64_t row = 0; row < kRows; ++row) {
                const std::int64_t width = std::int64_t{1} << below(13);
                const std::int64_t first = below(input.count() - width);
                for (std::int64_t i = 0; i < n; ++i) {
                    put(row * n + i, first + below(width));
                }
                if (below(16) == 0) {
                    std::memset(x + static_cast<std::size_t>(row * n) * input.size, 0,
                                static_cast<std::size_t>(n) * input.size);
                }
                if (below(16) == 0) {
                    put(row * n + below(n), below(input.count()));
                }
            }
            for (int way = 0; way < 8; ++way) {
                const bool symmetric = (way & 1) != 0;
                const bool pack = (way & 2) != 0;
                if (pack && n % 2 != 0) {
                    continue;
                }
                const std::int64_t count = kCounts[turn / 2 % 4];
                const auto run = [&](const Kernels& k, std::vector<float>& parameters, unsigned char* y,
                                     bool streamed) {
                    parameters.assign(2 * kRows + 2, 99.0F);
                    const DynamicRows rows{(way & 4) != 0 ? smooth.data() : nullptr, symmetric, turn % 2 != 0,
                                           parameters.data(), turn % 4 != 3 ? parameters.data() + kRows + 1 : nullptr};
                    k.quantizeDynamic(rows, input.source, x, count, n, {y, streamed}, pack);
                    k.finishStreaming();
                };
                const std::int64_t size = pack ? count * n / 2 : count * n;
                std::vector<unsigned char> expected(static_cast<std::size_t>(size));
                std::vector<unsigned char> actual(expected.size() + 144, 0xEE);
                std::vector<float> wanted;
                std::vector<float> found;
                unsigned char* const y = actual.data() + (64 - reinterpret_cast<std::uintptr_t>(actual.data()) % 64) +
                                         static_cast<std::uintptr_t>(turn % 4) * 16;
                run(*definition, wanted, expected.data(), false);
                run(*variant, found, y, turn % 5 != 0);
                const auto describe = [&](std::int64_t) {
                    return "quantizeDynamic of " + std::to_string(n) + " " + input.name +
                           (symmetric ? " symmetric" : "") + (pack ? " packed" : "") +
                           ((way & 4) != 0 ? " smooth" : "");
                };
                compare(expected.data(), y, size, describe);
                compare(wanted.data(), found.data(), static_cast<std::int64_t>(wanted.size()), describe);
                if (y[size] != 0xEE || y[-1] != 0xEE) {
                    std::printf("%s wrote outside its results\n", describe(0).c_str());
                    std::exit(1);
                }
            }
        }
    }
}

// Min and max of rows that begin anywhere: rows of one sign, infinities and NaN are among them.
void shiftedMinMax(const Input& input) {
    for (const std::int64_t n : {1, 2, 63, 64, 129, 512, 1100}) {
        const std::vector<float> factors(static_cast<std::size_t>(n), -2.0F);
        const std::int64_t step = input.count() / 97;
        constexpr std::int64_t kRows = 5;
        for (std::int64_t first = 0; first + kRows * n <= input.count(); first += step) {
            const unsigned char* const x = input.bytes.data() + static_cast<std::size_t>(first) * input.size;
            minMax(input, x, kRows, n, nullptr, 0);
            minMax(input, x, kRows, n, factors.data(), 1);
        }
    }
}

// Single values, pairs and rows: NaN anywhere must be seen.
void everyMinMax(const Input& input) {
    const std::int64_t n = input.count();
    const std::vector<float> factors{1.0F, -2.0F, 0x1p-130F, kInf, kNan};
    minMax(input, input.bytes.data(), std::min<std::int64_t>(n, 65536), 1, nullptr, 0);
    for (const std::int64_t length : {2, 17, 33, 1000}) {
        minMax(input, input.bytes.data(), std::min<std::int64_t>(n / length, 65536), length, nullptr, 0);
        for (const float& factor : factors) {
            minMax(input, input.bytes.data(), std::min<std::int64_t>(n / length, 65536), length, &factor, 0);
        }
    }
}

// Packed and streamed results are the plain ones, of every length at every alignment, nothing before or behind them
// touched.
void outputs(const Input& input) {
    constexpr std::size_t kMost = 400;
    const float scale = 1.5F;
    const AffineRows affine{nullptr, 0, &scale, &scale, 0, 0};
    const QuantizeRows row{&scale, nullptr, 0, 0, false, false, Round::Rint};
    const AntiQuantizeRows back{&scale, nullptr, 0, false, false, true};
    const unsigned char* const x = input.bytes.data() + input.bytes.size() / 4 / input.size * input.size;
    std::vector<std::uint8_t> bytes(kMost);
    std::vector<std::uint16_t> halves(kMost);
    for (std::size_t shift = 0; shift < 65; shift += shift < 16 ? 1 : 16) {
        for (std::size_t n = 0; n < kMost; n += n < 140 ? 2 : 26) {
            const auto count = static_cast<std::int64_t>(n);
            // run(k, output): the bytes in `wanted` become `size` bytes at the output.
            const auto check = [&](const char* name, const void* results, std::size_t size, auto&& run) {
                std::vector<std::uint8_t> wanted(4 * kMost, 0xEE);
                std::memcpy(wanted.data() + 64 + shift, results, size);
                for (const bool streamed : {false, true}) {
                    alignas(64) static std::uint8_t target[4 * kMost];
                    std::fill_n(target, sizeof target, std::uint8_t{0xEE});
                    run(Output{target + 64 + shift, streamed});
                    variant->finishStreaming();
                    compare(wanted.data(), target, sizeof target, [&](std::int64_t) {
                        return std::string(name) + ", " + std::to_string(size) + " bytes" +
                               (streamed ? " streamed" : "");
                    });
                }
            };
            definition->quantize(row, input.source, x, 1, count, {{bytes.data()}, Integers::Int8});
            check("int8", bytes.data(), n, [&](const Output& y) {
                variant->quantize(row, input.source, x, 1, count, {y, Integers::Int8});
            });
            if (input.isHalves()) {
                definition->quantizeAffine(affine, input.source, x, 1, count, {{bytes.data()}, Integers::Int8});
                check("affine int8", bytes.data(), n, [&](const Output& y) {
                    variant->quantizeAffine(affine, input.source, x, 1, count, {y, Integers::Int8});
                });
            }
            definition->quantize(row, input.source, x, 1, count, {{bytes.data()}, Integers::Int4});
            std::vector<std::uint8_t> packed(n / 2);
            for (std::size_t i = 0; i < packed.size(); ++i) {
                packed[i] = static_cast<std::uint8_t>((bytes[2 * i] & 15) | (bytes[2 * i + 1] & 15) << 4);
            }
            check("int4", packed.data(), n / 2, [&](const Output& y) {
                variant->quantize(row, input.source, x, 1, count, {y, Integers::Int4, true});
            });
            for (const bool half : {false, true}) {
                definition->antiQuantize(back, bytes.data(), false, 1, count, {halves.data()}, half);
                check("16 bits", halves.data(), 2 * n,
                      [&](const Output& y) { variant->antiQuantize(back, bytes.data(), false, 1, count, y, half); });
                check("16 bits from int4", halves.data(), 2 * n,
                      [&](const Output& y) { variant->antiQuantize(back, packed.data(), true, 1, count, y, half); });
            }
        }
    }
}

void int4() {
    const Guarded<std::int8_t> values(1 << 17);
    const Guarded<std::uint8_t> packed(1 << 16);
    const Guarded<std::uint16_t> halves(1 << 17);
    const float scale = 1.0F;
    for (std::int64_t n = 0; n <= 262; n += 2) {
        std::vector<std::int8_t> x(static_cast<std::size_t>(n));
        std::vector<std::uint8_t> pairs(x.size() / 2);
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = static_cast<std::int8_t>((i * 37 + static_cast<std::size_t>(n)) % 16 - 8);
            pairs[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? x[i] & 15 : pairs[i / 2] | (x[i] & 15) << 4);
        }
        const std::uint8_t* const from = packed.fill(pairs, true);
        std::int8_t* const back = values.end(x.size());
        std::fill_n(back, x.size(), std::int8_t{99});
        variant->unpackInt4(from, n, back);
        compare(x.data(), back, n, [](std::int64_t) { return std::string("unpackInt4"); });
        // Against the guards on both sides.
        variant->antiQuantize({&scale, nullptr, 0, false, false, true}, from, true, 1, n,
                              {halves.end(x.size()), n % 4 != 0}, true);
    }
    // Copies of every length at every alignment, nothing before or behind them touched.
    std::vector<unsigned char> source(400);
    for (std::size_t i = 0; i < source.size(); ++i) {
        source[i] = static_cast<unsigned char>(i * 7 + 1);
    }
    for (std::size_t shift = 0; shift < 65; ++shift) {
        for (std::size_t n = 0; n < 300; n += n < 140 ? 1 : 13) {
            std::vector<unsigned char> target(512, 0xEE);
            std::vector<unsigned char> wanted = target;
            std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(shift), n,
                        wanted.begin() + 70 + static_cast<std::ptrdiff_t>(shift));
            variant->streamTo(target.data() + 70 + shift, source.data() + shift, static_cast<std::int64_t>(n));
            variant->finishStreaming();
            compare(wanted.data(), target.data(), 512,
                    [&](std::int64_t) { return "streamTo, " + std::to_string(n) + " bytes"; });
        }
    }
}

// Words of scales and offsets, of every length, against the guard.
void words(const std::vector<float>& patterns) {
    const auto n = static_cast<std::int64_t>(patterns.size());
    std::vector<float> offsets(patterns.rbegin(), patterns.rend());
    for (std::size_t i = 0; i < offsets.size(); i += 2) {
        offsets[i] = static_cast<float>(static_cast<int>(i % 1200) - 600) * 0.5F;
    }
    const Guarded<std::uint8_t> guarded(1 << 12);
    std::vector<std::uint8_t> expected(patterns.size() * 8);
    std::vector<std::uint8_t> actual(expected.size());
    for (const bool nearest : {false, true}) {
        for (const float* const offset :
             {static_cast<const float*>(nullptr), static_cast<const float*>(offsets.data())}) {
            const ScalesToPack from{patterns.data(), 1, offset, 1, nearest};
            definition->packScales(from, n, Output{expected.data()});
            variant->packScales(from, n, Output{actual.data()});
            compare(expected.data(), actual.data(), n * 8,
                    [&](std::int64_t i) { return "packScales of " + hex(patterns[static_cast<std::size_t>(i / 8)]); });
            for (std::int64_t length = 0; length < 131; ++length) {
                for (const std::int64_t shift :
                     {0, 1, 8, 16, 32, 48}) {  // past the caches or not, to any address, against the guard or not
                    for (const bool streamed : {false, true}) {
                        constexpr std::int64_t kAround = 64;
                        std::vector<std::uint8_t> wanted(static_cast<std::size_t>(kAround + 8 * length + shift), 0xEE);
                        std::copy_n(expected.begin(), length * 8, wanted.begin() + kAround);
                        std::uint8_t* const place = guarded.end(wanted.size());
                        std::fill_n(place, wanted.size(), std::uint8_t{0xEE});
                        variant->packScales(from, length, Output{place + kAround, streamed});
                        variant->finishStreaming();
                        compare(wanted.data(), place, static_cast<std::int64_t>(wanted.size()),
                                [&](std::int64_t) { return "packScales, length " + std::to_string(length); });
                    }
                }
            }
            // One scale, or one offset, for all is as many equal ones.
            for (const bool oneScale : {false, true}) {
                constexpr std::int64_t kMany = 200;
                const std::size_t at = patterns.size() / 3;
                const std::vector<float> same(kMany, oneScale ? patterns[at] : (offset != nullptr ? offset[at] : 0.0F));
                const ScalesToPack one{patterns.data() + at, oneScale ? 0 : 1,
                                       offset != nullptr ? offset + at : nullptr, oneScale ? 1 : 0, nearest};
                const ScalesToPack many{oneScale ? same.data() : one.scale, 1,
                                        oneScale || offset == nullptr ? one.offset : same.data(), 1, nearest};
                definition->packScales(many, kMany, Output{expected.data()});
                for (const Kernels* const k : {definition, variant}) {
                    k->packScales(one, kMany, Output{actual.data()});
                    compare(expected.data(), actual.data(), kMany * 8,
                            [&](std::int64_t) { return std::string("packScales of one for all"); });
                }
                definition->packScales(from, n, Output{expected.data()});
            }
        }
    }
}

}  // namespace

int main(int count, char** arguments) {
    sparse = count > 1 && std::strcmp(arguments[1], "--sparse") == 0;
    const std::vector<float> patterns = floatPatterns();
    const std::vector<Input> inputs{makeInput(Source::Float, "float32", patterns),
                                    makeInput(Source::Half, "float16", allHalves()),
                                    makeInput(Source::BFloat16, "bfloat16", allHalves())};
    definition = usableKernels().front();
    for (const Kernels* candidate : usableKernels()) {
        // The definition is compared with itself as well, under the guard pages.
        variant = candidate;
        const std::int64_t before = compared;
        for (const Input& input : inputs) {
            if (variant != definition) {
                everyPattern(input);
                everyAffine(input);
            }
            everyMinMax(input);
            everyLength(input, patterns);
            severalRows(input);
            if (input.isHalves()) {
                dynamicRows(input);
                shiftedMinMax(input);
            }
            outputs(input);
        }
        everyInt8(patterns);
        int4();
        words(patterns);
        std::printf("%s: %" PRId64 " results equal those of %s\n", variant->name, compared - before, definition->name);
    }
    return 0;
}
