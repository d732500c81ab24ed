/* Makes steps on files beneath one directory fail, from the so-manieth on, once or for ever.
 *
 * Preloaded into the program. FAULT_DIR is the directory, FAULT_OPS the letters of the steps that count
 * (w write, s sync, t truncate, o open), FAULT_AT the number of the first that fails (0: none does),
 * FAULT_FOREVER non-empty when all later ones fail too, FAULT_ERROR the error's number, FAULT_SHORT
 * non-empty when a write first writes a half and the error meets the next write. FAULT_LOG gets a line
 * for each of the first failures, and at the end how many steps of each kind there were. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FDS = 4096, LINES = 20 };

static const char KINDS[] = "wsto";
static atomic_long totals[4];
static atomic_long count;
static atomic_long failures;
static atomic_int half_written;
static atomic_char watched[FDS];
static const char *directory, *ops, *log_path;
static long first;
static int is_forever, is_short, error_number;

static const char *get(const char *name) {
    const char *text = getenv(name);
    return text ? text : "";
}

__attribute__((constructor)) static void begin(void) {
    directory = get("FAULT_DIR");
    ops = get("FAULT_OPS");
    log_path = get("FAULT_LOG");
    first = atol(get("FAULT_AT"));
    is_forever = *get("FAULT_FOREVER") != 0;
    is_short = *get("FAULT_SHORT") != 0;
    error_number = atoi(get("FAULT_ERROR"));
}

static void say(const char *line, size_t length) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    (void)syscall(SYS_write, fd, line, length);
    (void)syscall(SYS_close, fd);
}

__attribute__((destructor)) static void end(void) {
    char line[120];
    int length = snprintf(line, sizeof line, "total %ld %ld %ld %ld\n", atomic_load(&totals[0]),
                          atomic_load(&totals[1]), atomic_load(&totals[2]), atomic_load(&totals[3]));
    say(line, (size_t)length);
}

/* Counts a step. True when it is to fail; errno says how then. */
static int fails(char kind) {
    atomic_fetch_add(&totals[strchr(KINDS, kind) - KINDS], 1);
    if (!strchr(ops, kind)) return 0;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (first == 0 || number < first || (number > first && !is_forever)) return 0;
    if (atomic_fetch_add(&failures, 1) < LINES) {
        char line[80];
        int length = snprintf(line, sizeof line, "failed %c %ld\n", kind, number);
        say(line, (size_t)length);
    }
    errno = error_number;
    return 1;
}

static int is_ours(int fd) { return fd >= 0 && fd < FDS && watched[fd]; }

static int open_at(int at, const char *path, int flags, mode_t mode) {
    size_t length = strlen(directory);
    int is_beneath = length > 0 && path && strncmp(path, directory, length) == 0 && path[length] == '/';
    if (is_beneath && fails('o')) return -1;
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (is_beneath && fd >= 0 && fd < FDS) watched[fd] = 1;
    return fd;
}

#include "../opens.h"

int close(int fd) {
    if (is_ours(fd)) watched[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

/* How much of a write may be done: all, a half, or (with errno set) nothing. */
static ssize_t share(int fd, size_t length) {
    if (!is_ours(fd)) return (ssize_t)length;
    if (atomic_exchange(&half_written, 0)) {
        errno = error_number;
        return -1;
    }
    if (!fails('w')) return (ssize_t)length;
    if (!is_short || length < 2) return -1;
    atomic_store(&half_written, 1);
    return (ssize_t)(length / 2);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off64_t offset) {
    ssize_t part = share(fd, length);
    return part < 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, (size_t)part, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return write_at(fd, bytes, length, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return write_at(fd, bytes, length, offset);
}
ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t part = share(fd, length);
    return part < 0 ? -1 : syscall(SYS_write, fd, bytes, (size_t)part);
}

static int cut(int fd, off64_t length) {
    if (is_ours(fd) && fails('t')) return -1;
    return (int)syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

int fsync(int fd) {
    if (is_ours(fd) && fails('s')) return -1;
    return (int)syscall(SYS_fsync, fd);
}
int fdatasync(int fd) {
    if (is_ours(fd) && fails('s')) return -1;
    return (int)syscall(SYS_fdatasync, fd);
}
