/*
 * See wal.h: writing. Invariants:
 *
 *   1. Only the last file is appended to, by the loop; others do not change.
 *   2. A descriptor is closed by a flush that began when its file was not the last any
 *      more, or by wal_close. So nobody closes what another thread is using.
 *   3. A file is removed only when it is flushed.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/checksum.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/disk.h"
#include "storage/wal_priv.h"
#include <assert.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_NAME "log.%010u"

/* --- files --- */

void
wal_path(const struct wal *w, uint32_t file, char path[WAL_PATH])
{
    snprintf(path, WAL_PATH, "%s/" WAL_DIR "/" FILE_NAME, w->home, file);
}

static int
log_errno(const char *what)
{
    log_line(LOG_WARNING, "%s: %s", what, strerror(errno));
    return -1;
}

static uint64_t
head_checksum(const struct wal_file_head *head)
{
    return checksum(
        bytes_of((const char *)head, offsetof(struct wal_file_head, checksum)), 0);
}

static void
add_file(struct wal *w, struct wal_file file)
{
    size_t at = w->nfiles++;

    w->files = xrealloc(w->files, w->nfiles * sizeof *w->files);
    for (; at > 0 && w->files[at - 1].file > file.file; at--)
        w->files[at] = w->files[at - 1];
    w->files[at] = file;
    if (file.file >= w->next_file)
        w->next_file = file.file + 1;
}

/* A death just as a file was begun leaves one without a head. */
static bool
is_headless(const struct wal_file_head *head, ssize_t len)
{
    const char *byte = (const char *)head;

    for (ssize_t i = 0; i < len; i++) {
        if (byte[i] != 0)
            return len < (ssize_t)sizeof *head;
    }
    return true;
}

static int
read_head(struct wal *w, uint32_t number, int fd, const char *path)
{
    struct wal_file_head head = {0};
    struct stat stat;
    ssize_t len = pread(fd, &head, sizeof head, 0);

    if (len < 0 || fstat(fd, &stat) != 0)
        return log_errno(path);
    if (is_headless(&head, len)) {
        if (number >= w->next_file)
            w->next_file = number + 1;
        return unlink(path) == 0 ? 0 : log_errno(path);
    }
    if (memcmp(head.magic, WAL_MAGIC, sizeof head.magic) != 0 || head.version == 0
        || le32toh(head.version) > WAL_VERSION) {
        log_line(LOG_WARNING, "%s is no log, or of a later version than %d", path,
                 WAL_VERSION);
        return -1;
    }
    if (head.checksum != htole64(head_checksum(&head)) || le32toh(head.file) != number
        || head.first == 0) {
        log_line(LOG_WARNING, "%s is damaged at its head", path);
        return -1;
    }
    add_file(w, (struct wal_file){number, le64toh(head.first), le64toh(head.durable),
                                  stat.st_size, -1, false});
    return 0;
}

static int
find_file(struct wal *w, const char *name)
{
    char path[WAL_PATH], again[32];
    unsigned number;

    if (sscanf(name, FILE_NAME, &number) != 1)
        return 0;
    snprintf(again, sizeof again, FILE_NAME, number);
    if (strcmp(name, again) != 0)
        return 0;
    wal_path(w, number, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return log_errno(path);
    int failed = read_head(w, number, fd, path);
    close(fd);
    return failed;
}

static int
find_files(struct wal *w)
{
    char path[WAL_PATH];
    struct dirent *entry;
    int failed = 0;

    snprintf(path, sizeof path, "%s/" WAL_DIR, w->home);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return log_errno(path);
    while (!failed && (entry = readdir(dir)) != NULL)
        failed = find_file(w, entry->d_name);
    closedir(dir);
    return failed;
}

struct wal *
wal_open(const char *home)
{
    struct wal *w = xcalloc(1, sizeof *w);

    pthread_mutex_init(&w->mutex, NULL);
    pthread_mutex_init(&w->flushing, NULL);
    w->home = bytes_dup(bytes_str(home));
    w->next_file = 1;
    if (find_files(w) == 0)
        return w;
    wal_close(w);
    return NULL;
}

void
wal_close(struct wal *w)
{
    for (size_t i = 0; i < w->nfiles; i++) {
        if (w->files[i].fd >= 0)
            close(w->files[i].fd);
    }
    pthread_mutex_destroy(&w->mutex);
    pthread_mutex_destroy(&w->flushing);
    free(w->files);
    free(w->home);
    free(w);
}

static int
unlink_file(struct wal *w, uint32_t file)
{
    char path[WAL_PATH];

    wal_path(w, file, path);
    return unlink(path) == 0 ? 0 : log_errno(path);
}

int
wal_start(struct wal *w, uint64_t number, uint64_t durable)
{
    for (; w->nfiles > 0 && w->files[w->nfiles - 1].first > number; w->nfiles--) {
        const struct wal_file *last = &w->files[w->nfiles - 1];
        log_line(LOG_WARNING,
                 "The log ends behind batch %llu; its file %u begins with %llu and goes",
                 (unsigned long long)number, last->file, (unsigned long long)last->first);
        if (unlink_file(w, last->file) != 0)
            return -1;
    }
    atomic_store(&w->written, number);
    atomic_store(&w->durable, durable);
    return 0;
}

/* --- appending --- */

uint64_t
wal_checksum(const struct wal_head *head, struct bytes effects, uint32_t file)
{
    size_t skip = sizeof head->checksum;
    uint64_t seed =
        checksum(bytes_of((const char *)head + skip, sizeof *head - skip), file);

    return checksum(effects, seed);
}

/* Writes all of some parts at an offset. */
static int
write_parts(int fd, struct iovec *parts, int nparts, int64_t offset)
{
    while (nparts > 0) {
        ssize_t n = pwritev(fd, parts, nparts, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        offset += n;
        while (nparts > 0 && (size_t)n >= parts->iov_len) {
            n -= (ssize_t)parts->iov_len;
            parts++;
            nparts--;
        }
        if (nparts > 0) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
    return 0;
}

/* The file that is appended to. False: there is none yet. */
static bool
current_file(struct wal *w, struct wal_file *out)
{
    pthread_mutex_lock(&w->mutex);
    bool found = w->nfiles > 0 && w->files[w->nfiles - 1].fd >= 0;
    if (found)
        *out = w->files[w->nfiles - 1];
    pthread_mutex_unlock(&w->mutex);
    return found;
}

/* Begins the next file; the one before is not appended to any more. */
static int
begin_file(struct wal *w, uint64_t first, struct wal_file *out)
{
    char path[WAL_PATH];
    struct wal_file file = {
        w->next_file, first, atomic_load(&w->durable), sizeof(struct wal_file_head),
        -1,           false};
    struct wal_file_head head = {
        WAL_MAGIC,           htole32(WAL_VERSION),  htole32(file.file),
        htole64(file.first), htole64(file.durable), 0};
    struct iovec part = {&head, sizeof head};

    head.checksum = htole64(head_checksum(&head));
    wal_path(w, file.file, path);
    file.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file.fd < 0)
        return -1;
    if (write_parts(file.fd, &part, 1, 0) != 0) {
        int reason = errno;
        unlink(path);
        close(file.fd);
        errno = reason;
        return -1;
    }
    pthread_mutex_lock(&w->mutex);
    add_file(w, file);
    w->dir_flushed = false;
    pthread_mutex_unlock(&w->mutex);
    w->offset = sizeof head;
    *out = file;
    return 0;
}

static struct wal_head
make_head(const struct wal *w, uint64_t number, uint64_t len)
{
    uint64_t ahead = number - atomic_load(&w->durable);

    assert(len <= WAL_LEN_MAX);
    if (ahead > WAL_AHEAD_MAX)
        ahead = 0;
    return (struct wal_head){0, htole64(number), htole64(len | ahead << WAL_LEN_BITS)};
}

static int
append(struct wal *w, uint64_t number, struct bytes effects)
{
    struct wal_head head = make_head(w, number, effects.len);
    int64_t len = (int64_t)(sizeof head + effects.len);
    struct wal_file file;

    if (!current_file(w, &file)
        || (w->offset + len > WAL_FILE_SIZE && file.first != number)) {
        if (begin_file(w, number, &file) != 0)
            return -1;
    }
    head.checksum = htole64(wal_checksum(&head, effects, file.file));
    struct iovec parts[] = {{&head, sizeof head}, {(char *)effects.data, effects.len}};
    if (write_parts(file.fd, parts, 2, w->offset) != 0)
        return -1;
    pthread_mutex_lock(&w->mutex);
    w->files[w->nfiles - 1].size = w->offset + len;
    pthread_mutex_unlock(&w->mutex);
    return 0;
}

static int
fail(struct wal *w)
{
    if (!w->failing)
        log_errno("The log cannot be written, and is tried again");
    w->failing = true;
    return -1;
}

int
wal_append(struct wal *w, uint64_t number, struct bytes effects, bool flush)
{
    assert(number == atomic_load(&w->written) + 1);
    if (append(w, number, effects) != 0)
        return fail(w);
    atomic_store(&w->written, number);
    if (flush && wal_flush(w) != 0) {
        atomic_store(&w->written, number - 1);
        w->failing = true;
        return -1;
    }
    w->offset += (int64_t)(sizeof(struct wal_head) + effects.len);
    if (w->failing)
        log_line(LOG_WARNING, "The log can be written again");
    w->failing = false;
    return 0;
}

/* --- flushing --- */

/* The first file the disk may not have whole, and whether it is the one that is appended
 * to. A file of an earlier process is opened for it. */
static bool
first_unflushed(struct wal *w, struct wal_file *out, bool *current)
{
    bool found = false;

    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; i < w->nfiles && !found; i++) {
        *out = w->files[i];
        *current = i + 1 == w->nfiles && out->fd >= 0;
        found = !out->flushed;
    }
    pthread_mutex_unlock(&w->mutex);
    return found;
}

static void
set_flushed(struct wal *w, uint32_t file)
{
    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; i < w->nfiles; i++) {
        struct wal_file *f = &w->files[i];
        if (f->file != file)
            continue;
        f->flushed = true;
        if (f->fd >= 0)
            close(f->fd);
        f->fd = -1;
    }
    pthread_mutex_unlock(&w->mutex);
}

static int
flush_path(const char *path, int (*flush_fd)(int fd))
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    int failed = flush_fd(fd);
    close(fd);
    return failed;
}

static int
flush_file(struct wal *w, const struct wal_file *file)
{
    char path[WAL_PATH];

    if (file->fd >= 0)
        return disk_flush(file->fd);
    wal_path(w, file->file, path);
    return flush_path(path, disk_flush);
}

/* Brings the names of new files to the disk. */
static int
flush_dir(struct wal *w)
{
    char path[WAL_PATH];

    pthread_mutex_lock(&w->mutex);
    bool flushed = w->dir_flushed;
    w->dir_flushed = true;
    pthread_mutex_unlock(&w->mutex);
    if (flushed)
        return 0;
    snprintf(path, sizeof path, "%s/" WAL_DIR, w->home);
    if (flush_path(path, disk_flush_dir) == 0)
        return 0;
    pthread_mutex_lock(&w->mutex);
    w->dir_flushed = false;
    pthread_mutex_unlock(&w->mutex);
    return -1;
}

static int
flush(struct wal *w)
{
    uint64_t number = atomic_load(&w->written);
    struct wal_file file;
    bool current = false;

    while (!current && first_unflushed(w, &file, &current)) {
        if (flush_file(w, &file) != 0)
            return -1;
        if (!current)
            set_flushed(w, file.file);
    }
    if (flush_dir(w) != 0)
        return -1;
    atomic_store(&w->durable, number);
    return 0;
}

int
wal_flush(struct wal *w)
{
    pthread_mutex_lock(&w->flushing);
    int failed = flush(w);
    pthread_mutex_unlock(&w->flushing);
    if (failed && !disk_has_failed())
        log_errno("The log cannot be flushed");
    return failed;
}

uint64_t
wal_durable(const struct wal *w)
{
    return atomic_load(&w->durable);
}

/* --- removing --- */

void
wal_remove(struct wal *w, uint64_t number)
{
    uint32_t file = 0;

    do {
        pthread_mutex_lock(&w->mutex);
        bool found = w->nfiles > 1 && w->files[0].flushed && w->files[1].first <= number;
        if (found) {
            file = w->files[0].file;
            w->nfiles--;
            memmove(w->files, w->files + 1, w->nfiles * sizeof *w->files);
        } else {
            file = 0;
        }
        pthread_mutex_unlock(&w->mutex);
        if (file != 0)
            unlink_file(w, file);
    } while (file != 0);
}

int64_t
wal_size(struct wal *w)
{
    int64_t bytes = 0;

    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; i < w->nfiles; i++)
        bytes += w->files[i].size;
    pthread_mutex_unlock(&w->mutex);
    return bytes;
}
