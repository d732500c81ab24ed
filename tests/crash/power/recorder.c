/* Writes down, in order, what a process does to one SQLite file, its log and its journal, and when
 * it syncs their directory (file 3).
 *
 * Preloaded into the program. POWER_FILE is the file, POWER_LOG the record: for each step five
 * little-endian numbers (kind, file, offset, length; 4, 4, 8, 8 bytes), then the bytes written.
 * Steps are done and recorded under one lock, so that their order in the record is the real one. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRITE = 1, TRUNCATE = 2, SYNC = 3, UNLINK = 4, CREATE = 5 };
enum { FDS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record_fd = -1;
static int watched[FDS]; /* 0: not ours; else the file's number + 1 */

static int file_of(const char *path) {
    const char *file = getenv("POWER_FILE");
    if (!file || !path) return -1;
    size_t length = strlen(file);
    size_t directory = (size_t)(strrchr(file, '/') - file);
    if (strncmp(path, file, directory) == 0 &&
        (path[directory] == 0 || strcmp(path + directory, "/") == 0))
        return 3;
    if (strncmp(path, file, length) != 0) return -1;
    if (path[length] == 0) return 0;
    if (strcmp(path + length, "-wal") == 0) return 1;
    if (strcmp(path + length, "-journal") == 0) return 2;
    return -1;
}

static void put(const void *bytes, size_t length) {
    const char *next = bytes;
    while (length > 0) {
        long wrote = syscall(SYS_write, record_fd, next, length);
        if (wrote <= 0) abort(); /* A record with a hole proves nothing. */
        next += wrote;
        length -= (size_t)wrote;
    }
}

static void record(uint32_t kind, int file, uint64_t offset, uint64_t length, const void *bytes) {
    if (record_fd < 0) {
        record_fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("POWER_LOG"),
                                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (record_fd < 0) abort();
    }
    unsigned char head[24];
    uint32_t number = (uint32_t)file;
    memcpy(head, &kind, 4);
    memcpy(head + 4, &number, 4);
    memcpy(head + 8, &offset, 8);
    memcpy(head + 16, &length, 8);
    put(head, sizeof head);
    if (bytes) put(bytes, length);
}

static int open_at(int directory, const char *path, int flags, mode_t mode) {
    int file = file_of(path);
    if (file < 0) return (int)syscall(SYS_openat, directory, path, flags, mode);
    pthread_mutex_lock(&lock);
    int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, directory, path, F_OK) != 0;
    int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    if (fd >= FDS) abort();
    if (fd >= 0) {
        watched[fd] = file + 1;
        if (is_new) record(CREATE, file, 0, 0, NULL);
        if (flags & O_TRUNC) record(TRUNCATE, file, 0, 0, NULL);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#include "../opens.h"

static int number_of(int fd) {
    return fd >= 0 && fd < FDS ? watched[fd] - 1 : -1;
}

int close(int fd) {
    if (number_of(fd) < 0) return (int)syscall(SYS_close, fd);
    pthread_mutex_lock(&lock);
    watched[fd] = 0;
    int result = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return result;
}

static ssize_t write_at(int fd, const void *bytes, size_t count, off64_t offset) {
    int file = number_of(fd);
    if (file < 0) return syscall(SYS_pwrite64, fd, bytes, count, offset);
    pthread_mutex_lock(&lock);
    ssize_t wrote = syscall(SYS_pwrite64, fd, bytes, count, offset);
    if (wrote > 0) record(WRITE, file, (uint64_t)offset, (uint64_t)wrote, bytes);
    pthread_mutex_unlock(&lock);
    return wrote;
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return write_at(fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    return write_at(fd, bytes, count, offset);
}
ssize_t write(int fd, const void *bytes, size_t count) {
    if (number_of(fd) >= 0) abort(); /* SQLite writes at offsets only. */
    return syscall(SYS_write, fd, bytes, count);
}

static int cut(int fd, off64_t length) {
    int file = number_of(fd);
    if (file < 0) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (result == 0) record(TRUNCATE, file, (uint64_t)length, 0, NULL);
    pthread_mutex_unlock(&lock);
    return result;
}
int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

static int sync_with(long call, int fd) {
    int file = number_of(fd);
    if (file < 0) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(call, fd);
    if (result == 0) record(SYNC, file, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return result;
}
int fsync(int fd) { return sync_with(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }

int unlink(const char *path) {
    int file = file_of(path);
    if (file < 0) return (int)syscall(SYS_unlink, path);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_unlink, path);
    if (result == 0) record(UNLINK, file, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return result;
}
