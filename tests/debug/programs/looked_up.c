/* SPDX-License-Identifier: Apache-2.0
 * Names looked up at run time, calls from two threads, and, with "kill", an end without goodbye. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void* library;

static void find(const char* name, void* function) {
    void* const symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
}

static void* work(void* unused) {
    int (*set)(int32_t), (*allocate)(void**, size_t, int), (*release)(void*);
    (void)unused;
    find("aclrtSetDevice", &set);
    find("aclrtMalloc", &allocate);
    find("aclrtFree", &release);
    set(0);
    for (int i = 0; i < 50; ++i) {
        void* memory = NULL;
        if (allocate(&memory, 64, 0) != 0 || release(memory) != 0)
            return &library;
    }
    return NULL;
}

int main(int argc, char** argv) {
    int (*init)(const char*);
    pthread_t threads[2];
    library = dlopen("libascendcl.so", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return 2;
    if (dlsym(library, "aclrtNoSuchFunction") != NULL || dlsym(RTLD_DEFAULT, "aclrtMalloc") != NULL)
        return 3;
    find("aclInit", &init);
    if (init(NULL) != 0)
        return 4;
    for (int i = 0; i < 2; ++i)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; ++i) {
        void* wrong = NULL;
        pthread_join(threads[i], &wrong);
        if (wrong != NULL)
            return 5;
    }
    if (argc > 1 && strcmp(argv[1], "kill") == 0)
        raise(SIGKILL);
    puts("well");
    return 0;
}
