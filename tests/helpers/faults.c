// Makes the n-th call of the operating system on files below one folder fail. Preloaded (LD_PRELOAD), so that what
// SQLite, Arrow and Rust write is counted as well as what Python writes.
//
// Calls are counted from faults_arm on, those of the kinds of its mask alone. A fault is the n-th of them, or with
// `lasting` that one and all that follow; the n-th write of a lasting fault is cut short, as on a disk that runs full.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum Kind { OPEN = 1, CREATE = 2, READ = 4, WRITE = 8, SYNC = 16, RENAME = 32, MKDIR = 64, REMOVE = 128, LOOK = 256 };

// Shared by a process and those that it forks, so that the parent learns what its child did.
static struct {
  char folder[4096];
  size_t length;  // 0: not armed
  long nth, count;
  int error, mask;
  bool lasting;
  char hit[8192];  // the first call that failed
} *state;

static _Atomic(unsigned char) is_below[1 << 16];  // by file descriptor

__attribute__((constructor)) static void begin(void) {
  state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void faults_arm(const char* folder, long nth, int error, int mask, int lasting) {
  memset(state, 0, sizeof *state);
  strncpy(state->folder, folder, sizeof state->folder - 1);
  state->nth = nth;
  state->error = error;
  state->mask = mask;
  state->lasting = lasting != 0;
  state->length = strlen(folder);
}

void faults_disarm(void) { state->length = 0; }
long faults_count(void) { return state->count; }
const char* faults_hit(void) { return state->hit; }

static bool concerns(const char* path) {
  if (state->length == 0 || path == NULL) return false;
  if (path[0] != '/') {
    char here[4096];
    if (getcwd(here, sizeof here) == NULL) return false;
    return strncmp(here, state->folder, state->length) == 0;
  }
  return strncmp(path, state->folder, state->length) == 0;
}

// Whether this call is to fail, with errno set.
static bool fails(enum Kind kind, const char* call, const char* path) {
  if (!(state->mask & kind)) return false;
  const long count = __atomic_add_fetch(&state->count, 1, __ATOMIC_SEQ_CST);
  if (count != state->nth && !(state->lasting && count > state->nth)) return false;
  if (state->hit[0] == 0) snprintf(state->hit, sizeof state->hit, "%s %s", call, path);
  errno = state->error;
  return true;
}

static void keep(int fd, bool below) {
  if (fd >= 0 && fd < (int)(sizeof is_below)) is_below[fd] = below;
}

static bool held(int fd) { return state->length != 0 && fd >= 0 && fd < (int)(sizeof is_below) && is_below[fd]; }

static const char* path_of(int fd, char* into, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, into, size - 1);
  into[n < 0 ? 0 : n] = 0;
  return into;
}

#define REAL(name) \
  static typeof(&name) real; \
  if (real == NULL) real = (typeof(&name))dlsym(RTLD_NEXT, #name)

#define OPENING(name, parameters, path, arguments, with_mode)                                                   \
  int name parameters {                                                                                        \
    REAL(name);                                                                                                \
    mode_t mode = 0;                                                                                           \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                                       \
      va_list rest;                                                                                            \
      va_start(rest, flags);                                                                                   \
      mode = va_arg(rest, mode_t);                                                                             \
      va_end(rest);                                                                                            \
    }                                                                                                          \
    const bool below = concerns(path);                                                                         \
    if (below && fails(flags & O_CREAT ? CREATE : OPEN, #name, path)) return -1;                               \
    const int fd = with_mode;                                                                                  \
    keep(fd, below);                                                                                           \
    return fd;                                                                                                 \
  }

OPENING(open, (const char* path, int flags, ...), path, , real(path, flags, mode))
OPENING(open64, (const char* path, int flags, ...), path, , real(path, flags, mode))
OPENING(openat, (int at, const char* path, int flags, ...), path, , real(at, path, flags, mode))
OPENING(openat64, (int at, const char* path, int flags, ...), path, , real(at, path, flags, mode))

#define STREAM(name)                                                                                 \
  FILE* name(const char* path, const char* mode) {                                                   \
    REAL(name);                                                                                      \
    const bool below = concerns(path);                                                               \
    if (below && fails(mode[0] == 'r' ? OPEN : CREATE, #name, path)) return NULL;                    \
    FILE* const file = real(path, mode);                                                             \
    if (file != NULL) keep(fileno(file), below);                                                     \
    return file;                                                                                     \
  }
STREAM(fopen)
STREAM(fopen64)

#define ON_FILE(result, name, parameters, fd, arguments, kind)                  \
  result name parameters {                                                      \
    REAL(name);                                                                 \
    char path[4096];                                                            \
    if (held(fd) && fails(kind, #name, path_of(fd, path, sizeof path))) return -1; \
    return real arguments;                                                      \
  }
ON_FILE(ssize_t, read, (int fd, void* into, size_t n), fd, (fd, into, n), READ)
ON_FILE(ssize_t, pread, (int fd, void* into, size_t n, off_t at), fd, (fd, into, n, at), READ)
ON_FILE(ssize_t, pread64, (int fd, void* into, size_t n, off64_t at), fd, (fd, into, n, at), READ)
ON_FILE(ssize_t, readv, (int fd, const struct iovec* into, int n), fd, (fd, into, n), READ)
ON_FILE(ssize_t, writev, (int fd, const struct iovec* from, int n), fd, (fd, from, n), WRITE)
ON_FILE(int, ftruncate, (int fd, off_t n), fd, (fd, n), WRITE)
ON_FILE(int, ftruncate64, (int fd, off64_t n), fd, (fd, n), WRITE)
ON_FILE(int, fallocate, (int fd, int mode, off_t at, off_t n), fd, (fd, mode, at, n), WRITE)
ON_FILE(int, fsync, (int fd), fd, (fd), SYNC)
ON_FILE(int, fdatasync, (int fd), fd, (fd), SYNC)

#define WRITING(name, parameters, whole, half)                                  \
  ssize_t name parameters {                                                     \
    REAL(name);                                                                 \
    char path[4096];                                                            \
    if (held(fd) && fails(WRITE, #name, path_of(fd, path, sizeof path))) {      \
      if (state->lasting && state->count == state->nth && n > 1) return half;   \
      return -1;                                                                \
    }                                                                           \
    return whole;                                                               \
  }
WRITING(write, (int fd, const void* from, size_t n), real(fd, from, n), real(fd, from, n / 2))
WRITING(pwrite, (int fd, const void* from, size_t n, off_t at), real(fd, from, n, at), real(fd, from, n / 2, at))
WRITING(pwrite64, (int fd, const void* from, size_t n, off64_t at), real(fd, from, n, at), real(fd, from, n / 2, at))

#define ON_PATH(result, failed, name, parameters, path, arguments, kind) \
  result name parameters {                                              \
    REAL(name);                                                         \
    if (concerns(path) && fails(kind, #name, path)) return failed;      \
    return real arguments;                                              \
  }
ON_PATH(int, -1, rename, (const char* from, const char* to), to, (from, to), RENAME)
ON_PATH(int, -1, renameat, (int old, const char* from, int new, const char* to), to, (old, from, new, to), RENAME)
ON_PATH(int, -1, renameat2, (int old, const char* from, int new, const char* to, unsigned flags), to,
        (old, from, new, to, flags), RENAME)
ON_PATH(int, -1, mkdir, (const char* path, mode_t mode), path, (path, mode), MKDIR)
ON_PATH(int, -1, mkdirat, (int at, const char* path, mode_t mode), path, (at, path, mode), MKDIR)
ON_PATH(int, -1, unlink, (const char* path), path, (path), REMOVE)
ON_PATH(int, -1, unlinkat, (int at, const char* path, int flags), path, (at, path, flags), REMOVE)
ON_PATH(int, -1, rmdir, (const char* path), path, (path), REMOVE)
ON_PATH(int, -1, chmod, (const char* path, mode_t mode), path, (path, mode), REMOVE)
ON_PATH(int, -1, fchmodat, (int at, const char* path, mode_t mode, int flags), path, (at, path, mode, flags), REMOVE)
ON_PATH(DIR*, NULL, opendir, (const char* path), path, (path), OPEN)
ON_PATH(int, -1, stat, (const char* path, struct stat* into), path, (path, into), LOOK)
ON_PATH(int, -1, stat64, (const char* path, struct stat64* into), path, (path, into), LOOK)
ON_PATH(int, -1, lstat, (const char* path, struct stat* into), path, (path, into), LOOK)
ON_PATH(int, -1, lstat64, (const char* path, struct stat64* into), path, (path, into), LOOK)
ON_PATH(int, -1, fstatat, (int at, const char* path, struct stat* into, int flags), path, (at, path, into, flags), LOOK)
ON_PATH(int, -1, fstatat64, (int at, const char* path, struct stat64* into, int flags), path, (at, path, into, flags),
        LOOK)

int close(int fd) {
  REAL(close);
  keep(fd, false);
  return real(fd);
}
