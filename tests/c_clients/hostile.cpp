// SPDX-License-Identifier: Apache-2.0
// What unlucky programs do, many times over. Silent, status 0, when all is well.
//   hostile settings|unregister|fork|threads|starved|lateshape|graphs [rounds]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "acl/acl.h"
#include "aclnnop/aclnn_ascend_quant_v3.h"
#include "aclnnop/aclnn_nonzero.h"
#include "aclquant/host_device.h"

namespace {

std::atomic<bool> failed{false};

bool check(int status, const char* what, int expected = 0) {
    if (status != expected) {
        const char* text = aclGetRecentErrMsg();
        std::fprintf(stderr, "%s: %d %s\n", what, status, text != nullptr ? text : "");
        failed = true;
    }
    return status == expected;
}
#define CHECK(call) check((call), #call)
#define CHECK_IS(code, call) check((call), #call, code)

// A stream, and memory to quantise on it.
struct Job {
    static constexpr std::int64_t kCount = 1 << 16;
    aclrtStream stream = nullptr;
    void* x = nullptr;
    void* scale = nullptr;
    void* y = nullptr;

    Job() {
        CHECK(aclrtCreateStream(&stream));
        CHECK(aclrtMalloc(&x, kCount * sizeof(float), ACL_MEM_MALLOC_HUGE_FIRST));
        CHECK(aclrtMalloc(&scale, sizeof(float), ACL_MEM_MALLOC_HUGE_FIRST));
        CHECK(aclrtMalloc(&y, kCount, ACL_MEM_MALLOC_HUGE_FIRST));
        const std::vector<float> values(kCount, 3.0F);
        const float one = 1.0F;
        CHECK(aclrtMemcpy(x, kCount * sizeof(float), values.data(), kCount * sizeof(float), ACL_MEMCPY_HOST_TO_DEVICE));
        CHECK(aclrtMemcpy(scale, sizeof one, &one, sizeof one, ACL_MEMCPY_HOST_TO_DEVICE));
    }
    ~Job() {
        CHECK(aclrtFree(x));
        CHECK(aclrtFree(scale));
        CHECK(aclrtFree(y));
        CHECK(aclrtDestroyStream(stream));
    }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    int launch(void* from) const {
        const std::int64_t count = kCount;
        const std::int64_t single = 1;
        aclTensor* const tensors[] = {
            aclCreateTensor(&count, 1, ACL_FLOAT, nullptr, 0, ACL_FORMAT_ND, &count, 1, from),
            aclCreateTensor(&single, 1, ACL_FLOAT, nullptr, 0, ACL_FORMAT_ND, &single, 1, scale),
            aclCreateTensor(&count, 1, ACL_INT8, nullptr, 0, ACL_FORMAT_ND, &count, 1, y)};
        std::uint64_t size = 0;
        aclOpExecutor* executor = nullptr;
        int status = aclnnAscendQuantV3GetWorkspaceSize(tensors[0], tensors[1], nullptr, false, "round", ACL_INT8, -1,
                                                        tensors[2], &size, &executor);
        if (status == 0) {
            status = aclnnAscendQuantV3(nullptr, 0, executor, stream);
        }
        for (const aclTensor* tensor : tensors) {
            CHECK(aclDestroyTensor(tensor));
        }
        return status;
    }
    void verify() const {
        signed char last = 0;
        CHECK(aclrtMemcpy(&last, 1, static_cast<char*>(y) + kCount - 1, 1, ACL_MEMCPY_DEVICE_TO_HOST));
        if (last != 3) {
            std::fprintf(stderr, "%d instead of 3\n", last);
            failed = true;
        }
    }
};

// R10: settings change in one thread while others allocate, prepare and run.
void settings(int rounds) {
    std::atomic<bool> over{false};
    std::thread changing([&] {
        for (std::uint64_t round = 0; !over; ++round) {
            CHECK(aclquantSetWorkspaceSize(round % 2 * 1024));
            CHECK(aclquantSetPoison(static_cast<int>(round % 2)));
            CHECK(aclquantSetMemoryMode(round % 3 == 0 ? "plain" : round % 3 == 1 ? "guarded" : "strict"));
            CHECK(aclquantSetMemoryLimit((1ULL << 33) + round));
            CHECK(aclquantSetStrictSoc(static_cast<int>(round % 2)));
            CHECK(aclquantSetThreadCount(1 + static_cast<std::uint32_t>(round % 3)));
            CHECK_IS(207000, aclquantSetSocName("Ascend310P3"));
            aclGetRecentErrMsg();
        }
    });
    std::thread asking([&] {
        CHECK(aclrtSetDevice(0));
        while (!over) {
            std::size_t free = 0;
            std::size_t total = 0;
            aclCANNPackageVersion version;
            std::uint32_t count = 0;
            CHECK(aclrtGetMemInfo(ACL_HBM_MEM, &free, &total));
            CHECK(aclsysGetCANNVersion(ACL_PKG_NAME_CANN, &version));
            CHECK(aclrtGetDeviceCount(&count));
            if (std::strcmp(aclrtGetSocName(), "Ascend910B1") != 0) {
                failed = true;
            }
        }
        CHECK(aclrtResetDevice(0));
    });
    for (int round = 0; round < rounds; ++round) {
        const Job job;
        const int status = job.launch(job.x);
        if (status != 0 && status != 161002) {  // strict, with a workspace asked for
            check(status, "launch");
        }
        aclGetRecentErrMsg();
        CHECK(aclrtSynchronizeStream(job.stream));
    }
    over = true;
    changing.join();
    asking.join();
}

// R2: memory is unregistered, and used for something else at once, while kernels work on it.
void unregister(int rounds) {
    const Job job;
    const std::size_t bytes = Job::kCount * sizeof(float);
    for (int round = 0; round < rounds; ++round) {
        auto* host = static_cast<float*>(std::aligned_alloc(4096, bytes));
        void* seen = nullptr;
        for (std::int64_t index = 0; index < Job::kCount; ++index) {
            host[index] = 3.0F;
        }
        CHECK(aclrtHostRegister(host, bytes, ACL_HOST_REGISTER_MAPPED, &seen));
        CHECK(aclquantDelayStream(job.stream, static_cast<std::uint64_t>(round % 4) * 50));
        CHECK(job.launch(seen));
        CHECK(aclrtMemsetAsync(seen, bytes, 1, bytes, job.stream));  // writes
        if (round % 2 == 0) {
            usleep(static_cast<unsigned>(round % 7) * 30);
        }
        CHECK(aclrtHostUnregister(host));
        CHECK_IS(ACL_ERROR_HOST_MEMORY_NOT_REGISTERED, aclrtHostUnregister(host));
        aclGetRecentErrMsg();
        std::free(host);
        const int status = aclrtSynchronizeStream(job.stream);
        if (status != 0 && status != 507015) {  // 507015: unregistered before its turn came
            check(status, "aclrtSynchronizeStream");
        }
        aclGetRecentErrMsg();
    }
}

// Forks while other threads are anywhere in the library; the child works with its own device.
void forks(int rounds) {
    std::atomic<bool> over{false};
    std::vector<std::thread> busy;
    for (int number = 0; number < 3; ++number) {
        busy.emplace_back([&] {
            CHECK(aclrtSetDevice(0));
            while (!over) {
                const Job job;
                CHECK(job.launch(job.x));
                CHECK(aclrtSynchronizeStream(job.stream));
                aclrtSetDevice(99);
                aclGetRecentErrMsg();
            }
            CHECK(aclrtResetDevice(0));
        });
    }
    for (int round = 0; round < rounds; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(20);
            CHECK(aclrtSetDevice(0));
            {
                const Job job;
                CHECK(job.launch(job.x));
                CHECK(aclrtSynchronizeStream(job.stream));
                job.verify();
            }
            _exit(failed ? 1 : 0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status != 0) {
            std::fprintf(stderr, "the child ended with 0x%x\n", static_cast<unsigned>(status));
            failed = true;
        }
    }
    over = true;
    for (std::thread& thread : busy) {
        thread.join();
    }
}

// Threads come and go by the thousand, each with calls, messages, a stream and work.
void threads(int rounds) {
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::thread> some;
        for (int number = 0; number < 20; ++number) {
            some.emplace_back([=] {
                CHECK(aclrtSetDevice(0));
                CHECK_IS(107001, aclrtSetDevice(99));
                if (number % 4 == 0) {
                    const Job job;
                    CHECK(aclquantDelayStream(job.stream, 1));  // in a worker
                    CHECK(job.launch(job.x));
                    CHECK(aclrtSynchronizeStream(job.stream));
                    job.verify();
                }
                CHECK(aclrtResetDevice(0));
            });
        }
        for (std::thread& thread : some) {
            thread.join();
        }
    }
}

// No thread to be had: calls fail and change nothing, or do the work themselves. (R6)
void starved(int) {
    const Job job;
    aclrtEvent event = nullptr;
    aclrtEvent never = nullptr;
    aclrtStream other = nullptr;
    CHECK(aclrtCreateEventWithFlag(&event, ACL_EVENT_SYNC));
    CHECK(aclrtCreateEventExWithFlag(&never, ACL_EVENT_SYNC));
    CHECK(aclrtCreateStream(&other));
    rlimit before{};
    getrlimit(RLIMIT_NPROC, &before);
    rlimit none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NPROC, &none);
    rlimit address{};
    getrlimit(RLIMIT_AS, &address);
    rlimit little = address;
    little.rlim_cur = 1;  // for root, whom the number of processes does not bind: no stack can be mapped
    setrlimit(RLIMIT_AS, &little);
    CHECK(aclquantStallStream(job.stream));
    const int refused = aclrtRecordEvent(event, job.stream);
    const int alsoRefused = aclrtRecordEvent(never, job.stream);
    CHECK(aclquantResumeStream(job.stream));
    const int launched = aclrtMemsetAsync(job.x, 1 << 18, 0x40, 1 << 18, job.stream);
    setrlimit(RLIMIT_AS, &address);
    setrlimit(RLIMIT_NPROC, &before);
    check(refused, "aclrtRecordEvent", 207005);
    check(alsoRefused, "aclrtRecordEvent", 207005);
    check(launched, "aclrtMemsetAsync");
    // The events are what they were: nothing was recorded, so no thread waits.
    aclrtEventRecordedStatus status = ACL_EVENT_RECORDED_STATUS_COMPLETE;
    CHECK(aclrtQueryEventStatus(event, &status));
    if (status != ACL_EVENT_RECORDED_STATUS_NOT_READY) {
        std::fprintf(stderr, "the refused event counts as recorded\n");
        failed = true;
    }
    CHECK(aclrtSynchronizeEventWithTimeout(never, 1000));
    CHECK(aclrtStreamWaitEvent(other, event));
    CHECK(aclrtStreamWaitEvent(other, never));
    CHECK(aclrtSynchronizeStreamWithTimeout(other, 1000));
    CHECK(aclrtRecordEvent(event, job.stream));
    CHECK(aclrtSynchronizeEventWithTimeout(event, 10000));
    CHECK(aclrtDestroyStream(other));
    CHECK(aclrtDestroyEvent(event));
    CHECK(aclrtDestroyEvent(never));
}

// R9: the client destroys outputs whose shape is still to come, and makes others in their place.
void lateShape(int rounds) {
    const Job job;
    const std::int64_t count = 64;
    const std::int64_t places[] = {64, 1};
    void* out = nullptr;
    CHECK(aclrtMalloc(&out, 64 * 8, ACL_MEM_MALLOC_HUGE_FIRST));
    for (int round = 0; round < rounds; ++round) {
        CHECK(aclquantDelayStream(job.stream, static_cast<std::uint64_t>(round % 3) * 100));
        aclTensor* self = aclCreateTensor(&count, 1, ACL_FLOAT, nullptr, 0, ACL_FORMAT_ND, &count, 1, job.x);
        aclTensor* found = aclCreateTensor(places, 2, ACL_INT64, nullptr, 0, ACL_FORMAT_ND, places, 2, out);
        std::uint64_t size = 0;
        aclOpExecutor* executor = nullptr;
        CHECK(aclnnNonzeroGetWorkspaceSize(self, found, &size, &executor));
        CHECK(aclnnNonzero(nullptr, 0, executor, job.stream));
        CHECK(aclDestroyTensor(self));
        CHECK(aclDestroyTensor(found));
        std::vector<aclTensor*> others;
        const std::int64_t shape[] = {2, 3, 5};
        for (int number = 0; number < 70; ++number) {
            others.push_back(aclCreateTensor(shape, 3, ACL_INT8, nullptr, 0, ACL_FORMAT_ND, shape, 3, out));
        }
        CHECK(aclrtSynchronizeStream(job.stream));
        for (const aclTensor* other : others) {
            std::int64_t* dims = nullptr;
            std::uint64_t rank = 0;
            CHECK(aclGetViewShape(other, &dims, &rank));
            if (rank != 3 || dims[0] != 2 || dims[2] != 5) {
                std::fprintf(stderr, "another tensor has got the shape\n");
                failed = true;
            }
            delete[] dims;
            CHECK(aclDestroyTensor(other));
        }
    }
    CHECK(aclrtFree(out));
}

// Threads capture, replay and update graphs at the same time, one of which all of them replay.
void graphs(int rounds) {
    const Job shared;
    aclmdlRI graph = nullptr;
    CHECK(aclmdlRICaptureBegin(shared.stream, ACL_MODEL_RI_CAPTURE_MODE_THREAD_LOCAL));
    CHECK(shared.launch(shared.x));
    CHECK(aclmdlRICaptureEnd(shared.stream, &graph));
    std::vector<std::thread> some;
    for (int number = 0; number < 3; ++number) {
        some.emplace_back([&] {
            CHECK(aclrtSetDevice(0));
            {
                const Job job;
                for (int round = 0; round < rounds; ++round) {
                    aclmdlRI own = nullptr;
                    aclrtTaskGrp group = nullptr;
                    CHECK(aclmdlRICaptureBegin(job.stream, ACL_MODEL_RI_CAPTURE_MODE_THREAD_LOCAL));
                    CHECK(aclmdlRICaptureTaskGrpBegin(job.stream));
                    CHECK(job.launch(job.x));
                    CHECK(aclmdlRICaptureTaskGrpEnd(job.stream, &group));
                    CHECK(aclmdlRICaptureEnd(job.stream, &own));
                    CHECK(aclquantDelayStream(job.stream, static_cast<std::uint64_t>(round % 3) * 20));
                    CHECK(aclmdlRIExecuteAsync(own, job.stream));
                    CHECK(aclmdlRIExecuteAsync(graph, job.stream));
                    CHECK(aclmdlRICaptureTaskUpdateBegin(job.stream, group));
                    CHECK(job.launch(shared.x));
                    CHECK(aclmdlRICaptureTaskUpdateEnd(job.stream));
                    CHECK(aclmdlRIExecuteAsync(own, job.stream));
                    CHECK(aclrtSynchronizeStream(job.stream));
                    CHECK(aclmdlRIDestroy(own));
                    job.verify();
                }
            }
            CHECK(aclrtResetDevice(0));
        });
    }
    for (std::thread& thread : some) {
        thread.join();
    }
    shared.verify();
    CHECK(aclmdlRIDestroy(graph));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 20;
    CHECK(aclInit(nullptr));
    CHECK(aclrtSetDevice(0));
    what == "settings"     ? settings(rounds)
    : what == "unregister" ? unregister(rounds)
    : what == "fork"       ? forks(rounds)
    : what == "threads"    ? threads(rounds)
    : what == "starved"    ? starved(rounds)
    : what == "lateshape"  ? lateShape(rounds)
    : what == "graphs"     ? graphs(rounds)
                           : void(failed = true);
    CHECK(aclrtResetDevice(0));
    CHECK(aclFinalize());
    return failed ? 1 : 0;
}
