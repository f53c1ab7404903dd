// SPDX-License-Identifier: Apache-2.0
#include "ops/everyday/types.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "ops/everyday/numbers.h"
#include "ops/phase1.h"

namespace aclq::everyday {
namespace {

using Types = std::uint64_t;  // a bit for each number of aclDataType

constexpr Types bit(aclDataType dtype) {
    return static_cast<unsigned>(dtype) < 64 ? Types{1} << dtype : 0;  // callers may pass any number
}

constexpr Types BOOL = bit(ACL_BOOL);
constexpr Types FLOAT = bit(ACL_FLOAT);
constexpr Types FLOAT16 = bit(ACL_FLOAT16);
constexpr Types BF16 = bit(ACL_BF16);
constexpr Types DOUBLE = bit(ACL_DOUBLE);
constexpr Types INT4 = bit(ACL_INT4);
constexpr Types INT8 = bit(ACL_INT8);
constexpr Types INT16 = bit(ACL_INT16);
constexpr Types INT32 = bit(ACL_INT32);
constexpr Types INT64 = bit(ACL_INT64);
constexpr Types UINT8 = bit(ACL_UINT8);
constexpr Types UINT16 = bit(ACL_UINT16);
constexpr Types UINT32 = bit(ACL_UINT32);
constexpr Types UINT64 = bit(ACL_UINT64);
constexpr Types COMPLEX64 = bit(ACL_COMPLEX64);
constexpr Types COMPLEX128 = bit(ACL_COMPLEX128);
constexpr Types I = INT8 | INT16 | INT32 | INT64 | UINT8;
constexpr Types U = UINT16 | UINT32 | UINT64;
constexpr Types F = FLOAT | FLOAT16 | BF16;
constexpr Types C = COMPLEX64 | COMPLEX128;

struct TypeRow {
    std::string_view operation;
    std::string_view argument;
    Types types;  // 0: the type of `same`
    std::string_view same;
};

#define TYPES(operation, argument, types) {#operation, #argument, types, {}},
#define SAME(operation, argument, same) {#operation, #argument, 0, #same},
constexpr TypeRow kRows[] = {
#include "ops/everyday/types.inc"
};
#undef TYPES
#undef SAME

static_assert(std::is_sorted(std::begin(kRows), std::end(kRows),
                             [](const TypeRow& a, const TypeRow& b) { return a.operation < b.operation; }));

std::string namesOf(Types types) {
    std::string names;
    for (int dtype = 0; dtype < 64; ++dtype) {
        if ((types >> dtype & 1U) != 0) {
            names += (names.empty() ? "" : ", ") + nameOf(static_cast<aclDataType>(dtype));
        }
    }
    return names + " (" + settings().soc->name + ")";
}

thread_local TypeRules* current = nullptr;

}  // namespace

TypeRules::TypeRules(const char* operation) : outer_(current), operation_(operation) {
    current = this;
}

TypeRules::~TypeRules() {
    current = outer_;
}

aclnnStatus TypeRules::check(const char* argument, aclDataType dtype) {
    return current->checkOne(argument, dtype);
}

aclnnStatus TypeRules::checkOne(const char* argument, aclDataType dtype) {
    const auto [begin, end] =
        std::equal_range(std::begin(kRows), std::end(kRows), TypeRow{operation_, {}, 0, {}},
                         [](const TypeRow& a, const TypeRow& b) { return a.operation < b.operation; });
    bool listed = false;
    for (const TypeRow* row = begin; row != end; ++row) {
        if (row->types != 0) {
            listed = listed || row->argument == argument;
            if (row->argument == argument && (row->types & bit(dtype)) == 0) {
                return refuse(argument, "dtype " + nameOf(dtype), namesOf(row->types));
            }
            continue;
        }
        const std::string_view other = row->argument == argument ? row->same : row->argument;
        if (row->argument != argument && row->same != argument) {
            continue;
        }
        const auto* const found =
            std::find_if(seen_, seen_ + count_, [&](const auto& one) { return one.first == other; });
        listed = listed || found != seen_ + count_;
        if (found != seen_ + count_ && found->second != dtype) {
            return refuse(argument, "dtype " + nameOf(dtype),
                          nameOf(found->second) + ", the dtype of " + std::string(other));
        }
    }
    if (!listed && !isNumber(dtype)) {
        return refuse(argument, "dtype " + nameOf(dtype), "floats, integers, BOOL");
    }
    if (begin != end && count_ < kRemembered) {
        seen_[count_++] = {argument, dtype};
    }
    return ACLNN_SUCCESS;
}

}  // namespace aclq::everyday
