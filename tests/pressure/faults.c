/* Lets writes and syncs of one SQLite file and its log fail.
 *
 * Preloaded into the program. FAULT_FILE is the file, FAULT_FLAGS a directory: while it holds `full`,
 * writes find no space; a file `eio` makes the next sync fail and is taken away by it; while it holds
 * `stall`, syncs wait. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_ours(int fd) {
    const char *file = getenv("FAULT_FILE");
    char link[64], path[4096];
    if (!file) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    size_t known = strlen(file);
    return strncmp(path, file, known) == 0 && (path[known] == 0 || strcmp(path + known, "-wal") == 0);
}

static int is_flagged(const char *name, char *path, size_t size) {
    const char *flags = getenv("FAULT_FLAGS");
    if (!flags) return 0;
    snprintf(path, size, "%s/%s", flags, name);
    return access(path, F_OK) == 0;
}

static int is_full(int fd) {
    char path[4096];
    return is_flagged("full", path, sizeof path) && is_ours(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, count);
}

static int sync_with(long call, int fd) {
    char path[4096];
    while (is_flagged("stall", path, sizeof path) && is_ours(fd)) usleep(10000);
    if (is_flagged("eio", path, sizeof path) && is_ours(fd)) {
        unlink(path);
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }
