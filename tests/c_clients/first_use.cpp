// SPDX-License-Identifier: Apache-2.0
// A thread is stopped in the middle of what the library does once: where it reads a variable. A child forked at this
// moment must do everything itself. Silent, status 0, when it does.
//   first_use VARIABLE
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "acl/acl.h"
#include "aclnnop/aclnn_mm.h"
#include "aclquant/host_device.h"

namespace {

std::string stopped;
std::atomic<int> stage{0};  // 1: a thread is in the middle; 2: it may go on

int use(const char* what, int status) {
    if (status != 0) {
        const char* text = aclGetRecentErrMsg();
        std::fprintf(stderr, "%s: %d %s\n", what, status, text != nullptr ? text : "");
    }
    return status;
}
#define RETURN_IF_FAILED(call)   \
    if (use(#call, call) != 0) { \
        return false;            \
    }

bool compute() {
    RETURN_IF_FAILED(aclquantGetThreadCount() == 0)
    const std::string isas = aclquantListIsas();
    if (isas.find(aclquantGetIsa()) == std::string::npos) {
        std::fprintf(stderr, "%s is not among %s\n", aclquantGetIsa(), isas.c_str());
        return false;
    }
    RETURN_IF_FAILED(aclInit(nullptr))
    RETURN_IF_FAILED(aclrtSetDevice(0))
    constexpr std::int64_t shape[] = {2, 2};
    constexpr std::int64_t strides[] = {2, 1};
    const float ones[] = {1, 1, 1, 1};
    void* memory = nullptr;
    RETURN_IF_FAILED(aclrtMalloc(&memory, 2 * sizeof ones, ACL_MEM_MALLOC_HUGE_FIRST))
    void* const product = static_cast<char*>(memory) + sizeof ones;
    RETURN_IF_FAILED(aclrtMemcpy(memory, sizeof ones, ones, sizeof ones, ACL_MEMCPY_HOST_TO_DEVICE))
    aclTensor* x = aclCreateTensor(shape, 2, ACL_FLOAT, strides, 0, ACL_FORMAT_ND, shape, 2, memory);
    aclTensor* out = aclCreateTensor(shape, 2, ACL_FLOAT, strides, 0, ACL_FORMAT_ND, shape, 2, product);
    std::uint64_t size = 0;
    aclOpExecutor* executor = nullptr;
    RETURN_IF_FAILED(aclnnMmGetWorkspaceSize(x, x, out, 0, &size, &executor))
    void* workspace = nullptr;
    RETURN_IF_FAILED(aclrtMalloc(&workspace, size + 1, ACL_MEM_MALLOC_HUGE_FIRST))
    RETURN_IF_FAILED(aclnnMm(workspace, size, executor, nullptr))
    RETURN_IF_FAILED(aclrtSynchronizeStream(nullptr))
    float results[4] = {};
    RETURN_IF_FAILED(aclrtMemcpy(results, sizeof results, product, sizeof results, ACL_MEMCPY_DEVICE_TO_HOST))
    aclDestroyTensor(x);
    aclDestroyTensor(out);
    return results[0] == 2 && results[1] == 2 && results[2] == 2 && results[3] == 2;
}

}  // namespace

// In place of the C library's, for the host device as well.
extern "C" char* getenv(const char* name) noexcept {
    static const auto next = reinterpret_cast<char* (*)(const char*)>(dlsym(RTLD_NEXT, "getenv"));
    if (stopped == name) {
        int before = 0;
        if (stage.compare_exchange_strong(before, 1)) {
            while (stage != 2) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        }
    }
    return next(name);
}

int main(int count, char** arguments) {
    getenv("HOME");  // looks up the C library's
    stopped = count > 1 ? arguments[1] : "";
    std::atomic<bool> right{false};
    std::thread first([&] { right = compute(); });
    for (int wait = 0; stage != 1; ++wait) {
        if (wait == 10000) {
            std::fprintf(stderr, "nothing reads %s\n", stopped.c_str());
            std::_Exit(1);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const pid_t child = fork();
    if (child == 0) {
        alarm(10);  // instead of hanging
        _exit(compute() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    stage = 2;
    first.join();
    if (status != 0) {
        std::fprintf(stderr, "the child ended with 0x%x\n", static_cast<unsigned>(status));
    }
    return status == 0 && right ? 0 : 1;
}
