/* listing: the keys of a store that is not complete, while everything changes. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "keyspace/cursors.h"
#include "keyspace/keyspace_priv.h"
#include "keyspace/listing.h"
#include "keyspace/place.h"
#include "lib/random.h"
#include "unit/keyspace/world.h"

#define NKEYS    3000
#define NSTAYING (NKEYS / 3) /* the first of them: there all the while */
#define ROUNDS   8
#define PADDING  "-so-that-a-listing-takes-several-pieces"

/* What the shop should hold, and what was told of it. */
struct model {
    struct world *world;
    uint64_t random;
    bool there[NKEYS];
    int told[NKEYS];
    bool as_it_is; /* what is told has to be there */
    int ntold, enough;
    int ndone;
};

#define NAME_MAX_LEN 80

static const char *
key_name_in(char name[NAME_MAX_LEN], int key)
{
    snprintf(name, NAME_MAX_LEN, "%05d" PADDING, key);
    return name;
}

static const char *
key_name(int key)
{
    static char name[NAME_MAX_LEN];

    return key_name_in(name, key);
}

/* --- changing --- */

static void
set(struct model *m, int key)
{
    world_find(m->world, m->world->shop, key_name(key), NOW);
    world_set(m->world->shop, key_name(key), "value");
    m->there[key] = true;
}

static void delete (struct model *m, int key)
{
    struct entry *e = world_find(m->world, m->world->shop, key_name(key), NOW);

    assert_int_equal(e != NULL, m->there[key]);
    if (e != NULL)
        store_delete(m->world->shop, e);
    m->there[key] = false;
}

static void
change(struct model *m, int count)
{
    while (count-- > 0) {
        int key = (int)random_below(&m->random, NKEYS);
        if (key >= NSTAYING && random_below(&m->random, 2) == 0)
            delete (m, key);
        else
            set(m, key);
        if (random_below(&m->random, 4) == 0)
            world_turn(m->world);
    }
}

/* Half of the keys, none in memory; memory stays as short as it can be. */
static struct model *
open_cold(struct world *w, uint64_t seed)
{
    static struct model model;
    struct model *m = &model;

    model = (struct model){.world = w, .random = seed};
    w->bench.options.apply_delay = (int64_t)random_below(&m->random, 3);
    world_start(w);
    for (int key = 0; key < NKEYS; key++) {
        m->there[key] = key < NSTAYING || random_below(&m->random, 2) == 0;
        if (m->there[key])
            world_set(w->shop, key_name(key), "value");
    }
    world_evict(w);
    keyspace_set_maxmemory(w->keyspace, 1);
    assert_false(store_is_complete(w->shop));
    return m;
}

/* For another round. */
static void
begin_anew(struct world *w)
{
    void *state = w;

    world_tear_down(&state);
    world_set_up(&state);
}

/* --- listing --- */

static bool
tell(void *arg, struct bytes key, enum type type)
{
    struct model *m = arg;
    int number = atoi(key.data);
    char name[NAME_MAX_LEN]; /* key_name's may be in use */

    (void)type;
    assert_in_range(number, 0, NKEYS - 1);
    assert_true(bytes_eq(key, bytes_str(key_name_in(name, number))));
    if (m->as_it_is)
        assert_true(m->there[number]);
    m->told[number]++;
    return ++m->ntold != m->enough;
}

static void
count_done(void *arg)
{
    ((struct model *)arg)->ndone++;
}

static struct listing_request
whole(struct model *m)
{
    return (struct listing_request){
        .store = m->world->shop, .visit = tell, .done = count_done, .arg = m};
}

/* Until it is ready; so many keys change before each piece. */
static void
carry_on(struct model *m, struct listing *l, int nchanges)
{
    struct world *w = m->world;

    while (!listing_is_ready(l)) {
        change(m, (int)random_below(&m->random, (uint64_t)nchanges + 1));
        storage_finish_reads(w->bench.storage);
        world_turn(w);
    }
    assert_false(listing_is_failed(l));
}

static void
test_listing_tells_each_key_once_that_was_there_when_it_began(void **state)
{
    struct world *w = *state;
    bool before[NKEYS];

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct model *m = open_cold(w, seed);
        struct listing_request request = whole(m);
        change(m, 50);
        assert_false(store_is_complete(w->shop));
        memcpy(before, m->there, sizeof before);
        struct listing *l = listing_start(&request);
        carry_on(m, l, 40);
        for (int key = 0; key < NKEYS; key++)
            assert_int_equal(m->told[key], before[key]);
        assert_int_equal(m->ndone, 1);
        listing_free(l);
        begin_anew(w);
    }
}

static bool
put_right(void *arg, struct bytes key, enum type type)
{
    struct model *m = arg;

    assert_int_equal(type, TYPE_STRING);
    m->told[atoi(key.data)]++;
    return true;
}

static void
test_listing_that_is_held_can_be_brought_up_to_date(void **state)
{
    struct world *w = *state;

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct model *m = open_cold(w, seed);
        struct listing_request request = whole(m);
        request.hold = true;
        struct listing *l = listing_start(&request);
        carry_on(m, l, 40);
        assert_true(listing_is_held(l));
        change(m, 200);
        for (int key = 0; key < NKEYS; key++) {
            if (listing_has_changed(l, bytes_str(key_name(key))))
                m->told[key] = 0;
        }
        listing_each_changed(l, NOW, put_right, m);
        for (int key = 0; key < NKEYS; key++)
            assert_int_equal(m->told[key], m->there[key]);
        listing_free(l);
        begin_anew(w);
    }
}

static void
test_listing_tells_what_matches(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);

    request.pattern = bytes_str("0000[0-4]*");
    set(m, 3);
    struct listing *l = listing_start(&request);
    carry_on(m, l, 0);
    assert_int_equal(m->ntold, 5);
    for (int key = 0; key < 5; key++)
        assert_int_equal(m->told[key], 1);
    listing_free(l);
}

static void
test_listing_ends_when_it_is_enough(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);

    m->enough = 10;
    struct listing *l = listing_start(&request);
    carry_on(m, l, 0);
    assert_int_equal(m->ntold, 10);
    listing_free(l);
}

static void
test_listing_of_a_store_that_is_flushed_is_broken(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);
    struct listing *l = listing_start(&request);

    store_flush(w->shop);
    carry_on(m, l, 0);
    assert_true(listing_is_broken(l));
    assert_true(store_is_complete(w->shop));
    listing_free(l);
}

/* What is held is of the keys, not of the name. */
static void
test_listing_that_is_held_goes_along_when_its_store_is_swapped(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));

    request.hold = true;
    struct listing *l = listing_start(&request);
    carry_on(m, l, 0);
    store_swap(w->shop, garden);
    assert_true(listing_is_held(l));
    assert_false(listing_is_broken(l));
    assert_true(listing_is_of(l, garden));
    assert_false(listing_is_of(l, w->shop));

    world_set(w->shop, key_name(0), "of the other store");
    assert_false(listing_has_changed(l, bytes_str(key_name(0))));
    store_delete(garden, world_find(w, garden, key_name(1), NOW));
    assert_true(listing_has_changed(l, bytes_str(key_name(1))));
    store_swap(garden, w->shop);
    assert_true(listing_is_of(l, w->shop));
    memset(m->told, 0, sizeof m->told);
    listing_each_changed(l, NOW, put_right, m);
    assert_int_equal(m->told[1], 0);
    listing_free(l);
    store_release(garden);
}

static void
test_listing_on_its_way_is_broken_when_its_store_is_swapped(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    struct listing *l = listing_start(&request);

    store_swap(w->shop, garden);
    carry_on(m, l, 0);
    assert_true(listing_is_broken(l));
    listing_free(l);
    store_release(garden);
}

static void
test_listing_leaves_out_what_has_expired(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);

    for (int key = 0; key < 20; key++) {
        struct entry *e = world_find(w, w->shop, key_name(key), NOW);
        store_set_deadline(w->shop, e, clock_ms() + (key < 10 ? 1000 : 3600000));
    }
    world_wait_applied(w);
    clock_advance(2000);
    struct listing *l = listing_start(&request);
    carry_on(m, l, 0);
    for (int key = 0; key < 20; key++)
        assert_int_equal(m->told[key], key >= 10);
    listing_free(l);
}

static void
test_listing_that_is_freed_is_not_done(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);
    struct listing *l = listing_start(&request);

    listing_free(l);
    storage_finish_reads(w->bench.storage);
    keyspace_take_reads(w->keyspace);
    assert_int_equal(m->ndone, 0);
    listing_free(listing_start(&request));
}

static void
test_listing_of_a_table_that_cannot_be_read_fails(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct listing_request request = whole(m);
    char away[BENCH_PATH_MAX];

    world_restart(w);
    request.store = w->shop;
    snprintf(away, sizeof away, "%s", bench_path(&w->bench, "away"));
    assert_int_equal(rename(bench_path(&w->bench, "stores"), away), 0);
    struct listing *l = listing_start(&request);
    while (!listing_is_ready(l)) {
        storage_finish_reads(w->bench.storage);
        keyspace_take_reads(w->keyspace);
    }
    assert_true(listing_is_failed(l));
    assert_int_equal(rename(away, bench_path(&w->bench, "stores")), 0);
    listing_free(l);
}

/* --- pages --- */

/* One page from a cursor: the next cursor. */
static uint64_t
turn_page(struct model *m, uint64_t cursor, size_t count, int nchanges)
{
    struct listing_request request = whole(m);
    struct place place;

    cursor_place(m->world->shop, cursor, &place);
    request.page = count;
    request.from = &place;
    struct listing *l = listing_start(&request);
    place_deinit(&place);
    carry_on(m, l, nchanges);
    const struct place *next = listing_place(l);
    cursor = next->ended ? 0 : cursor_keep(m->world->shop, next, cursor);
    assert_true(cursor < UINT64_C(1) << 53);
    listing_free(l);
    return cursor;
}

static void
assert_staying_were_told(const struct model *m)
{
    for (int key = 0; key < NSTAYING; key++)
        assert_true(m->told[key] > 0);
}

static void
test_pages_miss_nothing_that_is_there_all_the_while(void **state)
{
    struct world *w = *state;

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct model *m = open_cold(w, seed);
        uint64_t cursor = 0;
        m->as_it_is = true;
        change(m, 300);
        do {
            cursor = turn_page(m, cursor, 50, 10);
            change(m, 10);
        } while (cursor != 0);
        assert_staying_were_told(m);
        begin_anew(w);
    }
}

/* As in EXEC: what was told of and changed before the page is used is looked at again. */
static void
test_pages_that_are_held_can_be_brought_up_to_date(void **state)
{
    struct world *w = *state;

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct model *m = open_cold(w, seed);
        struct place from = {0};
        change(m, 100);
        for (bool ended = false; !ended;) {
            struct listing_request request = whole(m);
            request.page = 200;
            request.from = &from;
            request.hold = true;
            memset(m->told, 0, sizeof m->told);
            struct listing *l = listing_start(&request);
            carry_on(m, l, 10);
            assert_true(listing_is_held(l));
            change(m, 50);
            for (int key = 0; key < NKEYS; key++) {
                if (listing_has_changed(l, bytes_str(key_name(key))))
                    m->told[key] = 0;
            }
            listing_each_changed(l, NOW, put_right, m);
            for (int key = 0; key < NKEYS; key++)
                assert_true(m->told[key] == 0 || m->there[key]);
            place_deinit(&from);
            place_copy(&from, listing_place(l));
            ended = from.ended;
            listing_free(l);
        }
        place_deinit(&from);
        begin_anew(w);
    }
}

static void
test_pages_that_are_held_miss_nothing_that_is_there_all_the_while(void **state)
{
    struct world *w = *state;

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct model *m = open_cold(w, seed);
        struct place from = {0};
        change(m, 100);
        for (bool ended = false; !ended;) {
            struct listing_request request = whole(m);
            request.page = 50;
            request.from = &from;
            request.hold = true;
            struct listing *l = listing_start(&request);
            carry_on(m, l, 10);
            change(m, 10);
            listing_each_changed(l, NOW, put_right, m);
            place_deinit(&from);
            place_copy(&from, listing_place(l));
            ended = from.ended;
            listing_free(l);
        }
        place_deinit(&from);
        assert_staying_were_told(m);
        begin_anew(w);
    }
}

static void
look_at_staying(void *arg, struct bytes key, enum type type)
{
    tell(arg, key, type);
}

/* The walk begins in memory alone, and entries begin to leave when it is half way. */
static void
test_pages_go_on_where_a_walk_over_memory_was(void **state)
{
    struct world *w = *state;

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct model *m = open_cold(w, seed);
        uint32_t place = 0;
        keyspace_set_maxmemory(w->keyspace, 0);
        clock_advance(60000);
        world_wait_complete(w, w->shop);
        m->as_it_is = true;
        do {
            place = store_scan(w->shop, place, NOW, look_at_staying, m);
            change(m, 1);
        } while (place < UINT32_MAX / 2);
        int half = m->ntold;
        world_evict(w);
        keyspace_set_maxmemory(w->keyspace, 1);
        uint64_t cursor = cursor_of_memory(w->keyspace, place);
        do
            cursor = turn_page(m, cursor, 50, 10);
        while (cursor != 0);
        assert_staying_were_told(m);
        assert_true(half > NSTAYING / 2 && m->ntold < 2 * half + NKEYS / 2);
        begin_anew(w);
    }
}

static void
test_pages_can_be_asked_for_again(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    int once[NKEYS];

    uint64_t first = turn_page(m, 0, 10, 0);
    uint64_t second = turn_page(m, first, 10, 0);
    memcpy(once, m->told, sizeof once);
    memset(m->told, 0, sizeof m->told);
    turn_page(m, 0, 10, 0);
    assert_int_not_equal(turn_page(m, first, 10, 0), second);
    assert_memory_equal(m->told, once, sizeof once);
}

static void
test_page_is_about_as_long_as_was_asked_for(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);

    turn_page(m, 0, 7, 0);
    assert_int_equal(m->ntold, 7);
    m->ntold = 0;
    turn_page(m, 0, SIZE_MAX, 0);
    assert_in_range(m->ntold, 100, 1000);
}

/* --- cursors --- */

static void
test_cursor_that_is_not_known_begins_anew(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct place place;

    uint64_t cursor = turn_page(m, 0, 10, 0);
    uint64_t in_memory = cursor_of_memory(w->keyspace, 12345);
    cursor_place(w->shop, cursor, &place);
    assert_true(place.begun && place.key.len > 0);
    place_deinit(&place);
    cursor_place(w->shop, in_memory, &place);
    assert_int_equal(place.from, 12345);
    assert_int_equal(place.memory, 12345);

    world_restart(w);
    const uint64_t strange[] = {cursor, in_memory, 17, UINT64_MAX, UINT64_C(1) << 51};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        cursor_place(w->shop, strange[i], &place);
        assert_false(place.begun || place.in_table);
        assert_int_equal(place.from, 0);
    }
}

static void
test_cursor_is_of_one_store(void **state)
{
    struct world *w = *state;
    struct model *m = open_cold(w, 1);
    struct store *other = keyspace_store(w->keyspace, bytes_str("other"));
    struct place place;

    cursor_place(other, turn_page(m, 0, 10, 0), &place);
    assert_false(place.begun);
    store_release(other);
}

static void
test_cursors_of_many_walks_are_not_kept_for_ever(void **state)
{
    struct world *w = *state;
    struct place place = {.in_table = true, .begun = true}, found;

    world_start(w);
    buf_append(&place.key, "k", 1);
    uint64_t first = cursor_keep(w->shop, &place, 0);
    uint64_t used = cursor_keep(w->shop, &place, 0);
    for (int i = 0; i < CURSORS_MAX; i++) {
        cursor_keep(w->shop, &place, 0);
        cursor_place(w->shop, used, &found);
        assert_true(found.begun);
        place_deinit(&found);
    }
    cursor_place(w->shop, first, &found);
    assert_false(found.begun);
    place_deinit(&place);
}

/* However long it is, it does not push out the others. */
static void
test_cursors_of_one_walk_take_two_places(void **state)
{
    struct world *w = *state;
    struct place place = {.in_table = true, .begun = true}, found;
    uint64_t cursor = 0;

    world_start(w);
    buf_append(&place.key, "k", 1);
    uint64_t other = cursor_keep(w->shop, &place, 0);
    for (int i = 0; i < 3 * CURSORS_MAX; i++)
        cursor = cursor_keep(w->shop, &place, cursor);
    cursor_place(w->shop, other, &found);
    assert_true(found.begun);
    place_deinit(&found);
    place_deinit(&place);
}

static void
test_cursors_of_large_keys_take_so_much_memory_and_no_more(void **state)
{
    struct world *w = *state;
    struct place place = {.in_table = true, .begun = true}, found;
    uint64_t cursors[30];
    int nfound = 0;

    world_start(w);
    memset(buf_reserve(&place.key, 1024 * 1024), 'k', 1024 * 1024);
    place.key.len = 1024 * 1024;
    for (int i = 0; i < 30; i++)
        cursors[i] = cursor_keep(w->shop, &place, 0);
    for (int i = 0; i < 30; i++) {
        cursor_place(w->shop, cursors[i], &found);
        nfound += found.begun;
        assert_true(found.begun || i < 29);
        place_deinit(&found);
    }
    assert_in_range(nfound, 8, CURSORS_BYTES / (1024 * 1024));
    place_deinit(&place);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_listing_tells_each_key_once_that_was_there_when_it_began),
        WORLD_TEST(test_listing_that_is_held_can_be_brought_up_to_date),
        WORLD_TEST(test_listing_tells_what_matches),
        WORLD_TEST(test_listing_ends_when_it_is_enough),
        WORLD_TEST(test_listing_of_a_store_that_is_flushed_is_broken),
        WORLD_TEST(test_listing_that_is_held_goes_along_when_its_store_is_swapped),
        WORLD_TEST(test_listing_on_its_way_is_broken_when_its_store_is_swapped),
        WORLD_TEST(test_listing_leaves_out_what_has_expired),
        WORLD_TEST(test_listing_that_is_freed_is_not_done),
        WORLD_TEST(test_listing_of_a_table_that_cannot_be_read_fails),
        WORLD_TEST(test_pages_miss_nothing_that_is_there_all_the_while),
        WORLD_TEST(test_pages_that_are_held_can_be_brought_up_to_date),
        WORLD_TEST(test_pages_that_are_held_miss_nothing_that_is_there_all_the_while),
        WORLD_TEST(test_pages_go_on_where_a_walk_over_memory_was),
        WORLD_TEST(test_pages_can_be_asked_for_again),
        WORLD_TEST(test_page_is_about_as_long_as_was_asked_for),
        WORLD_TEST(test_cursor_that_is_not_known_begins_anew),
        WORLD_TEST(test_cursor_is_of_one_store),
        WORLD_TEST(test_cursors_of_many_walks_are_not_kept_for_ever),
        WORLD_TEST(test_cursors_of_one_walk_take_two_places),
        WORLD_TEST(test_cursors_of_large_keys_take_so_much_memory_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
