/* wal: the log. What a death or a bad disk leaves is made by cutting and changing its
 * files. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/wal_priv.h"
#include "base/checksum.h"
#include "lib/random.h"
#include "storage/disk.h"
#include "unit/storage/bench.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MB        (1024 * 1024)
#define FILE_HEAD sizeof(struct wal_file_head)
#define HEAD      sizeof(struct wal_head)

/* --- the disk, which can fail --- */

static _Atomic int flushes_to_failure; /* so many until one fails; 0: none does */
static _Atomic(struct buf *) flushed;  /* gets the names of what is flushed, or NULL */

static int
flush_to_disk(int fd)
{
    struct buf *names = atomic_load(&flushed);
    char link[64], path[BENCH_PATH_MAX] = "";

    if (atomic_load(&flushes_to_failure) > 0
        && atomic_fetch_sub(&flushes_to_failure, 1) == 1) {
        errno = EIO;
        return -1;
    }
    if (names == NULL)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    assert_true(readlink(link, path, sizeof path - 1) > 0);
    buf_printf(names, "%s ", strrchr(path, '/') + 1);
    return 0;
}

/* fdatasync need not bring the names in a directory to the disk. */
static bool
is_dir(int fd)
{
    struct stat stat;

    assert_int_equal(fstat(fd, &stat), 0);
    return S_ISDIR(stat.st_mode);
}

/* This program's, in place of libc's. */
int
fsync(int fd)
{
    assert_true(is_dir(fd));
    return flush_to_disk(fd);
}

int
fdatasync(int fd)
{
    assert_false(is_dir(fd));
    return flush_to_disk(fd);
}

/* --- a log --- */

/* A log in a directory of its own, and what a reader gave: "number:effects;" for each. */
struct fixture {
    struct bench bench; /* for its directory */
    struct wal *wal;
    uint64_t last; /* the last batch in it */
    struct buf told;
};

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    bench_init(&f.bench);
    atomic_store(&flushes_to_failure, 0);
    disk_begin();
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

    if (f->wal != NULL)
        wal_close(f->wal);
    buf_deinit(&f->told);
    bench_deinit(&f->bench);
    return 0;
}

static void
append(struct fixture *f, const char *text)
{
    f->last++;
    assert_int_equal(wal_append(f->wal, f->last, bytes_str(text), false), 0);
}

/* Large batches are all of one letter, which tells them apart. */
static char
letter(uint64_t number)
{
    return (char)('a' + number % 26);
}

static void
append_large(struct fixture *f, size_t size)
{
    char *data = malloc(size);

    f->last++;
    memset(data, letter(f->last), size);
    assert_int_equal(wal_append(f->wal, f->last, bytes_of(data, size), false), 0);
    free(data);
}

static bool
is_all(struct bytes bytes, char c)
{
    return bytes.len == 0
           || (bytes.data[0] == c
               && memcmp(bytes.data, bytes.data + 1, bytes.len - 1) == 0);
}

static void
tell(struct fixture *f, const struct wal_batch *batch)
{
    struct bytes effects = batch->effects;

    if (effects.len <= 100) {
        buf_printf(&f->told, "%d:%.*s;", (int)batch->number, (int)effects.len,
                   effects.data);
        return;
    }
    assert_true(is_all(effects, letter(batch->number)));
    buf_printf(&f->told, "%d:%c*%zu;", (int)batch->number, effects.data[0], effects.len);
}

static void
tell_chunk(struct fixture *f, const struct chunk *c)
{
    struct bytes batches = c->batches;
    struct wal_batch batch = {0};
    int64_t len = 0;
    int count = 0;

    for (; chunk_next(&batches, &batch); count++) {
        tell(f, &batch);
        len += (int64_t)batch.effects.len;
    }
    assert_null(c->next);
    assert_int_equal(c->number, batch.number);
    assert_int_equal(c->len, len);
    assert_true(count == 1 || (count > 1 && c->batches.len <= WAL_CHUNK));
}

/* What wal_reader_next gives when there are no more batches. */
static int
read_on(struct fixture *f, struct wal_reader *r, uint64_t most)
{
    struct chunk *c;
    int more;

    f->told.len = 0;
    while ((more = wal_reader_next(r, most, &c)) == 1) {
        tell_chunk(f, c);
        wal_reader_reuse(r, c);
    }
    buf_append(&f->told, "", 1);
    return more;
}

static int
read_after(struct fixture *f, uint64_t after)
{
    struct wal_reader *r = wal_reader_new(f->wal, after);

    assert_non_null(r);
    int code = read_on(f, r, WAL_END);
    wal_reader_free(r);
    return code;
}

static void
assert_reads_on(struct fixture *f, struct wal_reader *r, uint64_t most,
                const char *expected)
{
    assert_int_equal(read_on(f, r, most), 0);
    assert_string_equal(f->told.data, expected);
}

static void
assert_reads_after(struct fixture *f, uint64_t after, const char *expected)
{
    assert_int_equal(read_after(f, after), 0);
    assert_string_equal(f->told.data, expected);
}

static void
assert_reads(struct fixture *f, const char *expected)
{
    assert_reads_after(f, 0, expected);
}

/* It gives these, and then it is damaged. */
static void
assert_damaged_behind(struct fixture *f, const char *expected)
{
    assert_int_equal(read_after(f, 0), -1);
    assert_string_equal(f->told.data, expected);
}

static void
close_log(struct fixture *f)
{
    wal_close(f->wal);
    f->wal = NULL;
}

static void
reopen(struct fixture *f)
{
    if (f->wal != NULL)
        wal_close(f->wal);
    disk_begin();
    f->wal = wal_open(f->bench.dir);
    assert_non_null(f->wal);
}

/* As the next process does: reads the log, which the disk has up to batch durable, and
 * goes on behind its end, in another file. */
static void
restart(struct fixture *f, uint64_t durable)
{
    struct wal_reader *r;
    struct chunk *c;

    reopen(f);
    r = wal_reader_new(f->wal, 0);
    assert_non_null(r);
    for (f->last = 0; wal_reader_next(r, WAL_END, &c) == 1; chunks_free(c))
        f->last = c->number;
    wal_reader_free(r);
    assert_int_equal(wal_start(f->wal, f->last, durable), 0);
}

/* --- its files --- */

/* Good until the next call. */
static const char *
log_path(const struct fixture *f, uint32_t file)
{
    char name[64];

    snprintf(name, sizeof name, WAL_DIR "/log.%010u", file);
    return bench_path(&f->bench, name);
}

static int
count_files(const struct fixture *f)
{
    return bench_count_files(&f->bench, WAL_DIR);
}

/* -1: it is not there. */
static int64_t
size_of(const struct fixture *f, uint32_t file)
{
    struct stat st;

    return stat(log_path(f, file), &st) == 0 ? st.st_size : -1;
}

/* The caller deinits it. */
static struct buf
load(const struct fixture *f, uint32_t file)
{
    FILE *in = fopen(log_path(f, file), "r");
    struct buf bytes = {0};
    size_t size = (size_t)size_of(f, file);

    assert_non_null(in);
    assert_int_equal(fread(buf_reserve(&bytes, size), 1, size, in), size);
    bytes.len = size;
    fclose(in);
    return bytes;
}

static void
save(const struct fixture *f, uint32_t file, struct bytes bytes)
{
    FILE *out = fopen(log_path(f, file), "w");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, out), bytes.len);
    fclose(out);
}

static void
remove_file(const struct fixture *f, uint32_t file)
{
    assert_int_equal(unlink(log_path(f, file)), 0);
}

static struct wal_file_head *
head_of(struct buf *file)
{
    return (struct wal_file_head *)file->data;
}

/* Makes the checksum of a head right again. */
static void
seal(struct buf *file)
{
    size_t len = offsetof(struct wal_file_head, checksum);

    head_of(file)->checksum = htole64(checksum(bytes_of(file->data, len), 0));
}

/* --- reading --- */

static void
test_wal_gives_batches_back_in_their_order(void **state)
{
    struct fixture *f = *state;

    assert_reads(f, "");
    append(f, "one");
    append(f, "");
    append(f, "three");
    assert_reads(f, "1:one;2:;3:three;");
    restart(f, 0);
    assert_reads(f, "1:one;2:;3:three;");
    append(f, "four");
    assert_reads(f, "1:one;2:;3:three;4:four;");
}

static void
test_wal_is_read_from_behind_any_batch(void **state)
{
    static const char *const rest[] = {
        "1:a;2:b;3:c;4:d;5:e;6:f;",
        "2:b;3:c;4:d;5:e;6:f;",
        "3:c;4:d;5:e;6:f;",
        "4:d;5:e;6:f;",
        "5:e;6:f;",
        "6:f;",
        "",
    };
    struct fixture *f = *state;

    for (const char *text = "a\0b\0c\0d\0e\0f"; f->last < 6; text += 2) {
        append(f, text);
        if (f->last % 2 == 0)
            restart(f, 0);
    }
    assert_int_equal(count_files(f), 3);
    for (uint64_t after = 0; after <= 6; after++)
        assert_reads_after(f, after, rest[after]);
}

static void
test_wal_reader_goes_on_where_it_stood_and_never_too_far(void **state)
{
    struct fixture *f = *state;
    struct wal_reader *r = wal_reader_new(f->wal, 0);

    assert_reads_on(f, r, 0, "");
    assert_reads_on(f, r, WAL_END, "");
    append(f, "one");
    append(f, "two");
    append(f, "three");
    assert_reads_on(f, r, 2, "1:one;2:two;");
    assert_reads_on(f, r, 2, "");
    assert_reads_on(f, r, 1, "");
    append(f, "four");
    assert_reads_on(f, r, 4, "3:three;4:four;");
    assert_reads_on(f, r, WAL_END, "");
    append_large(f, WAL_FILE_SIZE);
    append(f, "six");
    append(f, "seven");
    assert_int_equal(count_files(f), 3);
    assert_reads_on(f, r, 6, "5:f*33554432;6:six;");
    assert_reads_on(f, r, WAL_END, "7:seven;");
    wal_reader_free(r);
}

static void
test_wal_reader_that_is_promised_more_than_there_is_says_so(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    struct wal_reader *r = wal_reader_new(f->wal, 0);
    assert_int_equal(read_on(f, r, 2), -1);
    assert_string_equal(f->told.data, "1:one;");
    wal_reader_free(r);
}

static void
test_wal_reader_uses_again_what_it_took_back(void **state)
{
    struct fixture *f = *state;
    struct wal_reader *r = wal_reader_new(f->wal, 0);
    struct chunk *first, *again;

    append(f, "one");
    append(f, "two");
    assert_int_equal(wal_reader_next(r, 1, &first), 1);
    wal_reader_reuse(r, first);
    assert_int_equal(wal_reader_next(r, 2, &again), 1);
    assert_ptr_equal(again, first);
    tell_chunk(f, again);
    assert_memory_equal(f->told.data, "2:two;", 6);
    wal_reader_reuse(r, again);
    wal_reader_trim(r);
    append(f, "three");
    assert_reads_on(f, r, WAL_END, "3:three;");
    wal_reader_free(r);
}

static void
test_wal_gives_a_batch_of_any_size_whole(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    append_large(f, WAL_CHUNK - HEAD);
    append_large(f, WAL_CHUNK - HEAD + 1);
    append(f, "four");
    append_large(f, WAL_FILE_SIZE - FILE_HEAD - HEAD);
    append_large(f, WAL_FILE_SIZE + 1);
    append(f, "seven");
    restart(f, 0);
    assert_reads(f, "1:one;2:c*4194280;3:d*4194281;4:four;5:f*33554368;6:g*33554433;"
                    "7:seven;");
    assert_reads_after(f, 5, "6:g*33554433;7:seven;");
    assert_reads_after(f, 6, "7:seven;");
}

static void
test_wal_begins_a_new_file_when_the_last_is_full(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 70; i++)
        append_large(f, MB);
    assert_int_equal(count_files(f), 3);
    for (uint32_t file = 1; file <= 2; file++) {
        assert_true(size_of(f, file) <= WAL_FILE_SIZE);
        assert_true(size_of(f, file) > WAL_FILE_SIZE - 2 * MB);
    }
    assert_int_equal(read_after(f, 0), 0);
    assert_int_equal(read_after(f, 60), 0);
    assert_memory_equal(f->told.data, "61:j*1048576;62:k", 16);
}

static void
test_wal_has_the_size_of_its_files(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(wal_size(f->wal), 0);
    append(f, "one");
    assert_int_equal(wal_size(f->wal), size_of(f, 1));
    assert_int_equal(wal_size(f->wal), FILE_HEAD + HEAD + 3);
    append_large(f, WAL_FILE_SIZE);
    append(f, "three");
    int64_t size = size_of(f, 1) + size_of(f, 2) + size_of(f, 3);
    assert_int_equal(wal_size(f->wal), size);
    restart(f, 0);
    assert_int_equal(wal_size(f->wal), size);
    assert_int_equal(wal_flush(f->wal), 0);
    wal_remove(f->wal, 3);
    assert_int_equal(wal_size(f->wal), size_of(f, 3));
}

/* --- what a death leaves --- */

static const char *const WORDS[] = {"one", "two", "three", "four"};

/* The first count words as a reader gives them, and two batches more that were appended
 * later; the caller deinits it. */
static struct buf
words_and_two_more(int count)
{
    struct buf out = {0};

    for (int i = 0; i < count; i++)
        buf_printf(&out, "%d:%s;", i + 1, WORDS[i]);
    buf_printf(&out, "%d:new;%d:newer;", count + 1, count + 2);
    buf_append(&out, "", 1);
    return out;
}

/* Cuts the last file, which begins with word first, and uses what is left. */
static void
cut_anywhere(struct fixture *f, uint32_t file, int first)
{
    struct buf whole = load(f, file);
    int there = first; /* words before the cut */
    size_t end = FILE_HEAD + HEAD + strlen(WORDS[first]);

    for (size_t cut = 0; cut <= whole.len; cut++) {
        if (cut == end && ++there < 4)
            end += HEAD + strlen(WORDS[there]);
        save(f, file, bytes_of(whole.data, cut));

        restart(f, 0);
        assert_int_equal(f->last, there);
        append(f, "new");
        append(f, "newer");
        restart(f, 0);
        struct buf expected = words_and_two_more(there);
        assert_reads(f, expected.data);
        buf_deinit(&expected);

        assert_int_equal(size_of(f, file), there > first ? (int64_t)cut : -1);
        remove_file(f, file + 1);
    }
    assert_int_equal(there, 4);
    buf_deinit(&whole);
}

static void
test_wal_cut_anywhere_has_the_whole_batches_before_the_cut(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 4; i++)
        append(f, WORDS[i]);
    cut_anywhere(f, 1, 0);
}

static void
test_wal_whose_second_file_is_cut_anywhere_has_all_of_the_first(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 4; i++) {
        append(f, WORDS[i]);
        if (i == 1)
            restart(f, 0);
    }
    cut_anywhere(f, 2, 2);
}

static void
test_wal_cut_in_a_large_batch_ends_before_it(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    append_large(f, 9 * MB);
    for (int64_t len = 9 * MB; len > 0; len -= MB) {
        close_log(f);
        assert_int_equal(truncate(log_path(f, 1), len), 0);
        restart(f, 0);
        assert_reads(f, "1:one;");
    }
    append(f, "two");
    restart(f, 0);
    assert_reads(f, "1:one;2:two;");
}

static void
test_wal_with_a_length_that_cannot_be_ends_there(void **state)
{
    static const uint64_t lens[] = {UINT64_MAX, WAL_LEN_MAX, WAL_LEN_MAX - HEAD, 4};
    struct fixture *f = *state;

    append(f, "one");
    append(f, "two");
    close_log(f);
    struct buf file = load(f, 1);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        uint64_t len = htole64(lens[i]);
        memcpy(file.data + FILE_HEAD + HEAD + 3 + offsetof(struct wal_head, len_ahead),
               &len, sizeof len);
        save(f, 1, buf_bytes(&file));
        restart(f, 0);
        assert_reads(f, "1:one;");
    }
    buf_deinit(&file);
}

static void
test_wal_drops_a_file_that_died_as_it_was_begun(void **state)
{
    static const size_t zeros[] = {0, 1, FILE_HEAD - 1, FILE_HEAD, FILE_HEAD + 1, 4096};
    struct fixture *f = *state;
    char *data = calloc(1, 4096);

    append(f, "one");
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        save(f, 2, bytes_of(data, zeros[i]));
        restart(f, 0);
        assert_int_equal(size_of(f, 2), -1);
        assert_reads(f, "1:one;");
    }
    append(f, "two");
    assert_reads(f, "1:one;2:two;");
    free(data);
}

static void
test_wal_leaves_what_is_not_its_own(void **state)
{
    static const char *const names[] = {WAL_DIR "/log.1", WAL_DIR "/log.0000000001.old",
                                        WAL_DIR "/log.00000000001", WAL_DIR "/notes"};
    struct fixture *f = *state;

    append(f, "one");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        bench_write_file(&f->bench, names[i], "");
    restart(f, 0);
    assert_reads(f, "1:one;");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(bench_file_is_there(&f->bench, names[i]));
}

/* --- damage --- */

static const char *const FIRST_WORDS[] = {"", "1:one;", "1:one;2:two;",
                                          "1:one;2:two;3:three;"};

static void
flip(struct fixture *f, uint32_t file, size_t at)
{
    struct buf bytes = load(f, file);

    bytes.data[at] ^= 1;
    save(f, file, buf_bytes(&bytes));
    buf_deinit(&bytes);
}

/* A log of two files, the second begun when the disk had the first up to durable. Flips
 * each byte of the batches in the first, and asks each time what is to be seen of it. */
static void
flip_each_byte(struct fixture *f, uint64_t durable,
               void (*look)(struct fixture *f, int whole))
{
    size_t end = FILE_HEAD;

    for (int i = 0; i < 3; i++)
        append(f, WORDS[i]);
    restart(f, durable);
    append(f, "four");
    close_log(f);
    struct buf first = load(f, 1), second = load(f, 2);
    for (int whole = 0; whole < 3; whole++) {
        size_t begin = end;
        end += HEAD + strlen(WORDS[whole]);
        for (size_t at = begin; at < end; at++) {
            first.data[at] ^= (char)0xff;
            save(f, 1, buf_bytes(&first));
            save(f, 2, buf_bytes(&second));
            first.data[at] ^= (char)0xff;
            look(f, whole);
            close_log(f);
        }
    }
    assert_int_equal(end, first.len);
    buf_deinit(&first);
    buf_deinit(&second);
}

static void
see_damage(struct fixture *f, int whole)
{
    reopen(f);
    assert_damaged_behind(f, FIRST_WORDS[whole]);
    assert_int_equal(count_files(f), 2);
}

static void
test_wal_damaged_in_what_was_durable_is_refused(void **state)
{
    flip_each_byte(*state, 3, see_damage);
}

static void
see_an_end(struct fixture *f, int whole)
{
    reopen(f);
    assert_reads(f, FIRST_WORDS[whole]);
    restart(f, 0);
    assert_int_equal(count_files(f), whole > 0 ? 1 : 0);
    append(f, "new");
    restart(f, 0);
    struct buf expected = {0};
    buf_printf(&expected, "%s%d:new;", FIRST_WORDS[whole], whole + 1);
    buf_append(&expected, "", 1);
    assert_reads(f, expected.data);
    buf_deinit(&expected);
    remove_file(f, 3);
}

static void
test_wal_damaged_in_what_was_not_durable_ends_there(void **state)
{
    flip_each_byte(*state, 0, see_an_end);
}

static void
see_damage_up_to_the_second(struct fixture *f, int whole)
{
    if (whole < 2)
        see_damage(f, whole);
    else
        see_an_end(f, whole);
}

static void
test_wal_is_refused_for_what_was_durable_and_for_no_more(void **state)
{
    flip_each_byte(*state, 2, see_damage_up_to_the_second);
}

/* Four batches in one file, all but the last on the disk as that was appended, where it was
 * flushed. Flips each byte. */
static void
flip_each_byte_of_one_file(struct fixture *f, bool flush)
{
    int whole = 0;

    for (f->last = 1; f->last <= 4; f->last++)
        assert_int_equal(wal_append(f->wal, f->last, bytes_str(WORDS[f->last - 1]),
                                    flush && f->last == 3),
                         0);
    close_log(f);
    struct buf file = load(f, 1);
    size_t end = FILE_HEAD + HEAD + strlen(WORDS[0]);
    for (size_t at = FILE_HEAD; at < file.len; at++) {
        if (at == end)
            end += HEAD + strlen(WORDS[++whole]);
        file.data[at] ^= (char)0xff;
        save(f, 1, buf_bytes(&file));
        file.data[at] ^= (char)0xff;
        reopen(f);
        assert_int_equal(read_after(f, 0), flush && whole < 3 ? -1 : 0);
        assert_string_equal(f->told.data, FIRST_WORDS[whole]);
    }
    assert_int_equal(whole, 3);
    buf_deinit(&file);
}

static void
test_wal_damaged_before_a_batch_that_says_it_was_durable_is_refused(void **state)
{
    flip_each_byte_of_one_file(*state, true);
}

/* The system writes what is not flushed in any order. */
static void
test_wal_damaged_before_a_batch_that_does_not_say_so_ends_there(void **state)
{
    flip_each_byte_of_one_file(*state, false);
}

/* Appends to a new file, flushes now and then, and gives up to where the disk has it. */
static size_t
write_until_the_power_is_cut(struct fixture *f, uint64_t *random, uint64_t *durable)
{
    size_t safe = 0;

    for (int i = 0; i < 20; i++) {
        append_large(f, 1 + random_below(random, 3000));
        if (random_below(random, 5) > 0)
            continue;
        assert_int_equal(wal_flush(f->wal), 0);
        *durable = f->last;
        safe = (size_t)size_of(f, f->wal->next_file - 1);
    }
    return safe;
}

/* What was not flushed is there in part, a sector here and a sector there. */
static void
lose_sectors(struct fixture *f, uint32_t file, size_t safe, uint64_t *random)
{
    struct buf bytes = load(f, file);
    size_t sector = 0;

    for (size_t at = 0; at < bytes.len; at = sector) {
        sector = at + 512 < bytes.len ? at + 512 : bytes.len;
        if (sector > safe && random_below(random, 8) == 0)
            memset(bytes.data + (at > safe ? at : safe), 0,
                   sector - (at > safe ? at : safe));
    }
    save(f, file, bytes_of(bytes.data, safe + random_below(random, bytes.len - safe + 1)));
    buf_deinit(&bytes);
}

static void
test_wal_whose_power_is_cut_has_what_was_durable_and_is_not_refused(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 1, durable = 0;

    for (int round = 0; round < 200; round++) {
        uint32_t file = f->wal->next_file;
        size_t safe = write_until_the_power_is_cut(f, &random, &durable);
        close_log(f);
        lose_sectors(f, file, safe, &random);
        reopen(f);
        assert_int_equal(read_after(f, 0), 0);
        restart(f, durable);
        assert_true(f->last >= durable);
    }
}

static void
test_wal_is_refused_also_where_a_batch_of_a_file_further_on_says_what_was_durable(
    void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    append_large(f, WAL_FILE_SIZE - MB);
    append_large(f, MB);
    assert_int_equal(wal_flush(f->wal), 0);
    append(f, "four");
    assert_int_equal(count_files(f), 2);
    close_log(f);
    assert_int_equal(truncate(log_path(f, 1), FILE_HEAD + HEAD + 3 + 4096), 0);
    reopen(f);
    assert_damaged_behind(f, "1:one;");
}

/* As an earlier keyvald wrote it. */
static void
test_wal_of_version_1_is_read(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    close_log(f);
    struct buf file = load(f, 1);
    head_of(&file)->version = htole32(1);
    seal(&file);
    save(f, 1, buf_bytes(&file));
    restart(f, 0);
    append(f, "two");
    assert_reads(f, "1:one;2:two;");
    buf_deinit(&file);
}

static void
assert_messages_have(struct fixture *f, const char *expected)
{
    char messages[4096] = "";
    FILE *file = fopen(bench_path(&f->bench, "messages"), "r");

    assert_non_null(file);
    assert_true(fread(messages, 1, sizeof messages - 1, file) > 0);
    fclose(file);
    if (strstr(messages, expected) == NULL)
        assert_string_equal(messages, expected);
}

static void
test_wal_that_is_refused_says_where_it_is_damaged_and_what_can_be_done(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    append(f, "two");
    assert_int_equal(wal_flush(f->wal), 0);
    append(f, "three");
    close_log(f);
    assert_true(log_set_file(bench_path(&f->bench, "messages")));
    flip(f, 1, FILE_HEAD + HEAD + 3);
    reopen(f);
    assert_damaged_behind(f, "1:one;");
    log_set_file("/dev/null");
    assert_messages_have(f,
                         "/wal/log.0000000001 is damaged at byte 67, behind batch 1: ");
    assert_messages_have(f, "make that file 67 bytes long (truncate -s) and take the "
                            "log's files with higher numbers away");
    close_log(f);
    assert_int_equal(truncate(log_path(f, 1), 67), 0);
    restart(f, 0);
    assert_reads(f, "1:one;");
}

static void
test_wal_is_refused_also_where_a_file_further_on_says_what_was_durable(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    append(f, "two");
    restart(f, 1);
    append(f, "three");
    restart(f, 3);
    append(f, "four");
    flip(f, 1, FILE_HEAD + HEAD + 3 + HEAD);
    reopen(f);
    assert_damaged_behind(f, "1:one;");
}

/* Three files, two batches each; the third says up to where the disk had the others. */
static void
fill_three_files(struct fixture *f, uint64_t durable)
{
    for (const char *text = "a\0b\0c\0d\0e\0f"; f->last < 6; text += 2) {
        append(f, text);
        if (f->last == 2)
            restart(f, 0);
        if (f->last == 4)
            restart(f, durable);
    }
}

static void
test_wal_without_a_file_in_its_middle_is_refused(void **state)
{
    struct fixture *f = *state;

    fill_three_files(f, 3);
    remove_file(f, 2);
    reopen(f);
    assert_damaged_behind(f, "1:a;2:b;");
    assert_reads_after(f, 4, "5:e;6:f;");
}

static void
test_wal_without_a_file_that_was_not_durable_ends_there(void **state)
{
    struct fixture *f = *state;

    fill_three_files(f, 2);
    remove_file(f, 2);
    restart(f, 0);
    assert_reads(f, "1:a;2:b;");
    assert_int_equal(count_files(f), 1);
    append(f, "c");
    restart(f, 0);
    assert_reads(f, "1:a;2:b;3:c;");
}

static void
test_wal_that_begins_too_late_is_refused(void **state)
{
    struct fixture *f = *state;

    fill_three_files(f, 0);
    remove_file(f, 1);
    reopen(f);
    assert_null(wal_reader_new(f->wal, 0));
    assert_null(wal_reader_new(f->wal, 1));
    assert_reads_after(f, 2, "3:c;4:d;5:e;6:f;");
}

static void
test_wal_that_ends_too_early_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_null(wal_reader_new(f->wal, 1));
    append(f, "one");
    append(f, "two");
    assert_reads_after(f, 2, "");
    assert_int_equal(read_after(f, 3), -1);
    restart(f, 0);
    append(f, "three");
    assert_reads_after(f, 3, "");
    assert_int_equal(read_after(f, 4), -1);
}

static void
assert_does_not_open(struct fixture *f, uint32_t file, struct bytes bytes)
{
    save(f, file, bytes);
    assert_null(wal_open(f->bench.dir));
}

static void
test_wal_with_a_damaged_head_does_not_open(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    close_log(f);
    struct buf file = load(f, 1);
    for (size_t at = 0; at < FILE_HEAD; at++) {
        file.data[at] ^= 1;
        assert_does_not_open(f, 1, buf_bytes(&file));
        file.data[at] ^= 1;
    }
    save(f, 1, buf_bytes(&file));
    restart(f, 0);
    assert_reads(f, "1:one;");
    buf_deinit(&file);
}

static void
test_wal_of_another_kind_or_version_does_not_open(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    close_log(f);
    struct buf file = load(f, 1);
    head_of(&file)->version = htole32(WAL_VERSION + 1);
    seal(&file);
    assert_does_not_open(f, 1, buf_bytes(&file));
    head_of(&file)->version = 0;
    seal(&file);
    assert_does_not_open(f, 1, buf_bytes(&file));
    head_of(&file)->version = htole32(WAL_VERSION);
    head_of(&file)->magic[0] = 'K';
    seal(&file);
    assert_does_not_open(f, 1, buf_bytes(&file));
    buf_deinit(&file);
}

static void
test_wal_file_under_another_number_does_not_open(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    close_log(f);
    struct buf file = load(f, 1);
    remove_file(f, 1);
    assert_does_not_open(f, 2, buf_bytes(&file));
    buf_deinit(&file);
}

/* Blocks of a removed file may turn up in a new one. */
static void
test_wal_batch_of_another_file_is_not_taken(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    close_log(f);
    struct buf file = load(f, 1);
    remove_file(f, 1);
    head_of(&file)->file = htole32(2);
    seal(&file);
    save(f, 2, buf_bytes(&file));
    restart(f, 0);
    assert_reads(f, "");
    buf_deinit(&file);
}

/* --- what cannot be written --- */

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

/* Tries to append a batch twice while files may not grow beyond len. */
static void
fail_to_append(struct fixture *f, size_t size, rlim_t len)
{
    char *data = malloc(size);

    memset(data, letter(f->last + 1), size);
    limit_files(len);
    for (int i = 0; i < 2; i++)
        assert_int_equal(wal_append(f->wal, f->last + 1, bytes_of(data, size), i), -1);
    limit_files(0);
    free(data);
}

static void
test_wal_batch_that_failed_and_was_appended_again_counts_once(void **state)
{
    struct fixture *f = *state;

    append_large(f, MB / 2);
    fail_to_append(f, MB, MB / 2);
    assert_reads(f, "1:b*524288;");
    append_large(f, MB);
    append(f, "three");
    assert_reads(f, "1:b*524288;2:c*1048576;3:three;");
    restart(f, 0);
    assert_reads(f, "1:b*524288;2:c*1048576;3:three;");
}

static void
test_wal_batch_that_was_written_in_part_and_appended_again_counts_once(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    fail_to_append(f, 9 * MB, 5 * MB);
    assert_int_equal(size_of(f, 1), 5 * MB);
    assert_reads(f, "1:one;");
    append_large(f, 9 * MB);
    append(f, "three");
    assert_reads(f, "1:one;2:c*9437184;3:three;");
    restart(f, 0);
    assert_reads(f, "1:one;2:c*9437184;3:three;");
}

static void
test_wal_batch_that_began_a_file_and_failed_counts_once(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    fail_to_append(f, WAL_FILE_SIZE, MB);
    assert_int_equal(count_files(f), 2);
    append_large(f, WAL_FILE_SIZE);
    assert_int_equal(count_files(f), 2);
    assert_reads(f, "1:one;2:c*33554432;");
}

static void
test_wal_dead_after_a_failure_goes_on_before_it(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    fail_to_append(f, 9 * MB, 5 * MB);
    restart(f, 0);
    assert_int_equal(f->last, 1);
    append(f, "two");
    restart(f, 0);
    assert_reads(f, "1:one;2:two;");
}

static void
test_wal_that_cannot_begin_a_file_leaves_none(void **state)
{
    struct fixture *f = *state;

    fail_to_append(f, 3, FILE_HEAD / 2);
    assert_int_equal(count_files(f), 0);
    append(f, "one");
    assert_reads(f, "1:one;");
}

static void
test_wal_batch_that_was_not_flushed_and_was_appended_again_counts_once(void **state)
{
    struct fixture *f = *state;
    char away[BENCH_PATH_MAX];

    snprintf(away, sizeof away, "%s", bench_path(&f->bench, "away"));
    append(f, "one");
    restart(f, 0);
    assert_int_equal(rename(log_path(f, 1), away), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(wal_append(f->wal, 2, bytes_str("two"), true), -1);
    assert_int_equal(wal_durable(f->wal), 0);
    assert_int_equal(rename(away, log_path(f, 1)), 0);
    assert_int_equal(wal_append(f->wal, 2, bytes_str("two"), true), 0);
    assert_int_equal(wal_durable(f->wal), 2);
    f->last = 2;
    append(f, "three");
    assert_reads(f, "1:one;2:two;3:three;");
}

/* --- flushing and removing --- */

/* Linux may drop what it could not write, and the next flush succeeds. */
static void
test_wal_believes_no_flush_behind_one_that_failed(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    assert_int_equal(wal_append(f->wal, 2, bytes_str("two"), true), 0);
    atomic_store(&flushes_to_failure, 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(wal_append(f->wal, 3, bytes_str("three"), true), -1);
    assert_int_equal(wal_flush(f->wal), -1);
    assert_int_equal(wal_durable(f->wal), 2);
}

/* What a flush flushes. */
static void
assert_flushes(struct fixture *f, const char *expected)
{
    struct buf names = {0};

    atomic_store(&flushed, &names);
    assert_int_equal(wal_flush(f->wal), 0);
    atomic_store(&flushed, NULL);
    buf_append(&names, "", 1);
    assert_string_equal(names.data, expected);
    buf_deinit(&names);
    assert_int_equal(wal_durable(f->wal), f->last);
}

static void
test_wal_flush_reaches_what_was_not_flushed_yet(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    assert_flushes(f, "log.0000000001 wal ");
    append(f, "two");
    assert_int_equal(wal_durable(f->wal), 1);
    assert_flushes(f, "log.0000000001 ");
    append_large(f, WAL_FILE_SIZE);
    assert_flushes(f, "log.0000000001 log.0000000002 wal ");
    append(f, "four");
    assert_flushes(f, "log.0000000002 log.0000000003 wal ");
    assert_flushes(f, "log.0000000003 ");
}

static void
test_wal_flush_reaches_what_an_earlier_process_left(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    restart(f, 0);
    append(f, "two");
    restart(f, 1);
    assert_int_equal(wal_durable(f->wal), 1);
    assert_flushes(f, "log.0000000001 log.0000000002 wal ");
    assert_flushes(f, "");
    restart(f, 1);
    append(f, "three");
    assert_flushes(f, "log.0000000001 log.0000000002 log.0000000003 wal ");
}

static void
test_wal_that_cannot_be_flushed_whole_is_not_durable(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    restart(f, 0);
    append(f, "two");
    for (int i = 0; i < 4; i++) {
        restart(f, 1);
        append(f, "three");
        atomic_store(&flushes_to_failure, i + 1);
        for (int again = 0; again < 2; again++)
            assert_int_equal(wal_flush(f->wal), -1);
        assert_int_equal(wal_durable(f->wal), 1);
        remove_file(f, 3);
    }
    restart(f, 1);
    assert_flushes(f, "log.0000000001 log.0000000002 wal ");
}

/* The file behind must have a batch the tables have: as long as it has not, a power cut
 * may take it, and a log without any file does not tell where it ended. */
static void
test_wal_removes_a_file_when_a_batch_of_the_next_is_applied(void **state)
{
    static const int left[] = {3, 3, 3, 2, 2, 1, 1};
    struct fixture *f = *state;

    fill_three_files(f, 0);
    assert_int_equal(wal_flush(f->wal), 0);
    for (uint64_t number = 0; number <= 6; number++) {
        wal_remove(f->wal, number);
        assert_int_equal(count_files(f), left[number]);
        assert_int_equal(read_after(f, number), 0);
    }
    wal_remove(f->wal, 100);
    assert_int_equal(count_files(f), 1);
    append(f, "g");
    assert_reads_after(f, 6, "7:g;");
}

static void
test_wal_removes_nothing_that_is_not_flushed(void **state)
{
    struct fixture *f = *state;

    append(f, "one");
    append_large(f, WAL_FILE_SIZE);
    append(f, "three");
    wal_remove(f->wal, 3);
    assert_int_equal(count_files(f), 3);
    restart(f, 0);
    wal_remove(f->wal, 3);
    assert_int_equal(count_files(f), 3);
    assert_int_equal(wal_flush(f->wal), 0);
    wal_remove(f->wal, 3);
    assert_int_equal(count_files(f), 1);
}

static void
test_wal_goes_on_behind_files_that_were_removed(void **state)
{
    struct fixture *f = *state;

    fill_three_files(f, 0);
    assert_int_equal(wal_flush(f->wal), 0);
    wal_remove(f->wal, 5);
    reopen(f);
    assert_null(wal_reader_new(f->wal, 3));
    assert_reads_after(f, 5, "6:f;");
    assert_int_equal(wal_start(f->wal, 6, 5), 0);
    append(f, "g");
    assert_reads_after(f, 5, "6:f;7:g;");
}

/* --- three threads --- */

#define OLD_FILES   30
#define NBATCHES    500
#define LARGE_EVERY 50
#define LARGE       (WAL_FILE_SIZE / 2) /* each begins a file */

struct traffic {
    struct wal *wal;
    struct wal_reader *reader;
    _Atomic uint64_t written, read;
    _Atomic bool wrong;
};

static size_t
traffic_size(uint64_t number)
{
    return number % LARGE_EVERY == 0 ? LARGE : number % 200;
}

static void
traffic_check(struct traffic *t, const struct chunk *c, uint64_t most)
{
    struct bytes batches = c->batches;
    struct wal_batch batch;
    uint64_t number = atomic_load(&t->read);

    while (chunk_next(&batches, &batch)) {
        number++;
        if (batch.number != number || number > most
            || batch.effects.len != traffic_size(number)
            || !is_all(batch.effects, letter(number)))
            atomic_store(&t->wrong, true);
    }
    if (c->number != number)
        atomic_store(&t->wrong, true);
    atomic_store(&t->read, number);
}

static bool
traffic_goes_on(struct traffic *t)
{
    return !atomic_load(&t->wrong) && atomic_load(&t->read) < NBATCHES;
}

static void *
read_it(void *arg)
{
    struct traffic *t = arg;
    struct chunk *c;

    while (traffic_goes_on(t)) {
        uint64_t most = atomic_load(&t->written);
        int more = wal_reader_next(t->reader, most, &c);
        if (more == 1) {
            traffic_check(t, c, most);
            chunks_free(c);
        } else if (more == 0) {
            sched_yield();
        } else {
            atomic_store(&t->wrong, true);
        }
    }
    return NULL;
}

static void *
flush_and_remove(void *arg)
{
    struct traffic *t = arg;

    while (traffic_goes_on(t)) {
        uint64_t written = atomic_load(&t->written), read = atomic_load(&t->read);
        if (wal_flush(t->wal) != 0 || wal_durable(t->wal) < written)
            atomic_store(&t->wrong, true);
        wal_remove(t->wal, read);
        if (wal_size(t->wal) <= 0)
            atomic_store(&t->wrong, true);
        sched_yield();
    }
    return NULL;
}

static void
append_traffic(struct traffic *t, uint64_t from)
{
    char *data = malloc(LARGE);

    for (uint64_t number = from; number <= NBATCHES; number++) {
        struct bytes effects = bytes_of(data, traffic_size(number));
        memset(data, letter(number), effects.len);
        if (wal_append(t->wal, number, effects, number % LARGE_EVERY == 1) != 0)
            atomic_store(&t->wrong, true);
        atomic_store(&t->written, number);
    }
    free(data);
}

static void
test_wal_is_appended_read_flushed_and_removed_at_once(void **state)
{
    struct fixture *f = *state;
    pthread_t reader, keeper;

    while (f->last < OLD_FILES) {
        append_large(f, traffic_size(f->last + 1));
        restart(f, 0);
    }
    struct traffic t = {.wal = f->wal, .reader = wal_reader_new(f->wal, 0)};
    atomic_store(&t.written, f->last);
    assert_int_equal(pthread_create(&reader, NULL, read_it, &t), 0);
    assert_int_equal(pthread_create(&keeper, NULL, flush_and_remove, &t), 0);
    append_traffic(&t, OLD_FILES + 1);
    pthread_join(reader, NULL);
    pthread_join(keeper, NULL);
    wal_reader_free(t.reader);
    assert_false(atomic_load(&t.wrong));
    assert_int_equal(atomic_load(&t.read), NBATCHES);
    assert_int_equal(wal_flush(f->wal), 0);
    wal_remove(f->wal, NBATCHES);
    assert_int_equal(count_files(f), 1);
    assert_reads_after(f, NBATCHES, "");
}

#define WAL_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WAL_TEST(test_wal_gives_batches_back_in_their_order),
        WAL_TEST(test_wal_is_read_from_behind_any_batch),
        WAL_TEST(test_wal_reader_goes_on_where_it_stood_and_never_too_far),
        WAL_TEST(test_wal_reader_that_is_promised_more_than_there_is_says_so),
        WAL_TEST(test_wal_reader_uses_again_what_it_took_back),
        WAL_TEST(test_wal_gives_a_batch_of_any_size_whole),
        WAL_TEST(test_wal_begins_a_new_file_when_the_last_is_full),
        WAL_TEST(test_wal_has_the_size_of_its_files),
        WAL_TEST(test_wal_cut_anywhere_has_the_whole_batches_before_the_cut),
        WAL_TEST(test_wal_whose_second_file_is_cut_anywhere_has_all_of_the_first),
        WAL_TEST(test_wal_cut_in_a_large_batch_ends_before_it),
        WAL_TEST(test_wal_with_a_length_that_cannot_be_ends_there),
        WAL_TEST(test_wal_drops_a_file_that_died_as_it_was_begun),
        WAL_TEST(test_wal_leaves_what_is_not_its_own),
        WAL_TEST(test_wal_damaged_in_what_was_durable_is_refused),
        WAL_TEST(test_wal_damaged_in_what_was_not_durable_ends_there),
        WAL_TEST(test_wal_is_refused_for_what_was_durable_and_for_no_more),
        WAL_TEST(test_wal_is_refused_also_where_a_file_further_on_says_what_was_durable),
        WAL_TEST(test_wal_damaged_before_a_batch_that_says_it_was_durable_is_refused),
        WAL_TEST(test_wal_damaged_before_a_batch_that_does_not_say_so_ends_there),
        WAL_TEST(test_wal_whose_power_is_cut_has_what_was_durable_and_is_not_refused),
        WAL_TEST(
            test_wal_is_refused_also_where_a_batch_of_a_file_further_on_says_what_was_durable),
        WAL_TEST(test_wal_that_is_refused_says_where_it_is_damaged_and_what_can_be_done),
        WAL_TEST(test_wal_of_version_1_is_read),
        WAL_TEST(test_wal_without_a_file_in_its_middle_is_refused),
        WAL_TEST(test_wal_without_a_file_that_was_not_durable_ends_there),
        WAL_TEST(test_wal_that_begins_too_late_is_refused),
        WAL_TEST(test_wal_that_ends_too_early_is_refused),
        WAL_TEST(test_wal_with_a_damaged_head_does_not_open),
        WAL_TEST(test_wal_of_another_kind_or_version_does_not_open),
        WAL_TEST(test_wal_file_under_another_number_does_not_open),
        WAL_TEST(test_wal_batch_of_another_file_is_not_taken),
        WAL_TEST(test_wal_batch_that_failed_and_was_appended_again_counts_once),
        WAL_TEST(test_wal_batch_that_was_written_in_part_and_appended_again_counts_once),
        WAL_TEST(test_wal_batch_that_began_a_file_and_failed_counts_once),
        WAL_TEST(test_wal_dead_after_a_failure_goes_on_before_it),
        WAL_TEST(test_wal_that_cannot_begin_a_file_leaves_none),
        WAL_TEST(test_wal_batch_that_was_not_flushed_and_was_appended_again_counts_once),
        WAL_TEST(test_wal_believes_no_flush_behind_one_that_failed),
        WAL_TEST(test_wal_flush_reaches_what_was_not_flushed_yet),
        WAL_TEST(test_wal_flush_reaches_what_an_earlier_process_left),
        WAL_TEST(test_wal_that_cannot_be_flushed_whole_is_not_durable),
        WAL_TEST(test_wal_removes_a_file_when_a_batch_of_the_next_is_applied),
        WAL_TEST(test_wal_removes_nothing_that_is_not_flushed),
        WAL_TEST(test_wal_goes_on_behind_files_that_were_removed),
        WAL_TEST(test_wal_is_appended_read_flushed_and_removed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
