// SPDX-License-Identifier: Apache-2.0
#include "meta/dtype.h"

#include <algorithm>
#include <array>

namespace aclq {
namespace {

struct Entry {
    aclDataType dtype;
    const char* name;
    std::int64_t bits;
};

constexpr std::array kEntries{
    Entry{ACL_FLOAT, "FLOAT", 32},
    Entry{ACL_FLOAT16, "FLOAT16", 16},
    Entry{ACL_INT8, "INT8", 8},
    Entry{ACL_INT32, "INT32", 32},
    Entry{ACL_UINT8, "UINT8", 8},
    Entry{ACL_INT16, "INT16", 16},
    Entry{ACL_UINT16, "UINT16", 16},
    Entry{ACL_UINT32, "UINT32", 32},
    Entry{ACL_INT64, "INT64", 64},
    Entry{ACL_UINT64, "UINT64", 64},
    Entry{ACL_DOUBLE, "DOUBLE", 64},
    Entry{ACL_BOOL, "BOOL", 8},
    Entry{ACL_STRING, "STRING", 0},
    Entry{ACL_COMPLEX64, "COMPLEX64", 64},
    Entry{ACL_COMPLEX128, "COMPLEX128", 128},
    Entry{ACL_BF16, "BF16", 16},
    Entry{ACL_INT4, "INT4", 4},
    Entry{ACL_UINT1, "UINT1", 1},
    Entry{ACL_COMPLEX32, "COMPLEX32", 32},
    Entry{ACL_HIFLOAT8, "HIFLOAT8", 8},
    Entry{ACL_FLOAT8_E5M2, "FLOAT8_E5M2", 8},
    Entry{ACL_FLOAT8_E4M3FN, "FLOAT8_E4M3FN", 8},
    Entry{ACL_FLOAT8_E8M0, "FLOAT8_E8M0", 8},
    Entry{ACL_FLOAT6_E3M2, "FLOAT6_E3M2", 6},
    Entry{ACL_FLOAT6_E2M3, "FLOAT6_E2M3", 6},
    Entry{ACL_FLOAT4_E2M1, "FLOAT4_E2M1", 4},
    Entry{ACL_FLOAT4_E1M2, "FLOAT4_E1M2", 4},
};

const Entry* find(aclDataType dtype) {
    const auto found =
        std::find_if(kEntries.begin(), kEntries.end(), [&](const Entry& entry) { return entry.dtype == dtype; });
    return found == kEntries.end() ? nullptr : &*found;
}

}  // namespace

std::int64_t bitsOf(aclDataType dtype) {
    const Entry* entry = find(dtype);
    return entry != nullptr ? entry->bits : 0;
}

std::uint64_t alignmentOf(aclDataType dtype) {
    const bool complex = dtype == ACL_COMPLEX32 || dtype == ACL_COMPLEX64 || dtype == ACL_COMPLEX128;
    const auto bytes = static_cast<std::uint64_t>(bitsOf(dtype)) / (complex ? 16 : 8);
    return bytes > 1 ? bytes : 1;
}

std::string nameOf(aclDataType dtype) {
    const Entry* entry = find(dtype);
    return entry != nullptr ? entry->name : "dtype " + std::to_string(static_cast<int>(dtype));
}

std::string namesOf(std::initializer_list<aclDataType> dtypes) {
    std::string names;
    for (const aclDataType dtype : dtypes) {
        names += (names.empty() ? "" : ", ") + nameOf(dtype);
    }
    return names;
}

bool isPrivate(aclFormat format) {
    switch (format) {
        case ACL_FORMAT_NC1HWC0:
        case ACL_FORMAT_NDC1HWC0:
        case ACL_FORMAT_FRACTAL_Z:
        case ACL_FRACTAL_Z_3D:
        case ACL_FORMAT_FRACTAL_NZ:
        case ACL_FORMAT_FRACTAL_NZ_C0_16:
        case ACL_FORMAT_FRACTAL_NZ_C0_32:
        case ACL_FORMAT_FRACTAL_NZ_C0_2:
        case ACL_FORMAT_FRACTAL_NZ_C0_4:
        case ACL_FORMAT_FRACTAL_NZ_C0_8:
        case ACL_FORMAT_NC1HWC0_C04:
            return true;
        default:
            return false;
    }
}

const char* knownNameOf(aclFormat format) {
    switch (format) {
        case ACL_FORMAT_NCHW:
            return "NCHW";
        case ACL_FORMAT_NHWC:
            return "NHWC";
        case ACL_FORMAT_ND:
            return "ND";
        case ACL_FORMAT_FRACTAL_NZ:
            return "FRACTAL_NZ";
        case ACL_FORMAT_FRACTAL_Z:
            return "FRACTAL_Z";
        case ACL_FORMAT_NC1HWC0:
            return "NC1HWC0";
        case ACL_FORMAT_NCDHW:
            return "NCDHW";
        case ACL_FORMAT_NCL:
            return "NCL";
        default:
            return nullptr;
    }
}

std::string nameOf(aclFormat format) {
    const char* const name = knownNameOf(format);
    return name != nullptr ? name : "format " + std::to_string(static_cast<int>(format));
}

}  // namespace aclq
