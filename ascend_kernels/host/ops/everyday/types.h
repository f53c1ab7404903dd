// SPDX-License-Identifier: Apache-2.0
// The types that an everyday operator accepts for each argument: the rows of types.inc, read during phase 1.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "acl/acl_base.h"
#include "aclnn/aclnn_base.h"

namespace aclq::everyday {

// The rules of one operator; they apply to phase 1 in this thread while the object lives.
class TypeRules {
  public:
    explicit TypeRules(const char* operation);
    ~TypeRules();
    TypeRules(const TypeRules&) = delete;
    TypeRules& operator=(const TypeRules&) = delete;

    // 161002 if the operator does not accept this type for the argument.
    static aclnnStatus check(const char* argument, aclDataType dtype);

  private:
    aclnnStatus checkOne(const char* argument, aclDataType dtype);

    static constexpr std::size_t kRemembered = 8;

    TypeRules* const outer_;
    std::string_view operation_;
    // The types of the earlier arguments, for SAME.
    std::pair<const char*, aclDataType> seen_[kRemembered] = {};
    std::size_t count_ = 0;
};

}  // namespace aclq::everyday
