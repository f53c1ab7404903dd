// SPDX-License-Identifier: Apache-2.0
#include "device_time.h"

#include <unistd.h>

#include <deque>
#include <mutex>
#include <vector>

#include "session.h"
#include "write.h"

namespace aclq::trace {
namespace {

struct Launch {
    std::uint64_t number;
    std::uint64_t stream;
    aclrtEvent begin, end;
    bool complete = false;  // both events are on the stream
};

struct Times {
    std::mutex mutex;
    std::deque<Launch> launches;  // in the order of their calls
};

Times& times() {
    static Times* const made = new Times;
    return *made;
}

aclrtEvent newEvent() {
    const auto create = ACLQ_REAL(aclrtCreateEventWithFlag);
    aclrtEvent event = nullptr;
    return create != nullptr && create(&event, ACL_EVENT_TIME_LINE) == 0 ? event : nullptr;
}

void destroy(const Launch& launch) {
    const auto destroyEvent = ACLQ_REAL(aclrtDestroyEvent);
    for (aclrtEvent const event : {launch.begin, launch.end}) {
        if (event != nullptr && destroyEvent != nullptr) {
            destroyEvent(event);
        }
    }
}

void write(const Launch& launch) {
    const auto get = ACLQ_REAL(aclrtEventGetTimestamp);
    std::uint64_t begin = 0, end = 0;
    if (get == nullptr || get(launch.begin, &begin) != 0 || get(launch.end, &end) != 0) {
        return;
    }
    std::string line = "{\"execution\":";
    appendNumber(line, launch.number);
    line += ",\"pid\":";
    appendNumber(line, static_cast<std::int64_t>(getpid()));
    line += ",\"stream\":\"";
    appendHex(line, launch.stream);
    line += "\",\"begin\":";
    appendNumber(line, begin);
    line += ",\"end\":";
    appendNumber(line, end);
    line += "}\n";
    writeToTimedSessions(line);
}

}  // namespace

int beginDeviceTime(const Call& call) {
    const std::uint64_t stream = call.values[call.function.stream];
    const auto record = ACLQ_REAL(aclrtRecordEvent);
    if (record == nullptr || isCapturing(stream)) {
        return -1;
    }
    Launch launch{call.number, stream, newEvent(), newEvent()};
    if (launch.begin == nullptr || launch.end == nullptr ||
        record(launch.begin, reinterpret_cast<aclrtStream>(stream)) != 0) {
        destroy(launch);
        takeErrorText();
        return -1;
    }
    const std::lock_guard lock(times().mutex);
    times().launches.push_back(launch);
    return 0;
}

void endDeviceTime(const Call& call) {
    const auto record = ACLQ_REAL(aclrtRecordEvent);
    const std::lock_guard lock(times().mutex);
    for (auto launch = times().launches.rbegin(); launch != times().launches.rend(); ++launch) {
        if (launch->number == call.number) {
            if (!call.failed() && record(launch->end, reinterpret_cast<aclrtStream>(launch->stream)) == 0) {
                launch->complete = true;
            } else {
                destroy(*launch);
                times().launches.erase(std::next(launch).base());
            }
            return;
        }
    }
}

void drainDeviceTimes(bool all) {
    const auto query = ACLQ_REAL(aclrtQueryEventStatus);
    const auto wait = ACLQ_REAL(aclrtSynchronizeEvent);
    constexpr std::size_t kLook = 16;  // asking costs: not after each call
    const std::lock_guard lock(times().mutex);
    auto& launches = times().launches;
    if (query == nullptr || launches.empty() || (!all && launches.size() < kLook)) {
        return;
    }
    for (auto launch = launches.begin(); launch != launches.end();) {
        aclrtEventRecordedStatus status{};
        if (!launch->complete) {
            ++launch;
            continue;
        }
        if (all) {
            wait(launch->end);
        } else if (query(launch->end, &status) != 0 || status != ACL_EVENT_RECORDED_STATUS_COMPLETE) {
            ++launch;
            continue;
        }
        write(*launch);
        destroy(*launch);
        launch = launches.erase(launch);
    }
}

}  // namespace aclq::trace
