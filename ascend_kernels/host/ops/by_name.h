// SPDX-License-Identifier: Apache-2.0
// Operators called by their names, the way before aclnn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "acl/acl_rt.h"

namespace aclq {

// Contiguous; on the host only until the call returns.
struct NamedTensor {
    aclDataType dtype;
    std::vector<std::int64_t> dims;
    bool onHost;
    void* data;
    std::size_t size;  // bytes
};

struct NamedCall {
    std::vector<NamedTensor> inputs;
    std::vector<NamedTensor> outputs;  // an operator that finds out the shape of its result leaves it here
    std::map<std::string, bool> flags;
    std::map<std::string, std::vector<std::int64_t>> integers;
    std::map<std::string, float> floats;
    bool tellsShapes;  // the caller looks at the outputs' shapes afterwards
    aclrtStream stream;
};

// Refuses names that the table does not have.
aclError checkName(const char* opType);
// Puts the operator on the stream.
aclError runByName(const char* opType, NamedCall& call);

}  // namespace aclq
