/*
 * fuzz_wal: whatever two files of the log hold, it is read or refused; what is read has
 * numbers without a gap, and is read again the same when a start has gone on behind it.
 *
 * The input is a head, as below, and the batches of both files. Their checksums are made
 * right on the way, where it says so: no fuzzer guesses one.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/checksum.h"
#include "base/log.h"
#include "lib/daemon.h"
#include "storage/disk.h"
#include "storage/wal_priv.h"
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEAL     1 /* of flags: batches get their checksums, */
#define ONE_FILE 2 /* there is no second file, */
#define TORN     4 /* and the last file ends within its head */

#define NUMBERS  8
#define FILES    4 /* at most, with what is appended */
#define APPENDED "appended"

struct input {
    uint8_t flags;
    uint8_t cut;   /* of 255: what part of the batches is in the first file */
    uint8_t after; /* the reader begins behind this one */
    uint8_t version[2], first[2], durable[2];
};

/* What a reader gives. */
struct told {
    int code;
    uint64_t last;
    struct buf text;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *home;

static void
forget_home(void)
{
    directory_remove(home);
    free(home);
}

static void
make_home(void)
{
    char path[WAL_PATH];

    log_set_file("/dev/null");
    home = directory_make();
    snprintf(path, sizeof path, "%s/" WAL_DIR, home);
    int failed = mkdir(path, 0750);
    assert(!failed);
    atexit(forget_home);
}

static void
seal_batches(char *at, size_t left, uint32_t file)
{
    struct wal_head head;

    while (left >= sizeof head) {
        memcpy(&head, at, sizeof head);
        size_t len = le64toh(head.len_ahead) & WAL_LEN_MAX;
        if (len > left - sizeof head)
            return;
        head.checksum =
            htole64(wal_checksum(&head, bytes_of(at + sizeof head, len), file));
        memcpy(at, &head.checksum, sizeof head.checksum);
        at += sizeof head + len;
        left -= sizeof head + len;
    }
}

static void
save(const struct input *in, uint32_t file, struct bytes batches, size_t most)
{
    struct wal_file_head head = {WAL_MAGIC,
                                 htole32(in->version[file - 1] % 4),
                                 htole32(file),
                                 htole64(in->first[file - 1] % NUMBERS),
                                 htole64(in->durable[file - 1] % NUMBERS),
                                 0};
    struct wal w = {.home = home};
    char path[WAL_PATH];
    struct buf bytes = {0};

    head.checksum = htole64(
        checksum(bytes_of((char *)&head, offsetof(struct wal_file_head, checksum)), 0));
    buf_append(&bytes, &head, sizeof head);
    buf_append_bytes(&bytes, batches);
    if (in->flags & SEAL)
        seal_batches(bytes.data + sizeof head, batches.len, file);
    wal_path(&w, file, path);
    FILE *out = fopen(path, "w");
    assert(out != NULL);
    fwrite(bytes.data, 1, bytes.len < most ? bytes.len : most, out);
    fclose(out);
    buf_deinit(&bytes);
}

static void
save_all(const struct input *in, struct bytes batches)
{
    bool one = in->flags & ONE_FILE;
    size_t cut = one ? batches.len : batches.len * in->cut / UINT8_MAX;
    size_t most = in->flags & TORN ? in->cut % sizeof(struct wal_file_head) : SIZE_MAX;

    save(in, 1, bytes_of(batches.data, cut), one ? most : SIZE_MAX);
    if (!one)
        save(in, 2, bytes_of(batches.data + cut, batches.len - cut), most);
}

static void
tell_chunk(struct told *told, const struct chunk *c)
{
    struct bytes batches = c->batches;
    struct wal_batch batch;
    int64_t len = 0;

    while (chunk_next(&batches, &batch)) {
        told->last++;
        assert(batch.number == told->last);
        assert(batch.effects.data + batch.effects.len <= c->data + c->cap);
        len += (int64_t)batch.effects.len;
        buf_printf(&told->text, "%d:", (int)batch.number);
        buf_append_bytes(&told->text, batch.effects);
    }
    assert(batches.len == 0 && c->number == told->last && c->len == len);
}

static struct told
read_all(struct wal *w, uint64_t after)
{
    struct wal_reader *r = wal_reader_new(w, after);
    struct told told = {.code = -1, .last = after};
    struct chunk *c;

    if (r == NULL)
        return told;
    while ((told.code = wal_reader_next(r, WAL_END, &c)) == 1) {
        tell_chunk(&told, c);
        wal_reader_reuse(r, c);
    }
    wal_reader_free(r);
    return told;
}

static void
assert_tells(struct wal *w, uint64_t after, const struct told *expected)
{
    struct told told = read_all(w, after);

    assert(told.code == expected->code && told.last == expected->last);
    assert(bytes_eq(buf_bytes(&told.text), buf_bytes(&expected->text)));
    buf_deinit(&told.text);
}

/* A start goes on behind what was read, and another one finds both. */
static struct wal *
go_on(struct wal *w, uint64_t after, struct told *told)
{
    int failed = wal_start(w, told->last, after);
    assert(!failed);
    failed = wal_append(w, ++told->last, bytes_str(APPENDED), false);
    assert(!failed);
    buf_printf(&told->text, "%d:" APPENDED, (int)told->last);
    assert_tells(w, after, told);
    wal_close(w);
    w = wal_open(home);
    assert(w != NULL);
    assert_tells(w, after, told);
    return w;
}

static void
remove_all(void)
{
    struct wal w = {.home = home};
    char path[WAL_PATH];

    for (uint32_t file = 1; file <= FILES; file++) {
        wal_path(&w, file, path);
        unlink(path);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;

    if (size < sizeof in)
        return 0;
    memcpy(&in, data, sizeof in);
    if (home == NULL)
        make_home();
    save_all(&in, bytes_of((const char *)data + sizeof in, size - sizeof in));
    struct wal *w = wal_open(home);
    if (w != NULL) {
        uint64_t after = in.after % NUMBERS;
        struct told told = read_all(w, after);
        assert_tells(w, after, &told);
        if (told.code == 0)
            w = go_on(w, after, &told);
        buf_deinit(&told.text);
        wal_close(w);
    }
    remove_all();
    return 0;
}
