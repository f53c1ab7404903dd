// SPDX-License-Identifier: Apache-2.0
// Owners of objects of the C interface, for its internal clients: graphs, and operators called by name.
#pragma once

#include <memory>

#include "aclnn/acl_meta.h"

namespace aclq {

// An object of the C interface with the function that destroys it; converts to what operators take.
template <class T, aclnnStatus (*Destroy)(const T*)>
class Handle {
  public:
    explicit Handle(T* object) : object_(object) {}
    operator T*() const { return object_.get(); }
    T* operator->() const { return object_.get(); }
    T* release() { return object_.release(); }

  private:
    struct Deleter {
        void operator()(T* object) const { Destroy(object); }
    };
    std::unique_ptr<T, Deleter> object_;
};
using TensorHandle = Handle<aclTensor, aclDestroyTensor>;
using TensorListHandle = Handle<aclTensorList, aclDestroyTensorList>;
using ScalarHandle = Handle<aclScalar, aclDestroyScalar>;
using IntArrayHandle = Handle<aclIntArray, aclDestroyIntArray>;

}  // namespace aclq
