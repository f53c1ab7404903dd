// SPDX-License-Identifier: Apache-2.0
// Captured graphs.
#include <cstdio>

#include "acl/acl_rt.h"
#include "runtime/captured_graph.h"
#include "runtime/device.h"
#include "runtime/status.h"

using namespace aclq;

namespace {

// Null is never the default stream here.
aclError requireGiven(const void* pointer, const char* argument, const char* allowed) {
    return pointer != nullptr ? ACL_SUCCESS : failArgument(ACL_ERROR_INVALID_PARAM, argument, "null", allowed);
}
aclError requireStreamGiven(aclrtStream stream) {
    return requireGiven(stream, "stream", "a stream made by aclrtCreateStream");
}
aclError requireGraphGiven(aclmdlRI graph) {
    return requireGiven(graph, "modelRI", "a graph of aclmdlRICaptureEnd");
}

}  // namespace

aclError aclmdlRICaptureBegin(aclrtStream stream, aclmdlRICaptureMode mode) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireStreamGiven(stream));
        return beginCapture(stream, mode);
    });
}

aclError aclmdlRICaptureGetInfo(aclrtStream stream, aclmdlRICaptureStatus* status, aclmdlRI* modelRI) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireStreamGiven(stream));
        if (status == nullptr && modelRI == nullptr) {
            return fail(ACL_ERROR_INVALID_PARAM,
                        "arguments 'status' and 'modelRI': got null twice; allowed: a pointer "
                        "for one of them at least");
        }
        return captureInfo(stream, status, modelRI);
    });
}

aclError aclmdlRICaptureEnd(aclrtStream stream, aclmdlRI* modelRI) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireStreamGiven(stream));
        return endCapture(stream, modelRI);
    });
}

aclError aclmdlRICaptureThreadExchangeMode(aclmdlRICaptureMode* mode) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireGiven(mode, "mode", "a pointer to the mode, for the old one"));
        return exchangeCaptureMode(mode);
    });
}

aclError aclmdlRIExecuteAsync(aclmdlRI modelRI, aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireGraphGiven(modelRI));
        return executeGraph(modelRI, stream);
    });
}

aclError aclmdlRIExecute(aclmdlRI modelRI, int32_t timeout) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireGraphGiven(modelRI));
        return executeGraphAndWait(modelRI, timeout);
    });
}

aclError aclmdlRIDestroy(aclmdlRI modelRI) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireGraphGiven(modelRI));
        return destroyGraph(modelRI);
    });
}

aclError aclmdlRIGetId(aclmdlRI modelRI, uint32_t* modelRIId) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireGraphGiven(modelRI));
        ACLQ_RETURN_IF_FAILED(requireOut(modelRIId, "modelRIId"));
        std::shared_ptr<CapturedGraph> graph;
        ACLQ_RETURN_IF_FAILED(findGraph(modelRI, graph));
        *modelRIId = graph->id;
        return ACL_SUCCESS;
    });
}

aclError aclmdlRIDebugPrint(aclmdlRI modelRI) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireGraphGiven(modelRI));
        std::shared_ptr<CapturedGraph> graph;
        ACLQ_RETURN_IF_FAILED(findGraph(modelRI, graph));
        aclAppLog(ACL_INFO, "aclmdlRIDebugPrint", __FILE__, __LINE__, "%s", graph->text().c_str());
        return ACL_SUCCESS;
    });
}

aclError aclmdlRIDebugJsonPrint(aclmdlRI modelRI, const char* path, uint32_t flags) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireGraphGiven(modelRI));
        ACLQ_RETURN_IF_FAILED(requireGiven(path, "path", "the name of a file"));
        std::shared_ptr<CapturedGraph> graph;
        ACLQ_RETURN_IF_FAILED(findGraph(modelRI, graph));
        const std::string json = graph->json((flags & 1) != 0);
        std::FILE* file = std::fopen(path, "wb");
        const bool written = file != nullptr && std::fwrite(json.data(), 1, json.size(), file) == json.size();
        const bool closed = file != nullptr && std::fclose(file) == 0;
        return written && closed
                   ? ACL_SUCCESS
                   : failArgument(ACL_ERROR_RT_FILE_WRITE, "path", text("'%s', which cannot be written", path),
                                  "the name of a file that can be written");
    });
}

aclError aclmdlRICaptureTaskGrpBegin(aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireStreamGiven(stream));
        return beginGroup(stream);
    });
}

aclError aclmdlRICaptureTaskGrpEnd(aclrtStream stream, aclrtTaskGrp* handle) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireStreamGiven(stream));
        ACLQ_RETURN_IF_FAILED(requireOut(handle, "handle"));
        return endGroup(stream, handle);
    });
}

aclError aclmdlRICaptureTaskUpdateBegin(aclrtStream stream, aclrtTaskGrp handle) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireStreamGiven(stream));
        ACLQ_RETURN_IF_FAILED(requireGiven(handle, "handle", "a task group of aclmdlRICaptureTaskGrpEnd"));
        return beginUpdate(stream, handle);
    });
}

aclError aclmdlRICaptureTaskUpdateEnd(aclrtStream stream) {
    return aclApi(__func__, [&]() -> aclError {
        ACLQ_RETURN_IF_FAILED(requireStreamGiven(stream));
        return endUpdate(stream);
    });
}
