// SPDX-License-Identifier: Apache-2.0
// Events.
#include "acl/acl_rt.h"
#include "runtime/device.h"
#include "runtime/event.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

constexpr uint32_t kPlainFlags = ACL_EVENT_SYNC | ACL_EVENT_TIME_LINE;
constexpr uint32_t kKnownFlags = ACL_EVENT_SYNC | ACL_EVENT_CAPTURE_STREAM_PROGRESS | ACL_EVENT_TIME_LINE |
                                 ACL_EVENT_DEVICE_USE_ONLY | ACL_EVENT_EXTERNAL | ACL_EVENT_IPC;

aclError makeEvent(aclrtEvent* event, uint32_t flags, bool recordableAgain) {
    ACLQ_RETURN_IF_FAILED(requireOut(event, "event"));
    if (flags == 0 || (flags & ~kKnownFlags) != 0) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "flag", text("0x%x", flags),
                            text("a combination of the ACL_EVENT_ flags, 0x%x", kKnownFlags));
    }
    if ((flags & ACL_EVENT_EXTERNAL) != 0 && (flags != ACL_EVENT_EXTERNAL || recordableAgain)) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, "flag", text("0x%x", flags),
                            "ACL_EVENT_EXTERNAL alone, with aclrtCreateEventWithFlag");
    }
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    *event = runtime().events.create(runtime().nextEventId++, flags, recordableAgain);
    return ACL_SUCCESS;
}

aclError queueWait(aclrtStream stream, aclrtEvent event, int64_t timeoutMs) {
    Event* found = nullptr;
    ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
    Stream* waiting = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(stream, waiting));
    if ((found->flags & ACL_EVENT_SYNC) == 0 && !found->external()) {
        return fail(
            ACL_ERROR_RT_PARAM_INVALID,
            "argument 'event': got an event without the flag ACL_EVENT_SYNC; allowed: one that streams can wait for");
    }
    return found->makeWait(*waiting, timeoutMs);
}

// Writes the status of an event. `instead`: what to do with an event that can be recorded again, for functions that do
// not take one; null for others.
template <class Status, class Find>
aclError query(aclrtEvent event, Status* status, const char* instead, Find&& find) {
    ACLQ_RETURN_IF_FAILED(requireOut(status, "status"));
    Event* found = nullptr;
    ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
    if (instead != nullptr && found->recordableAgain) {
        return fail(ACL_ERROR_RT_PARAM_INVALID,
                    text("argument 'event': got an event of aclrtCreateEventExWithFlag; %s", instead));
    }
    ACLQ_RETURN_IF_FAILED(found->refuseWhileCaptured("be complete"));
    *status = find(*found);
    return ACL_SUCCESS;
}

// The recording whose time is queried.
aclError timed(aclrtEvent event, std::shared_ptr<Recording>& recording) {
    Event* found = nullptr;
    ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
    ACLQ_RETURN_IF_FAILED(found->refuseWhileCaptured("have a time"));
    recording = found->latest();
    if ((found->flags & ACL_EVENT_TIME_LINE) == 0 || !recording || !recording->done()) {
        return fail(ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID,
                    "the event has no time: it lacks the flag ACL_EVENT_TIME_LINE, or it is not recorded and complete");
    }
    return ACL_SUCCESS;
}

}  // namespace

aclError aclrtCreateEvent(aclrtEvent* event) {
    return aclApi(__func__, [&] { return makeEvent(event, kPlainFlags, false); });
}

aclError aclrtCreateEventWithFlag(aclrtEvent* event, uint32_t flag) {
    return aclApi(__func__, [&] { return makeEvent(event, flag, false); });
}

aclError aclrtCreateEventExWithFlag(aclrtEvent* event, uint32_t flag) {
    return aclApi(__func__, [&] { return makeEvent(event, flag, true); });
}

aclError aclrtDestroyEvent(aclrtEvent event) {
    return aclApi(__func__, [&]() -> aclError {
        Event* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
        return runtime().events.destroy(found)
                   ? ACL_SUCCESS
                   : failArgument(ACL_ERROR_RT_INVALID_HANDLE, "event", text("%p", event), "a live aclrtEvent");
    });
}

aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Event* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
        Stream* recording = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, recording));
        return found->record(*recording);
    });
}

aclError aclrtResetEvent(aclrtEvent event, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Event* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
        Stream* resetting = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, resetting));
        return found->reset(*resetting);
    });
}

aclError aclrtQueryEvent(aclrtEvent event, aclrtEventStatus* status) {
    return aclApi(__func__, [&] {
        return query(event, status, "use aclrtQueryEventStatus", [](const Event& found) {
            return found.recorded() ? ACL_EVENT_STATUS_COMPLETE : ACL_EVENT_STATUS_NOT_READY;
        });
    });
}

aclError aclrtQueryEventStatus(aclrtEvent event, aclrtEventRecordedStatus* status) {
    return aclApi(__func__, [&] {
        return query(event, status, nullptr, [](const Event& found) {
            return found.recorded() ? ACL_EVENT_RECORDED_STATUS_COMPLETE : ACL_EVENT_RECORDED_STATUS_NOT_READY;
        });
    });
}

aclError aclrtQueryEventWaitStatus(aclrtEvent event, aclrtEventWaitStatus* status) {
    return aclApi(__func__, [&] {
        return query(event, status, "its waits cannot be queried", [](const Event& found) {
            return found.waited() ? ACL_EVENT_WAIT_STATUS_COMPLETE : ACL_EVENT_WAIT_STATUS_NOT_READY;
        });
    });
}

aclError aclrtSynchronizeEvent(aclrtEvent event) {
    return aclApi(__func__, [&]() -> aclError {
        Event* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
        return found->synchronize(-1);
    });
}

aclError aclrtSynchronizeEventWithTimeout(aclrtEvent event, int32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(checkTimeout(timeout));
        Event* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
        return found->synchronize(timeout);
    });
}

aclError aclrtEventElapsedTime(float* ms, aclrtEvent startEvent, aclrtEvent endEvent) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(ms, "ms"));
        std::shared_ptr<Recording> start;
        std::shared_ptr<Recording> end;
        ACLQ_RETURN_IF_FAILED(timed(startEvent, start));
        ACLQ_RETURN_IF_FAILED(timed(endEvent, end));
        if (end->nanoseconds() < start->nanoseconds()) {
            return fail(ACL_ERROR_RT_EVENT_TIMESTAMP_REVERSAL, "the end event was recorded before the start event");
        }
        *ms = static_cast<float>(static_cast<double>(end->nanoseconds() - start->nanoseconds()) / 1e6);
        return ACL_SUCCESS;
    });
}

aclError aclrtEventGetTimestamp(aclrtEvent event, uint64_t* timestamp) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(timestamp, "timestamp"));
        std::shared_ptr<Recording> recording;
        ACLQ_RETURN_IF_FAILED(timed(event, recording));
        *timestamp = recording->nanoseconds() / 1000;
        return ACL_SUCCESS;
    });
}

aclError aclrtGetEventId(aclrtEvent event, uint32_t* eventId) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(eventId, "eventId"));
        Event* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireEvent(event, found));
        *eventId = found->id;
        return ACL_SUCCESS;
    });
}

aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event) {
    return aclApi(__func__, [&] { return queueWait(stream, event, -1); });
}

aclError aclrtStreamWaitEventWithTimeout(aclrtStream stream, aclrtEvent event, int32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(checkTimeout(timeout));
        return queueWait(stream, event, timeout);
    });
}

aclError aclrtSetOpWaitTimeout(uint32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        setWaitTimeoutSeconds(timeout);
        return ACL_SUCCESS;
    });
}
