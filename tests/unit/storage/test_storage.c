/* storage: Berkeley DB behind one face, with its threads. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/storage.h"
#include "lib/random.h"
#include "unit/storage/bench.h"
#include "value/patch.h"
#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MB     (1024 * 1024)
#define SHOP   1 /* a store's id */
#define GARDEN 2

#define RECORD       "\x01\x01" /* the head of a record */
#define MANY_PATCHES 120000     /* more than go into a piece */
#define MANY_KEYS    40000      /* more than go without a checkpoint */

/* For the leak sanitizer: Berkeley DB keeps memory of an environment that did not open. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libdb-5";
}

/* --- the disk, which can fail --- */

/* What is below cannot be flushed, or cannot be written: "/stores/", NULL for nothing. */
static _Atomic(const char *) unflushable, full;

static bool
is_below(int fd, const char *part)
{
    char link[64], path[BENCH_PATH_MAX] = "";

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return part != NULL && readlink(link, path, sizeof path - 1) > 0
           && strstr(path, part) != NULL;
}

/* A failure is told once, as Linux does. */
int
fdatasync(int fd)
{
    if (is_below(fd, atomic_load(&unflushable))) {
        atomic_store(&unflushable, NULL);
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* What storage lets Berkeley DB write by. */
ssize_t
write(int fd, const void *from, size_t size)
{
    if (is_below(fd, atomic_load(&full))) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, from, size);
}

static int
set_up(void **state)
{
    atomic_store(&unflushable, NULL);
    atomic_store(&full, NULL);
    return bench_set_up(state);
}

/* --- what it has --- */

static void
print_changes(void *arg, uint64_t number, const struct replayed *changes, size_t count)
{
    static const char kinds[] = "?cpdf~"; /* by enum effect_kind */

    assert_true(count > 0 && count <= REPLAY_GROUP);
    for (size_t i = 0; i < count; i++) {
        const struct effect *e = &changes[i].effect;
        buf_printf(arg, "%d%c%.*s ", (int)number, kinds[e->kind], (int)e->key.len,
                   e->key.data);
    }
}

static void
assert_replays(struct bench *b, const char *expected)
{
    struct buf out = {0};

    assert_int_equal(storage_replay(b->storage, print_changes, &out), 0);
    buf_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    buf_deinit(&out);
}

/* The records of a store as "key=record ", read in pieces of about so many bytes. */
static struct buf
scan_all(struct bench *b, uint32_t store, size_t limit)
{
    struct storage_read read = {.scan_store = store, .scan_limit = limit};
    struct bytes key, record;
    struct buf out = {0};

    do {
        bench_finish(b, &read);
        struct bytes pairs = buf_bytes(&read.scan_out);
        while (scan_next(&pairs, &key, &record)) {
            buf_printf(&out, "%.*s=%.*s ", (int)key.len, key.data, (int)record.len,
                       record.data);
            read.scan_from.len = 0;
            buf_append_bytes(&read.scan_from, key);
            read.scan_begun = true;
        }
    } while (!read.scan_ended);
    buf_append(&out, "", 1);
    buf_deinit(&read.scan_from);
    buf_deinit(&read.scan_out);
    return out;
}

static void
assert_scans(struct bench *b, uint32_t store, const char *expected)
{
    struct buf out = scan_all(b, store, 1);

    assert_string_equal(out.data, expected);
    buf_deinit(&out);
}

/* The file of a store; good until the next call. */
static const char *
file_of(struct bench *b, uint32_t store)
{
    static struct storage_table table;

    storage_table(b->storage, store, &table);
    return table.file;
}

static void
fill_shop(struct bench *b)
{
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_put_new(b, SHOP, "lime", "green");
    bench_apply(b);
}

/* --- the log and the tables --- */

static void
test_storage_gives_back_what_was_appended(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    fill_shop(b);
    assert_true(bench_has(b, SHOP, "apple", "red"));
    assert_true(bench_has(b, SHOP, "lime", "green"));
    assert_true(bench_lacks(b, SHOP, "pear"));
    assert_true(bench_lacks(b, GARDEN, "apple"));
    bench_put(b, SHOP, "apple", "brown");
    bench_delete(b, SHOP, "lime");
    bench_apply(b);
    assert_true(bench_has(b, SHOP, "apple", "brown"));
    assert_true(bench_lacks(b, SHOP, "lime"));
    bench_restart(b);
    bench_assert_rows(b, "1 shop 1 0;");
    assert_true(bench_has(b, SHOP, "apple", "brown"));
}

static void
test_storage_opens_again_though_nothing_was_written(void **state)
{
    struct bench *b = *state;

    bench_open(b);
    bench_close(b);
    bench_start(b);
    bench_restart(b);
    bench_assert_rows(b, "");
    assert_int_equal(storage_next(b->storage), 1);
}

static void
test_storage_replays_what_the_tables_do_not_have(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    fill_shop(b);
    bench_close(b);
    bench_open(b);
    assert_replays(b, "");
    assert_int_equal(storage_next(b->storage), 2);
    bench_put(b, SHOP, "apple", "brown");
    bench_commit(b);
    bench_create(b, GARDEN, "garden");
    bench_put_new(b, GARDEN, "tree", "old");
    bench_flush_store(b, SHOP);
    bench_commit(b);
    for (int death = 0; death < 2; death++) {
        bench_close(b);
        bench_open(b);
        bench_assert_rows(b, "1 shop 2 0;");
        /* Batch 2 comes under the number of the last one read with it. */
        assert_replays(b, "3papple 3cgarden 3ptree 3f ");
        assert_int_equal(storage_next(b->storage), 4);
        assert_int_equal(storage_written(b->storage), 3);
        assert_int_equal(storage_applied(b->storage), 1);
        assert_int_equal(storage_new_store(b->storage), GARDEN + 1);
    }
    storage_start(b->storage);
    bench_wait_applied(b);
    bench_assert_rows(b, "2 garden 1 0;");
    assert_true(bench_has(b, GARDEN, "tree", "old"));
}

static void
test_storage_never_gives_a_number_or_an_id_again(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    fill_shop(b);
    bench_delete(b, SHOP, "apple");
    bench_delete(b, SHOP, "lime");
    bench_apply(b);
    bench_restart(b);
    bench_assert_rows(b, "");
    assert_int_equal(storage_next(b->storage), 3);
    assert_int_equal(storage_new_store(b->storage), SHOP + 1);
    assert_int_equal(storage_new_store(b->storage), SHOP + 2);
}

/* As by a death between a sweep's pieces and its mark: the tables have had the changes
 * already, in another state. */
static void
test_storage_applied_twice_is_the_same(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    fill_shop(b);
    for (int i = 0; i < 2; i++) {
        bench_put(b, SHOP, "apple", "brown");
        bench_effect(b, EFFECT_DELETE, 0, SHOP, "lime", "");
        bench_put_new(b, SHOP, "pear", "yellow");
        bench_apply(b);
        assert_scans(b, SHOP, "apple=brown pear=yellow ");
    }
}

static void
patch(struct bench *b, uint32_t store, const char *key, size_t at, const char *bytes)
{
    char head[PATCH_HEAD_MAX];
    size_t len = patch_head(head, TYPE_STRING, 0, at);

    effect_begin(&b->batch, EFFECT_PATCH, 0, store, bytes_str(key), len + strlen(bytes));
    buf_append(&b->batch, head, len);
    buf_append_bytes(&b->batch, bytes_str(bytes));
}

static void
test_storage_patches_records(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", RECORD "red");
    bench_put_new(b, SHOP, "lime", RECORD "green");
    patch(b, SHOP, "lime", 5, "ish");
    patch(b, SHOP, "lime", 0, "G");
    bench_apply(b);
    assert_scans(b, SHOP, "apple=" RECORD "red lime=" RECORD "Greenish ");
    patch(b, SHOP, "apple", 0, "R");
    patch(b, SHOP, "apple", 3, "dish");
    bench_put(b, SHOP, "lime", RECORD "yellow");
    patch(b, SHOP, "lime", 6, "er");
    bench_apply(b);
    assert_scans(b, SHOP, "apple=" RECORD "Reddish lime=" RECORD "yellower ");
}

/* As by a death between a sweep's pieces and its mark, and the next portion may end before
 * what the tables have already. */
static void
test_storage_patched_twice_is_the_same(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", RECORD "red");
    bench_put_new(b, SHOP, "lime", RECORD "green");
    bench_put_new(b, SHOP, "pear", RECORD "yellow");
    bench_commit(b);
    for (int i = 0; i < 2; i++) {
        patch(b, SHOP, "apple", 3, "dish");
        patch(b, SHOP, "lime", 5, "ish");
        patch(b, SHOP, "pear", 8, "er");
        bench_commit(b);
        if (i > 0)
            bench_wait_applied(b);
        patch(b, SHOP, "apple", 1, "E");
        bench_delete(b, SHOP, "lime");
        bench_put(b, SHOP, "pear", RECORD "brown");
        bench_put_new(b, SHOP, "quince", RECORD);
        bench_apply(b);
        assert_scans(b, SHOP,
                     "apple=" RECORD "rEddish pear=" RECORD "brown quince=" RECORD " ");
    }
}

static void
test_storage_patches_a_record_very_often(void **state)
{
    struct bench *b = *state;
    char *expected = calloc(1, 3 + MANY_PATCHES);

    strcpy(expected, RECORD);
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", RECORD);
    bench_put_new(b, SHOP, "lime", RECORD "green");
    for (size_t i = 0; i < MANY_PATCHES; i++) {
        expected[2 + i] = "abc"[i % 3];
        patch(b, SHOP, "apple", i, (char[]){expected[2 + i], '\0'});
        if (i % 1000 == 0)
            bench_commit(b);
    }
    bench_apply(b);
    assert_true(bench_has(b, SHOP, "apple", expected));
    assert_true(bench_has(b, SHOP, "lime", RECORD "green"));
    free(expected);
}

static int64_t
count_transactions(struct bench *b)
{
    struct storage_stats stats;

    bench_apply(b);
    storage_stats(b->storage, &stats);
    return stats.transactions;
}

/* Berkeley DB's log keeps all that a transaction writes until it ends. */
static void
test_storage_ends_a_transaction_by_what_it_writes_not_by_what_the_log_had(void **state)
{
    struct bench *b = *state;
    char *record = calloc(1, 64 * MB + 1);

    memset(record, 'r', 64 * MB);
    memcpy(record, RECORD, strlen(RECORD));
    b->options.apply_delay = NEVER_MS;
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", record);
    bench_put_new(b, SHOP, "lime", RECORD "green");
    int64_t before = count_transactions(b);
    patch(b, SHOP, "apple", 0, "R");
    patch(b, SHOP, "lime", 0, "G");
    assert_int_equal(count_transactions(b) - before, 2);
    record[strlen(RECORD)] = 'R';
    assert_true(bench_has(b, SHOP, "apple", record));
    assert_true(bench_has(b, SHOP, "lime", RECORD "Green"));
    free(record);
}

static void
test_storage_takes_a_batch_of_megabytes(void **state)
{
    struct bench *b = *state;
    char *record = calloc(1, 5 * MB + 1);

    memset(record, 'r', 5 * MB);
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "large", record);
    bench_commit(b);
    assert_int_equal(storage_flush(b->storage), 0);
    bench_wait_applied(b);
    assert_true(bench_has(b, SHOP, "large", record));
    bench_close(b);

    bench_open(b);
    bench_replay(b);
    record[0] = 'R';
    bench_put(b, SHOP, "large", record);
    bench_commit(b);
    bench_close(b);
    bench_start(b);
    bench_wait_applied(b);
    assert_true(bench_has(b, SHOP, "large", record));
    free(record);
}

/* As a power cut leaves it. */
static void
test_storage_goes_on_behind_the_last_whole_batch_of_the_log(void **state)
{
    struct bench *b = *state;
    struct storage_stats stats;

    bench_open(b);
    bench_replay(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    bench_put_new(b, SHOP, "lime", "green");
    bench_commit(b);
    storage_stats(b->storage, &stats);
    bench_close(b);
    assert_int_equal(truncate(bench_path(b, "wal/log.0000000001"), stats.log_bytes - 1),
                     0);

    bench_open(b);
    assert_replays(b, "1cshop 1papple ");
    assert_int_equal(storage_next(b->storage), 2);
    bench_put_new(b, SHOP, "pear", "yellow");
    bench_commit(b);
    bench_close(b);
    bench_start(b);
    bench_wait_applied(b);
    assert_int_equal(storage_applied(b->storage), 2);
    assert_scans(b, SHOP, "apple=red pear=yellow ");
    bench_assert_rows(b, "1 shop 2 0;");
}

static void
test_storage_refuses_a_log_with_bytes_that_are_no_effects(void **state)
{
    struct bench *b = *state;

    bench_open(b);
    bench_replay(b);
    buf_append(&b->batch, "junk", 4);
    bench_commit(b);
    bench_close(b);
    bench_open(b);
    assert_int_equal(storage_replay(b->storage, bench_ignore, NULL), -1);
}

static void
test_storage_refuses_a_log_that_does_not_reach_as_far_as_the_tables(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    fill_shop(b);
    bench_close(b);
    assert_int_equal(unlink(bench_path(b, "wal/log.0000000001")), 0);
    bench_open(b);
    assert_int_equal(storage_replay(b->storage, bench_ignore, NULL), -1);
}

/* A sweep that was begun and has moved no mark: its tables may be there. */
static void
test_storage_refuses_a_log_that_does_not_reach_as_far_as_a_sweep_did(void **state)
{
    struct bench *b = *state;
    struct storage_stats stats;

    bench_start(b);
    bench_hide(b, "stores");
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    storage_stats(b->storage, &stats);
    assert_int_equal(storage_close(b->storage), -1);
    b->storage = NULL;
    bench_show(b, "stores");
    bench_write_file(b, "stores/shop.1.db", "");
    assert_int_equal(truncate(bench_path(b, "wal/log.0000000001"), stats.log_bytes - 1),
                     0);
    bench_open(b);
    assert_int_equal(storage_replay(b->storage, bench_ignore, NULL), -1);
    assert_true(bench_file_is_there(b, "stores/shop.1.db"));
}

static void
test_storage_says_why_it_cannot_be_opened(void **state)
{
    struct bench *b = *state;
    char error[STORAGE_ERROR_MAX] = "";

    bench_start(b);
    assert_null(storage_open(&b->options, error));
    assert_non_null(strstr(error, "is in use by process"));
    bench_close(b);
    bench_write_file(b, "catalog.db", "junk, which is no table");
    assert_null(storage_open(&b->options, error));
    assert_non_null(strstr(error, "cannot be used"));
    directory_remove(bench_path(b, "wal"));
    bench_write_file(b, "wal", "a file where the log should be");
    assert_null(storage_open(&b->options, error));
    assert_non_null(strstr(error, "cannot be used"));
}

/* --- the marks --- */

static void
test_storage_moves_its_marks(void **state)
{
    struct bench *b = *state;

    b->options.apply_delay = NEVER_MS;
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    assert_int_equal(storage_written(b->storage), 1);
    assert_int_equal(storage_promised(b->storage), 1);
    assert_int_equal(storage_durable(b->storage), 0);
    assert_int_equal(storage_applied(b->storage), 0);
    assert_int_equal(storage_flush(b->storage), 0);
    assert_int_equal(storage_durable(b->storage), 1);
    assert_int_equal(storage_applied(b->storage), 0);
    bench_wait_applied(b);
    assert_int_equal(storage_applied(b->storage), 1);
}

static void
test_storage_promises_only_what_is_durable_in_always(void **state)
{
    struct bench *b = *state;

    b->options.apply_delay = NEVER_MS;
    b->options.sync = SYNC_ALWAYS;
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    assert_int_equal(storage_durable(b->storage), 1);
    assert_int_equal(storage_promised(b->storage), 1);

    b->options.sync = SYNC_NO;
    storage_tune(b->storage, &b->options);
    bench_put(b, SHOP, "apple", "brown");
    bench_commit(b);
    assert_int_equal(storage_durable(b->storage), 1);
    b->options.sync = SYNC_ALWAYS;
    storage_tune(b->storage, &b->options);
    assert_int_equal(storage_durable(b->storage), 2);
}

static void
test_storage_makes_durable_in_always_what_an_earlier_process_left(void **state)
{
    struct bench *b = *state;

    bench_open(b);
    bench_replay(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    bench_close(b);
    bench_open(b);
    assert_replays(b, "1cshop 1papple ");
    assert_int_equal(storage_durable(b->storage), 0);
    bench_close(b);
    b->options.sync = SYNC_ALWAYS;
    bench_open(b);
    assert_replays(b, "1cshop 1papple ");
    assert_int_equal(storage_durable(b->storage), 1);
    assert_int_equal(storage_promised(b->storage), 1);
}

static void
test_storage_makes_durable_soon_where_it_is_asked(void **state)
{
    struct bench *b = *state;
    int64_t until = bench_until();

    b->options.apply_delay = NEVER_MS;
    b->options.sync = SYNC_NO;
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    assert_int_equal(storage_durable(b->storage), 0);
    storage_flush_soon(b->storage);
    while (storage_durable(b->storage) == 0)
        bench_listen(b, until);
    assert_int_equal(storage_durable(b->storage), 1);
}

static void
test_storage_makes_durable_by_itself_in_everysec(void **state)
{
    struct bench *b = *state;
    int64_t until = bench_until();
    struct storage_stats stats;

    b->options.apply_delay = NEVER_MS;
    b->options.sync = SYNC_EVERYSEC;
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    assert_int_equal(storage_promised(b->storage), 1);
    while (storage_durable(b->storage) == 0)
        bench_listen(b, until);
    assert_int_equal(storage_applied(b->storage), 0);
    storage_stats(b->storage, &stats);
    assert_true(stats.last_sync_ms > 0);
}

static void
test_storage_lets_nobody_write_while_the_tables_are_too_far_behind(void **state)
{
    struct bench *b = *state;
    int64_t until = bench_until();
    char record[1001] = "";

    memset(record, 'r', sizeof record - 1);
    b->options.distance = 4 * MB;
    bench_open(b);
    bench_replay(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", record);
    while (storage_may_write(b->storage)) {
        bench_put(b, SHOP, "apple", record);
        bench_commit(b);
    }
    struct storage_stats stats;
    storage_stats(b->storage, &stats);
    assert_true(stats.log_ahead >= 2 * MB && stats.log_ahead < 4 * MB);
    storage_start(b->storage);
    while (!storage_may_write(b->storage))
        bench_listen(b, until);
    for (; stats.log_ahead > 0; storage_stats(b->storage, &stats))
        bench_listen(b, until);
    assert_int_equal(storage_applied(b->storage), storage_written(b->storage));
}

/* --- the files --- */

static void
test_storage_removes_the_file_of_a_flushed_store(void **state)
{
    struct bench *b = *state;
    char before[256];

    bench_start(b);
    fill_shop(b);
    strcpy(before, file_of(b, SHOP));
    assert_string_equal(before, "stores/shop.1.db");
    assert_true(bench_file_is_there(b, before));
    bench_flush_store(b, SHOP);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "pear", "yellow");
    bench_apply(b);
    assert_false(bench_file_is_there(b, before));
    assert_string_equal(file_of(b, SHOP), "stores/shop.2.db");
    assert_scans(b, SHOP, "pear=yellow ");
    bench_flush_store(b, SHOP);
    bench_apply(b);
    assert_string_equal(file_of(b, SHOP), "");
    assert_int_equal(bench_count_files(b, "stores"), 0);
    assert_scans(b, SHOP, "");
    bench_assert_rows(b, "");
}

static void
test_storage_has_no_file_for_a_store_whose_last_key_was_deleted(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    fill_shop(b);
    bench_delete(b, SHOP, "apple");
    bench_delete(b, SHOP, "lime");
    bench_apply(b);
    assert_int_equal(bench_count_files(b, "stores"), 0);
    bench_assert_rows(b, "");
    fill_shop(b);
    assert_int_equal(bench_count_files(b, "stores"), 1);
    assert_scans(b, SHOP, "apple=red lime=green ");
}

static void
copy_file(const struct bench *b, const char *from, const char *to)
{
    FILE *in = fopen(bench_path(b, from), "r"), *out = fopen(bench_path(b, to), "w");
    int c;

    assert_true(in != NULL && out != NULL);
    while ((c = getc(in)) != EOF)
        putc(c, out);
    fclose(in);
    fclose(out);
}

static void
test_storage_removes_stray_files_and_no_others(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    fill_shop(b);
    bench_close(b);
    copy_file(b, "stores/shop.1.db", "stores/shop.77.db");
    copy_file(b, "stores/shop.1.db", "stores/gone.78.db");
    bench_write_file(b, "stores/notes.txt", "");
    bench_start(b);
    assert_false(bench_file_is_there(b, "stores/shop.77.db"));
    assert_false(bench_file_is_there(b, "stores/gone.78.db"));
    assert_true(bench_file_is_there(b, "stores/notes.txt"));
    assert_true(bench_has(b, SHOP, "apple", "red"));
}

static void
test_storage_removes_the_log_that_is_applied(void **state)
{
    struct bench *b = *state;
    char *record = calloc(1, MB + 1);
    struct storage_stats stats;

    memset(record, 'r', MB);
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", record);
    for (int i = 0; i < 70; i++) {
        bench_put(b, SHOP, "apple", record);
        bench_commit(b);
    }
    bench_wait_applied(b);
    bench_close(b);
    assert_int_equal(bench_count_files(b, "wal"), 1);
    bench_start(b);
    storage_stats(b->storage, &stats);
    assert_true(stats.log_bytes < 40 * MB);
    assert_true(bench_has(b, SHOP, "apple", record));
    free(record);
}

static void
test_storage_bounds_its_open_tables(void **state)
{
    struct bench *b = *state;
    struct storage_stats stats;
    char name[20];

    b->options.max_open_tables = 2;
    bench_start(b);
    for (uint32_t id = 1; id <= 150; id++) {
        snprintf(name, sizeof name, "store%u", id);
        bench_create(b, id, name);
        bench_put_new(b, id, "name", name);
    }
    bench_apply(b);
    for (uint32_t id = 1; id <= 150; id++) {
        snprintf(name, sizeof name, "store%u", id);
        assert_true(bench_has(b, id, "name", name));
    }
    storage_stats(b->storage, &stats);
    assert_true(stats.open_tables <= 2);
    assert_int_equal(bench_count_files(b, "stores"), 150);
}

/* --- reading --- */

static void
test_storage_scans_in_the_order_of_keys_whatever_the_pieces(void **state)
{
    struct bench *b = *state;
    char key[20];

    bench_start(b);
    bench_create(b, SHOP, "shop");
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "key%03d", i * 7 % 500);
        bench_put_new(b, SHOP, key, "r");
    }
    bench_apply(b);
    struct buf one = scan_all(b, SHOP, 1), some = scan_all(b, SHOP, 1000);
    struct buf all = scan_all(b, SHOP, MB);
    assert_string_equal(one.data, all.data);
    assert_string_equal(some.data, all.data);
    assert_memory_equal(all.data, "key000=r key001=r ", 18);
    assert_int_equal(all.len, 500 * 9 + 1);
    buf_deinit(&one);
    buf_deinit(&some);
    buf_deinit(&all);
}

static void
test_storage_reads_many_keys_at_once(void **state)
{
    struct bench *b = *state;
    struct read_item items[3] = {
        {.store = SHOP, .key = bytes_str("lime")},
        {.store = SHOP, .key = bytes_str("pear")},
        {.store = SHOP, .key = bytes_str("apple")},
    };
    struct storage_read read = {.items = items, .nitems = 3};

    bench_start(b);
    fill_shop(b);
    bench_finish(b, &read);
    assert_true(bytes_eq(buf_bytes(&items[0].record), bytes_str("green")));
    assert_false(items[1].found);
    assert_true(bytes_eq(buf_bytes(&items[2].record), bytes_str("red")));
    for (int i = 0; i < 3; i++)
        buf_deinit(&items[i].record);
}

/* --- what goes wrong --- */

static void
wait_until_it_fails(struct bench *b)
{
    int64_t until = bench_until();
    struct storage_stats stats;

    do {
        bench_listen(b, until);
        storage_stats(b->storage, &stats);
    } while (!stats.failing);
}

static void
test_storage_tries_again_when_the_tables_could_not_be_written(void **state)
{
    struct bench *b = *state;
    struct storage_stats stats;

    bench_start(b);
    bench_hide(b, "stores");
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    wait_until_it_fails(b);
    assert_int_equal(storage_applied(b->storage), 0);
    assert_int_equal(storage_written(b->storage), 1);
    bench_show(b, "stores");
    bench_wait_applied(b);
    assert_true(bench_has(b, SHOP, "apple", "red"));
    storage_stats(b->storage, &stats);
    assert_false(stats.failing);
    bench_restart(b);
    bench_assert_rows(b, "1 shop 1 0;");
}

/* Changes enough for a checkpoint, each with the record. */
static void
put_many(struct bench *b, unsigned flags, const char *record)
{
    char key[20];

    for (int i = 0; i < MANY_KEYS; i++) {
        snprintf(key, sizeof key, "key%05d", i);
        bench_effect(b, EFFECT_PUT, flags, SHOP, key, record);
    }
    bench_commit(b);
}

/* Waits until the tables are on the disk and nothing fails. */
static void
wait_for_checkpoint(struct bench *b)
{
    int64_t until = bench_until();
    struct storage_stats stats;

    do {
        bench_listen(b, until);
        storage_stats(b->storage, &stats);
    } while (stats.failing
             || storage_checkpointed(b->storage) < storage_written(b->storage));
}

static void
test_storage_tries_again_when_the_disk_was_full(void **state)
{
    static const char *const parts[] = {"/stores/", "/txn/", "/catalog.db"};
    struct bench *b = *state;

    bench_start(b);
    bench_create(b, SHOP, "shop");
    put_many(b, EFFECT_NEW, "");
    for (int i = 0; i < 3; i++) {
        wait_for_checkpoint(b);
        atomic_store(&full, parts[i]);
        put_many(b, 0, parts[i]);
        storage_hurry(b->storage);
        wait_until_it_fails(b);
        assert_true(storage_checkpointed(b->storage) < storage_written(b->storage));
        assert_true(bench_has(b, SHOP, "key00000", i == 0 ? "" : parts[i - 1])
                    || bench_has(b, SHOP, "key00000", parts[i]));
        atomic_store(&full, NULL);
        bench_wait_applied(b);
        assert_true(bench_has(b, SHOP, "key00000", parts[i]));
    }
    wait_for_checkpoint(b);
    bench_restart(b);
    assert_true(bench_has(b, SHOP, "key00000", parts[2]));
}

static void
test_storage_tries_again_when_the_log_could_not_be_read(void **state)
{
    struct bench *b = *state;
    struct storage_stats stats;

    b->options.apply_delay = NEVER_MS;
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    bench_hide(b, "wal");
    storage_hurry(b->storage);
    wait_until_it_fails(b);
    assert_int_equal(storage_applied(b->storage), 0);
    bench_show(b, "wal");
    bench_wait_applied(b);
    assert_true(bench_has(b, SHOP, "apple", "red"));
    storage_stats(b->storage, &stats);
    assert_false(stats.failing);
}

static void
test_storage_closed_while_the_tables_fail_keeps_the_log(void **state)
{
    struct bench *b = *state;

    bench_start(b);
    bench_hide(b, "stores");
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_commit(b);
    assert_int_equal(storage_close(b->storage), -1);
    b->storage = NULL;
    bench_show(b, "stores");
    bench_start(b);
    bench_wait_applied(b);
    assert_true(bench_has(b, SHOP, "apple", "red"));
}

/* The disk's failure has been seen: what was put in stands, and nothing moves any more. */
static void
assert_has_stopped(struct bench *b)
{
    uint64_t durable = storage_durable(b->storage);
    uint64_t applied = storage_applied(b->storage);
    struct storage_stats stats;

    assert_true(storage_is_stuck(b->storage));
    storage_stats(b->storage, &stats);
    assert_true(stats.failing);
    bench_put(b, SHOP, "apple", "brown");
    for (int i = 0; i < 2; i++)
        assert_int_equal(storage_append(b->storage, buf_bytes(&b->batch)), -1);
    b->batch.len = 0;
    assert_int_equal(storage_flush(b->storage), -1);
    assert_true(bench_has(b, SHOP, "lime", "green"));
    assert_int_equal(storage_durable(b->storage), durable);
    assert_int_equal(storage_applied(b->storage), applied);
    assert_int_equal(storage_close(b->storage), -1);
    b->storage = NULL;
}

static void
test_storage_takes_nothing_once_the_log_could_not_be_flushed(void **state)
{
    static const enum storage_sync modes[] = {SYNC_EVERYSEC, SYNC_NO};
    struct bench *b = *state;
    int64_t until = bench_until();

    for (int i = 0; i < 2; i++) {
        b->options.sync = modes[i];
        bench_start(b);
        if (i == 0)
            fill_shop(b);
        bench_put(b, SHOP, "apple", i == 0 ? "black" : "blue");
        atomic_store(&unflushable, "/wal/");
        bench_commit(b);
        while (!storage_is_stuck(b->storage)) {
            storage_hurry(b->storage);
            bench_listen(b, until);
        }
        assert_has_stopped(b);
    }
    bench_start(b);
    bench_wait_applied(b);
    assert_scans(b, SHOP, "apple=blue lime=green ");
}

static void
test_storage_promises_nothing_that_could_not_be_flushed(void **state)
{
    struct bench *b = *state;

    b->options.sync = SYNC_ALWAYS;
    bench_start(b);
    fill_shop(b);
    atomic_store(&unflushable, "/wal/");
    bench_put(b, SHOP, "apple", "brown");
    assert_int_equal(storage_append(b->storage, buf_bytes(&b->batch)), -1);
    assert_int_equal(storage_promised(b->storage), 1);
    assert_has_stopped(b);
}

/* What the tables may have lost is still in the log. */
static void
test_storage_makes_no_checkpoint_once_the_tables_could_not_be_flushed(void **state)
{
    static const char *const parts[] = {"/stores/", "/txn/", "/catalog.db"};
    struct bench *b = *state;

    for (int i = 0; i < 3; i++) {
        bench_start(b);
        if (i == 0)
            fill_shop(b);
        int64_t until = bench_until();
        uint64_t checkpointed = storage_checkpointed(b->storage);
        atomic_store(&unflushable, parts[i]);
        put_many(b, i == 0 ? EFFECT_NEW : 0, parts[i]);
        bench_wait_applied(b);
        while (!storage_is_stuck(b->storage))
            bench_listen(b, until);
        assert_int_equal(storage_checkpointed(b->storage), checkpointed);
        assert_has_stopped(b);
    }
    bench_start(b);
    bench_wait_applied(b);
    assert_true(bench_has(b, SHOP, "key00000", parts[2]));
}

/* In a process of its own, which ends without closing anything. */
static void
live_and_die(struct bench *b)
{
    bench_start(b);
    fill_shop(b);
    bench_put(b, SHOP, "apple", "brown");
    bench_apply(b);
    b->options.apply_delay = NEVER_MS;
    storage_tune(b->storage, &b->options);
    bench_put(b, SHOP, "apple", "black");
    bench_commit(b);
    _exit(0);
}

static void
test_storage_recovers_from_the_death_of_its_process(void **state)
{
    struct bench *b = *state;
    int status;
    pid_t child = fork();

    if (child == 0)
        live_and_die(b);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    bench_start(b);
    assert_int_equal(storage_next(b->storage), 4);
    bench_wait_applied(b);
    assert_scans(b, SHOP, "apple=black lime=green ");
    bench_assert_rows(b, "1 shop 2 0;");
}

/* --- against a naive model --- */

#define MODEL_STORES 3
#define MODEL_KEYS   40
#define MODEL_VALUE  64 /* bytes, at most */

struct model {
    bool there[MODEL_STORES][MODEL_KEYS], expires[MODEL_STORES][MODEL_KEYS];
    char value[MODEL_STORES][MODEL_KEYS][MODEL_VALUE];
    uint64_t random;
};

static int
model_count(const struct model *m, int store)
{
    int count = 0;

    for (int key = 0; key < MODEL_KEYS; key++)
        count += m->there[store][key];
    return count;
}

static void
model_put(struct bench *b, struct model *m, int store, int key)
{
    char name[20], record[MODEL_VALUE + sizeof RECORD];
    bool expires = random_below(&m->random, 2) == 0;
    unsigned flags = (m->there[store][key] ? 0 : EFFECT_NEW)
                     | (expires ? EFFECT_HAS_DEADLINE : 0)
                     | (m->expires[store][key] ? EFFECT_HAD_DEADLINE : 0);

    if (model_count(m, store) == 0) {
        snprintf(name, sizeof name, "store%d", store);
        bench_create(b, (uint32_t)store + 1, name);
    }
    m->there[store][key] = true;
    m->expires[store][key] = expires;
    snprintf(m->value[store][key], MODEL_VALUE, "%d", (int)random_below(&m->random, 1000));
    snprintf(name, sizeof name, "k%02d", key);
    snprintf(record, sizeof record, RECORD "%s", m->value[store][key]);
    bench_effect(b, EFFECT_PUT, flags, (uint32_t)store + 1, name, record);
}

/* Writes into the value, or beyond its end. */
static void
model_patch(struct bench *b, struct model *m, int store, int key)
{
    char *value = m->value[store][key], name[20], bytes[20];
    size_t at = random_below(&m->random, strlen(value) + 1);
    int len = snprintf(bytes, sizeof bytes, "%d", (int)random_below(&m->random, 1000));

    if (at + (size_t)len >= MODEL_VALUE)
        return;
    memset(value + strlen(value), 0, MODEL_VALUE - strlen(value));
    memcpy(value + at, bytes, (size_t)len);
    snprintf(name, sizeof name, "k%02d", key);
    patch(b, (uint32_t)store + 1, name, at, bytes);
}

static void
model_change(struct bench *b, struct model *m)
{
    int store = (int)random_below(&m->random, MODEL_STORES);
    int key = (int)random_below(&m->random, MODEL_KEYS);
    char name[20];

    if (random_below(&m->random, 50) == 0) {
        if (model_count(m, store) == 0)
            return;
        bench_flush_store(b, (uint32_t)store + 1);
        memset(m->there[store], 0, sizeof m->there[store]);
        memset(m->expires[store], 0, sizeof m->expires[store]);
    } else if (random_below(&m->random, 2) == 0) {
        model_put(b, m, store, key);
    } else if (m->there[store][key] && random_below(&m->random, 2) == 0) {
        model_patch(b, m, store, key);
    } else if (m->there[store][key]) {
        snprintf(name, sizeof name, "k%02d", key);
        bench_effect(b, EFFECT_DELETE, m->expires[store][key] ? EFFECT_HAD_DEADLINE : 0,
                     (uint32_t)store + 1, name, "");
        m->there[store][key] = m->expires[store][key] = false;
    }
}

static void
assert_is_model(struct bench *b, const struct model *m)
{
    struct buf rows = {0};

    for (int store = 0; store < MODEL_STORES; store++) {
        struct buf records = {0};
        int count = model_count(m, store), expires = 0;

        for (int key = 0; key < MODEL_KEYS; key++) {
            expires += m->expires[store][key];
            if (m->there[store][key])
                buf_printf(&records, "k%02d=" RECORD "%s ", key, m->value[store][key]);
        }
        buf_append(&records, "", 1);
        if (count > 0)
            buf_printf(&rows, "%d store%d %d %d;", store + 1, store, count, expires);
        assert_scans(b, (uint32_t)store + 1, records.data);
        assert_int_equal(file_of(b, (uint32_t)store + 1)[0] != '\0', count > 0);
        buf_deinit(&records);
    }
    buf_append(&rows, "", 1);
    bench_assert_rows(b, rows.data);
    buf_deinit(&rows);
}

static void
test_storage_agrees_with_a_naive_model(void **state)
{
    struct bench *b = *state;
    struct model m = {.random = 1};

    b->options.apply_delay = 1;
    bench_start(b);
    for (int round = 0; round < 30; round++) {
        if (round % 3 == 2) { /* a log nobody applied, as a death leaves it */
            bench_close(b);
            bench_open(b);
            bench_replay(b);
        }
        for (int i = 0; i < 200; i++) {
            model_change(b, &m);
            if (b->batch.len > 0 && random_below(&m.random, 5) == 0)
                bench_commit(b);
        }
        if (b->batch.len > 0)
            bench_commit(b);
        if (round % 3 == 2) {
            bench_close(b);
            bench_start(b);
        }
        bench_wait_applied(b);
        assert_is_model(b, &m);
    }
}

#define STORAGE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_TEST(test_storage_gives_back_what_was_appended),
        STORAGE_TEST(test_storage_opens_again_though_nothing_was_written),
        STORAGE_TEST(test_storage_replays_what_the_tables_do_not_have),
        STORAGE_TEST(test_storage_never_gives_a_number_or_an_id_again),
        STORAGE_TEST(test_storage_applied_twice_is_the_same),
        STORAGE_TEST(test_storage_patches_records),
        STORAGE_TEST(test_storage_patched_twice_is_the_same),
        STORAGE_TEST(test_storage_patches_a_record_very_often),
        STORAGE_TEST(
            test_storage_ends_a_transaction_by_what_it_writes_not_by_what_the_log_had),
        STORAGE_TEST(test_storage_takes_a_batch_of_megabytes),
        STORAGE_TEST(test_storage_goes_on_behind_the_last_whole_batch_of_the_log),
        STORAGE_TEST(test_storage_refuses_a_log_with_bytes_that_are_no_effects),
        STORAGE_TEST(test_storage_refuses_a_log_that_does_not_reach_as_far_as_the_tables),
        STORAGE_TEST(test_storage_refuses_a_log_that_does_not_reach_as_far_as_a_sweep_did),
        STORAGE_TEST(test_storage_says_why_it_cannot_be_opened),
        STORAGE_TEST(test_storage_moves_its_marks),
        STORAGE_TEST(test_storage_promises_only_what_is_durable_in_always),
        STORAGE_TEST(test_storage_makes_durable_in_always_what_an_earlier_process_left),
        STORAGE_TEST(test_storage_makes_durable_soon_where_it_is_asked),
        STORAGE_TEST(test_storage_makes_durable_by_itself_in_everysec),
        STORAGE_TEST(test_storage_lets_nobody_write_while_the_tables_are_too_far_behind),
        STORAGE_TEST(test_storage_removes_the_file_of_a_flushed_store),
        STORAGE_TEST(test_storage_has_no_file_for_a_store_whose_last_key_was_deleted),
        STORAGE_TEST(test_storage_removes_stray_files_and_no_others),
        STORAGE_TEST(test_storage_removes_the_log_that_is_applied),
        STORAGE_TEST(test_storage_bounds_its_open_tables),
        STORAGE_TEST(test_storage_scans_in_the_order_of_keys_whatever_the_pieces),
        STORAGE_TEST(test_storage_reads_many_keys_at_once),
        STORAGE_TEST(test_storage_tries_again_when_the_tables_could_not_be_written),
        STORAGE_TEST(test_storage_tries_again_when_the_disk_was_full),
        STORAGE_TEST(test_storage_tries_again_when_the_log_could_not_be_read),
        STORAGE_TEST(test_storage_closed_while_the_tables_fail_keeps_the_log),
        STORAGE_TEST(test_storage_takes_nothing_once_the_log_could_not_be_flushed),
        STORAGE_TEST(test_storage_promises_nothing_that_could_not_be_flushed),
        STORAGE_TEST(
            test_storage_makes_no_checkpoint_once_the_tables_could_not_be_flushed),
        STORAGE_TEST(test_storage_recovers_from_the_death_of_its_process),
        STORAGE_TEST(test_storage_agrees_with_a_naive_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
