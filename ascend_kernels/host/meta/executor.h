// SPDX-License-Identifier: Apache-2.0
// Phase 1 passes this to phase 2: the work, the tensors it touches, and the size of its workspace.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "aclnn/aclnn_base.h"
#include "meta/tensor.h"

namespace aclq {

constexpr std::int64_t kMaxKernelRank = 8;

// A tensor as a kernel sees it: addresses resolved, strides in elements.
struct View {
    aclDataType dtype = ACL_DT_UNDEFINED;
    std::int64_t rank = 0;
    std::int64_t shape[kMaxKernelRank] = {};
    std::int64_t strides[kMaxKernelRank] = {};
    std::int64_t offset = 0;
    unsigned char* data = nullptr;  // element 0 of the storage

    bool present = false;  // false: the argument was left out
    std::int64_t elements() const;
};

// The bytes a view touches, counted from element 0 of its storage.
struct Extend {
    std::int64_t first = 0;
    std::uint64_t size = 0;       // 0: none
    std::uint64_t alignment = 1;  // of its address
};
Extend extendOf(const View& view);

// How the stream a kernel runs on treats overflow.
struct KernelContext {
    bool saturate = false;
};

// The work of one operator with its attributes. Shared by the executor and the tasks it put on streams.
class Kernel {
  public:
    virtual ~Kernel() = default;
    // `tensors` in the order phase 1 named them.
    virtual void run(const View* tensors, const KernelContext& context) const = 0;
};

// Whether phase 2 demands the whole workspace that phase 1 requested.
enum class WorkspaceRule { Any, Whole };

// Number of tensors that a launch holds without allocating; operators on lists may have more.
constexpr std::size_t kFewArguments = 32;

}  // namespace aclq

struct aclOpExecutor {
    struct Argument {
        const char* name;
        const aclTensor* tensor;  // null: left out
        aclq::View view;          // as phase 1 saw it
        aclq::Extend extend;
        bool mustBeContiguous;  // refused when phase 2 fills in addresses
    };

    const char* operation = "";
    std::vector<Argument> arguments;
    std::shared_ptr<const aclq::Kernel> kernel;  // null: nothing to do
    std::uint64_t workspaceSize = 0;
    bool repeatable = false;
};

namespace aclq {

// Phase 2 of every operator.
aclnnStatus runExecutor(const char* operation, void* workspace, std::uint64_t workspaceSize, aclOpExecutor* executor,
                        aclrtStream stream, WorkspaceRule rule = WorkspaceRule::Any) noexcept;

}  // namespace aclq
