// SPDX-License-Identifier: Apache-2.0
// Streams and host functions on them.
#include "acl/acl_rt.h"
#include "runtime/callbacks.h"
#include "runtime/device.h"
#include "runtime/exceptions.h"
#include "runtime/status.h"
#include "runtime/stream_value.h"

using namespace aclq;

namespace {

aclError makeStream(aclrtStream* stream, uint32_t priority, uint32_t flag) {
    ACLQ_RETURN_IF_FAILED(requireOut(stream, "stream"));
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    Stream* made = nullptr;
    ACLQ_RETURN_IF_FAILED(createStream(*context, priority, flag, &made));
    *stream = made;
    return ACL_SUCCESS;
}

// Finds the stream and writes the result of `read`.
template <class Value, class Read>
aclError get(aclrtStream handle, Value* value, const char* argument, Read&& read) {
    ACLQ_RETURN_IF_FAILED(requireOut(value, argument));
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    *value = read(*stream);
    return ACL_SUCCESS;
}

aclError setFailureMode(Stream& stream, uint64_t mode, const char* argument) {
    if (mode > ACL_STOP_ON_FAILURE) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, argument, std::to_string(mode), "0 (continue) or 1 (stop)");
    }
    if (stream.failureModeSet.exchange(true)) {
        return fail(ACL_ERROR_RT_PARAM_INVALID, "the failure mode of a stream can be set once");
    }
    stream.stopOnFailure = mode == ACL_STOP_ON_FAILURE;
    return ACL_SUCCESS;
}

aclError setOverflowSwitch(Stream& stream, uint32_t flag, const char* argument) {
    ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(stream, "switch its checks for overflow"));
    if (flag > 1) {
        return failArgument(ACL_ERROR_RT_PARAM_INVALID, argument, std::to_string(flag), "0 or 1");
    }
    stream.overflowSwitch = flag;
    return ACL_SUCCESS;
}

aclError refuseAttribute(aclrtStreamAttr attribute) {
    return failArgument(ACL_ERROR_RT_PARAM_INVALID, "stmAttrType", std::to_string(static_cast<int>(attribute)),
                        "1 (failure mode), 2 (overflow check), 3 (custom tag), 4 (cache op info) or 5 (priority)");
}

class HostFunctionTask : public Task {
  public:
    HostFunctionTask(aclrtHostFunc function, void* arguments) : function_(function), arguments_(arguments) {}
    std::optional<AsyncError> run() override {
        function_(arguments_);
        return std::nullopt;
    }
    TaskKind kind() const override { return TaskKind::HostFunction; }
    const char* name() const override { return "aclrtLaunchHostFunc"; }

  private:
    const aclrtHostFunc function_;
    void* const arguments_;
};

}  // namespace

aclError aclrtCreateStream(aclrtStream* stream) {
    return aclApi(__func__, [&] { return makeStream(stream, 0, 0); });
}

aclError aclrtCreateStreamWithConfig(aclrtStream* stream, uint32_t priority, uint32_t flag) {
    return aclApi(__func__, [&] { return makeStream(stream, priority, flag); });
}

aclError aclrtDestroyStream(aclrtStream stream) {
    return aclApi(__func__, [&] { return destroyStream(stream, false); });
}

aclError aclrtDestroyStreamForce(aclrtStream stream) {
    return aclApi(__func__, [&] { return destroyStream(stream, true); });
}

aclError aclrtSynchronizeStream(aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(*found, "be waited for"));
        return found->synchronize(-1);
    });
}

aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(checkTimeout(timeout));
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(*found, "be waited for"));
        return found->synchronize(timeout);
    });
}

aclError aclrtStreamQuery(aclrtStream stream, aclrtStreamStatus* status) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(status, "status"));
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(*found, "be complete"));
        *status = found->idle() ? ACL_STREAM_STATUS_COMPLETE : ACL_STREAM_STATUS_NOT_READY;
        return ACL_SUCCESS;
    });
}

aclError aclrtStreamAbort(aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        ACLQ_RETURN_IF_FAILED(refuseWhileCapturing(*found, "be aborted"));
        found->abort();
        return ACL_SUCCESS;
    });
}

aclError aclrtStreamGetId(aclrtStream stream, int32_t* streamId) {
    return aclApi(__func__,
                  [&] { return get(stream, streamId, "streamId", [](const Stream& found) { return found.id; }); });
}

aclError aclrtStreamGetPriority(aclrtStream stream, uint32_t* priority) {
    return aclApi(__func__, [&] {
        return get(stream, priority, "priority", [](const Stream& found) { return found.priority.load(); });
    });
}

aclError aclrtStreamGetFlags(aclrtStream stream, uint32_t* flags) {
    return aclApi(__func__,
                  [&] { return get(stream, flags, "flags", [](const Stream& found) { return found.flags; }); });
}

aclError aclrtSetStreamFailureMode(aclrtStream stream, uint64_t mode) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return setFailureMode(*found, mode, "mode");
    });
}

aclError aclrtSetStreamOverflowSwitch(aclrtStream stream, uint32_t flag) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return setOverflowSwitch(*found, flag, "flag");
    });
}

aclError aclrtSetStreamAttribute(aclrtStream stream, aclrtStreamAttr stmAttrType, aclrtStreamAttrValue* value) {
    return aclApi(__func__, [&]() -> aclError {
        if (value == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "value", "null", "a pointer to the value");
        }
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        switch (stmAttrType) {
            case ACL_STREAM_ATTR_FAILURE_MODE:
                return setFailureMode(*found, value->failureMode, "value");
            case ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK:
                return setOverflowSwitch(*found, value->overflowSwitch, "value");
            case ACL_STREAM_ATTR_USER_CUSTOM_TAG:
                found->customTag = value->userCustomTag;
                return ACL_SUCCESS;
            case ACL_STREAM_ATTR_CACHE_OP_INFO:
                if (value->cacheOpInfoSwitch > 1) {
                    return failArgument(ACL_ERROR_RT_PARAM_INVALID, "value", std::to_string(value->cacheOpInfoSwitch),
                                        "0 or 1");
                }
                found->cacheOpInfo = value->cacheOpInfoSwitch;
                return ACL_SUCCESS;
            case ACL_STREAM_ATTR_PRIORITY:
                found->priority = value->streamPriority;
                return ACL_SUCCESS;
            default:
                return refuseAttribute(stmAttrType);
        }
    });
}

aclError aclrtGetStreamAttribute(aclrtStream stream, aclrtStreamAttr stmAttrType, aclrtStreamAttrValue* value) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireOut(value, "value"));
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        aclrtStreamAttrValue read{};
        switch (stmAttrType) {
            case ACL_STREAM_ATTR_FAILURE_MODE:
                read.failureMode = found->stopOnFailure ? ACL_STOP_ON_FAILURE : ACL_CONTINUE_ON_FAILURE;
                break;
            case ACL_STREAM_ATTR_FLOAT_OVERFLOW_CHECK:
                read.overflowSwitch = found->overflowSwitch;
                break;
            case ACL_STREAM_ATTR_USER_CUSTOM_TAG:
                read.userCustomTag = found->customTag;
                break;
            case ACL_STREAM_ATTR_CACHE_OP_INFO:
                read.cacheOpInfoSwitch = found->cacheOpInfo;
                break;
            case ACL_STREAM_ATTR_PRIORITY:
                read.streamPriority = found->priority;
                break;
            default:
                return refuseAttribute(stmAttrType);
        }
        *value = read;
        return ACL_SUCCESS;
    });
}

aclError aclrtGetStreamOverflowSwitch(aclrtStream stream, uint32_t* flag) {
    return aclApi(__func__, [&] {
        return get(stream, flag, "flag", [](const Stream& found) { return found.overflowSwitch.load(); });
    });
}

aclError aclrtLaunchHostFunc(aclrtStream stream, aclrtHostFunc fn, void* args) {
    return aclApi(__func__, [&]() -> aclError {
        if (fn == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "fn", "null", "a function");
        }
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return found->submit(std::make_unique<HostFunctionTask>(fn, args));
    });
}

aclError aclrtSubscribeReport(uint64_t threadId, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return subscribeReport(threadId, *found);
    });
}

aclError aclrtUnSubscribeReport(uint64_t threadId, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return unsubscribeReport(threadId, *found);
    });
}

aclError aclrtLaunchCallback(aclrtCallback fn, void* userData, aclrtCallbackBlockType blockType, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        if (fn == nullptr) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "fn", "null", "a function");
        }
        if (blockType != ACL_CALLBACK_NO_BLOCK && blockType != ACL_CALLBACK_BLOCK) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "blockType", std::to_string(static_cast<int>(blockType)),
                                "0 (the stream goes on) or 1 (it waits)");
        }
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return launchCallback(fn, userData, blockType == ACL_CALLBACK_BLOCK, *found);
    });
}

aclError aclrtProcessReport(int32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        if (timeout < -1 || timeout == 0) {
            return failArgument(ACL_ERROR_INVALID_PARAM, "timeout", std::to_string(timeout),
                                "-1 (for ever) or more than 0, in ms");
        }
        return processReport(timeout);
    });
}

aclError aclrtValueWrite(void* devAddr, uint64_t value, uint32_t flag, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return writeValue(devAddr, value, flag, *found);
    });
}

aclError aclrtValueWait(void* devAddr, uint64_t value, uint32_t flag, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return waitForValue(devAddr, value, flag, *found);
    });
}

aclError aclrtSetExceptionInfoCallback(aclrtExceptionInfoCallback callback) {
    return aclApi(__func__, [&] {
        setExceptionCallback(callback);
        return ACL_SUCCESS;
    });
}

aclError aclrtExceptionInfoCallbackRegister(aclrtExceptionInfoCallback callback) {
    return aclApi(__func__, [&]() -> aclError {
        if (callback == nullptr) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "callback", "null", "a function");
        }
        addExceptionCallback(callback);
        return ACL_SUCCESS;
    });
}

aclError aclrtExceptionInfoCallbackUnregister(aclrtExceptionInfoCallback callback) {
    return aclApi(__func__, [&]() -> aclError {
        if (callback == nullptr) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "callback", "null", "a function");
        }
        removeExceptionCallback(callback);
        return ACL_SUCCESS;
    });
}

namespace {

// Of null: a number that no member has, as CANN does it.
std::uint32_t read(const char* function, const aclrtExceptionInfo* info, std::uint32_t rtExceptionInfo::*member) {
    if (info == nullptr) {
        aclApi(function, [] {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "info", "null", "the information of a callback");
        });
        return 0xFFFFFFFFU;
    }
    return info->*member;
}

}  // namespace

uint32_t aclrtGetTaskIdFromExceptionInfo(const aclrtExceptionInfo* info) {
    return read(__func__, info, &rtExceptionInfo::task);
}
uint32_t aclrtGetStreamIdFromExceptionInfo(const aclrtExceptionInfo* info) {
    return read(__func__, info, &rtExceptionInfo::stream);
}
uint32_t aclrtGetThreadIdFromExceptionInfo(const aclrtExceptionInfo* info) {
    return read(__func__, info, &rtExceptionInfo::thread);
}
uint32_t aclrtGetDeviceIdFromExceptionInfo(const aclrtExceptionInfo* info) {
    return read(__func__, info, &rtExceptionInfo::device);
}
uint32_t aclrtGetErrorCodeFromExceptionInfo(const aclrtExceptionInfo* info) {
    return read(__func__, info, &rtExceptionInfo::code);
}
