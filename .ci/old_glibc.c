/* SPDX-License-Identifier: Apache-2.0 */
/* Functions newer than glibc 2.28 that libstdc++.a, its headers and the host device use. .ci/wheels puts them into the
 * libc.so that it links with; they stay inside each library. */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#pragma GCC visibility push(hidden)

/* Since 2.32. Zero means that reference counts are always atomic. */
extern char __libc_single_threaded;
char __libc_single_threaded = 0;

/* Since 2.36. std::random_device of libstdc++.a can call it; nothing of ours draws from there. */
unsigned int arc4random(void);
unsigned int arc4random(void) {
    unsigned int value = 0;
    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
        abort();
    }
    return value;
}

/* Since 2.30. */
pid_t gettid(void);
pid_t gettid(void) {
    return (pid_t)syscall(SYS_gettid);
}

/* Since 2.30, for std::condition_variable::wait_for. Like libstdc++ on older systems it waits on the system's clock
 * for the time that is left; libstdc++ looks at its own clock and at the condition when it returns. */
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const struct timespec* end);
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const struct timespec* end) {
    struct timespec now;
    struct timespec until;
    clock_gettime(clock, &now);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += end->tv_sec - now.tv_sec;
    until.tv_nsec += end->tv_nsec - now.tv_nsec;
    if (until.tv_nsec < 0) {
        until.tv_nsec += 1000000000;
        until.tv_sec -= 1;
    } else if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec += 1;
    }
    return pthread_cond_timedwait(condition, mutex, &until);
}

#pragma GCC visibility pop
