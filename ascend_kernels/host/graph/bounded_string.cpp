// SPDX-License-Identifier: Apache-2.0
// Three functions of the bounded string library that come with CANN and that torchair's libraries need.
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstring>

#define BOUNDED_API extern "C" __attribute__((visibility("default")))

// At most `count` characters and a terminator; -1 if the text does not fit, which is then truncated.
BOUNDED_API int vsnprintf_s(char* destination, std::size_t size, std::size_t count, const char* format,
                            va_list arguments);
BOUNDED_API int snprintf_s(char* destination, std::size_t size, std::size_t count, const char* format, ...);
// 0, EINVAL or ERANGE; a text that does not fit gives an empty string.
BOUNDED_API int strcpy_s(char* destination, std::size_t size, const char* source);

int vsnprintf_s(char* destination, std::size_t size, std::size_t count, const char* format, va_list arguments) {
    if (destination == nullptr || format == nullptr || size == 0) {
        return -1;
    }
    const std::size_t room = count < size ? count + 1 : size;
    const int length = std::vsnprintf(destination, room, format, arguments);
    if (length < 0) {
        destination[0] = '\0';
        return -1;
    }
    return static_cast<std::size_t>(length) < room ? length : -1;
}

int snprintf_s(char* destination, std::size_t size, std::size_t count, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf_s(destination, size, count, format, arguments);
    va_end(arguments);
    return length;
}

int strcpy_s(char* destination, std::size_t size, const char* source) {
    if (destination == nullptr || size == 0) {
        return EINVAL;
    }
    destination[0] = '\0';
    if (source == nullptr) {
        return EINVAL;
    }
    const std::size_t length = std::strlen(source);
    if (length >= size) {
        return ERANGE;
    }
    std::memcpy(destination, source, length + 1);
    return 0;
}
