// SPDX-License-Identifier: Apache-2.0
#include "write.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "meta/dtype.h"

namespace aclq::trace {
namespace {

template <class T>
void append(std::string& to, T number) {
    char digits[40];
    const auto done = std::to_chars(digits, digits + sizeof digits, number);
    to.append(digits, done.ptr);
}

template <class Numbers>
void appendList(std::string& to, const Numbers& numbers, char open, char close) {
    to += open;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (i != 0) {
            to += ',';
        }
        if constexpr (std::is_same_v<typename Numbers::value_type, float>) {
            appendNumber(to, static_cast<double>(numbers[i]));
        } else {
            append(to, static_cast<std::int64_t>(numbers[i]));
        }
    }
    to += close;
}

float half(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float magnitude = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                            : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                            : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
    return bits >> 15 != 0 ? -magnitude : magnitude;
}

template <class T>
T read(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

void appendEnum(std::string& to, const Parameter& parameter, std::int64_t value, bool json) {
    for (int i = 0; i < parameter.memberCount; ++i) {
        if (parameter.members[i].value == value) {
            if (json) {
                to += '"';
            }
            to += parameter.members[i].name;
            if (json) {
                to += '"';
            }
            return;
        }
    }
    appendNumber(to, value);
}

void appendPointer(std::string& to, std::uint64_t address, bool json) {
    if (address == 0) {
        to += "null";
        return;
    }
    if (json) {
        to += '"';
    }
    appendHex(to, address);
    if (json) {
        to += '"';
    }
}

void appendTensorHandle(std::string& to, std::uint64_t handle, bool json) {
    if (handle == 0) {
        to += "null";
    } else if (const auto tensor = tensorOf(handle)) {
        if (json) {
            openTensorJson(to, *tensor);
            to += '}';
        } else {
            appendTensor(to, *tensor);
        }
    } else {
        appendPointer(to, handle, json);
    }
}

void appendScalarHandle(std::string& to, std::uint64_t handle, bool json) {
    if (const auto scalar = scalarOf(handle)) {
        appendScalar(to, *scalar, json);
    } else {
        appendPointer(to, handle, json);
    }
}

// What a function wrote to where an Out... argument points. Only a successful call has written it.
void appendOut(std::string& to, const Parameter& parameter, std::uint64_t address, bool json) {
    const auto* const from = reinterpret_cast<const void*>(address);
    if (!json) {
        to += '&';
    }
    switch (parameter.kind) {
        case Kind::OutSigned8:
            return append(to, static_cast<int>(read<std::int8_t>(from)));
        case Kind::OutSigned16:
            return append(to, read<std::int16_t>(from));
        case Kind::OutSigned32:
            return append(to, read<std::int32_t>(from));
        case Kind::OutSigned64:
            return append(to, read<std::int64_t>(from));
        case Kind::OutUnsigned8:
            return append(to, static_cast<unsigned>(read<std::uint8_t>(from)));
        case Kind::OutUnsigned16:
            return append(to, read<std::uint16_t>(from));
        case Kind::OutUnsigned32:
            return append(to, read<std::uint32_t>(from));
        case Kind::OutUnsigned64:
            return append(to, read<std::uint64_t>(from));
        case Kind::OutFloat:
            return appendNumber(to, static_cast<double>(read<float>(from)));
        case Kind::OutDouble:
            return appendNumber(to, read<double>(from));
        case Kind::OutEnum:
            return appendEnum(to, parameter, read<std::int32_t>(from), json);
        default:
            return appendPointer(to, read<std::uint64_t>(from), json);
    }
}

}  // namespace

void appendNumber(std::string& to, std::int64_t number) {
    append(to, number);
}
void appendNumber(std::string& to, std::uint64_t number) {
    append(to, number);
}

void appendNumber(std::string& to, double number) {
    if (std::isfinite(number)) {
        append(to, number);
    } else {  // JSON has no such numbers: they are texts there, and for people too
        to += std::isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    }
}

void appendHex(std::string& to, std::uint64_t number) {
    char digits[20];
    const auto done = std::to_chars(digits, digits + sizeof digits, number, 16);
    to += "0x";
    to.append(digits, done.ptr);
}

void appendQuoted(std::string& to, std::string_view text) {
    to += '"';
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            to += '\\';
            to += c;
        } else if (c == '\n') {
            to += "\\n";
        } else if (code < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", code);
            to += escape;
        } else {
            to += c;
        }
    }
    to += '"';
}

std::string shortName(std::int32_t dtype) {
    std::string name = nameOf(static_cast<aclDataType>(dtype));
    for (const auto& [from, into] : {std::pair{"FLOAT16", "f16"},
                                     {"FLOAT", "f32"},
                                     {"DOUBLE", "f64"},
                                     {"BF16", "bf16"},
                                     {"BOOL", "bool"},
                                     {"COMPLEX64", "c64"},
                                     {"COMPLEX128", "c128"}}) {
        if (name == from) {
            return into;
        }
    }
    const bool isUnsigned = name.starts_with("UINT");
    if (isUnsigned || name.starts_with("INT")) {
        return (isUnsigned ? "u" : "i") + name.substr(isUnsigned ? 4 : 3);
    }
    for (char& c : name) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return name;
}

void appendTensor(std::string& to, const Tensor& tensor) {
    to += shortName(tensor.dtype);
    appendList(to, tensor.dims, '[', ']');
    appendList(to, tensor.strides, '{', '}');
    if (tensor.offset != 0) {
        to += '+';
        append(to, tensor.offset);
    }
    if (isPrivate(static_cast<aclFormat>(tensor.format))) {
        to += ':';
        to += nameOf(static_cast<aclFormat>(tensor.format));
        appendList(to, tensor.storage, '[', ']');
    }
    to += '@';
    const char* const place = placeOf(tensor.data);
    if (*place != '\0') {
        to += place;
    } else {
        appendPointer(to, tensor.data, false);
    }
}

void openTensorJson(std::string& to, const Tensor& tensor) {
    to += "{\"dtype\":\"";
    to += nameOf(static_cast<aclDataType>(tensor.dtype));
    to += "\",\"shape\":";
    appendList(to, tensor.dims, '[', ']');
    to += ",\"strides\":";
    appendList(to, tensor.strides, '[', ']');
    to += ",\"offset\":";
    append(to, tensor.offset);
    to += ",\"format\":";
    append(to, tensor.format);
    to += ",\"storage\":";
    appendList(to, tensor.storage, '[', ']');
    to += ",\"address\":";
    appendPointer(to, tensor.data, true);
    to += ",\"place\":\"";
    to += placeOf(tensor.data);
    to += '"';
}

void appendScalar(std::string& to, const Scalar& scalar, bool json) {
    const unsigned char* const from = scalar.bytes;
    if (json) {
        to += "{\"dtype\":\"";
        to += nameOf(static_cast<aclDataType>(scalar.dtype));
        to += "\",\"bits\":\"";
        const std::int64_t size = bitsOf(static_cast<aclDataType>(scalar.dtype)) / 8;
        for (std::int64_t i = 0; i < size && i < 16; ++i) {
            char two[3];
            std::snprintf(two, sizeof two, "%02x", from[i]);
            to += two;
        }
        to += "\",\"value\":";
    } else {
        to += shortName(scalar.dtype);
        to += '(';
    }
    switch (scalar.dtype) {
        case ACL_FLOAT: {
            // The shortest text that gives the same float, not that of the double it becomes.
            const float value = read<float>(from);
            std::isfinite(value) ? append(to, value) : appendNumber(to, static_cast<double>(value));
            break;
        }
        case ACL_DOUBLE:
            appendNumber(to, read<double>(from));
            break;
        case ACL_FLOAT16:
            appendNumber(to, static_cast<double>(half(read<std::uint16_t>(from))));
            break;
        case ACL_BF16:
            appendNumber(to, static_cast<double>(
                                 std::bit_cast<float>(static_cast<std::uint32_t>(read<std::uint16_t>(from)) << 16)));
            break;
        case ACL_BOOL:
        case ACL_UINT8:
            append(to, static_cast<unsigned>(from[0]));
            break;
        case ACL_INT8:
            append(to, static_cast<int>(read<std::int8_t>(from)));
            break;
        case ACL_INT16:
            append(to, read<std::int16_t>(from));
            break;
        case ACL_UINT16:
            append(to, read<std::uint16_t>(from));
            break;
        case ACL_INT32:
            append(to, read<std::int32_t>(from));
            break;
        case ACL_UINT32:
            append(to, read<std::uint32_t>(from));
            break;
        case ACL_INT64:
            append(to, read<std::int64_t>(from));
            break;
        case ACL_UINT64:
            append(to, read<std::uint64_t>(from));
            break;
        default:
            to += json ? "null" : "?";
            break;
    }
    to += json ? '}' : ')';
}

void appendArray(std::string& to, const Array& array) {
    std::visit([&](const auto& values) { appendList(to, values, '[', ']'); }, array.values);
}

void appendValue(std::string& to, const Call& call, int position, bool json) {
    const Parameter& parameter = call.function.parameters[position];
    const std::uint64_t value = call.values[position];
    switch (parameter.kind) {
        case Kind::Bool:
            to += value != 0 ? "true" : "false";
            break;
        case Kind::Signed8:
            append(to, static_cast<int>(static_cast<std::int8_t>(value)));
            break;
        case Kind::Signed16:
            append(to, static_cast<std::int16_t>(value));
            break;
        case Kind::Signed32:
            append(to, static_cast<std::int32_t>(value));
            break;
        case Kind::Signed64:
            append(to, static_cast<std::int64_t>(value));
            break;
        case Kind::Unsigned8:
        case Kind::Unsigned16:
        case Kind::Unsigned32:
        case Kind::Unsigned64:
            append(to, value);
            break;
        case Kind::Float:
        case Kind::Double:
            appendNumber(to, std::bit_cast<double>(value));
            break;
        case Kind::Enum:
            appendEnum(to, parameter, static_cast<std::int32_t>(value), json);
            break;
        case Kind::Text:
            if (value == 0) {
                to += "null";
            } else {
                appendQuoted(to, std::string_view(reinterpret_cast<const char*>(value)));
            }
            break;
        case Kind::Int64s: {
            // Followed by how many there are.
            const Kind next =
                position + 1 < call.function.count ? call.function.parameters[position + 1].kind : Kind::Nothing;
            if (value != 0 && next == Kind::Unsigned64 && call.values[position + 1] <= 64) {
                const auto* const from = reinterpret_cast<const std::int64_t*>(value);
                appendList(to, std::vector<std::int64_t>(from, from + call.values[position + 1]), '[', ']');
            } else {
                appendPointer(to, value, json);
            }
            break;
        }
        case Kind::Tensor:
            appendTensorHandle(to, value, json);
            break;
        case Kind::TensorList:
        case Kind::ScalarList:
            if (const auto list = listOf(value)) {
                to += '[';
                for (std::size_t i = 0; i < list->members.size(); ++i) {
                    if (i != 0) {
                        to += ',';
                    }
                    parameter.kind == Kind::TensorList ? appendTensorHandle(to, list->members[i], json)
                                                       : appendScalarHandle(to, list->members[i], json);
                }
                to += ']';
            } else {
                appendPointer(to, value, json);
            }
            break;
        case Kind::Scalar:
            appendScalarHandle(to, value, json);
            break;
        case Kind::Array:
            if (const auto array = arrayOf(value)) {
                appendArray(to, *array);
            } else {
                appendPointer(to, value, json);
            }
            break;
        case Kind::Stream:
            value == 0 ? static_cast<void>(to += json ? "null" : "default") : appendPointer(to, value, json);
            break;
        case Kind::Opaque:
            to += json ? "null" : "...";
            break;
        default:
            if (parameter.kind >= Kind::OutSigned8 && parameter.kind <= Kind::OutPointer && value != 0 &&
                call.end != 0 && !call.failed()) {
                appendOut(to, parameter, value, json);
            } else {
                appendPointer(to, value, json);
            }
            break;
    }
}

void appendArguments(std::string& to, const Call& call, bool json) {
    if (json) {
        to += '{';
    }
    for (int i = 0; i < call.function.count; ++i) {
        if (i != 0) {
            to += json ? "," : ", ";
        }
        const char* const name = call.function.parameters[i].name;
        if (json) {
            to += '"';
            if (*name == '\0') {
                to += "arg";
                append(to, i);
            }
            to += name;
            to += "\":";
        } else if (*name != '\0') {
            to += name;
            to += '=';
        }
        appendValue(to, call, i, json);
        if (!json && call.executor != nullptr && call.function.parameters[i].kind == Kind::Executor) {
            to += "#";
            append(to, call.executor->number);
        }
    }
    if (json) {
        to += '}';
    }
}

}  // namespace aclq::trace
