/* See home.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/home.h"
#include "storage/catalog.h"
#include "storage/filename.h"
#include "storage/wal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const PARTS[] = {FILENAME_DIR, HOME_TXN, WAL_DIR};
#define NPARTS (sizeof PARTS / sizeof *PARTS)

/* Berkeley DB begins a file under a name like this; a death may leave it behind. */
#define BEGUN "__db."

struct complaint {
    const char *dir;
    char *text;
    size_t size;
};

/* Writes "dir: ..." and gives -1. */
static int __attribute__((format(printf, 2, 3)))
complain(const struct complaint *c, const char *format, ...)
{
    int len = snprintf(c->text, c->size, "%s: ", c->dir);
    va_list args;

    va_start(args, format);
    if (len > 0 && (size_t)len < c->size)
        vsnprintf(c->text + len, c->size - (size_t)len, format, args);
    va_end(args);
    return -1;
}

static int
make_dir(int at, const char *name, const struct complaint *c)
{
    if (mkdirat(at, name, 0750) == 0 || errno == EEXIST)
        return 0;
    return complain(c, "cannot make %s: %s", name, strerror(errno));
}

static int
lock(int at, const struct complaint *c)
{
    char pid[32] = "";
    int fd = openat(at, HOME_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

    if (fd < 0)
        return complain(c, "cannot open " HOME_LOCK ": %s", strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
        close(fd);
        if (why != EWOULDBLOCK)
            return complain(c, "cannot lock " HOME_LOCK ": %s", strerror(why));
        pid[len > 0 ? (size_t)len : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return complain(c, "is in use by process %s", pid);
    }
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
        close(fd);
        return complain(c, "cannot write " HOME_LOCK ": %s", strerror(errno));
    }
    return fd;
}

static bool
is_ours(const char *name)
{
    for (size_t i = 0; i < NPARTS; i++) {
        if (strcmp(name, PARTS[i]) == 0)
            return true;
    }
    return strcmp(name, HOME_LOCK) == 0 || strncmp(name, BEGUN, strlen(BEGUN)) == 0;
}

/* The first entry of a directory that `accept` does not know, "" for none. */
static void
find_stranger(int at, const char *name, bool accept(const char *), char *out, size_t size)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    out[0] = '\0';
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while (out[0] == '\0' && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0
            && !accept(entry->d_name))
            snprintf(out, size, "%s", entry->d_name);
    }
    closedir(dir);
}

static bool
is_nothing(const char *name)
{
    (void)name;
    return false;
}

/* A directory without a catalog is a new one, or none of ours. */
static int
check_new(int at, const struct complaint *c)
{
    char name[256];

    find_stranger(at, ".", is_ours, name, sizeof name);
    if (name[0] != '\0')
        return complain(
            c, "is not a data directory of keyvald: it has %s and no " CATALOG_FILE, name);
    find_stranger(at, FILENAME_DIR, is_nothing, name, sizeof name);
    if (name[0] != '\0')
        return complain(c, "is damaged: it has " FILENAME_DIR "/%s and no " CATALOG_FILE,
                        name);
    return 0;
}

/* The log of the tables begins before the catalog does. That our own log reaches as far
 * as the catalog says is seen when it is replayed. */
static int
check(int at, const struct complaint *c)
{
    char name[256];

    if (faccessat(at, CATALOG_FILE, F_OK, 0) != 0)
        return check_new(at, c);
    find_stranger(at, HOME_TXN, is_nothing, name, sizeof name);
    if (name[0] == '\0')
        return complain(c,
                        "is damaged: it has " CATALOG_FILE " and nothing in " HOME_TXN);
    return 0;
}

int
home_open(const char *dir, char *error, size_t error_size)
{
    struct complaint c = {dir, error, error_size};
    int fd = -1, failed;

    if (mkdir(dir, 0750) != 0 && errno != EEXIST)
        return complain(&c, "cannot be made: %s", strerror(errno));
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return complain(&c, "cannot be opened: %s", strerror(errno));

    /* Looked at before the lock leaves its file in a directory that is not ours. */
    failed = check(at, &c) != 0;
    if (!failed) {
        fd = lock(at, &c);
        failed = fd < 0;
    }
    for (size_t i = 0; i < NPARTS && !failed; i++)
        failed = make_dir(at, PARTS[i], &c) != 0;
    close(at);
    if (failed && fd >= 0)
        close(fd);
    return failed ? -1 : fd;
}
