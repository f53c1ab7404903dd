// SPDX-License-Identifier: Apache-2.0
// A reference to something that can be called and outlives the call. Functions that take one need not be templates, so
// that they are compiled once.
#pragma once

#include <memory>
#include <type_traits>

namespace aclq {

template <class Result>
class FunctionRef {
  public:
    template <class Body>
    requires(!std::is_same_v<std::remove_cvref_t<Body>, FunctionRef>) FunctionRef(Body&& body)
        : body_(const_cast<void*>(static_cast<const void*>(std::addressof(body)))),
          call_([](void* called) -> Result { return (*static_cast<std::remove_reference_t<Body>*>(called))(); }) {}

    Result operator()() const { return call_(body_); }

  private:
    void* body_;
    Result (*call_)(void*);
};

}  // namespace aclq
