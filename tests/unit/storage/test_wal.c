/* wal: the log. What wal_append would not write is written with db.h here. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/wal.h"
#include "unit/storage/bench.h"
#include <db.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define RECTYPE  (DB_user_BEGIN + 1)
#define FIRST    1
#define LAST     2
#define MB       (1024 * 1024)
#define LOG_FILE WAL_DIR "/log.0000000001"

/* A directory with a log, and what a replay of it gave: "number:effects;" for each. */
struct fixture {
    struct bench bench; /* for its directory */
    struct wal *wal;
    struct buf told;
    struct wal_place places[32]; /* of batches, by their number */
    int stop_at;                 /* a visit of this number gives it back */
};

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    bench_init(&f.bench);
    assert_int_equal(mkdir(bench_path(&f.bench, WAL_DIR), 0750), 0);
    f.wal = wal_open(f.bench.dir);
    assert_non_null(f.wal);
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    wal_close(f->wal);
    buf_deinit(&f->told);
    bench_deinit(&f->bench);
    return 0;
}

static void
append(struct fixture *f, uint64_t number, const char *text)
{
    struct wal_place place;

    assert_int_equal(wal_append(f->wal, number, bytes_str(text), false, &place), 0);
}

/* A batch of this size that begins with its number, to tell which it is. */
static void
append_large(struct fixture *f, uint64_t number, size_t size)
{
    struct wal_place place;
    char *data = calloc(1, size);

    memset(data, (char)('a' + number % 26), size);
    assert_int_equal(wal_append(f->wal, number, bytes_of(data, size), false, &place), 0);
    free(data);
}

static int
tell(void *arg, uint64_t number, struct wal_place place, struct bytes effects)
{
    struct fixture *f = arg;

    if (effects.len > 100) {
        for (size_t i = 1; i < effects.len; i++)
            assert_int_equal(effects.data[i], effects.data[0]);
        buf_printf(&f->told, "%d:%c*%zu;", (int)number, effects.data[0], effects.len);
    } else {
        buf_printf(&f->told, "%d:%.*s;", (int)number, (int)effects.len, effects.data);
    }
    if (number < 32)
        f->places[number] = place;
    return f->stop_at == (int)number ? f->stop_at : 0;
}

static int
replay_from(struct fixture *f, uint64_t after, struct wal_place place)
{
    f->told.len = 0;
    int code = wal_replay(f->wal, after, place, tell, f);
    buf_append(&f->told, "", 1);
    return code;
}

static void
assert_replays(struct fixture *f, const char *expected)
{
    assert_int_equal(replay_from(f, 0, (struct wal_place){0, 0}), 0);
    assert_string_equal(f->told.data, expected);
}

static void
reopen(struct fixture *f)
{
    wal_close(f->wal);
    f->wal = wal_open(f->bench.dir);
    assert_non_null(f->wal);
}

/* What wal_append would not write: the log is opened by another environment for it. */
static void
put_record(struct fixture *f, uint32_t type, int version, int flags, uint64_t number,
           const char *text)
{
    char record[200];
    DB_ENV *env;
    DB_LSN lsn;
    DBT dbt = {.data = record};

    memcpy(record, &type, 4);
    record[4] = (char)version;
    record[5] = (char)flags;
    record[6] = record[7] = 0;
    memcpy(record + 8, &number, 8);
    memcpy(record + 16, text, strlen(text));
    dbt.size = (uint32_t)(16 + strlen(text));

    wal_close(f->wal);
    assert_int_equal(db_env_create(&env, 0), 0);
    env->set_lg_dir(env, WAL_DIR);
    assert_int_equal(
        env->open(env, f->bench.dir, DB_CREATE | DB_INIT_LOG | DB_PRIVATE, 0640), 0);
    assert_int_equal(env->log_put(env, &lsn, &dbt, DB_FLUSH), 0);
    env->close(env, 0);
    f->wal = wal_open(f->bench.dir);
    assert_non_null(f->wal);
}

static void
test_wal_gives_batches_back_in_their_order(void **state)
{
    struct fixture *f = *state;

    assert_replays(f, "");
    append(f, 1, "one");
    append(f, 2, "two");
    append(f, 3, "three");
    assert_replays(f, "1:one;2:two;3:three;");
    reopen(f);
    assert_replays(f, "1:one;2:two;3:three;");
    append(f, 4, "four");
    assert_replays(f, "1:one;2:two;3:three;4:four;");
}

static void
test_wal_replays_from_the_place_of_a_batch(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    append(f, 2, "two");
    append(f, 3, "three");
    assert_replays(f, "1:one;2:two;3:three;");
    assert_int_equal(replay_from(f, 2, f->places[2]), 0);
    assert_string_equal(f->told.data, "3:three;");
    assert_int_equal(replay_from(f, 3, f->places[3]), 0);
    assert_string_equal(f->told.data, "");
}

static void
test_wal_tells_where_a_batch_begins_as_it_appends(void **state)
{
    struct fixture *f = *state;
    struct wal_place place;

    append(f, 1, "one");
    append_large(f, 2, 3 * MB);
    assert_int_equal(wal_append(f->wal, 3, bytes_str("three"), true, &place), 0);
    assert_replays(f, "1:one;2:c*3145728;3:three;");
    assert_int_equal(place.file, f->places[3].file);
    assert_int_equal(place.offset, f->places[3].offset);
}

static void
test_wal_makes_a_chain_of_a_large_batch(void **state)
{
    struct fixture *f = *state;

    append_large(f, 1, 3 * MB + 1);
    append_large(f, 2, WAL_PIECE);
    append_large(f, 3, WAL_PIECE + 1);
    append_large(f, 4, 2 * WAL_PIECE);
    append(f, 5, "five");
    reopen(f);
    assert_replays(f, "1:b*3145729;2:c*1048576;3:d*1048577;4:e*2097152;5:five;");
    assert_int_equal(replay_from(f, 3, f->places[3]), 0);
    assert_string_equal(f->told.data, "4:e*2097152;5:five;");
}

static void
test_wal_chain_without_its_end_does_not_count(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    put_record(f, RECTYPE, 1, FIRST, 2, "torn");
    put_record(f, RECTYPE, 1, 0, 2, "torn again");
    assert_replays(f, "1:one;");
    append(f, 2, "two");
    assert_replays(f, "1:one;2:two;");
}

static void
test_wal_chain_without_its_beginning_does_not_count(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    put_record(f, RECTYPE, 1, LAST, 2, "end");
    put_record(f, RECTYPE, 1, FIRST, 2, "torn");
    put_record(f, RECTYPE, 1, LAST, 3, "of another");
    assert_replays(f, "1:one;");
    append(f, 2, "two");
    assert_replays(f, "1:one;2:two;");
}

static void
test_wal_chain_is_put_together(void **state)
{
    struct fixture *f = *state;

    put_record(f, RECTYPE, 1, FIRST, 1, "a");
    put_record(f, RECTYPE, 1, 0, 1, "b");
    put_record(f, RECTYPE, 1, LAST, 1, "c");
    append(f, 2, "two");
    assert_replays(f, "1:abc;2:two;");
}

/* A power cut takes the end of the file. */
static void
test_wal_cut_anywhere_has_the_whole_batches_before_the_cut(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    append_large(f, 2, 2 * MB);
    assert_replays(f, "1:one;2:c*2097152;");
    off_t begin = f->places[2].offset;
    for (off_t len = begin + 2 * MB; len > begin; len -= 2 * MB / 5) {
        wal_close(f->wal);
        assert_int_equal(truncate(bench_path(&f->bench, LOG_FILE), len), 0);
        f->wal = wal_open(f->bench.dir);
        assert_non_null(f->wal);
        assert_replays(f, "1:one;");
    }
    append(f, 2, "two");
    reopen(f);
    assert_replays(f, "1:one;2:two;");
}

static void
test_wal_with_a_gap_is_damaged(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    append(f, 3, "three");
    assert_int_equal(replay_from(f, 0, (struct wal_place){0, 0}), -1);
    assert_string_equal(f->told.data, "1:one;");
}

static void
test_wal_that_begins_too_late_is_damaged(void **state)
{
    struct fixture *f = *state;

    append(f, 5, "five");
    assert_int_equal(replay_from(f, 0, (struct wal_place){0, 0}), -1);
    assert_int_equal(replay_from(f, 3, (struct wal_place){0, 0}), -1);
    assert_int_equal(replay_from(f, 4, (struct wal_place){0, 0}), 0);
    assert_string_equal(f->told.data, "5:five;");
}

static void
test_wal_that_ends_before_the_place_is_damaged(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    assert_int_equal(replay_from(f, 7, (struct wal_place){1, 20 * MB}), -1);
    assert_int_equal(replay_from(f, 7, (struct wal_place){3, 28}), -1);
}

static void
test_wal_of_an_unknown_version_is_not_guessed_at(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    put_record(f, RECTYPE, 2, FIRST | LAST, 2, "future");
    assert_int_equal(replay_from(f, 0, (struct wal_place){0, 0}), -1);
    assert_string_equal(f->told.data, "1:one;");
}

static void
test_wal_passes_over_records_of_others(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    put_record(f, RECTYPE + 1, 1, FIRST | LAST, 2, "other");
    append(f, 2, "two");
    assert_replays(f, "1:one;2:two;");
}

static void
test_wal_replay_ends_where_a_visit_says_so(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    append(f, 2, "two");
    append(f, 3, "three");
    f->stop_at = 2;
    assert_int_equal(replay_from(f, 0, (struct wal_place){0, 0}), 2);
    assert_string_equal(f->told.data, "1:one;2:two;");
}

/* Files may not grow beyond len bytes; 0: as they like. */
static void
limit_files(rlim_t len)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = len == 0 ? limit.rlim_max : len;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Tries to append a batch while files may not grow; then again. */
static void
fail_and_append(struct fixture *f, uint64_t number, size_t size)
{
    struct wal_place place;
    char *data = calloc(1, size);

    memset(data, (char)('a' + number % 26), size);
    limit_files(MB);
    for (int i = 0; i < 2; i++)
        assert_int_equal(wal_append(f->wal, number, bytes_of(data, size), i, &place), -1);
    limit_files(0);
    assert_int_equal(wal_append(f->wal, number, bytes_of(data, size), false, &place), 0);
    free(data);
}

static void
test_wal_batch_that_failed_and_was_appended_again_counts_once(void **state)
{
    struct fixture *f = *state;

    append_large(f, 1, WAL_PIECE / 2);
    fail_and_append(f, 2, WAL_PIECE);
    append(f, 3, "three");
    assert_replays(f, "1:b*524288;2:c*1048576;3:three;");
    reopen(f);
    assert_replays(f, "1:b*524288;2:c*1048576;3:three;");
}

static void
test_wal_chain_that_failed_and_was_appended_again_counts_once(void **state)
{
    struct fixture *f = *state;

    append(f, 1, "one");
    fail_and_append(f, 2, 4 * MB);
    append(f, 3, "three");
    reopen(f);
    assert_replays(f, "1:one;2:c*4194304;3:three;");
}

static void
test_wal_flush_reaches_what_an_earlier_process_left(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(wal_flush(f->wal), 0);
    append(f, 1, "one");
    assert_int_equal(wal_flush(f->wal), 0);
    reopen(f);
    assert_replays(f, "1:one;");
    assert_int_equal(wal_flush(f->wal), 0);
    append(f, 2, "two");
    assert_int_equal(wal_flush(f->wal), 0);
    assert_replays(f, "1:one;2:two;");
}

/* Three files and the beginning of a fourth. */
#define NFILLING 13

static void
fill_files(struct fixture *f)
{
    for (uint64_t number = 1; number <= NFILLING; number++)
        append_large(f, number, WAL_FILE_SIZE / 4);
    assert_int_equal(replay_from(f, 0, (struct wal_place){0, 0}), 0);
    assert_int_equal(f->places[NFILLING].file, 4);
}

static void
test_wal_removes_the_files_that_only_have_what_is_applied(void **state)
{
    struct fixture *f = *state;

    fill_files(f);
    int64_t size = wal_size(f->wal);
    assert_true(size >= NFILLING * (WAL_FILE_SIZE / 4));
    wal_remove(f->wal, 0);
    assert_int_equal(bench_count_files(&f->bench, WAL_DIR), 4);
    for (uint64_t number = 1; number <= NFILLING; number++) {
        wal_remove(f->wal, number);
        assert_int_equal(replay_from(f, number, f->places[number]), 0);
        assert_int_equal(f->told.len > 1, number < NFILLING);
    }
    assert_int_equal(bench_count_files(&f->bench, WAL_DIR), 1);
    assert_true(wal_size(f->wal) < size / 2);
}

static void
test_wal_removes_the_files_of_an_earlier_process(void **state)
{
    struct fixture *f = *state;
    int last = NFILLING - 1;

    fill_files(f);
    reopen(f);
    assert_int_equal(replay_from(f, (uint64_t)last, f->places[last]), 0);
    assert_string_equal(f->told.data, "13:n*8388608;");
    wal_remove(f->wal, (uint64_t)last);
    assert_int_equal(replay_from(f, (uint64_t)last, f->places[last]), 0);
    assert_string_equal(f->told.data, "13:n*8388608;");
    wal_remove(f->wal, NFILLING);
    assert_int_equal(bench_count_files(&f->bench, WAL_DIR), 1);
    reopen(f);
    append(f, NFILLING + 1, "more");
    assert_int_equal(replay_from(f, NFILLING, f->places[NFILLING]), 0);
    assert_string_equal(f->told.data, "14:more;");
}

#define WAL_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WAL_TEST(test_wal_gives_batches_back_in_their_order),
        WAL_TEST(test_wal_replays_from_the_place_of_a_batch),
        WAL_TEST(test_wal_tells_where_a_batch_begins_as_it_appends),
        WAL_TEST(test_wal_makes_a_chain_of_a_large_batch),
        WAL_TEST(test_wal_chain_without_its_end_does_not_count),
        WAL_TEST(test_wal_chain_without_its_beginning_does_not_count),
        WAL_TEST(test_wal_chain_is_put_together),
        WAL_TEST(test_wal_cut_anywhere_has_the_whole_batches_before_the_cut),
        WAL_TEST(test_wal_with_a_gap_is_damaged),
        WAL_TEST(test_wal_that_begins_too_late_is_damaged),
        WAL_TEST(test_wal_that_ends_before_the_place_is_damaged),
        WAL_TEST(test_wal_of_an_unknown_version_is_not_guessed_at),
        WAL_TEST(test_wal_passes_over_records_of_others),
        WAL_TEST(test_wal_replay_ends_where_a_visit_says_so),
        WAL_TEST(test_wal_batch_that_failed_and_was_appended_again_counts_once),
        WAL_TEST(test_wal_chain_that_failed_and_was_appended_again_counts_once),
        WAL_TEST(test_wal_flush_reaches_what_an_earlier_process_left),
        WAL_TEST(test_wal_removes_the_files_that_only_have_what_is_applied),
        WAL_TEST(test_wal_removes_the_files_of_an_earlier_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
