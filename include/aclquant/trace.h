/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The tracer, libaclquant_trace.so: it stands between a program and any library with CANN's names, and
 * writes down calls, records them with their tensors, or makes launches wait. Preloaded (LD_PRELOAD) it
 * covers every function declared in include/, however the program finds them; the environment then says
 * what to do. A program that takes function addresses itself may instead open the library and use these.
 *
 * Settings are text, one "key=value" on each line:
 *   trace    where calls go: a file, or "-" for stderr
 *   form     text or json (JSON lines); by default json for a file ending in .jsonl, else text
 *   record   directory for calls with their tensors
 *   filter   POSIX extended regular expression: only functions in whose name it is found
 *   limit    bytes of a tensor up to which its values are recorded (default 268435456)
 *   sync     1: every launch waits, and answers what the device reports
 *   times    1: measure when the device runs each launch, with events (in a JSON trace)
 */
#ifndef ACLQUANT_INCLUDE_ACLQUANT_TRACE_H
#define ACLQUANT_INCLUDE_ACLQUANT_TRACE_H

#include <stdint.h>

#include "acl/acl_base.h"
#include "aclquant/host_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Begins a session; its number (0 to 7), or -1 with a sentence for aclquantTraceError. */
ACLQUANT_API int32_t aclquantTraceBegin(const char *settings);
/* Ends it; what was written is complete when this returns. */
ACLQUANT_API int32_t aclquantTraceEnd(int32_t session);
/* What to call instead of a function found under this name: its wrapper, or the function itself when no
 * header declares it or the wrapper already stands for a function of another library. */
ACLQUANT_API void *aclquantTraceWrap(const char *name, void *function);
/* Why the last aclquantTraceBegin of this thread failed. */
ACLQUANT_API const char *aclquantTraceError(void);

#ifdef __cplusplus
}
#endif

#endif
