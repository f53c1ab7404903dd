/* SPDX-License-Identifier: Apache-2.0
 * Nanoseconds per call of a cheap function, in a loop: argv[1] calls, the best of ten parts. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "acl/acl.h"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char** argv) {
    const int calls = argc > 1 ? atoi(argv[1]) : 1000000;
    double best = 1e30;
    int32_t device = 0;
    if (aclInit(NULL) != 0 || aclrtSetDevice(0) != 0)
        return 1;
    for (int part = 0; part < 10; ++part) {
        const double start = now();
        for (int i = 0; i < calls / 10; ++i) {
            if (aclrtGetDevice(&device) != 0)
                return 1;
        }
        const double took = (now() - start) / (calls / 10);
        best = took < best ? took : best;
    }
    printf("%.1f\n", best);
    return 0;
}
