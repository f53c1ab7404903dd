// SPDX-License-Identifier: Apache-2.0
#include "runtime/status.h"

#include <pthread.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <deque>
#include <exception>
#include <iterator>
#include <memory>
#include <new>

namespace aclq {
namespace {

// A thread that never reads its messages keeps only the newest ones.
constexpr std::size_t kMaxMessages = 16;

// The unread messages of a thread.
struct Messages {
    std::deque<std::string> lines;
    std::string taken;
};

// Calls may come from destructors of the client's own thread_local objects and from exit handlers, so nothing here may
// have a destructor: a pthread key releases the messages, which happens after all of those.
struct ThreadState {
    const char* function;
    int lastError;
    Messages* messages;
};
constinit thread_local ThreadState thread{"", 0, nullptr};

// Created when the library is loaded: a fork during the first use could leave it half initialised.
const pthread_key_t messagesKey = [] {
    pthread_key_t made{};
    pthread_key_create(&made, [](void* held) {
        thread.messages = nullptr;
        delete static_cast<Messages*>(held);
    });
    return made;
}();

Messages& messages() {
    if (thread.messages == nullptr) {
        auto made = std::make_unique<Messages>();
        pthread_setspecific(messagesKey, made.get());
        thread.messages = made.release();
    }
    return *thread.messages;
}

int note(int code, std::string line) {
    thread.lastError = code;
    Messages& all = messages();
    all.lines.push_front(std::move(line));
    if (all.lines.size() > kMaxMessages) {
        all.lines.pop_back();
    }
    return code;
}

struct CodeName {
    int code;
    const char* name;
};
// From the headers, by code_names.cmake.
constexpr CodeName kCodeNames[] = {
#include "code_names.inc"
};

}  // namespace

const char* codeName(int code) {
    const auto* found = std::find_if(std::begin(kCodeNames), std::end(kCodeNames),
                                     [&](const CodeName& one) { return one.code == code; });
    return found != std::end(kCodeNames) ? found->name : "UNKNOWN_CODE";
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
        thread.lastError = code;
        return code;
    }
}

int failArgument(int code, const char* argument, const std::string& got, const std::string& allowed) {
    return fail(code, text("argument '%s': got %s; allowed: %s", argument, got.c_str(), allowed.c_str()));
}

int requireOut(const void* pointer, const char* argument, int code) {
    return pointer != nullptr ? ACL_SUCCESS : failArgument(code, argument, "null", "a pointer for the result");
}

int failAgain(int code, const std::string& line) {
    return note(code, line);
}

const char* takeMessages() noexcept try {
    if (thread.messages == nullptr || thread.messages->lines.empty()) {
        return nullptr;
    }
    Messages& all = *thread.messages;
    all.taken.clear();
    for (const std::string& line : all.lines) {
        if (!all.taken.empty()) {
            all.taken += '\n';
        }
        all.taken += line;
    }
    all.lines.clear();
    return all.taken.c_str();
} catch (...) {
    return nullptr;  // no memory for the text; the lines are kept
}

int lastError() {
    return thread.lastError;
}

int takeLastError() {
    const int code = thread.lastError;
    thread.lastError = 0;
    return code;
}

FunctionScope::FunctionScope(const char* name) : previous_(thread.function) {
    thread.function = name;
}
FunctionScope::~FunctionScope() {
    thread.function = previous_;
}
const char* currentFunction() {
    return thread.function;
}

int api(const char* name, int outOfMemory, int internal, FunctionRef<int> body) noexcept {
    const FunctionScope scope(name);
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return failQuietly(outOfMemory, "the host has no memory left");
    } catch (const std::exception& error) {
        return failQuietly(internal, error.what());
    } catch (...) {
        return failQuietly(internal, "an unknown exception");
    }
}

aclError aclApi(const char* name, FunctionRef<aclError> body) noexcept {
    return api(name, ACL_ERROR_BAD_ALLOC, ACL_ERROR_INTERNAL_ERROR, body);
}

}  // namespace aclq
