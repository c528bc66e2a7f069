/* order: the order of the tables. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/random.h"
#include "storage/order.h"
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define MANY 5000 /* more than are compared one by one */
#define FEW  50

static uint64_t seed = 1;

struct fixture {
    struct table tables[3];
    struct buf effects;
    size_t at[MANY]; /* where each begins */
    struct change changes[MANY];
};

static int
set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->tables[0].id = 70000;
    f->tables[1].id = 3;
    f->tables[2].id = 259;
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    buf_deinit(&f->effects);
    free(f);
    return 0;
}

/* Makes changes of keys that name() writes, as a sweep would. */
static void
make(struct fixture *f, size_t count, size_t (*name)(char *key))
{
    char key[64];

    for (size_t i = 0; i < count; i++) {
        f->at[i] = f->effects.len;
        effect_begin(&f->effects, EFFECT_PUT, 0, 1, bytes_of(key, name(key)), 0);
    }
    for (size_t i = 0; i < count; i++) {
        struct change *c = &f->changes[i];
        size_t end = i + 1 < count ? f->at[i + 1] : f->effects.len;

        *c = (struct change){.table = &f->tables[random_below(&seed, 3)],
                             .at = f->effects.data + f->at[i],
                             .order = (uint32_t)i,
                             .len = (uint32_t)(end - f->at[i])};
        struct bytes whole = change_effect(c).key;
        memcpy(&c->rank, whole.data, whole.len < 8 ? whole.len : 8);
        c->rank = be64toh(c->rank);
        c->tail_len = (uint32_t)whole.len;
    }
    order_changes(f->changes, count);
}

static void
assert_in_order(const struct fixture *f, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct change *a = &f->changes[i - 1], *b = &f->changes[i];
        int keys = bytes_cmp(change_effect(a).key, change_effect(b).key);

        assert_true(a->table->id <= b->table->id);
        if (a->table != b->table)
            continue;
        assert_true(keys <= 0);
        assert_int_equal(order_keys(a, b) == 0, keys == 0);
        assert_true(keys < 0 || a->order < b->order);
    }
}

static size_t
short_name(char *key)
{
    size_t len = random_below(&seed, 4);

    for (size_t i = 0; i < len; i++)
        key[i] = (char)(random_below(&seed, 2) * 255);
    return len;
}

static size_t
long_name(char *key)
{
    return (size_t)sprintf(key, "session:%u:%u", (unsigned)random_below(&seed, 20),
                           (unsigned)random_below(&seed, 20));
}

static size_t
number_name(char *key)
{
    return (size_t)sprintf(key, "%06u", (unsigned)random_below(&seed, 1000));
}

static void
test_order_of_many_changes(void **state)
{
    make(*state, MANY, number_name);
    assert_in_order(*state, MANY);
}

static void
test_order_of_few_changes(void **state)
{
    make(*state, FEW, number_name);
    assert_in_order(*state, FEW);
}

static void
test_order_of_keys_that_are_longer_than_a_rank(void **state)
{
    make(*state, MANY, long_name);
    assert_in_order(*state, MANY);
}

/* "", "\0", "\0\0" have one rank. */
static void
test_order_of_keys_that_differ_in_length_alone(void **state)
{
    make(*state, MANY, short_name);
    assert_in_order(*state, MANY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_order_of_many_changes),
        TEST(test_order_of_few_changes),
        TEST(test_order_of_keys_that_are_longer_than_a_rank),
        TEST(test_order_of_keys_that_differ_in_length_alone),
    };

    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
