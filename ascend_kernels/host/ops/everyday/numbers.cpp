// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "simd/halves.h"
#include "simd/numeric.h"
#include "simd/widest.h"

namespace aclq::everyday {
namespace {

// Calls body(T{}) with the C++ type of an element; BOOL has a separate type.
enum class Bool : std::uint8_t {};

template <class T>
constexpr bool kIsComplex = std::is_same_v<T, Complex> || std::is_same_v<T, std::complex<float>>;

template <class Body>
void dispatch(aclDataType dtype, Body&& body) {
    switch (dtype) {
        case ACL_FLOAT:
            return body(float{});
        case ACL_DOUBLE:
            return body(double{});
        case ACL_FLOAT16:
            return body(Half{});
        case ACL_BF16:
            return body(BFloat16{});
        case ACL_INT8:
            return body(std::int8_t{});
        case ACL_UINT8:
            return body(std::uint8_t{});
        case ACL_INT16:
            return body(std::int16_t{});
        case ACL_UINT16:
            return body(std::uint16_t{});
        case ACL_INT32:
            return body(std::int32_t{});
        case ACL_UINT32:
            return body(std::uint32_t{});
        case ACL_INT64:
            return body(std::int64_t{});
        case ACL_UINT64:
            return body(std::uint64_t{});
        case ACL_BOOL:
            return body(Bool{});
        case ACL_COMPLEX64:
            return body(std::complex<float>{});
        case ACL_COMPLEX128:
            return body(Complex{});
        default:
            throw std::invalid_argument("phase 1 let a type through that has no numbers");
    }
}

template <class To, class From>
To saturate(From value) {
    if (!(value == value)) {
        return 0;
    }
    // The limits as doubles; the upper one of 64-bit types is one too large, so it is not reached.
    constexpr double low = static_cast<double>(std::numeric_limits<To>::min());
    constexpr double high = static_cast<double>(std::numeric_limits<To>::max());
    if (value <= low) {
        return std::numeric_limits<To>::min();
    }
    return value >= high ? std::numeric_limits<To>::max() : static_cast<To>(value);
}

template <class Domain, class T>
Domain load(T value) {
    if constexpr (std::is_same_v<Domain, float>) {
        return scalar::widen(value);
    } else if constexpr (kIsComplex<Domain>) {
        if constexpr (kIsComplex<T>) {
            return Domain(value);
        } else {
            return load<double>(value);
        }
    } else if constexpr (kIsComplex<T>) {
        return load<Domain>(value.real());
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
        return load<Domain>(scalar::widen(value));
    } else if constexpr (std::is_same_v<T, Bool>) {
        return static_cast<std::uint8_t>(value) != 0 ? 1 : 0;
    } else if constexpr (std::is_floating_point_v<T> && !std::is_same_v<Domain, double>) {
        return saturate<Domain>(static_cast<double>(value));
    } else {
        return static_cast<Domain>(value);
    }
}

template <class T, class Domain>
T store(Domain value) {
    if constexpr (kIsComplex<T>) {
        using Part = typename T::value_type;
        if constexpr (kIsComplex<Domain>) {
            return {static_cast<Part>(value.real()), static_cast<Part>(value.imag())};
        } else {
            return {static_cast<Part>(value), 0};
        }
    } else if constexpr (kIsComplex<Domain>) {
        if constexpr (std::is_same_v<T, Bool>) {
            return static_cast<Bool>(value != Domain{} ? 1 : 0);
        } else {
            return store<T>(value.real());
        }
    } else if constexpr (std::is_same_v<T, Half>) {
        return scalar::toHalf(static_cast<float>(value));
    } else if constexpr (std::is_same_v<T, BFloat16>) {
        return scalar::toBFloat16(static_cast<float>(value));
    } else if constexpr (std::is_same_v<T, Bool>) {
        return static_cast<Bool>(value != 0 ? 1 : 0);
    } else if constexpr (std::is_integral_v<T> && std::is_same_v<Domain, double>) {
        return saturate<T>(value);
    } else {
        return static_cast<T>(value);
    }
}

// The same for Domain float, whose elements have one of three types.
template <class Domain, class Body>
void dispatchTo(aclDataType dtype, Body&& body) {
    if constexpr (std::is_same_v<Domain, float>) {
        return dtype == ACL_FLOAT16 ? body(Half{}) : (dtype == ACL_BF16 ? body(BFloat16{}) : body(float{}));
    } else {
        return dispatch(dtype, body);
    }
}

template <class Domain>
void readRow(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, Domain* to) {
    dispatchTo<Domain>(view.dtype, [&]<class T>(T) {
        const unsigned char* from = view.data + (view.offset + offset) * static_cast<std::int64_t>(sizeof(T));
        if constexpr (std::is_same_v<Domain, float>) {
            if constexpr (std::is_same_v<T, Half>) {
                if (step == 1) {
                    return widenHalves(from, n, to);
                }
            }
        }
        if (step == 1) {
            return widest([from, n, to] {
                for (std::int64_t i = 0; i < n; ++i) {
                    T value;
                    std::memcpy(&value, from + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
                    to[i] = load<Domain>(value);
                }
            });
        }
        for (std::int64_t i = 0; i < n; ++i) {
            T value;
            std::memcpy(&value, from + i * step * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
            to[i] = load<Domain>(value);
        }
    });
}

template <class Domain>
void writeRow(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const Domain* from) {
    dispatchTo<Domain>(view.dtype, [&]<class T>(T) {
        unsigned char* to = view.data + (view.offset + offset) * static_cast<std::int64_t>(sizeof(T));
        if constexpr (std::is_same_v<Domain, float>) {
            if constexpr (std::is_same_v<T, Half>) {
                if (step == 1) {
                    return narrowToHalves(from, n, to);
                }
            }
        }
        if (step == 1) {
            return widest([from, n, to] {
                for (std::int64_t i = 0; i < n; ++i) {
                    const T value = store<T>(from[i]);
                    std::memcpy(to + i * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
                }
            });
        }
        for (std::int64_t i = 0; i < n; ++i) {
            const T value = store<T>(from[i]);
            std::memcpy(to + i * step * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
        }
    });
}

// Whether `wide` holds every value of `narrow`.
bool holds(aclDataType wide, aclDataType narrow) {
    return wide == narrow || wide == ACL_DOUBLE || (wide == ACL_FLOAT && bitsOf(narrow) <= 16);
}

// `through` is a float only where Domain is double.
template <class Domain>
void convertRow(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                Domain* to) {
    if (holds(through, view.dtype)) {
        readRow(view, offset, step, n, to);
        return;
    }
    constexpr std::int64_t kRoom = 512;
    alignas(8) unsigned char room[kRoom * 8];
    View converted;
    converted.dtype = through;
    converted.data = room;
    double values[kRoom];
    for (std::int64_t first = 0; first < n; first += kRoom) {
        const std::int64_t count = std::min(kRoom, n - first);
        if (isFloating(view.dtype)) {
            readRow(view, offset + first * step, step, count, values);
            writeRow(converted, 0, 1, count, values);
        } else {
            std::int64_t integers[kRoom];
            readRow(view, offset + first * step, step, count, integers);
            writeRow(converted, 0, 1, count, integers);
        }
        readRow(converted, 0, 1, count, to + first);
    }
}

View viewOf(const aclScalar& scalar) {
    View view;
    view.dtype = scalar.dtype;
    view.data = const_cast<unsigned char*>(scalar.bytes.data());
    return view;
}

int rank(aclDataType dtype) {
    switch (dtype) {
        case ACL_BOOL:
            return 0;
        case ACL_UINT8:
            return 1;
        case ACL_INT8:
            return 2;
        case ACL_UINT16:
            return 3;
        case ACL_INT16:
            return 4;
        case ACL_UINT32:
            return 5;
        case ACL_INT32:
            return 6;
        case ACL_UINT64:
            return 7;
        case ACL_INT64:
            return 8;
        case ACL_FLOAT16:
            return 9;
        case ACL_BF16:
            return 10;
        case ACL_FLOAT:
            return 11;
        case ACL_DOUBLE:
            return 12;
        case ACL_COMPLEX64:
            return 13;
        case ACL_COMPLEX128:
            return 14;
        default:
            return -1;
    }
}

}  // namespace

bool isFloating(aclDataType dtype) {
    return rank(dtype) >= rank(ACL_FLOAT16) && !isComplex(dtype);
}
bool fitsFloat(aclDataType dtype) {
    return isFloating(dtype) && dtype != ACL_DOUBLE;
}
bool isComplex(aclDataType dtype) {
    return dtype == ACL_COMPLEX64 || dtype == ACL_COMPLEX128;
}
bool isNumber(aclDataType dtype) {
    return rank(dtype) >= 0 && !isComplex(dtype);
}

bool canCast(aclDataType from, aclDataType to) {
    return (!isComplex(from) || isComplex(to)) && (!isFloating(from) || isFloating(to) || isComplex(to)) &&
           (to != ACL_BOOL || from == ACL_BOOL);
}

bool haveCommonType(aclDataType a, aclDataType b) {
    const auto apart = [](aclDataType dtype) {
        return dtype == ACL_UINT16 || dtype == ACL_UINT32 || dtype == ACL_UINT64;
    };
    return a == b || (!apart(a) && !apart(b));
}

aclDataType promote(aclDataType a, aclDataType b) {
    const auto are = [&](aclDataType one, aclDataType two) { return (a == one && b == two) || (a == two && b == one); };
    if (are(ACL_FLOAT16, ACL_BF16)) {
        return ACL_FLOAT;
    }
    if (are(ACL_COMPLEX64, ACL_DOUBLE)) {
        return ACL_COMPLEX128;
    }
    if (are(ACL_UINT8, ACL_INT8)) {
        return ACL_INT16;
    }
    return rank(a) >= rank(b) ? a : b;
}

void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, double* to) {
    readRow(view, offset, step, n, to);
}
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, float* to) {
    readRow(view, offset, step, n, to);
}
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const float* from) {
    writeRow(view, offset, step, n, from);
}
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 float* to) {
    readRow(view, offset, step, n, to);
    if (!holds(through, view.dtype)) {
        for (std::int64_t i = 0; i < n; ++i) {
            to[i] = static_cast<float>(roundTo(through, to[i]));
        }
    }
}
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, std::int64_t* to) {
    readRow(view, offset, step, n, to);
}
void read(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, Complex* to) {
    readRow(view, offset, step, n, to);
}
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const Complex* from) {
    writeRow(view, offset, step, n, from);
}
const float* floatsAt(const View& view, std::int64_t offset, std::int64_t step) {
    const auto* from = reinterpret_cast<const float*>(view.data) + view.offset + offset;
    const bool aligned = reinterpret_cast<std::uintptr_t>(from) % alignof(float) == 0;
    return view.dtype == ACL_FLOAT && step == 1 && aligned ? from : nullptr;
}
void readThrough(aclDataType, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, Complex* to) {
    readRow(view, offset, step, n, to);
}
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 double* to) {
    convertRow(through, view, offset, step, n, to);
}
void readThrough(aclDataType through, const View& view, std::int64_t offset, std::int64_t step, std::int64_t n,
                 std::int64_t* to) {
    convertRow(through, view, offset, step, n, to);
}
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const double* from) {
    writeRow(view, offset, step, n, from);
}
void write(const View& view, std::int64_t offset, std::int64_t step, std::int64_t n, const std::int64_t* from) {
    writeRow(view, offset, step, n, from);
}

double roundTo(aclDataType dtype, double value) {
    switch (dtype) {
        case ACL_FLOAT:
            return static_cast<float>(value);
        case ACL_FLOAT16:
            return scalar::widen(scalar::toHalf(static_cast<float>(value)));
        case ACL_BF16:
            return scalar::widen(scalar::toBFloat16(static_cast<float>(value)));
        default:
            return value;
    }
}

bool isFloating(const aclScalar& scalar) {
    return isFloating(scalar.dtype);
}

double real(const aclScalar& scalar) {
    double value = 0;
    read(viewOf(scalar), 0, 1, 1, &value);
    return value;
}

Complex complex(const aclScalar& scalar) {
    Complex value;
    read(viewOf(scalar), 0, 1, 1, &value);
    return value;
}

std::int64_t integer(const aclScalar& scalar) {
    std::int64_t value = 0;
    read(viewOf(scalar), 0, 1, 1, &value);
    return value;
}

}  // namespace aclq::everyday
