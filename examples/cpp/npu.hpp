// SPDX-License-Identifier: Apache-2.0
// Owners for what a program holds of CANN, and the two-phase call. Copy it and change it.
#pragma once

#include <acl/acl.h>
#include <aclnn/acl_meta.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace npu {

// A status that is not 0, with the reason the library gives.
class Error : public std::runtime_error {
  public:
    Error(int status, const char* call) : std::runtime_error(text(status, call)), status_(status) {}
    int status() const { return status_; }

  private:
    static std::string text(int status, const char* call) {
        const char* reason = aclGetRecentErrMsg();
        return std::string(call) + " failed with " + std::to_string(status) +
               (reason != nullptr ? "\n" + std::string(reason) : "");
    }
    int status_;
};

inline void check(int status, const char* call) {
    if (status != ACL_SUCCESS) {
        throw Error(status, call);
    }
}

// The library and one device, for the life of the program.
class Device {
  public:
    explicit Device(int32_t id = 0) : id_(id) {
        const aclError status = aclInit(nullptr);
        initialised_ = status == ACL_SUCCESS;
        if (status != ACL_ERROR_REPEAT_INITIALIZE) {  // by somebody else in this process, who will also finalise
            check(status, "aclInit");
        }
        try {
            check(aclrtSetDevice(id), "aclrtSetDevice");
            check(aclrtGetCurrentContext(&context_), "aclrtGetCurrentContext");
        } catch (...) {
            finalize();
            throw;
        }
    }
    ~Device() {
        aclrtResetDevice(id_);
        finalize();
    }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    // Each other thread says once that it works on this device.
    void use() const { check(aclrtSetCurrentContext(context_), "aclrtSetCurrentContext"); }

  private:
    void finalize() const {
        if (initialised_) {
            aclFinalize();
        }
    }
    int32_t id_;
    bool initialised_ = false;
    aclrtContext context_ = nullptr;
};

// Device memory.
class Buffer {
  public:
    explicit Buffer(std::size_t bytes) : bytes_(bytes) {
        void* memory = nullptr;
        check(aclrtMalloc(&memory, bytes, ACL_MEM_MALLOC_HUGE_FIRST), "aclrtMalloc");
        memory_.reset(memory);
    }
    void* get() const { return memory_.get(); }
    std::size_t bytes() const { return bytes_; }

  private:
    struct Free {
        void operator()(void* memory) const { aclrtFree(memory); }
    };
    std::unique_ptr<void, Free> memory_;
    std::size_t bytes_;
};

// Page-locked host memory: a copy from or to it does not make the caller wait.
template <typename T>
class HostArray {
  public:
    explicit HostArray(std::size_t count) : count_(count) {
        void* memory = nullptr;
        check(aclrtMallocHost(&memory, count * sizeof(T)), "aclrtMallocHost");
        memory_.reset(static_cast<T*>(memory));
    }
    T* data() { return memory_.get(); }
    const T* data() const { return memory_.get(); }
    std::size_t size() const { return count_; }
    std::size_t bytes() const { return count_ * sizeof(T); }
    T& operator[](std::size_t index) { return memory_.get()[index]; }

  private:
    struct Free {
        void operator()(T* memory) const { aclrtFreeHost(memory); }
    };
    std::unique_ptr<T, Free> memory_;
    std::size_t count_;
};

// A description of device memory; the memory is somebody else's.
class Tensor {
  public:
    Tensor(const Buffer& buffer, const std::vector<int64_t>& shape, aclDataType type)
        : tensor_(aclCreateTensor(shape.data(), shape.size(), type, nullptr, 0, ACL_FORMAT_ND, shape.data(),
                                  shape.size(), buffer.get())) {
        if (tensor_ == nullptr) {
            throw std::runtime_error("aclCreateTensor refused the shape or the type");
        }
    }
    aclTensor* get() const { return tensor_.get(); }

  private:
    struct Destroy {
        void operator()(aclTensor* tensor) const { aclDestroyTensor(tensor); }
    };
    std::unique_ptr<aclTensor, Destroy> tensor_;
};

// A stream, and the scratch memory of its operators, which run one after the other and so can share it.
class Stream {
  public:
    Stream() {
        aclrtStream stream = nullptr;
        check(aclrtCreateStream(&stream), "aclrtCreateStream");
        stream_.reset(stream);
    }
    ~Stream() { aclrtSynchronizeStream(stream_.get()); }  // work may still use the scratch memory
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    template <typename T>
    void upload(const Buffer& to, const HostArray<T>& from) {
        check(
            aclrtMemcpyAsync(to.get(), to.bytes(), from.data(), from.bytes(), ACL_MEMCPY_HOST_TO_DEVICE, stream_.get()),
            "aclrtMemcpyAsync");
    }
    template <typename T>
    void download(HostArray<T>& to, const Buffer& from) {
        check(
            aclrtMemcpyAsync(to.data(), to.bytes(), from.get(), from.bytes(), ACL_MEMCPY_DEVICE_TO_HOST, stream_.get()),
            "aclrtMemcpyAsync");
    }

    // launch("aclnnX", aclnnXGetWorkspaceSize, aclnnX, arguments of phase 1 without its last two)
    template <typename Phase1, typename Phase2, typename... Arguments>
    void launch(const char* name, Phase1 phase1, Phase2 phase2, Arguments... arguments) {
        uint64_t bytes = 0;
        aclOpExecutor* executor = nullptr;
        check(phase1(arguments..., &bytes, &executor), name);
        check(phase2(scratch(bytes), bytes, executor, stream_.get()), name);  // uses up the executor
    }

    void synchronize() { check(aclrtSynchronizeStream(stream_.get()), "aclrtSynchronizeStream"); }

  private:
    struct Destroy {
        void operator()(void* stream) const { aclrtDestroyStream(stream); }
    };

    void* scratch(uint64_t bytes) {
        if (bytes == 0) {
            return nullptr;
        }
        if (scratch_ == nullptr || scratch_->bytes() < bytes) {
            synchronize();
            scratch_ = std::make_unique<Buffer>(bytes);
        }
        return scratch_->get();
    }

    std::unique_ptr<void, Destroy> stream_;
    std::unique_ptr<Buffer> scratch_;
};

}  // namespace npu
