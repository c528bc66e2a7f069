/* tracked: which sessions have read which keys. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "command/tracked.h"
#include <stdio.h>
#include <stdlib.h>

#define MANY 10000

/* Whom it told: "key:id " for each. */
static void
tell(void *arg, struct bytes key, uint64_t id)
{
    buf_printf(arg, "%.*s:%llu ", (int)key.len, key.data, (unsigned long long)id);
}

static void
assert_forgets(struct tracked *t, struct bytes key, const char *told)
{
    struct buf text = {0};

    tracked_forget(t, key, tell, &text);
    buf_append(&text, "", 1);
    assert_string_equal(text.data, told);
    buf_deinit(&text);
}

static void
add(struct tracked *t, const char *key, uint64_t id)
{
    tracked_add(t, bytes_str(key), id);
}

static void
clear(struct tracked *t)
{
    tracked_clear(t);
    tracked_tidy(t, INT64_MAX);
}

static void
test_tracked_tells_each_reader_of_a_key_once(void **state)
{
    struct tracked t = {0};

    (void)state;
    add(&t, "k", 1);
    add(&t, "k", 2);
    add(&t, "k", 1);
    add(&t, "l", 1);
    assert_int_equal(t.keys.count, 2);
    assert_int_equal(t.readings.count, 3);
    assert_forgets(&t, bytes_str("k"), "k:2 k:1 ");
    assert_forgets(&t, bytes_str("k"), "");
    assert_forgets(&t, bytes_str("nobodys"), "");
    assert_forgets(&t, bytes_str("l"), "l:1 ");
    assert_int_equal(t.keys.count, 0);
    assert_int_equal(t.readings.count, 0);
}

static void
test_tracked_keys_are_any_bytes(void **state)
{
    struct tracked t = {0};
    char key[] = {'a', '\0', 'b'};

    (void)state;
    tracked_add(&t, bytes_of(key, sizeof key), 1);
    tracked_add(&t, bytes_of("", 0), 2);
    key[0] = 'x'; /* the key is a copy */
    assert_forgets(&t, bytes_str("a"), "");
    assert_forgets(&t, bytes_of(NULL, 0), ":2 ");
    assert_forgets(&t, bytes_of("a\0b", 3), "a:1 "); /* text ends at the NUL */
}

static void
test_tracked_forgets_keys_by_chance(void **state)
{
    struct tracked t = {0};
    char first = 0;
    bool differs = false;

    (void)state;
    for (int i = 0; i < 100; i++) {
        struct buf text = {0};
        add(&t, "a", 1);
        add(&t, "b", 1);
        add(&t, "c", 1);
        tracked_forget_any(&t, tell, &text);
        assert_int_equal(t.keys.count, 2);
        first = first != 0 ? first : text.data[0];
        differs |= text.data[0] != first;
        buf_deinit(&text);
    }
    assert_true(differs);
    clear(&t);
    assert_int_equal(t.readings.count, 0);
}

static void
count(void *arg, struct bytes key, uint64_t id)
{
    (void)key;
    (void)id;
    ++*(int *)arg;
}

static void
test_tracked_takes_many(void **state)
{
    struct tracked t = {0};
    char key[16];
    int ntold = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key-%d", i % (MANY / 2));
        add(&t, key, (uint64_t)i);
        add(&t, "popular", (uint64_t)i);
    }
    assert_int_equal(t.keys.count, MANY / 2 + 1);
    assert_int_equal(t.readings.count, 2 * MANY);
    tracked_forget(&t, bytes_str("popular"), count, &ntold);
    assert_int_equal(ntold, MANY);
    while (t.keys.count > MANY / 4)
        tracked_forget_any(&t, count, &ntold);
    assert_int_equal(t.readings.count, MANY / 2);
    map_check(&t.keys);
    map_check(&t.readings);
    clear(&t);
    assert_int_equal(t.keys.count, 0);
}

static void
test_tracked_frees_little_by_little(void **state)
{
    struct tracked t = {0};
    char key[16];
    int ntimes = 0;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        add(&t, key, 1);
    }
    tracked_clear(&t);
    assert_int_equal(t.keys.count, 0);
    assert_int_equal(t.readings.count, 0);
    add(&t, "k", 1);
    tracked_clear(&t);
    add(&t, "k", 2);
    for (; t.dropped != NULL; ntimes++)
        tracked_tidy(&t, 0);
    assert_true(ntimes > 10);
    assert_forgets(&t, bytes_str("k"), "k:2 ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tracked_tells_each_reader_of_a_key_once),
        cmocka_unit_test(test_tracked_keys_are_any_bytes),
        cmocka_unit_test(test_tracked_forgets_keys_by_chance),
        cmocka_unit_test(test_tracked_takes_many),
        cmocka_unit_test(test_tracked_frees_little_by_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
