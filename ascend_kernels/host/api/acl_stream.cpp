// SPDX-License-Identifier: Apache-2.0
// Streams and host functions on them.
#include "acl/acl_rt.h"
#include "runtime/device.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

aclError makeStream(aclrtStream* stream, uint32_t priority, uint32_t flag) {
    if (stream == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, "stream", "null", "a pointer for the result");
    }
    Context* context = nullptr;
    ACLQ_RETURN_IF_FAILED(requireContext(context));
    Stream* made = nullptr;
    ACLQ_RETURN_IF_FAILED(createStream(*context, priority, flag, &made));
    *stream = made;
    return ACL_SUCCESS;
}

// Finds the stream and writes what `read` says of it.
template <class Value, class Read>
aclError get(aclrtStream handle, Value* value, const char* argument, Read&& read) {
    if (value == nullptr) {
        return failArgument(ACL_ERROR_INVALID_PARAM, argument, "null", "a pointer for the result");
    }
    Stream* stream = nullptr;
    ACLQ_RETURN_IF_FAILED(requireStream(handle, stream));
    *value = read(*stream);
    return ACL_SUCCESS;
}

class HostFunctionTask : public Task {
  public:
    HostFunctionTask(aclrtHostFunc function, void* arguments) : function_(function), arguments_(arguments) {}
    std::optional<AsyncError> run() override {
        function_(arguments_);
        return std::nullopt;
    }

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
        return found->synchronize(-1);
    });
}

aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(checkTimeout(timeout));
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        return found->synchronize(timeout);
    });
}

aclError aclrtStreamQuery(aclrtStream stream, aclrtStreamStatus* status) {
    return aclApi(__func__, [&] {
        return get(stream, status, "status", [](const Stream& found) {
            return found.idle() ? ACL_STREAM_STATUS_COMPLETE : ACL_STREAM_STATUS_NOT_READY;
        });
    });
}

aclError aclrtStreamAbort(aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
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
        return get(stream, priority, "priority", [](const Stream& found) { return found.priority; });
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
        if (mode > ACL_STOP_ON_FAILURE) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "mode", std::to_string(mode), "0 (continue) or 1 (stop)");
        }
        if (std::exchange(found->failureModeSet, true)) {
            return fail(ACL_ERROR_RT_PARAM_INVALID, "the failure mode of a stream can be set once");
        }
        found->stopOnFailure = mode == ACL_STOP_ON_FAILURE;
        return ACL_SUCCESS;
    });
}

aclError aclrtSetStreamOverflowSwitch(aclrtStream stream, uint32_t flag) {
    return aclApi(__func__, [&]() -> aclError {
        Stream* found = nullptr;
        ACLQ_RETURN_IF_FAILED(requireStream(stream, found));
        if (flag > 1) {
            return failArgument(ACL_ERROR_RT_PARAM_INVALID, "flag", std::to_string(flag), "0 or 1");
        }
        found->overflowSwitch = flag;
        return ACL_SUCCESS;
    });
}

aclError aclrtGetStreamOverflowSwitch(aclrtStream stream, uint32_t* flag) {
    return aclApi(__func__,
                  [&] { return get(stream, flag, "flag", [](const Stream& found) { return found.overflowSwitch; }); });
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
