/* tables, catalog: the stores' files and which store is in which. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/tables.h"
#include "storage/home.h"
#include "storage/tables_env.h"
#include "unit/storage/bench.h"
#include <sys/stat.h>

#define MAX_OPEN 3
#define CACHE    (4 * 1024 * 1024)

struct fixture {
    struct bench bench; /* for its directory */
    DB_ENV *env;
    struct tables *tables;
    struct catalog *catalog;
};

static void
open_all(struct fixture *f)
{
    assert_int_equal(tables_env_open(f->bench.dir, CACHE, &f->env), 0);
    f->tables = tables_new(f->env, MAX_OPEN);
    f->catalog = catalog_open(f->env);
    assert_non_null(f->catalog);
}

static void
close_all(struct fixture *f)
{
    tables_free(f->tables);
    catalog_close(f->catalog);
    f->env->close(f->env, 0);
}

static int
set_up(void **state)
{
    static struct fixture f;

    bench_init(&f.bench);
    assert_int_equal(mkdir(bench_path(&f.bench, FILENAME_DIR), 0750), 0);
    assert_int_equal(mkdir(bench_path(&f.bench, HOME_TXN), 0750), 0);
    open_all(&f);
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    close_all(f);
    bench_deinit(&f->bench);
    return 0;
}

static struct table *
add_with_file(struct fixture *f, uint32_t id)
{
    struct table *t = tables_add(f->tables, id, bytes_str("shop"));

    assert_int_equal(tables_create_file(f->tables, t, id), 0);
    return t;
}

static struct table *
acquire(struct fixture *f, uint32_t id, DB **db)
{
    struct table *t;

    assert_int_equal(tables_acquire(f->tables, id, &t, db), 0);
    assert_non_null(*db);
    return t;
}

static void
test_tables_give_nothing_for_what_has_no_file(void **state)
{
    struct fixture *f = *state;
    struct table *t = tables_add(f->tables, 5, bytes_str("shop")), *acquired;
    char file[FILENAME_MAX_LEN];
    DB *db;

    assert_ptr_equal(tables_find(f->tables, 5), t);
    assert_null(tables_find(f->tables, 6));
    for (uint32_t id = 5; id <= 6; id++) {
        assert_int_equal(tables_acquire(f->tables, id, &acquired, &db), 0);
        assert_null(db);
        tables_file(f->tables, id, file);
        assert_string_equal(file, "");
    }
    tables_forget(f->tables, t);
    assert_null(tables_find(f->tables, 5));
}

static void
test_tables_make_a_file_of_its_own_for_each_generation(void **state)
{
    struct fixture *f = *state;
    struct table *t = tables_add(f->tables, 5, bytes_str("shop"));
    char file[FILENAME_MAX_LEN], dropped[FILENAME_MAX_LEN];

    assert_int_equal(tables_create_file(f->tables, t, 17), 0);
    tables_file(f->tables, 5, file);
    assert_string_equal(file, "stores/shop.17.db");
    assert_true(bench_file_is_there(&f->bench, file));

    tables_drop_file(f->tables, t, dropped);
    assert_string_equal(dropped, file);
    assert_int_equal(tables_create_file(f->tables, t, 18), 0);
    tables_file(f->tables, 5, file);
    assert_string_equal(file, "stores/shop.18.db");
}

static void
test_tables_do_not_take_a_file_that_is_there(void **state)
{
    struct fixture *f = *state;
    struct table *t = tables_add(f->tables, 5, bytes_str("shop"));
    char file[FILENAME_MAX_LEN];

    bench_write_file(&f->bench, "stores/shop.17.db", "");
    assert_int_not_equal(tables_create_file(f->tables, t, 17), 0);
    tables_file(f->tables, 5, file);
    assert_string_equal(file, "");
    assert_int_equal(tables_create_file(f->tables, t, 18), 0);
}

static void
test_tables_close_the_one_that_was_not_used_for_longest(void **state)
{
    struct fixture *f = *state;
    DB *db;

    for (uint32_t id = 1; id <= 5; id++) {
        add_with_file(f, id);
        tables_release(f->tables, acquire(f, id, &db));
        assert_true(tables_open_count(f->tables) <= MAX_OPEN);
    }
    assert_null(tables_find(f->tables, 1)->db);
    assert_null(tables_find(f->tables, 2)->db);
    tables_release(f->tables, acquire(f, 3, &db));
    tables_release(f->tables, acquire(f, 1, &db));
    assert_null(tables_find(f->tables, 4)->db);
    assert_non_null(tables_find(f->tables, 3)->db);
    tables_set_max_open(f->tables, 1);
    assert_int_equal(tables_open_count(f->tables), 1);
    assert_non_null(tables_find(f->tables, 1)->db);
}

static void
test_tables_in_use_stay_open(void **state)
{
    struct fixture *f = *state;
    struct table *used[5];
    DB *db;

    tables_set_max_open(f->tables, 0);
    for (uint32_t id = 1; id <= 5; id++) {
        add_with_file(f, id);
        used[id - 1] = acquire(f, id, &db);
    }
    assert_int_equal(tables_open_count(f->tables), 5);
    for (int i = 0; i < 5; i++)
        tables_release(f->tables, used[i]);
    assert_int_equal(tables_open_count(f->tables), 0);
}

static void
test_tables_have_their_records_after_they_were_closed(void **state)
{
    struct fixture *f = *state;
    DBT key = {.data = "key", .size = 3};
    DBT data = {.data = "record", .size = 6};
    DBT got = {.flags = DB_DBT_MALLOC};
    DB *db;

    add_with_file(f, 1);
    struct table *t = acquire(f, 1, &db);
    assert_int_equal(db->put(db, NULL, &key, &data, DB_AUTO_COMMIT), 0);
    tables_set_max_open(f->tables, 0);
    tables_release(f->tables, t);
    assert_null(t->db);
    t = acquire(f, 1, &db);
    assert_int_equal(db->get(db, NULL, &key, &got, 0), 0);
    assert_true(bytes_eq(bytes_of(got.data, got.size), bytes_str("record")));
    free(got.data);
    tables_release(f->tables, t);
}

struct user {
    struct tables *tables;
    struct table *table;
    pthread_mutex_t mutex; /* held by the test until the user may go */
    _Atomic bool gone;
};

static void *
use_and_release(void *arg)
{
    struct user *u = arg;

    pthread_mutex_lock(&u->mutex);
    pthread_mutex_unlock(&u->mutex);
    u->gone = true;
    tables_release(u->tables, u->table);
    return NULL;
}

static void
test_tables_drop_a_file_when_its_last_user_is_gone(void **state)
{
    struct fixture *f = *state;
    char file[FILENAME_MAX_LEN];
    DB *db;
    pthread_t thread;

    add_with_file(f, 1);
    struct user u = {f->tables, acquire(f, 1, &db), PTHREAD_MUTEX_INITIALIZER, false};
    pthread_mutex_lock(&u.mutex);
    assert_int_equal(pthread_create(&thread, NULL, use_and_release, &u), 0);
    pthread_mutex_unlock(&u.mutex);
    tables_drop_file(f->tables, u.table, file);
    assert_true(u.gone);
    assert_null(u.table->db);
    pthread_join(thread, NULL);
    assert_int_equal(tables_open_count(f->tables), 0);
}

/* --- the catalog --- */

static void
print_row(void *arg, const struct catalog_row *row)
{
    buf_printf(arg, "%u %.*s %lld %lld %s;", row->id, (int)row->name.len, row->name.data,
               (long long)row->count, (long long)row->expires, row->file);
}

static void
assert_rows(struct fixture *f, const char *expected)
{
    struct buf out = {0};

    assert_int_equal(catalog_rows(f->catalog, print_row, &out), 0);
    buf_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    buf_deinit(&out);
}

static void
put_row(struct fixture *f, uint32_t id, const char *name, int64_t count, const char *file)
{
    struct catalog_row row = {id, bytes_str(name), count, count / 2, ""};

    memcpy(row.file, file, strlen(file) + 1);
    assert_int_equal(catalog_put(f->catalog, NULL, &row), 0);
}

static void
test_catalog_gives_its_rows_back(void **state)
{
    struct fixture *f = *state;

    assert_rows(f, "");
    put_row(f, 1, "shop", 10, "stores/shop.1.db");
    put_row(f, 2, "", 4, "");
    put_row(f, 3, "m", 1LL << 40, "stores/m.2.db");
    put_row(f, 1, "shop", 12, "stores/shop.3.db");
    const char *rows = "2  4 2 ;3 m 1099511627776 549755813888 stores/m.2.db;"
                       "1 shop 12 6 stores/shop.3.db;";
    assert_rows(f, rows);
    close_all(f);
    open_all(f);
    assert_rows(f, rows);
    assert_int_equal(catalog_delete(f->catalog, NULL, bytes_str("m")), 0);
    assert_int_equal(catalog_delete(f->catalog, NULL, bytes_str("none")), 0);
    assert_rows(f, "2  4 2 ;1 shop 12 6 stores/shop.3.db;");
}

static void
test_catalog_keeps_the_mark(void **state)
{
    struct fixture *f = *state;
    struct catalog_mark mark = {0};

    assert_int_equal(catalog_read_mark(f->catalog, &mark), 0);
    assert_int_equal(mark.number, 0);
    assert_int_equal(mark.next_id, 1);
    assert_int_equal(mark.next_generation, 1);

    mark = (struct catalog_mark){1ULL << 50, 17, 1ULL << 40};
    assert_int_equal(catalog_put_mark(f->catalog, NULL, &mark), 0);
    close_all(f);
    open_all(f);
    mark = (struct catalog_mark){0};
    assert_int_equal(catalog_read_mark(f->catalog, &mark), 0);
    assert_int_equal(mark.number, 1ULL << 50);
    assert_int_equal(mark.next_id, 17);
    assert_int_equal(mark.next_generation, 1ULL << 40);
    assert_rows(f, "");
}

static void
test_catalog_keeps_the_reach(void **state)
{
    struct fixture *f = *state;
    uint64_t reach = 1;

    assert_int_equal(catalog_read_reach(f->catalog, &reach), 0);
    assert_int_equal(reach, 0);
    assert_int_equal(catalog_put_reach(f->catalog, NULL, 1ULL << 50), 0);
    close_all(f);
    open_all(f);
    assert_int_equal(catalog_read_reach(f->catalog, &reach), 0);
    assert_int_equal(reach, 1ULL << 50);
    assert_rows(f, "");
}

static void
put_raw(struct fixture *f, const char *key, const void *data, size_t len)
{
    DBT k = {.data = (void *)key, .size = (uint32_t)strlen(key)};
    DBT d = {.data = (void *)data, .size = (uint32_t)len};
    DB *db;

    catalog_close(f->catalog);
    assert_int_equal(db_create(&db, f->env, 0), 0);
    assert_int_equal(db->open(db, NULL, CATALOG_FILE, NULL, DB_BTREE, DB_AUTO_COMMIT, 0),
                     0);
    assert_int_equal(db->put(db, NULL, &k, &d, 0), 0);
    db->close(db, 0);
    f->catalog = catalog_open(f->env);
}

static void
test_catalog_does_not_guess_at_what_it_does_not_know(void **state)
{
    struct fixture *f = *state;
    struct catalog_mark mark;
    struct buf out = {0};
    char row[21] = {2}, mark_bytes[21] = {2}, reach_bytes[10] = {2};
    uint64_t reach;

    put_raw(f, "sshop", row, sizeof row);
    assert_int_equal(catalog_rows(f->catalog, print_row, &out), -1);
    row[0] = 1;
    put_raw(f, "sshop", row, sizeof row - 1);
    assert_int_equal(catalog_rows(f->catalog, print_row, &out), -1);
    assert_int_equal(out.len, 0);
    put_raw(f, "m", mark_bytes, sizeof mark_bytes);
    assert_int_equal(catalog_read_mark(f->catalog, &mark), -1);
    mark_bytes[0] = 1;
    put_raw(f, "m", mark_bytes, sizeof mark_bytes - 1);
    assert_int_equal(catalog_read_mark(f->catalog, &mark), -1);
    put_raw(f, "r", reach_bytes, sizeof reach_bytes - 1);
    assert_int_equal(catalog_read_reach(f->catalog, &reach), -1);
    reach_bytes[0] = 1;
    put_raw(f, "r", reach_bytes, sizeof reach_bytes);
    assert_int_equal(catalog_read_reach(f->catalog, &reach), -1);
    buf_deinit(&out);
}

#define TABLES_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TABLES_TEST(test_tables_give_nothing_for_what_has_no_file),
        TABLES_TEST(test_tables_make_a_file_of_its_own_for_each_generation),
        TABLES_TEST(test_tables_do_not_take_a_file_that_is_there),
        TABLES_TEST(test_tables_close_the_one_that_was_not_used_for_longest),
        TABLES_TEST(test_tables_in_use_stay_open),
        TABLES_TEST(test_tables_have_their_records_after_they_were_closed),
        TABLES_TEST(test_tables_drop_a_file_when_its_last_user_is_gone),
        TABLES_TEST(test_catalog_gives_its_rows_back),
        TABLES_TEST(test_catalog_keeps_the_mark),
        TABLES_TEST(test_catalog_keeps_the_reach),
        TABLES_TEST(test_catalog_does_not_guess_at_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
