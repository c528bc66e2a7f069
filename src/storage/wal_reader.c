/* See wal.h: reading. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"
#include "base/mem.h"
#include "storage/wal_priv.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROOF_BYTES (1024 * 1024 * 1024) /* checked at most, in search of a proof */

struct wal_reader {
    struct wal *wal;
    struct wal_file file; /* as it was when the reader came to it */
    int fd;
    int64_t offset; /* of the next batch */
    uint64_t last;  /* the batch before it */
    uint64_t after; /* batches up to here are passed over */
    struct chunk *spare;
};

/* --- chunks --- */

void
chunks_free(struct chunk *c)
{
    while (c != NULL) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
}

static bool
take_head(struct bytes bytes, struct wal_head *head)
{
    if (bytes.len < sizeof *head)
        return false;
    memcpy(head, bytes.data, sizeof *head);
    head->checksum = le64toh(head->checksum);
    return true;
}

static size_t
len_of(const struct wal_head *head)
{
    return le64toh(head->len_ahead) & WAL_LEN_MAX;
}

/* The batch up to which the disk had the log as this one was appended; 0: not known. */
static uint64_t
durable_before(const struct wal_head *head)
{
    uint64_t number = le64toh(head->number);
    uint64_t ahead = le64toh(head->len_ahead) >> WAL_LEN_BITS;

    return ahead == 0 || ahead > number ? 0 : number - ahead;
}

bool
chunk_next(struct bytes *batches, struct wal_batch *out)
{
    struct wal_head head;

    if (!take_head(*batches, &head))
        return false;
    size_t whole = sizeof head + len_of(&head);
    out->number = le64toh(head.number);
    out->effects = bytes_of(batches->data + sizeof head, len_of(&head));
    *batches = bytes_of(batches->data + whole, batches->len - whole);
    return true;
}

/* --- files --- */

/* The file after number `file` that is there. */
static bool
next_file(struct wal *w, uint32_t file, struct wal_file *out)
{
    bool found = false;

    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; i < w->nfiles && !found; i++) {
        *out = w->files[i];
        found = out->file > file;
    }
    pthread_mutex_unlock(&w->mutex);
    return found;
}

static int
enter_file(struct wal_reader *r, const struct wal_file *file)
{
    char path[WAL_PATH];

    wal_path(r->wal, file->file, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        log_line(LOG_WARNING, "%s: %s", path, strerror(errno));
        return -1;
    }
    if (r->fd >= 0)
        close(r->fd);
    r->fd = fd;
    r->file = *file;
    r->offset = sizeof(struct wal_file_head);
    return 0;
}

/* The last file that begins at or before the batch behind `after`. */
static bool
find_file(struct wal *w, uint64_t after, struct wal_file *out)
{
    struct wal_file file;
    bool found = false;

    for (uint32_t number = 0; next_file(w, number, &file) && file.first <= after + 1;
         number = file.file) {
        *out = file;
        found = true;
    }
    return found;
}

static int
log_too_short(void)
{
    log_line(LOG_WARNING, "The log does not reach as far as the tables");
    return -1;
}

struct wal_reader *
wal_reader_new(struct wal *w, uint64_t after)
{
    struct wal_reader *r = xcalloc(1, sizeof *r);
    struct wal_file file;

    r->wal = w;
    r->fd = -1;
    r->last = r->after = after;
    if (find_file(w, after, &file)) {
        r->last = file.first - 1;
        if (enter_file(r, &file) == 0)
            return r;
    } else if (after == 0 && !next_file(w, 0, &file)) {
        return r; /* it has not been begun */
    } else {
        log_too_short();
    }
    wal_reader_free(r);
    return NULL;
}

void
wal_reader_free(struct wal_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    chunks_free(r->spare);
    free(r);
}

void
wal_reader_reuse(struct wal_reader *r, struct chunk *first)
{
    while (first != NULL) {
        struct chunk *c = first;
        first = c->next;
        c->next = r->spare;
        r->spare = c;
    }
}

void
wal_reader_trim(struct wal_reader *r)
{
    chunks_free(r->spare);
    r->spare = NULL;
}

/* An empty chunk with room for size bytes. */
static struct chunk *
new_chunk(struct wal_reader *r, size_t size)
{
    struct chunk *c = r->spare;

    if (c != NULL)
        r->spare = c->next;
    if (c == NULL || c->cap < size) {
        free(c);
        size = size < WAL_CHUNK ? WAL_CHUNK : size;
        c = xmalloc(sizeof *c + size);
        c->cap = size;
    }
    *c = (struct chunk){.cap = c->cap};
    return c;
}

/* --- batches --- */

static int
damaged(const struct wal_reader *r, const char *how)
{
    char path[WAL_PATH];

    wal_path(r->wal, r->file.file, path);
    log_line(LOG_WARNING, "%s is damaged at byte %lld, behind batch %llu: %s", path,
             (long long)r->offset, (unsigned long long)r->last, how);
    return -1;
}

/* The batch at the front of bytes, or where there are too few, how many it takes. */
static bool
take_whole(const struct wal_reader *r, struct bytes bytes, struct wal_batch *out,
           size_t *whole)
{
    struct wal_head head;

    *whole = sizeof head;
    if (!take_head(bytes, &head))
        return false;
    out->number = le64toh(head.number);
    *whole += len_of(&head);
    if (bytes.len < *whole)
        return false;
    out->effects = bytes_of(bytes.data + sizeof head, len_of(&head));
    return wal_checksum(&head, out->effects, r->file.file) == head.checksum;
}

/* Takes what is whole of the bytes of a chunk. *needed is what the next one takes.
 * -1: damaged. */
static int
take_batches(struct wal_reader *r, uint64_t most, struct chunk *c, size_t len,
             size_t *needed)
{
    struct bytes rest = bytes_of(c->data, len);
    struct wal_batch batch;
    const char *first = c->data;

    while (r->last < most && take_whole(r, rest, &batch, needed)) {
        if (batch.number != r->last + 1)
            return damaged(r, "another number comes next");
        rest = bytes_of(rest.data + *needed, rest.len - *needed);
        r->offset += (int64_t)*needed;
        r->last = batch.number;
        if (batch.number > r->after)
            c->len += (int64_t)batch.effects.len;
        else
            first = rest.data;
    }
    c->number = r->last;
    c->batches = bytes_of(first, (size_t)(rest.data - first));
    return 0;
}

/* As many bytes of the file as there are, up to size. */
static ssize_t
read_bytes(const struct wal_reader *r, char *to, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = pread(r->fd, to + len, size - len, r->offset + (int64_t)len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return damaged(r, strerror(errno));
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

/* A chunk of what is at the reader's place in its file, up to size bytes of it. NULL: it
 * cannot be read. */
static struct chunk *
read_chunk(struct wal_reader *r, uint64_t most, size_t size, size_t *needed)
{
    struct chunk *c = new_chunk(r, size);
    ssize_t len = read_bytes(r, c->data, size);
    if (len >= 0 && take_batches(r, most, c, (size_t)len, needed) == 0)
        return c;
    wal_reader_reuse(r, c);
    return NULL;
}

/* 1: *out has batches; 0: there is no whole one behind the reader's place in its file. */
static int
read_file(struct wal_reader *r, uint64_t most, struct chunk **out)
{
    size_t size = WAL_CHUNK, needed = 0;
    struct stat stat;

    while (r->last < most) {
        if (fstat(r->fd, &stat) != 0)
            return damaged(r, strerror(errno));
        size_t left = (size_t)(stat.st_size - r->offset);
        int64_t before = r->offset;
        struct chunk *c = read_chunk(r, most, size < left ? size : left, &needed);
        if (c == NULL)
            return -1;
        if (c->batches.len > 0) {
            *out = c;
            return 1;
        }
        wal_reader_reuse(r, c);
        if (r->offset > before)
            continue;
        if (needed <= size || needed > left)
            break;
        size = needed;
    }
    return 0;
}

/* Up to which batch the files behind number `file` say that the log was durable. */
static uint64_t
durable_behind(struct wal *w, uint32_t file)
{
    struct wal_file next;
    uint64_t durable = 0;

    for (; next_file(w, file, &next); file = next.file) {
        if (next.durable > durable)
            durable = next.durable;
    }
    return durable;
}

/* Looks in the bytes behind a batch that is not whole for one that is and says that the
 * disk had it. Where it begins is not known, so that is tried at each byte. */
static bool
find_proof(const struct wal_reader *r, struct bytes rest)
{
    size_t left = PROOF_BYTES, whole;
    struct wal_batch batch;
    struct wal_head head;

    for (; take_head(rest, &head); rest = bytes_of(rest.data + 1, rest.len - 1)) {
        if (durable_before(&head) <= r->last || len_of(&head) > rest.len - sizeof head)
            continue;
        if (take_whole(r, rest, &batch, &whole))
            return true;
        if (whole > left)
            return false;
        left -= whole;
    }
    return false;
}

/* Whether what is behind the reader's place in its file says that the next batch was
 * durable. -1: it cannot be read. A batch larger than a file is alone in one. */
static int
has_proof(struct wal_reader *r)
{
    struct stat stat;

    if (fstat(r->fd, &stat) != 0)
        return damaged(r, strerror(errno));
    size_t size = (size_t)(stat.st_size - r->offset);
    if (size > WAL_FILE_SIZE)
        return 0;
    struct chunk *c = new_chunk(r, size);
    ssize_t len = read_bytes(r, c->data, size);
    bool found = len > 0 && find_proof(r, bytes_of(c->data, (size_t)len));
    wal_reader_reuse(r, c);
    return len < 0 ? -1 : found;
}

/* Whether the batch at the reader's place was durable, as is said there or further on. -1:
 * what is there cannot be read. */
static int
was_durable(struct wal_reader *r)
{
    struct wal_reader look = {.wal = r->wal, .fd = -1, .last = r->last};
    struct wal_file file = r->file;
    int found = durable_behind(r->wal, file.file) > r->last;

    for (bool more = true; more && found == 0;
         more = next_file(r->wal, file.file, &file)) {
        if (enter_file(&look, &file) != 0) {
            found = -1;
            break;
        }
        if (file.file == r->file.file)
            look.offset = r->offset;
        found = has_proof(&look);
    }
    if (look.fd >= 0)
        close(look.fd);
    wal_reader_trim(&look);
    return found;
}

/* The batch at the reader's place was on the disk, and is not whole. */
static int
refuse(const struct wal_reader *r)
{
    damaged(r, "the next batch is not whole, though it was flushed");
    log_line(LOG_WARNING,
             "Nothing was changed. Put a copy of the data directory in its place");
    if (r->last >= r->after)
        log_line(
            LOG_WARNING,
            "Or give up what was written from batch %llu on: make that file %lld bytes "
            "long (truncate -s) and take the log's files with higher numbers away",
            (unsigned long long)r->last + 1, (long long)r->offset);
    return -1;
}

/* The file has no more. 1: the next one goes on; 0: the log ends; -1: it may not. */
static int
leave_file(struct wal_reader *r, uint64_t most)
{
    struct wal_file next;
    bool more = next_file(r->wal, r->file.file, &next);

    if (more && next.first == r->last + 1)
        return enter_file(r, &next) == 0 ? 1 : -1;
    if (more && next.first <= r->last)
        return damaged(r, "the next file begins with an earlier batch");
    if (most != WAL_END)
        return damaged(r, "it ends too early");
    int durable = was_durable(r);
    if (durable != 0)
        return durable < 0 ? -1 : refuse(r);
    return r->last < r->after ? log_too_short() : 0;
}

int
wal_reader_next(struct wal_reader *r, uint64_t most, struct chunk **out)
{
    struct wal_file file;

    if (r->fd < 0) {
        if (!next_file(r->wal, 0, &file))
            return 0;
        if (enter_file(r, &file) != 0)
            return -1;
    }
    while (r->last < most) {
        int more = read_file(r, most, out);
        if (more == 0)
            more = r->last < most ? leave_file(r, most) : 0;
        else
            return more;
        if (more <= 0)
            return more;
    }
    return 0;
}
