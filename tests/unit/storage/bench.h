/*
 * bench: a storage over a directory of its own, the batch that is being written, and the
 * bell that its threads ring. For the tests of storage and of what stands on it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_UNIT_STORAGE_BENCH_H
#define TESTS_UNIT_STORAGE_BENCH_H

#include "base/clock.h"
#include "base/log.h"
#include "lib/daemon.h"
#include "storage/storage.h"
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BENCH_PATIENCE_US (30 * 1000000LL)
#define BENCH_LISTEN_US   5000 /* no bell rings for a failure, so look again */
#define BENCH_PATH_MAX    4096
#define NEVER_MS          (3600 * 1000) /* longer than any test */

struct bench {
    char *dir;
    struct storage_options options;
    struct storage *storage; /* NULL: closed */
    struct buf batch;
    pthread_mutex_t mutex;
    pthread_cond_t bell;
    bool rung; /* under mutex */
};

static inline void
bench_ring(void *arg)
{
    struct bench *b = arg;

    pthread_mutex_lock(&b->mutex);
    b->rung = true;
    pthread_cond_signal(&b->bell);
    pthread_mutex_unlock(&b->mutex);
}

/* A new directory, nothing in it yet. Freed with bench_deinit. */
static inline void
bench_init(struct bench *b)
{
    pthread_condattr_t monotonic;

    log_set_file("/dev/null");
    *b = (struct bench){.dir = directory_make()};
    b->options = (struct storage_options){
        .dir = b->dir,
        .cache = 16 * 1024 * 1024,
        .distance = 64 * 1024 * 1024,
        .apply_delay = 0,
        .max_open_tables = 100,
        .read_threads = 1,
        .sync = SYNC_NO,
        .wake = bench_ring,
        .wake_arg = b,
    };
    pthread_mutex_init(&b->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&b->bell, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* Closes the storage as it is: where it was not started, as if the process had died. */
static inline void
bench_close(struct bench *b)
{
    if (b->storage != NULL)
        assert_int_equal(storage_close(b->storage), 0);
    b->storage = NULL;
}

static inline void
bench_deinit(struct bench *b)
{
    bench_close(b);
    directory_remove(b->dir);
    buf_deinit(&b->batch);
    pthread_cond_destroy(&b->bell);
    pthread_mutex_destroy(&b->mutex);
    free(b->dir);
}

/* For cmocka: a directory, nothing open yet. */
static inline int
bench_set_up(void **state)
{
    static struct bench bench;

    bench_init(&bench);
    *state = &bench;
    return 0;
}

static inline int
bench_tear_down(void **state)
{
    bench_deinit(*state);
    return 0;
}

#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

/* Opened, and neither replayed nor started. */
static inline void
bench_open(struct bench *b)
{
    char error[STORAGE_ERROR_MAX] = "";

    b->storage = storage_open(&b->options, error);
    assert_string_equal(error[0] == '\0' || b->storage != NULL ? "" : error, "");
}

static inline void
bench_ignore(void *arg, uint64_t number, const struct replayed *changes, size_t count)
{
    (void)arg;
    (void)number;
    (void)changes;
    (void)count;
}

static inline void
bench_replay(struct bench *b)
{
    assert_int_equal(storage_replay(b->storage, bench_ignore, NULL), 0);
}

static inline void
bench_start(struct bench *b)
{
    bench_open(b);
    bench_replay(b);
    storage_start(b->storage);
}

static inline void
bench_restart(struct bench *b)
{
    bench_close(b);
    bench_start(b);
}

/* for (int64_t until = bench_until(); !what;) bench_listen(b, until); */
static inline int64_t
bench_until(void)
{
    return clock_mono_us() + BENCH_PATIENCE_US;
}

static inline void
bench_listen(struct bench *b, int64_t until_us)
{
    int64_t at_us = clock_mono_us() + BENCH_LISTEN_US;
    struct timespec at = {at_us / 1000000, at_us % 1000000 * 1000};

    assert_true(clock_mono_us() < until_us);
    pthread_mutex_lock(&b->mutex);
    while (!b->rung && pthread_cond_timedwait(&b->bell, &b->mutex, &at) == 0)
        continue;
    b->rung = false;
    pthread_mutex_unlock(&b->mutex);
}

/* Waits until the tables have what the log has. */
static inline void
bench_wait_applied(struct bench *b)
{
    int64_t until = bench_until();

    while (storage_applied(b->storage) < storage_written(b->storage)) {
        storage_hurry(b->storage);
        bench_listen(b, until);
    }
}

/* --- a batch --- */

static inline void
bench_effect(struct bench *b, enum effect_kind kind, unsigned flags, uint32_t store,
             const char *key, const char *record)
{
    effect_begin(&b->batch, kind, flags, store, bytes_str(key), strlen(record));
    buf_append_bytes(&b->batch, bytes_str(record));
}

static inline void
bench_create(struct bench *b, uint32_t store, const char *name)
{
    bench_effect(b, EFFECT_CREATE, 0, store, name, "");
}

/* A key that is not there yet. */
static inline void
bench_put_new(struct bench *b, uint32_t store, const char *key, const char *record)
{
    bench_effect(b, EFFECT_PUT, EFFECT_NEW, store, key, record);
}

static inline void
bench_put(struct bench *b, uint32_t store, const char *key, const char *record)
{
    bench_effect(b, EFFECT_PUT, 0, store, key, record);
}

static inline void
bench_delete(struct bench *b, uint32_t store, const char *key)
{
    bench_effect(b, EFFECT_DELETE, 0, store, key, "");
}

static inline void
bench_flush_store(struct bench *b, uint32_t store)
{
    bench_effect(b, EFFECT_FLUSH, 0, store, "", "");
}

static inline void
bench_commit(struct bench *b)
{
    assert_int_equal(storage_append(b->storage, buf_bytes(&b->batch)), 0);
    b->batch.len = 0;
}

/* So that the tables have it, too. */
static inline void
bench_apply(struct bench *b)
{
    bench_commit(b);
    bench_wait_applied(b);
}

/* --- what there is --- */

static inline void
bench_finish(struct bench *b, struct storage_read *read)
{
    int64_t until = bench_until();

    storage_submit(b->storage, read);
    while (storage_completed(b->storage) != read)
        bench_listen(b, until);
    assert_int_equal(read->error, 0);
}

/* Whether the table has the key, with this record. */
static inline bool
bench_has(struct bench *b, uint32_t store, const char *key, const char *record)
{
    struct read_item item = {.store = store, .key = bytes_str(key)};
    struct storage_read read = {.items = &item, .nitems = 1};

    bench_finish(b, &read);
    bool has = item.found && bytes_eq(buf_bytes(&item.record), bytes_str(record));
    buf_deinit(&item.record);
    return has;
}

static inline bool
bench_lacks(struct bench *b, uint32_t store, const char *key)
{
    struct read_item item = {.store = store, .key = bytes_str(key)};
    struct storage_read read = {.items = &item, .nitems = 1};

    bench_finish(b, &read);
    buf_deinit(&item.record);
    return !item.found;
}

static inline void
bench_print_row(void *arg, const struct storage_row *row)
{
    buf_printf(arg, "%u %.*s %lld %lld;", row->id, (int)row->name.len, row->name.data,
               (long long)row->count, (long long)row->expires);
}

/* What the catalog has, in the order of names: "1 shop 2 0;" has two keys, none with a
 * deadline. */
static inline void
bench_assert_rows(struct bench *b, const char *expected)
{
    struct buf out = {0};

    assert_int_equal(storage_rows(b->storage, bench_print_row, &out), 0);
    buf_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    buf_deinit(&out);
}

/* A path below the directory; good until the next call. */
static inline const char *
bench_path(const struct bench *b, const char *name)
{
    static char path[BENCH_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    return path;
}

static inline void
bench_rename(const struct bench *b, const char *from, const char *to)
{
    char old[BENCH_PATH_MAX];

    snprintf(old, sizeof old, "%s", bench_path(b, from));
    assert_int_equal(rename(old, bench_path(b, to)), 0);
}

/* A part of the directory is not found any more; and it is again. */
static inline void
bench_hide(const struct bench *b, const char *part)
{
    bench_rename(b, part, "hidden");
}

static inline void
bench_show(const struct bench *b, const char *part)
{
    bench_rename(b, "hidden", part);
}

static inline bool
bench_file_is_there(const struct bench *b, const char *name)
{
    return access(bench_path(b, name), F_OK) == 0;
}

static inline void
bench_write_file(const struct bench *b, const char *name, const char *text)
{
    FILE *file = fopen(bench_path(b, name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Files in a directory below the directory. */
static inline int
bench_count_files(const struct bench *b, const char *name)
{
    DIR *dir = opendir(bench_path(b, name));
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

#endif
