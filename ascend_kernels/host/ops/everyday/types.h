// SPDX-License-Identifier: Apache-2.0
// Which types an everyday operator takes for which argument: the rows of types.inc, looked up while phase 1 runs.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "acl/acl_base.h"
#include "aclnn/aclnn_base.h"

namespace aclq::everyday {

// The rules of one operator, those of this thread's phase 1 while the object lives.
class TypeRules {
  public:
    explicit TypeRules(const char* operation);
    ~TypeRules();
    TypeRules(const TypeRules&) = delete;
    TypeRules& operator=(const TypeRules&) = delete;

    // 161002 if the operator does not take the type for this argument.
    static aclnnStatus check(const char* argument, aclDataType dtype);

  private:
    aclnnStatus checkOne(const char* argument, aclDataType dtype);

    static constexpr std::size_t kRemembered = 8;

    TypeRules* const outer_;
    std::string_view operation_;
    // The types of the arguments so far, for those that have to agree.
    std::pair<const char*, aclDataType> seen_[kRemembered] = {};
    std::size_t count_ = 0;
};

}  // namespace aclq::everyday
