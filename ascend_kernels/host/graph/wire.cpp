// SPDX-License-Identifier: Apache-2.0
#include "graph/wire.h"

#include <bit>

#include "graph/failure.h"

namespace aclq::graph {
namespace {

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

[[noreturn]] void malformed(const char* what) {
    throw Failure(std::string("the serialised graph is malformed: ") + what);
}

}  // namespace

bool Reader::next(Field& field) {
    if (rest_.empty()) {
        return false;
    }
    const std::uint64_t tag = varint();
    field = {};
    field.number = static_cast<std::uint32_t>(tag >> 3);
    if (tag >> 32 != 0 || field.number == 0) {
        malformed("a field has an impossible number");
    }
    switch (tag & 7) {
        case kVarint:
            field.value = varint();
            return true;
        case kFixed64:
            field.value = fixed(8);
            return true;
        case kFixed32:
            field.value = fixed(4);
            return true;
        case kBytes:
            field.bytes = true;
            field.content = take(varint());
            return true;
        default:
            malformed("a field has an unknown wire type");
    }
}

std::uint64_t Reader::varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        const auto byte = static_cast<std::uint8_t>(take(1)[0]);
        if (shift == 63 && byte > 1) {
            break;
        }
        value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    malformed("an integer has more than 64 bits");
}

std::string_view Reader::take(std::uint64_t size) {
    if (size > rest_.size()) {
        malformed("it ends inside a field");
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

std::uint64_t Reader::fixed(std::uint64_t size) {
    std::uint64_t value = 0;
    const std::string_view bytes = take(size);
    for (std::uint64_t index = 0; index < size; ++index) {
        value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[index])) << (8 * index);
    }
    return value;
}

std::int64_t Field::integer() const {
    if (bytes) {
        malformed("text stands where an integer belongs");
    }
    return static_cast<std::int64_t>(value);
}

float Field::real() const {
    if (bytes) {
        malformed("text stands where a number belongs");
    }
    return std::bit_cast<float>(static_cast<std::uint32_t>(value));
}

std::string_view Field::text() const {
    if (!bytes) {
        malformed("a number stands where text or a message belongs");
    }
    return content;
}

void Field::appendIntegers(std::vector<std::int64_t>& integers) const {
    if (!bytes) {
        integers.push_back(integer());
        return;
    }
    Reader reader(content);
    while (!reader.rest_.empty()) {
        integers.push_back(static_cast<std::int64_t>(reader.varint()));
    }
}

}  // namespace aclq::graph
