// SPDX-License-Identifier: Apache-2.0
#include "runtime/status.h"

#include <cstdarg>
#include <cstdio>
#include <deque>

#include "aclnn/aclnn_base.h"

namespace aclq {
namespace {

// A thread that never reads its messages keeps only the newest ones.
constexpr std::size_t kMaxMessages = 16;

struct ThreadMessages {
    const char* function = "";
    int lastError = 0;
    std::deque<std::string> lines;
    std::string taken;
};

ThreadMessages& thread() {
    thread_local ThreadMessages messages;
    return messages;
}

int note(int code, std::string line) {
    ThreadMessages& messages = thread();
    messages.lastError = code;
    messages.lines.push_front(std::move(line));
    if (messages.lines.size() > kMaxMessages) {
        messages.lines.pop_back();
    }
    return code;
}

}  // namespace

const char* codeName(int code) {
    switch (code) {
#define ACLQ_NAME(name) \
    case name:          \
        return #name
        ACLQ_NAME(ACL_SUCCESS);
        ACLQ_NAME(ACL_ERROR_INVALID_PARAM);
        ACLQ_NAME(ACL_ERROR_REPEAT_INITIALIZE);
        ACLQ_NAME(ACL_ERROR_INVALID_FILE);
        ACLQ_NAME(ACL_ERROR_PARSE_FILE);
        ACLQ_NAME(ACL_ERROR_REPEAT_FINALIZE);
        ACLQ_NAME(ACL_ERROR_BAD_ALLOC);
        ACLQ_NAME(ACL_ERROR_API_NOT_SUPPORT);
        ACLQ_NAME(ACL_ERROR_FEATURE_UNSUPPORTED);
        ACLQ_NAME(ACL_ERROR_INTERNAL_ERROR);
        ACLQ_NAME(ACL_ERROR_RT_PARAM_INVALID);
        ACLQ_NAME(ACL_ERROR_RT_INVALID_DEVICEID);
        ACLQ_NAME(ACL_ERROR_RT_CONTEXT_NULL);
        ACLQ_NAME(ACL_ERROR_RT_STREAM_CONTEXT);
        ACLQ_NAME(ACL_ERROR_RT_EVENT_TIMESTAMP_INVALID);
        ACLQ_NAME(ACL_ERROR_RT_EVENT_TIMESTAMP_REVERSAL);
        ACLQ_NAME(ACL_ERROR_RT_INVALID_HANDLE);
        ACLQ_NAME(ACL_ERROR_RT_SYSPARAMOPT_NOT_SET);
        ACLQ_NAME(ACL_ERROR_RT_STREAM_ABORT);
        ACLQ_NAME(ACL_ERROR_RT_FEATURE_NOT_SUPPORT);
        ACLQ_NAME(ACL_ERROR_RT_MEMORY_ALLOCATION);
        ACLQ_NAME(ACL_ERROR_RT_MEMORY_FREE);
        ACLQ_NAME(ACL_ERROR_RT_NO_STREAM_RESOURCE);
        ACLQ_NAME(ACL_ERROR_RT_INTERNAL_ERROR);
        ACLQ_NAME(ACL_ERROR_RT_STREAM_TASK_FULL);
        ACLQ_NAME(ACL_ERROR_RT_CONTEXT_RELEASE_ERROR);
        ACLQ_NAME(ACL_ERROR_RT_SOC_VERSION);
        ACLQ_NAME(ACL_ERROR_RT_AICORE_EXCEPTION);
        ACLQ_NAME(ACL_ERROR_RT_STREAM_SYNC_TIMEOUT);
        ACLQ_NAME(ACL_ERROR_RT_EVENT_SYNC_TIMEOUT);
        ACLQ_NAME(ACL_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
        ACLQ_NAME(ACL_ERROR_HOST_MEMORY_NOT_REGISTERED);
        ACLQ_NAME(ACLNN_ERR_PARAM_NULLPTR);
        ACLQ_NAME(ACLNN_ERR_PARAM_INVALID);
        ACLQ_NAME(ACLNN_ERR_RUNTIME_ERROR);
        ACLQ_NAME(ACLNN_ERR_INNER);
        ACLQ_NAME(ACLNN_ERR_INNER_CREATE_EXECUTOR);
        ACLQ_NAME(ACLNN_ERR_INNER_NULLPTR);
#undef ACLQ_NAME
        default:
            return "unknown code";
    }
}

std::string text(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    va_list copy;
    va_copy(copy, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, copy);
    va_end(copy);
    std::string result(length > 0 ? static_cast<std::size_t>(length) : 0, '\0');
    std::vsnprintf(result.data(), result.size() + 1, format, arguments);
    va_end(arguments);
    return result;
}

std::string errorLine(int code, const char* function, const std::string& sentence) {
    return text("[%d %s] %s: %s", code, codeName(code), function, sentence.c_str());
}

int fail(int code, const std::string& sentence) {
    return note(code, errorLine(code, currentFunction(), sentence));
}

int failQuietly(int code, const char* sentence) noexcept {
    try {
        return fail(code, sentence);
    } catch (...) {
        thread().lastError = code;
        return code;
    }
}

int failArgument(int code, const char* argument, const std::string& got, const std::string& allowed) {
    return fail(code, text("argument '%s': got %s; allowed: %s", argument, got.c_str(), allowed.c_str()));
}

int failAgain(int code, const std::string& line) {
    return note(code, line);
}

const char* takeMessages() noexcept try {
    ThreadMessages& messages = thread();
    if (messages.lines.empty()) {
        return nullptr;
    }
    messages.taken.clear();
    for (const std::string& line : messages.lines) {
        if (!messages.taken.empty()) {
            messages.taken += '\n';
        }
        messages.taken += line;
    }
    messages.lines.clear();
    return messages.taken.c_str();
} catch (...) {
    return nullptr;  // no memory for the text; the lines stay
}

int lastError() {
    return thread().lastError;
}

int takeLastError() {
    const int code = thread().lastError;
    thread().lastError = 0;
    return code;
}

FunctionScope::FunctionScope(const char* name) : previous_(thread().function) {
    thread().function = name;
}
FunctionScope::~FunctionScope() {
    thread().function = previous_;
}
const char* currentFunction() {
    return thread().function;
}

}  // namespace aclq
