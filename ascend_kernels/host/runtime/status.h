// SPDX-License-Identifier: Apache-2.0
// Status codes with a reason: every failure of the host device is a code plus one line of text, kept per thread
// until aclGetRecentErrMsg takes it.
#pragma once

#include <string>

#include "acl/acl_base.h"
#include "runtime/function_ref.h"

namespace aclq {

// Name of a code ("ACLNN_ERR_PARAM_INVALID"). All codes of the headers have one.
const char* codeName(int code);

// printf into a std::string.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

// Notes "[code NAME] function: sentence" for the calling thread and returns the code.
int fail(int code, const std::string& sentence);
// The same where exceptions are not allowed: without memory only the code is kept.
int failQuietly(int code, const char* sentence) noexcept;
// Notes "[code NAME] function: argument 'name': got ...; allowed: ..." and returns the code.
int failArgument(int code, const char* argument, const std::string& got, const std::string& allowed);
// Refuses a null pointer to a result.
int requireOut(const void* pointer, const char* argument, int code = ACL_ERROR_INVALID_PARAM);
// Notes an asynchronous error, whose line was written when the task failed.
int failAgain(int code, const std::string& line);
// The line fail() would note, for errors that are reported later and in another thread.
std::string errorLine(int code, const char* function, const std::string& sentence);

// Newest first, one line each; taking clears them. Returns null if there are none.
const char* takeMessages() noexcept;
int lastError();
int takeLastError();

// Name of the exported function that this thread is running; fail() puts it into the text.
class FunctionScope {
  public:
    explicit FunctionScope(const char* name);
    ~FunctionScope();
    FunctionScope(const FunctionScope&) = delete;
    FunctionScope& operator=(const FunctionScope&) = delete;

  private:
    const char* previous_;
};
const char* currentFunction();

// Runs the body of an exported function: names it for error texts and lets no exception out.
int api(const char* name, int outOfMemory, int internal, FunctionRef<int> body) noexcept;
aclError aclApi(const char* name, FunctionRef<aclError> body) noexcept;

}  // namespace aclq

// Leaves the enclosing function with the status of `expression` unless it is 0.
#define ACLQ_RETURN_IF_FAILED(expression)                \
    do {                                                 \
        if (const int status_ = (expression); status_) { \
            return status_;                              \
        }                                                \
    } while (false)
