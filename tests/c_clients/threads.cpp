// SPDX-License-Identifier: Apache-2.0
// Many threads at once on the host device: private streams and a shared one, events, small and large kernels,
// copies, memory that comes and goes. Silent, status 0, when all is well. Under ThreadSanitizer it finds races.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "acl/acl.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclquant/host_device.h"

namespace {

std::atomic<bool> failed{false};

void check(int status, const char* what) {
    if (status != 0) {
        const char* text = aclGetRecentErrMsg();
        std::fprintf(stderr, "%s: %d %s\n", what, status, text != nullptr ? text : "");
        failed = true;
    }
}
#define CHECK(call) check((call), #call)

class Memory {
  public:
    explicit Memory(std::size_t bytes) { CHECK(aclrtMalloc(&pointer_, bytes, ACL_MEM_MALLOC_HUGE_FIRST)); }
    ~Memory() { CHECK(aclrtFree(pointer_)); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    void* get() const { return pointer_; }

  private:
    void* pointer_ = nullptr;
};

// Quantises `count` times `value` on the stream and looks at the result.
void quantize(aclrtStream stream, std::int64_t count, float value) {
    const auto elements = static_cast<std::size_t>(count);
    const std::vector<float> values(elements, value);
    const float one = 1.0F;
    const std::int64_t single = 1;
    const Memory x(elements * sizeof(float));
    const Memory scale(sizeof one);
    const Memory y(elements);
    CHECK(aclrtMemcpyAsync(x.get(), elements * sizeof(float), values.data(), elements * sizeof(float),
                           ACL_MEMCPY_HOST_TO_DEVICE, stream));
    CHECK(aclrtMemcpyAsync(scale.get(), sizeof one, &one, sizeof one, ACL_MEMCPY_HOST_TO_DEVICE, stream));
    aclTensor* const tensors[] = {
        aclCreateTensor(&count, 1, ACL_FLOAT, nullptr, 0, ACL_FORMAT_ND, &count, 1, x.get()),
        aclCreateTensor(&single, 1, ACL_FLOAT, nullptr, 0, ACL_FORMAT_ND, &single, 1, scale.get()),
        aclCreateTensor(&count, 1, ACL_INT8, nullptr, 0, ACL_FORMAT_ND, &count, 1, y.get()),
    };
    std::uint64_t size = 0;
    aclOpExecutor* executor = nullptr;
    CHECK(aclnnAscendQuantV3GetWorkspaceSize(tensors[0], tensors[1], nullptr, false, "round", ACL_INT8, -1, tensors[2],
                                             &size, &executor));
    const Memory workspace(size);
    CHECK(aclnnAscendQuantV3(workspace.get(), size, executor, stream));
    for (const aclTensor* tensor : tensors) {
        CHECK(aclDestroyTensor(tensor));
    }
    std::vector<signed char> found(elements);
    CHECK(aclrtMemcpyAsync(found.data(), elements, y.get(), elements, ACL_MEMCPY_DEVICE_TO_HOST, stream));
    CHECK(aclrtSynchronizeStream(stream));
    for (const signed char each : found) {
        if (static_cast<float>(each) != value) {
            std::fprintf(stderr, "%d instead of %f\n", each, static_cast<double>(value));
            failed = true;
            return;
        }
    }
}

void work(int number, aclrtStream shared, int rounds) {
    CHECK(aclrtSetDevice(0));
    for (int round = 0; round < rounds; ++round) {
        aclrtStream own = nullptr;
        aclrtEvent event = nullptr;
        CHECK(aclrtCreateStream(&own));
        CHECK(aclrtCreateEvent(&event));
        CHECK(aclquantDelayStream(own, round % 3 == 0 ? 100 : 0));
        quantize(own, 1 + number * 10 + round, static_cast<float>(number));
        quantize(own, 1 << 19, static_cast<float>(round % 100));
        quantize(shared, 100, static_cast<float>(number));
        CHECK(aclrtRecordEvent(event, shared));
        CHECK(aclrtStreamWaitEvent(own, event));
        CHECK(aclquantStallStream(own));
        const Memory filled(100'000);
        CHECK(aclrtMemsetAsync(filled.get(), 100'000, number, 100'000, own));
        CHECK(aclquantResumeStream(own));
        CHECK(aclrtSynchronizeEvent(event));
        CHECK(aclrtSynchronizeDevice());
        aclquantCounters counters;
        CHECK(aclquantGetCounters(&counters));
        CHECK(aclrtDestroyEvent(event));
        CHECK(aclrtDestroyStream(own));
    }
    CHECK(aclrtResetDevice(0));
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
    CHECK(aclInit(nullptr));
    CHECK(aclrtSetDevice(0));
    CHECK(aclquantSetThreadCount(3));
    aclrtStream shared = nullptr;
    CHECK(aclrtCreateStream(&shared));
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back(work, number, shared, rounds);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(aclrtDestroyStream(shared));
    CHECK(aclrtResetDevice(0));
    CHECK(aclFinalize());
    return failed ? 1 : 0;
}
