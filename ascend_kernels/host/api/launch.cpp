// SPDX-License-Identifier: Apache-2.0
// Prepared launches (include/aclquant/launch.h). All calls go through the functions in the record. In addition the host
// device's streams learn that the caller will wait at once; other devices are not affected.
#include "aclquant/launch.h"

#include <sched.h>

#include <cstdint>

#include "runtime/stream.h"

namespace {

struct Span {
    std::uintptr_t begin;
    std::uintptr_t end;
};

// An output may not share memory with any other tensor: rows are written while others are still read.
bool overlaps(const aclquantLaunch& launch, void* const* addresses) {
    for (std::uint64_t written = 0; written < launch.count; ++written) {
        if (launch.tensors[written].output == 0) {
            continue;
        }
        const auto begin = reinterpret_cast<std::uintptr_t>(addresses[written]);
        const Span output{begin, begin + launch.tensors[written].size};
        for (std::uint64_t other = 0; other < launch.count; ++other) {
            const auto at = reinterpret_cast<std::uintptr_t>(addresses[other]);
            if (other != written && at < output.end && output.begin < at + launch.tensors[other].size) {
                return true;
            }
        }
    }
    return false;
}

int run(aclquantLaunch& launch, void* const* addresses) {
    for (std::uint64_t index = 0; index < launch.count; ++index) {
        aclquantLaunchTensor& tensor = launch.tensors[index];
        if (tensor.address == addresses[index]) {
            continue;
        }
        if (const int status = launch.setAddress(launch.executor, index, tensor.tensor, addresses[index]);
            status != 0) {
            return status;
        }
        tensor.address = addresses[index];
    }
    const aclq::WaitsAtOnce waits(launch.wait != nullptr ? launch.stream : nullptr);
    const int status = launch.phaseTwo(launch.workspace, launch.workspaceSize, launch.executor, launch.stream);
    return status == 0 && launch.wait != nullptr ? launch.wait(launch.stream) : status;
}

// Locks a record, one launch at a time.
class Turn {
  public:
    explicit Turn(aclquantLaunch& launch) : busy_(launch.busy) {
        while (__atomic_exchange_n(&busy_, 1, __ATOMIC_ACQUIRE) != 0) {
            sched_yield();
        }
    }
    ~Turn() { __atomic_store_n(&busy_, 0, __ATOMIC_RELEASE); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    int32_t& busy_;
};

}  // namespace

int32_t aclquantRunLaunch(aclquantLaunch* launch, void* a0, void* a1, void* a2, void* a3, void* a4, void* a5, void* a6,
                          void* a7) {
    constexpr std::uint64_t kMost = sizeof launch->tensors / sizeof launch->tensors[0];
    if (launch == nullptr || launch->count > kMost) {
        return ACL_ERROR_INVALID_PARAM;
    }
    const Turn turn(*launch);
    if (launch->executor == nullptr) {
        return ACLQUANT_LAUNCH_ENDED;
    }
    void* const addresses[] = {a0, a1, a2, a3, a4, a5, a6, a7};
    aclquantRange ranges[kMost];
    for (std::uint64_t index = 0; index < launch->count; ++index) {
        const aclquantLaunchTensor& tensor = launch->tensors[index];
        if (reinterpret_cast<std::uintptr_t>(addresses[index]) % tensor.alignment != 0) {
            return ACLQUANT_LAUNCH_UNALIGNED;
        }
        ranges[index] = {addresses[index], tensor.size};
    }
    if (overlaps(*launch, addresses)) {
        return ACLQUANT_LAUNCH_OVERLAP;
    }
    if (launch->lend == nullptr) {
        return run(*launch, addresses);
    }
    if (const int status = launch->lend(ranges, launch->count); status != 0) {
        return status;
    }
    const int status = run(*launch, addresses);
    // Lent memory is returned only when nothing can touch it any more.
    if (status != 0) {
        launch->wait(launch->stream);
    }
    launch->takeBack(ranges, launch->count);
    return status;
}

aclError aclquantEndLaunch(aclquantLaunch* launch) {
    if (launch == nullptr) {
        return ACL_ERROR_INVALID_PARAM;
    }
    const Turn turn(*launch);
    launch->executor = nullptr;
    return ACL_SUCCESS;
}
