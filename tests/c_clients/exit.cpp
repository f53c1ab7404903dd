// SPDX-License-Identifier: Apache-2.0
// Calls that fail when a thread or the process is almost gone: in the destructor of a thread_local object made before
// the thread's first call, in exit handlers, in destructors of static objects, in a pthread key's destructor. Silent,
// status 0, when each finds its message. (R7)
#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "acl/acl.h"

namespace {

int found = 0;

void failHere(const char* where) {
    const int status = aclrtSetDevice(99);
    const char* text = aclGetRecentErrMsg();
    if (status != 107001 || text == nullptr || std::strstr(text, "got 99") == nullptr) {
        std::fprintf(stderr, "%s: %d %s\n", where, status, text != nullptr ? text : "nothing");
        std::_Exit(1);
    }
    ++found;
}

struct Late {
    const char* where;
    explicit Late(const char* name) : where(name) {}
    ~Late() { failHere(where); }
};

thread_local Late* touched = nullptr;

void work() {
    thread_local Late late("thread_local destructor");
    touched = &late;
    failHere("thread");
}

const Late global("static destructor");

}  // namespace

int main() {
    std::atexit([] { failHere("exit handler"); });
    pthread_key_t key;
    pthread_key_create(&key, [](void*) { failHere("key destructor"); });
    for (int round = 0; round < 100; ++round) {
        std::thread([&] {
            pthread_setspecific(key, &key);
            work();
        }).join();
    }
    thread_local Late late("main's thread_local destructor");
    touched = &late;
    failHere("main");
    if (found != 301) {
        std::fprintf(stderr, "%d instead of 301\n", found);
        return 1;
    }
    return 0;
}
