// SPDX-License-Identifier: Apache-2.0
// Each operator called from C++, everything owned by objects. Silent, status 0, when all is well.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "acl/acl.h"
#include "aclnnop/aclnn_ascend_anti_quant.h"
#include "aclnnop/aclnn_ascend_quant.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant.h"
#include "aclnnop/aclnn_dynamic_quant_v2.h"
#include "aclnnop/aclnn_dynamic_quant_v3.h"
#include "aclnnop/aclnn_dynamic_quant_v4.h"
#include "aclnnop/aclnn_quantize.h"
#include "aclnnop/aclnn_trans_quant_param.h"
#include "aclnnop/aclnn_trans_quant_param_v2.h"
#include "aclnnop/aclnn_trans_quant_param_v3.h"
#include "cases.h"

namespace {

void check(int status, const char* what) {
    if (status != 0) {
        const char* text = aclGetRecentErrMsg();
        throw std::runtime_error(std::string(what) + ": " + std::to_string(status) + " " +
                                 (text != nullptr ? text : ""));
    }
}

class Device {
  public:
    Device() {
        check(aclInit(nullptr), "aclInit");
        check(aclrtSetDevice(0), "aclrtSetDevice");
    }
    ~Device() {
        aclrtResetDevice(0);
        aclFinalize();
    }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
};

struct DestroyStream {
    void operator()(void* stream) const { aclrtDestroyStream(stream); }
};
struct FreeMemory {
    void operator()(void* memory) const { aclrtFree(memory); }
};
struct DestroyTensor {
    void operator()(aclTensor* tensor) const { aclDestroyTensor(tensor); }
};
struct FreeWords {
    void operator()(std::uint64_t* words) const { std::free(words); }
};

using Stream = std::unique_ptr<void, DestroyStream>;
using Memory = std::unique_ptr<void, FreeMemory>;

Stream makeStream() {
    aclrtStream stream = nullptr;
    check(aclrtCreateStream(&stream), "aclrtCreateStream");
    return Stream(stream);
}

Memory allocate(std::size_t bytes) {
    void* memory = nullptr;
    check(aclrtMalloc(&memory, bytes, ACL_MEM_MALLOC_HUGE_FIRST), "aclrtMalloc");
    return Memory(memory);
}

class Tensor {
  public:
    Tensor(aclDataType dtype, const std::vector<std::int64_t>& dims) {
        bytes_ = aclDataTypeSize(dtype);
        for (const std::int64_t size : dims) {
            bytes_ *= static_cast<std::size_t>(size);
        }
        memory_ = allocate(bytes_);
        tensor_.reset(aclCreateTensor(dims.data(), dims.size(), dtype, nullptr, 0, ACL_FORMAT_ND, dims.data(),
                                      dims.size(), memory_.get()));
        if (!tensor_) {
            throw std::runtime_error("aclCreateTensor");
        }
    }

    template <class T, std::size_t count>
    Tensor(const T (&values)[count], aclDataType dtype,
           std::vector<std::int64_t> dims = {static_cast<std::int64_t>(count)})
        : Tensor(dtype, dims) {
        check(aclrtMemcpy(memory_.get(), bytes_, values, sizeof values, ACL_MEMCPY_HOST_TO_DEVICE), "aclrtMemcpy");
    }

    operator aclTensor*() const { return tensor_.get(); }

    template <class T, std::size_t count>
    void expect(const T (&values)[count], const char* what) const {
        std::vector<unsigned char> found(bytes_);
        check(aclrtMemcpy(found.data(), bytes_, memory_.get(), bytes_, ACL_MEMCPY_DEVICE_TO_HOST), "aclrtMemcpy");
        if (sizeof values != bytes_ || std::memcmp(found.data(), values, bytes_) != 0) {
            throw std::runtime_error(std::string("wrong result: ") + what);
        }
    }

  private:
    std::size_t bytes_ = 0;
    Memory memory_;
    std::unique_ptr<aclTensor, DestroyTensor> tensor_;
};

// Both phases; the workspace lives until the stream has passed the kernel.
template <class Phase1, class Phase2, class... Arguments>
void call(const Stream& stream, const char* name, Phase1 phase1, Phase2 phase2, Arguments&&... arguments) {
    std::uint64_t size = 0;
    aclOpExecutor* executor = nullptr;
    check(phase1(std::forward<Arguments>(arguments)..., &size, &executor), name);
    const Memory workspace = size > 0 ? allocate(size) : Memory();
    check(phase2(workspace.get(), size, executor, stream.get()), name);
    check(aclrtSynchronizeStream(stream.get()), name);
}

#define CALL(name, ...) call(stream, #name, name##GetWorkspaceSize, name, __VA_ARGS__)

void quantise(const Stream& stream) {
    const Tensor out(ACL_INT8, {2});
    CALL(aclnnQuantize, Tensor(kQuantizeX, ACL_FLOAT), Tensor(kQuantizeScales, ACL_FLOAT), nullptr, ACL_INT8, 0, out);
    out.expect(kQuantizeOut, "aclnnQuantize");

    const Tensor y(ACL_INT8, {4, 2});
    CALL(aclnnAscendQuant, Tensor(kAscendQuantX, ACL_FLOAT, {4, 2}), Tensor(kAscendQuantScale, ACL_FLOAT),
         Tensor(kAscendQuantOffset, ACL_FLOAT), false, "round", ACL_INT8, y);
    y.expect(kAscendQuantY, "aclnnAscendQuant");

    const Tensor y3(ACL_INT8, {3});
    CALL(aclnnAscendQuantV3, Tensor(kAscendQuantV3X, ACL_FLOAT), Tensor(kAscendQuantV3Scale, ACL_FLOAT), nullptr, false,
         "round", ACL_INT8, -1, y3);
    y3.expect(kAscendQuantV3Y, "aclnnAscendQuantV3");

    const Tensor back(ACL_FLOAT16, {4});
    CALL(aclnnAscendAntiQuant, Tensor(kAntiQuantX, ACL_INT8), Tensor(kAntiQuantScale, ACL_FLOAT),
         Tensor(kAntiQuantOffset, ACL_FLOAT), ACL_FLOAT16, false, back);
    back.expect(kAntiQuantY, "aclnnAscendAntiQuant");
}

void transQuantParam(const Stream& stream) {
    std::uint64_t* words = nullptr;
    std::uint64_t count = 0;
    check(aclnnTransQuantParam(kParamScale, 5, nullptr, 0, &words, &count), "aclnnTransQuantParam");
    const std::unique_ptr<std::uint64_t, FreeWords> owner(words);
    if (count != 16 || std::memcmp(words, kParamHost, sizeof kParamHost) != 0) {
        throw std::runtime_error("wrong result: aclnnTransQuantParam");
    }
    const Tensor scale(kParamScale, ACL_FLOAT);
    const Tensor out2(ACL_INT64, {5});
    CALL(aclnnTransQuantParamV2, scale, nullptr, out2);
    out2.expect(kParamDevice, "aclnnTransQuantParamV2");
    const Tensor out3(ACL_UINT64, {1, 5});
    CALL(aclnnTransQuantParamV3, scale, nullptr, 0, out3);
    out3.expect(kParamDevice, "aclnnTransQuantParamV3");
}

void dynamicQuant(const Stream& stream) {
    const Tensor x(kDynamicX, ACL_FLOAT16, {1, 8});
    const Tensor y(ACL_INT8, {1, 8});
    const Tensor scale(ACL_FLOAT, {1});
    const Tensor offset(ACL_FLOAT, {1});
    CALL(aclnnDynamicQuant, x, nullptr, y, scale);
    y.expect(kSymmetricY, "aclnnDynamicQuant y");
    scale.expect(kSymmetricScale, "aclnnDynamicQuant scale");
    const auto asymmetric = [&](const char* name) {
        y.expect(kAsymmetricY, name);
        scale.expect(kAsymmetricScale, name);
        offset.expect(kAsymmetricOffset, name);
        check(aclrtSynchronizeDevice(), "aclrtSynchronizeDevice");
    };
    CALL(aclnnDynamicQuantV2, x, nullptr, nullptr, ACL_INT8, y, scale, offset);
    asymmetric("aclnnDynamicQuantV2");
    CALL(aclnnDynamicQuantV3, x, nullptr, nullptr, ACL_INT8, false, "pertoken", y, scale, offset);
    asymmetric("aclnnDynamicQuantV3");
    CALL(aclnnDynamicQuantV4, x, nullptr, nullptr, ACL_INT8, false, "pertensor", 0.0F, y, scale, offset);
    asymmetric("aclnnDynamicQuantV4");
}

// The getters' arrays belong to the caller, who releases them with delete[].
void shapes() {
    const Tensor tensor(ACL_FLOAT, {2, 3});
    std::int64_t* dims = nullptr;
    std::uint64_t rank = 0;
    check(aclGetViewShape(tensor, &dims, &rank), "aclGetViewShape");
    const std::unique_ptr<std::int64_t[]> owner(dims);
    if (rank != 2 || dims[0] != 2 || dims[1] != 3) {
        throw std::runtime_error("wrong shape");
    }
}

}  // namespace

int main() {
    try {
        const Device device;
        const Stream stream = makeStream();
        quantise(stream);
        transQuantParam(stream);
        dynamicQuant(stream);
        shapes();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
