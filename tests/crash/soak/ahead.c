/* The wall clock of the program is so many seconds ahead: what was written in an earlier life is old then. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *told) {
    int result = (int)syscall(SYS_clock_gettime, clock, told);
    const char *ahead = getenv("AHEAD_SECONDS");
    if (result == 0 && clock == CLOCK_REALTIME && ahead != NULL)
        told->tv_sec += atol(ahead);
    return result;
}
