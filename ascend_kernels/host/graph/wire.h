// SPDX-License-Identifier: Apache-2.0
// The wire format of protocol buffers, read field by field: https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace aclq::graph {

struct Field {
    std::uint32_t number = 0;
    bool bytes = false;       // text() has the value, else value()
    std::uint64_t value = 0;  // a varint, or the bits of a fixed number
    std::string_view content;

    std::int64_t integer() const;
    float real() const;
    std::string_view text() const;
    // Appends one integer, or all of a packed field.
    void appendIntegers(std::vector<std::int64_t>& integers) const;
};

// The fields of one message. Throws Failure if the bytes are not a valid message.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    // False at the end.
    bool next(Field& field);

  private:
    friend struct Field;
    std::uint64_t varint();
    std::string_view take(std::uint64_t size);
    std::uint64_t fixed(std::uint64_t size);

    std::string_view rest_;
};

}  // namespace aclq::graph
