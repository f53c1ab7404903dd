// SPDX-License-Identifier: Apache-2.0
#include "instructions.h"

#include <algorithm>
#include <initializer_list>

namespace emu {

namespace {

using Ranges = std::vector<Machine::Range>;

constexpr const char* kBinaryNames[] = {"Add", "Sub", "Mul", "Div", "Max", "Min", "And", "Or"};
constexpr const char* kScalarNames[] = {"Adds", "Subs", "Muls", "Divs", "Maxs", "Mins", "Ands", "Ors"};

void requireType(Place place, const char* name, Type type, std::initializer_list<Type> allowed) {
    if (std::find(allowed.begin(), allowed.end(), type) == allowed.end()) {
        machine().fail(place, 15, "%s does not take %s on %s", name, nameOf(type), kChip.name);
    }
}

std::uint32_t bytesOf(Type type) {
    return static_cast<std::uint32_t>(bitsOf(type)) / 8;
}

// Calls f with the local addresses of each lane's elements.
template <std::size_t N, class F>
void each(const Lanes& lanes, const std::array<Local, N>& operands, std::uint32_t widest, F&& f) {
    std::array<std::uint32_t, N> at;
    if (lanes.counted) {
        for (std::uint32_t i = 0; i < lanes.count; ++i) {
            for (std::size_t k = 0; k < N; ++k) {
                at[k] = operands[k].address + i * bytesOf(operands[k].type);
            }
            f(at);
        }
        return;
    }
    for (std::uint32_t r = 0; r < lanes.repeats; ++r) {
        for (std::uint32_t lane = 0; lane < 256 / widest; ++lane) {
            if ((lanes.mask[lane / 64] >> lane % 64 & 1) == 0) {
                continue;
            }
            for (std::size_t k = 0; k < N; ++k) {
                const std::uint32_t width = bytesOf(operands[k].type);
                at[k] = operands[k].address + lane * width % 32 +
                        (r * lanes.repeat[k] + lane * width / 32 * lanes.block[k]) * 32;
            }
            f(at);
        }
    }
}

float readFloat(Type type, const std::uint8_t* from) {
    if (type == Type::Half) {
        std::uint16_t bits;
        std::memcpy(&bits, from, 2);
        return halfToFloat(bits);
    }
    float value;
    std::memcpy(&value, from, 4);
    return value;
}

void writeFloat(Type type, std::uint8_t* to, float value) {
    if (type == Type::Half) {
        // A float holds sums and products of halves closely enough that rounding it again changes nothing.
        const std::uint16_t bits = halfBits(toFormat(value, kHalf, Rounding::Rint, kChip.saturates));
        std::memcpy(to, &bits, 2);
    } else {
        std::memcpy(to, &value, 4);
    }
}

float calculate(Binary operation, float a, float b) {
    switch (operation) {
        case Binary::Add:
            return a + b;
        case Binary::Sub:
            return a - b;
        case Binary::Mul:
            return a * b;
        case Binary::Div:
            return a / b;
        default: {
            if (std::isnan(a) || std::isnan(b)) {
                const bool wins = machine().options.nanWins;
                return wins == std::isnan(a) ? a : b;
            }
            return (operation == Binary::Max) == (a > b) ? a : b;
        }
    }
}

std::int64_t calculate(Binary operation, std::int64_t a, std::int64_t b) {
    switch (operation) {
        case Binary::Add:
            return a + b;
        case Binary::Sub:
            return a - b;
        case Binary::Mul:
            return a * b;
        case Binary::Max:
            return std::max(a, b);
        case Binary::Min:
            return std::min(a, b);
        case Binary::And:
            return a & b;
        default:
            return a | b;
    }
}

std::int64_t readInteger(Type type, const std::uint8_t* from) {
    switch (type) {
        case Type::Int16: {
            std::int16_t v;
            std::memcpy(&v, from, 2);
            return v;
        }
        case Type::Uint16: {
            std::uint16_t v;
            std::memcpy(&v, from, 2);
            return v;
        }
        case Type::Uint32: {
            std::uint32_t v;
            std::memcpy(&v, from, 4);
            return v;
        }
        default: {
            std::int32_t v;
            std::memcpy(&v, from, 4);
            return v;
        }
    }
}

void calculateTo(Binary operation, Type type, std::uint8_t* to, const std::uint8_t* a, const std::uint8_t* b) {
    if (type == Type::Float || type == Type::Half) {
        writeFloat(type, to, calculate(operation, readFloat(type, a), readFloat(type, b)));
        return;
    }
    const std::int64_t value = calculate(operation, readInteger(type, a), readInteger(type, b));  // wraps
    std::memcpy(to, &value, bytesOf(type));
}

// Destination and source are the same lanes or share no byte; across repeats only src1 may be the destination, not
// moving.
void requireOverlap(Place place, const char* name, const Local& to, const Ranges& writes, const Local& from,
                    const Ranges& reads, const Lanes& lanes, int which, bool accumulates) {
    const auto hull = [](const Ranges& ranges) {
        Machine::Range all = ranges.front();
        std::uint32_t end = 0;
        for (const auto& range : ranges) {
            all.address = std::min(all.address, range.address);
            end = std::max(end, range.address + range.bytes);
        }
        all.bytes = end - all.address;
        return all;
    };
    if (writes.empty() || reads.empty()) {
        return;
    }
    const auto a = hull(writes), b = hull(reads);
    if (a.address >= b.address + b.bytes || b.address >= a.address + a.bytes) {
        return;
    }
    const bool same =
        to.address == from.address && to.type == from.type &&
        (lanes.counted || (lanes.block[0] == lanes.block[which] && lanes.repeat[0] == lanes.repeat[which]));
    const bool still = !lanes.counted && lanes.repeat[0] == 0 && lanes.repeats > 1;
    if (!same || (still && !(accumulates && which == 2))) {
        machine().fail(place, 15, "%s: destination and %s overlap without being the same", name,
                       which == 1 ? "src0" : "src1");
    }
}

}  // namespace

void binary(Place place, Binary operation, const Local& to, const Local& a, const Local& b, const Lanes& lanes) {
    Machine& m = machine();
    const char* const name = kBinaryNames[static_cast<int>(operation)];
    if (operation == Binary::And || operation == Binary::Or) {
        // With 32-bit types the count form handles half of the data on 910B.
        requireType(place, name, to.type, {Type::Int16, Type::Uint16});
    } else if (operation == Binary::Div) {
        requireType(place, name, to.type, {Type::Half, Type::Float});
    } else {
        requireType(place, name, to.type, {Type::Half, Type::Float, Type::Int16, Type::Int32});
    }
    const std::uint32_t width = bytesOf(to.type);
    Ranges writes = m.ranges(place, name, "dst", to, lanes, 0, width);
    Ranges reads = m.ranges(place, name, "src0", a, lanes, 1, width);
    Ranges more = m.ranges(place, name, "src1", b, lanes, 2, width);
    const bool accumulates =
        operation != Binary::Div && operation != Binary::And && operation != Binary::Or && to.type != Type::Int16;
    requireOverlap(place, name, to, writes, a, reads, lanes, 1, accumulates);
    requireOverlap(place, name, to, writes, b, more, lanes, 2, accumulates);
    m.statistics.elements += lanes.counted ? lanes.count : lanes.repeats * 256 / width;
    reads.insert(reads.end(), more.begin(), more.end());
    m.vector(place, name, to, std::move(writes), std::move(reads), [=, &m] {
        each(lanes, std::array{to, a, b}, width,
             [&](const auto& at) { calculateTo(operation, to.type, m.local(at[0]), m.local(at[1]), m.local(at[2])); });
    });
}

void withScalar(Place place, Binary operation, const Local& to, const Local& a, Scalar scalar, const Lanes& lanes) {
    Machine& m = machine();
    const char* const name = kScalarNames[static_cast<int>(operation)];
    requireType(place, name, to.type, {Type::Half, Type::Float, Type::Int16, Type::Int32});
    const std::uint32_t width = bytesOf(to.type);
    Ranges writes = m.ranges(place, name, "dst", to, lanes, 0, width);
    Ranges reads = m.ranges(place, name, "src0", a, lanes, 1, width);
    requireOverlap(place, name, to, writes, a, reads, lanes, 1, false);
    m.statistics.elements += lanes.counted ? lanes.count : lanes.repeats * 256 / width;
    m.vector(place, name, to, std::move(writes), std::move(reads), [=, &m] {
        each(lanes, std::array{to, a}, width, [&](const auto& at) {
            calculateTo(operation, to.type, m.local(at[0]), m.local(at[1]),
                        reinterpret_cast<const std::uint8_t*>(&scalar.bits));
        });
    });
}

void unary(Place place, Unary, const Local& to, const Local& a, const Lanes& lanes) {
    Machine& m = machine();
    requireType(place, "Abs", to.type, {Type::Half, Type::Float});
    const std::uint32_t width = bytesOf(to.type);
    Ranges writes = m.ranges(place, "Abs", "dst", to, lanes, 0, width);
    Ranges reads = m.ranges(place, "Abs", "src0", a, lanes, 1, width);
    requireOverlap(place, "Abs", to, writes, a, reads, lanes, 1, false);
    m.vector(place, "Abs", to, std::move(writes), std::move(reads), [=, &m] {
        each(lanes, std::array{to, a}, width, [&](const auto& at) {
            writeFloat(to.type, m.local(at[0]), std::fabs(readFloat(to.type, m.local(at[1]))));
        });
    });
}

void duplicate(Place place, const Local& to, Scalar scalar, const Lanes& lanes) {
    Machine& m = machine();
    requireType(place, "Duplicate", to.type,
                {Type::Half, Type::Int16, Type::Uint16, Type::Int32, Type::Uint32, Type::Float,
                 kChip.bfloat16 ? Type::Bfloat16 : Type::Float});
    const std::uint32_t width = bytesOf(to.type);
    Ranges writes = m.ranges(place, "Duplicate", "dst", to, lanes, 0, width);
    m.vector(place, "Duplicate", to, std::move(writes), {}, [=, &m] {
        each(lanes, std::array{to}, width, [&](const auto& at) { std::memcpy(m.local(at[0]), &scalar.bits, width); });
    });
}

void shift(Place place, bool left, const Local& to, const Local& a, std::int64_t by, const Lanes& lanes) {
    Machine& m = machine();
    const char* const name = left ? "ShiftLeft" : "ShiftRight";
    if (!kChip.shifts) {
        m.fail(place, 15, "%s does not exist on %s", name, kChip.name);
    }
    requireType(place, name, to.type, {Type::Int16, Type::Uint16, Type::Int32, Type::Uint32});
    const std::uint32_t width = bytesOf(to.type);
    Ranges writes = m.ranges(place, name, "dst", to, lanes, 0, width);
    Ranges reads = m.ranges(place, name, "src0", a, lanes, 1, width);
    m.vector(place, name, to, std::move(writes), std::move(reads), [=, &m] {
        each(lanes, std::array{to, a}, width, [&](const auto& at) {
            const std::int64_t value = readInteger(to.type, m.local(at[1]));
            const std::int64_t moved = left ? value << by : value >> by;
            std::memcpy(m.local(at[0]), &moved, width);
        });
    });
}

// ---- Conversions ----

namespace {

constexpr unsigned kNone = 1U << static_cast<int>(Rounding::None);
constexpr unsigned kRint = 1U << static_cast<int>(Rounding::Rint);
constexpr unsigned kTrunc = 1U << static_cast<int>(Rounding::Trunc);
constexpr unsigned kOdd = 1U << static_cast<int>(Rounding::Odd);
constexpr unsigned kFive = kRint | kTrunc | 1U << static_cast<int>(Rounding::Floor) |
                           1U << static_cast<int>(Rounding::Ceil) | 1U << static_cast<int>(Rounding::Round);
constexpr unsigned kAny = kFive | kNone | kOdd;  // SetDeqScale: the mode is ignored

struct Pair {
    Type from, to;
    unsigned modes;
};

constexpr Pair kAtlasA2[] = {
    {Type::Int4, Type::Half, kNone},
    {Type::Int8, Type::Half, kNone},
    {Type::Uint8, Type::Half, kNone},
    {Type::Int16, Type::Half, kFive | kNone},
    {Type::Int16, Type::Float, kNone},
    {Type::Int32, Type::Int16, kNone},
    {Type::Int32, Type::Int64, kNone},
    {Type::Int32, Type::Half, kAny},
    {Type::Int32, Type::Float, kFive | kNone},
    {Type::Int64, Type::Int32, kNone},
    {Type::Int64, Type::Float, kFive},
    {Type::Half, Type::Int4, kFive | kNone},
    {Type::Half, Type::Int8, kFive | kNone},
    {Type::Half, Type::Uint8, kFive | kNone},
    {Type::Half, Type::Int16, kFive},
    {Type::Half, Type::Int32, kFive},
    {Type::Half, Type::Float, kNone},
    {Type::Bfloat16, Type::Int32, kFive},
    {Type::Bfloat16, Type::Float, kNone},
    {Type::Float, Type::Int16, kFive},
    {Type::Float, Type::Int32, kFive},
    {Type::Float, Type::Int64, kFive},
    {Type::Float, Type::Half, kFive | kOdd | kNone},
    {Type::Float, Type::Bfloat16, kFive},
    {Type::Float, Type::Float, kFive},
};
constexpr Pair kInferenceSeries[] = {
    {Type::Int8, Type::Half, kNone},
    {Type::Uint8, Type::Half, kNone},
    {Type::Int16, Type::Half, kNone},
    {Type::Half, Type::Int8, (kFive & ~kRint) | kNone},
    {Type::Half, Type::Uint8, (kFive & ~kRint) | kNone},
    {Type::Half, Type::Int4, kNone},
    {Type::Half, Type::Int16, kRint},
    {Type::Half, Type::Int32, kFive},
    {Type::Half, Type::Float, kNone},
    {Type::Float, Type::Half, kNone | kOdd},
    {Type::Float, Type::Int32, kFive},
    {Type::Int32, Type::Half, kAny},
    {Type::Int32, Type::Float, kNone},
    {Type::Int32, Type::Int16, kNone},
};

double readNumber(Type type, std::uint32_t base, std::uint32_t index) {
    const std::uint8_t* from = machine().local(base + (type == Type::Int4 ? index / 2 : index * bytesOf(type)));
    switch (type) {
        case Type::Int4: {
            const int nibble = *from >> (index % 2 * 4) & 15;
            return nibble < 8 ? nibble : nibble - 16;
        }
        case Type::Int8:
            return static_cast<std::int8_t>(*from);
        case Type::Uint8:
            return *from;
        case Type::Half:
        case Type::Float:
            return readFloat(type, from);
        case Type::Bfloat16: {
            std::uint16_t v;
            std::memcpy(&v, from, 2);
            return bfloat16ToFloat(v);
        }
        case Type::Int64: {
            std::int64_t v;
            std::memcpy(&v, from, 8);
            return static_cast<double>(v);
        }
        default:
            return static_cast<double>(readInteger(type, from));
    }
}

std::int64_t saturated(double value, Rounding mode, double low, double high) {
    return std::isnan(value) ? 0 : static_cast<std::int64_t>(std::clamp(toInteger(value, mode), low, high));
}

void writeNumber(Type type, std::uint32_t base, std::uint32_t index, double value, Rounding mode) {
    std::uint8_t* to = machine().local(base + (type == Type::Int4 ? index / 2 : index * bytesOf(type)));
    std::int64_t whole = 0;
    switch (type) {
        case Type::Half: {
            const std::uint16_t bits = halfBits(toFormat(value, kHalf, mode, kChip.saturates));
            std::memcpy(to, &bits, 2);
            return;
        }
        case Type::Bfloat16: {
            const std::uint16_t bits = bfloat16Bits(toFormat(value, kBfloat16, mode, kChip.saturates));
            std::memcpy(to, &bits, 2);
            return;
        }
        case Type::Float: {
            const auto single = static_cast<float>(toFormat(value, kFloat, mode, false));
            std::memcpy(to, &single, 4);
            return;
        }
        case Type::Int4: {
            const auto nibble = static_cast<std::uint8_t>(saturated(value, mode, -8, 7) & 15);
            *to = static_cast<std::uint8_t>(index % 2 == 0 ? (*to & 0xF0) | nibble : (*to & 0x0F) | nibble << 4);
            return;
        }
        case Type::Int8:
            whole = saturated(value, mode, -128, 127);
            break;
        case Type::Uint8:
            whole = saturated(value, mode, 0, 255);
            break;
        case Type::Int16:
            whole = saturated(value, mode, -32768, 32767);
            break;
        case Type::Int32:
            whole = saturated(value, mode, -2147483648.0, 2147483647.0);
            break;
        default:
            whole = saturated(value, mode, -9223372036854775808.0, 9223372036854774784.0);
            break;
    }
    std::memcpy(to, &whole, bytesOf(type));
}

}  // namespace

void cast(Place place, const Local& to, const Local& from, Rounding mode, std::uint32_t count) {
    Machine& m = machine();
    const auto find = [&](const auto& table) -> unsigned {
        for (const Pair& pair : table) {
            if (pair.from == from.type && pair.to == to.type) {
                return pair.modes;
            }
        }
        return 0;
    };
    const unsigned modes = kChip.bfloat16 ? find(kAtlasA2) : find(kInferenceSeries);
    constexpr const char* kModes[] = {"CAST_NONE",  "CAST_RINT",  "CAST_FLOOR", "CAST_CEIL",
                                      "CAST_ROUND", "CAST_TRUNC", "CAST_ODD"};
    if (modes == 0) {
        m.fail(place, 15, "Cast from %s to %s does not exist on %s", nameOf(from.type), nameOf(to.type), kChip.name);
    }
    if ((modes >> static_cast<int>(mode) & 1) == 0) {
        m.fail(place, 15, "Cast from %s to %s does not know %s on %s", nameOf(from.type), nameOf(to.type),
               kModes[static_cast<int>(mode)], kChip.name);
    }
    const bool deq = from.type == Type::Int32 && to.type == Type::Half;
    Lanes lanes;
    lanes.count = count;
    Ranges writes = m.ranges(place, "Cast", "dst", to, lanes, 0, 4);
    Ranges reads = m.ranges(place, "Cast", "src", from, lanes, 1, 4);
    const bool sameWidth = bitsOf(to.type) == bitsOf(from.type);
    const auto a = writes[0], b = reads[0];
    if (count > 0 && a.address < b.address + b.bytes && b.address < a.address + a.bytes &&
        !(sameWidth && a.address == b.address)) {
        m.fail(place, 15, "Cast: destination and source overlap without being the same");
    }
    m.statistics.elements += count;
    const float scale = deq ? m.deqScale(place) : 1.0F;
    m.vector(place, "Cast", to, std::move(writes), std::move(reads), [=] {
        for (std::uint32_t i = 0; i < count; ++i) {
            writeNumber(to.type, to.address, i, readNumber(from.type, from.address, i) * static_cast<double>(scale),
                        mode);
        }
    });
}

void setDeqScale(Place place, float scale) {
    machine().setDeqScale(place, scale);
}

// ---- Moving and reducing ----

void gather(Place place, const Local& to, const Local& from, const Local& offsets, std::uint32_t base,
            std::uint32_t count) {
    Machine& m = machine();
    const std::uint32_t width = bytesOf(to.type);
    if (width != 2 && width != 4) {
        m.fail(place, 15, "Gather does not take %s on %s", nameOf(to.type), kChip.name);
    }
    requireType(place, "Gather: srcOffset", offsets.type, {Type::Uint32});
    Lanes lanes;
    lanes.count = count;
    Ranges writes = m.ranges(place, "Gather", "dst", to, lanes, 0, 4);
    Ranges reads = m.ranges(place, "Gather", "srcOffset", offsets, lanes, 1, 4);
    lanes.count = 0;
    m.ranges(place, "Gather", "src", from, lanes, 1, 4);
    m.vector(place, "Gather", to, std::move(writes), std::move(reads), [=, &m] {
        for (std::uint32_t i = 0; i < count; ++i) {
            std::uint32_t offset;
            std::memcpy(&offset, m.local(offsets.address + i * 4), 4);
            offset += base;
            if (offset % width != 0 || offset + width > from.elements * bytesOf(from.type)) {
                m.fail(place, 7, "Gather: offset %u of a source of %u bytes", offset,
                       from.elements * bytesOf(from.type));
            }
            std::memmove(m.local(to.address + i * width), m.local(from.address + offset), width);
        }
    });
    // The offsets are data: the whole source counts as read.
    m.readAll(place, "Gather", from);
}

void blockReduce(Place place, bool largest, const Local& to, const Local& from, std::uint32_t repeats,
                 std::uint32_t mask, std::uint32_t toStep, std::uint32_t block, std::uint32_t repeat) {
    Machine& m = machine();
    const char* const name = largest ? "BlockReduceMax" : "BlockReduceMin";
    requireType(place, name, from.type, {Type::Half, Type::Float});
    const std::uint32_t width = bytesOf(from.type), perBlock = 32 / width;
    if (mask == 0 || mask > 256 / width || repeats > 255) {
        m.fail(place, 15, "%s: mask %u, %u repeats", name, mask, repeats);
    }
    if (to.address % (8 * width) != 0) {
        m.fail(place, 8, "%s: dst must be aligned to %u bytes", name, 8 * width);
    }
    Lanes lanes;
    lanes.counted = false;
    lanes.mask = {mask >= 64 ? ~0ULL : (1ULL << mask) - 1,
                  mask <= 64 ? 0 : (mask >= 128 ? ~0ULL : (1ULL << (mask - 64)) - 1)};
    lanes.repeats = repeats;
    lanes.block[1] = block;
    lanes.repeat[1] = repeat;
    Ranges reads = m.ranges(place, name, "src", from, lanes, 1, width);
    const std::uint32_t results = (mask + perBlock - 1) / perBlock;
    Ranges writes;
    for (std::uint32_t r = 0; r < repeats; ++r) {
        const std::uint32_t at = r * toStep * 8 * width;
        if (at + results * width > to.elements * width) {
            m.fail(place, 7, "%s: dst has %u elements, repeat %u writes past them", name, to.elements, r);
        }
        writes.push_back({to.address + at, results * width});
    }
    m.statistics.elements += repeats * 256 / width;
    m.vector(place, name, to, std::move(writes), std::move(reads), [=, &m] {
        for (std::uint32_t r = 0; r < repeats; ++r) {
            for (std::uint32_t b = 0; b < results; ++b) {
                const std::uint32_t at = from.address + (r * repeat + b * block) * 32;
                float best = readFloat(from.type, m.local(at));
                for (std::uint32_t i = 1; i < std::min(perBlock, mask - b * perBlock); ++i) {
                    best = calculate(largest ? Binary::Max : Binary::Min, best,
                                     readFloat(from.type, m.local(at + i * width)));
                }
                writeFloat(from.type, m.local(to.address + (r * toStep * 8 + b) * width), best);
            }
        }
    });
}

void reduce(Place place, bool largest, const Local& to, const Local& from, const Local& work, std::uint32_t count) {
    Machine& m = machine();
    const char* const name = largest ? "ReduceMax" : "ReduceMin";
    requireType(place, name, from.type, {Type::Half, Type::Float});
    const std::uint32_t width = bytesOf(from.type), perRepeat = 256 / width;
    const std::uint32_t needed =
        (2 * ((count + perRepeat - 1) / perRepeat) + 32 / width - 1) / (32 / width) * (32 / width);
    if (work.elements < needed) {
        m.fail(place, 16, "%s: work has %u elements, %u are needed", name, work.elements, needed);
    }
    Lanes lanes;
    lanes.count = count;
    Ranges reads = m.ranges(place, name, "src", from, lanes, 1, 4);
    lanes.count = needed;
    Ranges writes = m.ranges(place, name, "work", work, lanes, 0, 4);
    if (to.address % width != 0 || to.elements == 0) {
        m.fail(place, to.elements == 0 ? 7 : 8, "%s: dst", name);
    }
    const bool aliased = work.address == to.address;
    if (!aliased) {
        writes.push_back({to.address, width});
    }
    m.vector(place, name, to, std::move(writes), std::move(reads), [=, &m] {
        float best = readFloat(from.type, m.local(from.address));
        for (std::uint32_t i = 1; i < count; ++i) {
            best = calculate(largest ? Binary::Max : Binary::Min, best,
                             readFloat(from.type, m.local(from.address + i * width)));
        }
        std::memset(m.local(work.address), m.options.poison, needed * width);  // destroyed
        writeFloat(from.type, m.local(to.address), best);
    });
    m.spoil({work.address + (aliased ? width : 0), needed * width - (aliased ? width : 0)});
}

}  // namespace emu
