/* heap: the earliest of many deadlines. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/heap.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NTIMERS 200
#define NSTEPS  20000

struct timer {
    int64_t at;
    uint32_t place;
    bool in;
};

static void
keep_place(void *owner, uint32_t index)
{
    ((struct timer *)owner)->place = index;
}

static void
insert(struct heap *h, struct timer *t, int64_t at)
{
    t->at = at;
    t->in = true;
    heap_insert(h, at, t);
}

static void
assert_knows_places(const struct heap *h, struct timer *timers)
{
    size_t count = 0;

    for (int i = 0; i < NTIMERS; i++) {
        if (!timers[i].in)
            continue;
        count++;
        assert_true(timers[i].place < h->count);
        assert_ptr_equal(h->items[timers[i].place].owner, &timers[i]);
        assert_int_equal(h->items[timers[i].place].at, timers[i].at);
    }
    assert_int_equal(h->count, count);
}

static void
test_heap_gives_the_earliest_deadline_first(void **state)
{
    (void)state;
    struct timer timers[NTIMERS] = {0};
    struct heap h;

    heap_init(&h, keep_place);
    assert_null(heap_first(&h));
    for (int i = 0; i < NTIMERS; i++) {
        insert(&h, &timers[i], i * 7919 % 101 - 50);
        heap_check(&h);
    }
    int64_t last = INT64_MIN;
    for (int i = 0; i < NTIMERS; i++) {
        assert_true(heap_first(&h)->at >= last);
        last = heap_first(&h)->at;
        heap_remove(&h, 0);
        heap_check(&h);
    }
    assert_null(heap_first(&h));
    heap_deinit(&h);
}

/* One random insertion, removal or change of time. */
static void
disturb(struct heap *h, struct timer *t)
{
    if (!t->in) {
        insert(h, t, rand() % 1000);
    } else if (rand() % 2 == 0) {
        heap_remove(h, t->place);
        t->in = false;
    } else {
        t->at = rand() % 1000;
        heap_move(h, t->place, t->at);
    }
}

static void
test_heap_tells_each_owner_where_it_stands(void **state)
{
    (void)state;
    struct timer timers[NTIMERS] = {0};
    struct heap h;

    srand(1);
    heap_init(&h, keep_place);
    for (int i = 0; i < NSTEPS; i++) {
        disturb(&h, &timers[rand() % NTIMERS]);
        heap_check(&h);
        assert_knows_places(&h, timers);
    }
    heap_deinit(&h);
}

static void
test_heap_moves_an_item_to_an_earlier_and_to_a_later_time(void **state)
{
    (void)state;
    struct timer timers[3] = {0};
    struct heap h;

    heap_init(&h, keep_place);
    for (int i = 0; i < 3; i++)
        insert(&h, &timers[i], 10 + i);
    heap_move(&h, timers[2].place, 5);
    assert_ptr_equal(heap_first(&h)->owner, &timers[2]);
    heap_move(&h, timers[2].place, 50);
    assert_ptr_equal(heap_first(&h)->owner, &timers[0]);
    heap_deinit(&h);
}

static void
test_heap_knows_an_owner_that_moved_by_its_new_address(void **state)
{
    (void)state;
    struct timer before = {0}, other = {0};
    struct heap h;

    heap_init(&h, keep_place);
    insert(&h, &other, 2);
    insert(&h, &before, 1);
    struct timer after = before;
    heap_rename(&h, after.place, &after);
    memset(&before, 0xff, sizeof(before));
    assert_ptr_equal(heap_first(&h)->owner, &after);
    heap_move(&h, after.place, 3);
    assert_int_equal(after.place, 1);
    heap_deinit(&h);
}

static void
test_heap_gives_memory_back_as_it_empties(void **state)
{
    (void)state;
    static struct timer timers[NTIMERS];
    struct heap h;

    heap_init(&h, keep_place);
    for (int i = 0; i < NTIMERS; i++)
        insert(&h, &timers[i], i);
    size_t full = h.cap;
    while (h.count > 0)
        heap_remove(&h, (uint32_t)h.count - 1);
    assert_true(h.cap < full / 4);
    heap_deinit(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap_gives_the_earliest_deadline_first),
        cmocka_unit_test(test_heap_tells_each_owner_where_it_stands),
        cmocka_unit_test(test_heap_moves_an_item_to_an_earlier_and_to_a_later_time),
        cmocka_unit_test(test_heap_knows_an_owner_that_moved_by_its_new_address),
        cmocka_unit_test(test_heap_gives_memory_back_as_it_empties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
