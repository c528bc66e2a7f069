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
#define PADDING  "-so-that-a-listing-takes-several-pieces"

/* What the shop should hold, and what was told of it. */
struct model {
    struct world *world;
    uint64_t random;
    bool there[NKEYS];
    int told[NKEYS];
    bool as_it_is; /* what is told has to be there */
    int ntold, enough;
    struct listing_request request; /* of all keys, until a test says otherwise */
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

/* Half of the keys, none in memory; memory stays as short as it can be. */
static void
open_cold(struct model *m)
{
    struct world *w = m->world;

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
    m->request = (struct listing_request){
        .store = w->shop, .visit = tell, .done = count_done, .arg = m};
}

/* For cmocka: a model, and its world; the initial state is the seed. */
static int
model_set_up(void **state)
{
    static struct model model;
    uint64_t seed = (uintptr_t)*state;
    void *world;

    world_set_up(&world);
    model = (struct model){.world = world, .random = seed};
    *state = &model;
    open_cold(&model);
    return 0;
}

static int
model_tear_down(void **state)
{
    void *world = ((struct model *)*state)->world;

    return world_tear_down(&world);
}

#define SEEDED(f, seed)                                                                  \
    {                                                                                    \
#f " (seed " #seed ")", f, model_set_up, model_tear_down, (void *)seed           \
    }
#define MODEL_TEST(f) SEEDED(f, 1)
#define MODEL_TESTS(f)                                                                   \
    SEEDED(f, 1), SEEDED(f, 2), SEEDED(f, 3), SEEDED(f, 4), SEEDED(f, 5), SEEDED(f, 6),  \
        SEEDED(f, 7), SEEDED(f, 8)

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

static struct listing *
list(struct model *m, int nchanges)
{
    struct listing *l = listing_start(&m->request);

    carry_on(m, l, nchanges);
    return l;
}

static void
test_listing_tells_each_key_once_that_was_there_when_it_began(void **state)
{
    struct model *m = *state;
    bool before[NKEYS];

    change(m, 50);
    assert_false(store_is_complete(m->world->shop));
    memcpy(before, m->there, sizeof before);
    struct listing *l = list(m, 40);
    for (int key = 0; key < NKEYS; key++)
        assert_int_equal(m->told[key], before[key]);
    assert_int_equal(m->ndone, 1);
    listing_free(l);
}

/* A longer value once made memory forget that it had told of the key. */
static void
test_listing_tells_a_key_once_that_moves_in_memory(void **state)
{
    static const char longer[500] = "value";
    struct model *m = *state;
    struct world *w = m->world;
    int key = NSTAYING - 1;

    set(m, key);
    struct listing *l = listing_start(&m->request);
    assert_int_equal(m->told[key], 1);
    store_set(w->shop, bytes_str(key_name(key)), bytes_of(longer, sizeof longer), 0, NOW);
    carry_on(m, l, 0);
    assert_int_equal(m->told[key], 1);
    listing_free(l);
}

static bool
tell_again(void *arg, struct bytes key, enum type type)
{
    struct model *m = arg;

    assert_int_equal(type, TYPE_STRING);
    m->told[atoi(key.data)]++;
    return true;
}

static void
bring_up_to_date(struct model *m, struct listing *l)
{
    for (int key = 0; key < NKEYS; key++) {
        if (listing_has_changed(l, bytes_str(key_name(key))))
            m->told[key] = 0;
    }
    listing_each_changed(l, NOW, tell_again, m);
}

static void
test_listing_that_is_held_can_be_brought_up_to_date(void **state)
{
    struct model *m = *state;

    m->request.hold = true;
    struct listing *l = list(m, 40);
    assert_true(listing_is_held(l));
    change(m, 200);
    bring_up_to_date(m, l);
    for (int key = 0; key < NKEYS; key++)
        assert_int_equal(m->told[key], m->there[key]);
    listing_free(l);
}

static void
test_listing_tells_what_matches(void **state)
{
    struct model *m = *state;

    m->request.pattern = bytes_str("0000[0-4]*");
    set(m, 3);
    struct listing *l = list(m, 0);
    assert_int_equal(m->ntold, 5);
    for (int key = 0; key < 5; key++)
        assert_int_equal(m->told[key], 1);
    listing_free(l);
}

static void
test_listing_ends_when_it_is_enough(void **state)
{
    struct model *m = *state;

    m->enough = 10;
    struct listing *l = list(m, 0);
    assert_int_equal(m->ntold, 10);
    listing_free(l);
}

static void
test_listing_of_a_store_that_is_flushed_is_broken(void **state)
{
    struct model *m = *state;
    struct store *shop = m->world->shop;
    struct listing *l = listing_start(&m->request);

    store_flush(shop);
    carry_on(m, l, 0);
    assert_true(listing_is_broken(l));
    assert_true(store_is_complete(shop));
    listing_free(l);
}

/* What is held is of the keys, not of the name. */
static void
test_listing_that_is_held_goes_along_when_its_store_is_swapped(void **state)
{
    struct model *m = *state;
    struct world *w = m->world;
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));

    m->request.hold = true;
    struct listing *l = list(m, 0);
    store_swap(w->shop, garden, NOW);
    assert_true(listing_is_held(l));
    assert_false(listing_is_broken(l));
    assert_true(listing_is_of(l, garden));
    assert_false(listing_is_of(l, w->shop));

    world_set(w->shop, key_name(0), "of the other store");
    assert_false(listing_has_changed(l, bytes_str(key_name(0))));
    store_delete(garden, world_find(w, garden, key_name(1), NOW));
    assert_true(listing_has_changed(l, bytes_str(key_name(1))));
    store_swap(garden, w->shop, NOW);
    assert_true(listing_is_of(l, w->shop));
    memset(m->told, 0, sizeof m->told);
    listing_each_changed(l, NOW, tell_again, m);
    assert_int_equal(m->told[1], 0);
    listing_free(l);
    store_release(garden);
}

static void
test_listing_on_its_way_is_broken_when_its_store_is_swapped(void **state)
{
    struct model *m = *state;
    struct world *w = m->world;
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    struct listing *l = listing_start(&m->request);

    store_swap(w->shop, garden, NOW);
    carry_on(m, l, 0);
    assert_true(listing_is_broken(l));
    listing_free(l);
    store_release(garden);
}

static void
test_listing_leaves_out_what_has_expired(void **state)
{
    struct model *m = *state;
    struct world *w = m->world;

    for (int key = 0; key < 20; key++) {
        struct entry *e = world_find(w, w->shop, key_name(key), NOW);
        store_set_deadline(w->shop, e, clock_ms() + (key < 10 ? 1000 : 3600000));
    }
    world_wait_applied(w);
    clock_advance(2000);
    struct listing *l = list(m, 0);
    for (int key = 0; key < 20; key++)
        assert_int_equal(m->told[key], key >= 10);
    listing_free(l);
}

static void
test_listing_that_is_freed_is_not_done(void **state)
{
    struct model *m = *state;
    struct world *w = m->world;

    listing_free(listing_start(&m->request));
    storage_finish_reads(w->bench.storage);
    keyspace_take_reads(w->keyspace);
    assert_int_equal(m->ndone, 0);
    listing_free(listing_start(&m->request));
}

static void
test_listing_of_a_table_that_cannot_be_read_fails(void **state)
{
    struct model *m = *state;
    struct world *w = m->world;

    world_restart(w);
    m->request.store = w->shop;
    bench_hide(&w->bench, "stores");
    struct listing *l = listing_start(&m->request);
    while (!listing_is_ready(l)) {
        storage_finish_reads(w->bench.storage);
        keyspace_take_reads(w->keyspace);
    }
    assert_true(listing_is_failed(l));
    bench_show(&w->bench, "stores");
    listing_free(l);
}

/* --- pages --- */

/* One page from a cursor: the next cursor. */
static uint64_t
turn_page(struct model *m, uint64_t cursor, size_t count, int nchanges)
{
    struct place from;

    cursor_place(m->world->shop, cursor, &from);
    m->request.page = count;
    m->request.from = &from;
    struct listing *l = listing_start(&m->request);
    place_deinit(&from);
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
    struct model *m = *state;
    uint64_t cursor = 0;

    m->as_it_is = true;
    change(m, 300);
    do {
        cursor = turn_page(m, cursor, 50, 10);
        change(m, 10);
    } while (cursor != 0);
    assert_staying_were_told(m);
}

/* As in EXEC: what changes before the page is used is noted. */
static struct listing *
hold_page(struct model *m, const struct place *from, size_t count)
{
    m->request.page = count;
    m->request.from = from;
    m->request.hold = true;
    struct listing *l = list(m, 10);
    assert_true(listing_is_held(l));
    return l;
}

/* Frees it; the place is where the next page begins. */
static void
leave_page(struct listing *l, struct place *place)
{
    place_deinit(place);
    place_copy(place, listing_place(l));
    listing_free(l);
}

static void
test_pages_that_are_held_can_be_brought_up_to_date(void **state)
{
    struct model *m = *state;
    struct place from = {0};

    change(m, 100);
    while (!from.ended) {
        memset(m->told, 0, sizeof m->told);
        struct listing *l = hold_page(m, &from, 200);
        change(m, 50);
        bring_up_to_date(m, l);
        for (int key = 0; key < NKEYS; key++)
            assert_true(m->told[key] == 0 || m->there[key]);
        leave_page(l, &from);
    }
    place_deinit(&from);
}

static void
test_pages_that_are_held_miss_nothing_that_is_there_all_the_while(void **state)
{
    struct model *m = *state;
    struct place from = {0};

    change(m, 100);
    while (!from.ended) {
        struct listing *l = hold_page(m, &from, 50);
        change(m, 10);
        listing_each_changed(l, NOW, tell_again, m);
        leave_page(l, &from);
    }
    place_deinit(&from);
    assert_staying_were_told(m);
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
    struct model *m = *state;
    struct world *w = m->world;
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
}

static void
test_pages_can_be_asked_for_again(void **state)
{
    struct model *m = *state;
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
    struct model *m = *state;

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
    struct model *m = *state;
    struct world *w = m->world;
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

/* The place it stands for is one in the table. */
static bool
is_known(struct store *s, uint64_t cursor)
{
    struct place place;

    cursor_place(s, cursor, &place);
    place_deinit(&place);
    return place.begun;
}

static void
test_cursor_is_of_one_store(void **state)
{
    struct model *m = *state;
    struct store *other = keyspace_store(m->world->keyspace, bytes_str("other"));

    assert_false(is_known(other, turn_page(m, 0, 10, 0)));
    store_release(other);
}

static struct place
place_behind(const char *key)
{
    struct place place = {.in_table = true, .begun = true};

    buf_append(&place.key, key, strlen(key));
    return place;
}

static void
test_cursors_of_many_walks_are_not_kept_for_ever(void **state)
{
    struct world *w = *state;
    struct place place = place_behind("k");

    world_start(w);
    uint64_t first = cursor_keep(w->shop, &place, 0);
    uint64_t used = cursor_keep(w->shop, &place, 0);
    for (int i = 0; i < CURSORS_MAX; i++) {
        cursor_keep(w->shop, &place, 0);
        assert_true(is_known(w->shop, used));
    }
    assert_false(is_known(w->shop, first));
    place_deinit(&place);
}

/* However long it is, it does not push out the others. */
static void
test_cursors_of_one_walk_take_two_places(void **state)
{
    struct world *w = *state;
    struct place place = place_behind("k");
    uint64_t cursor = 0;

    world_start(w);
    uint64_t other = cursor_keep(w->shop, &place, 0);
    for (int i = 0; i < 3 * CURSORS_MAX; i++)
        cursor = cursor_keep(w->shop, &place, cursor);
    assert_true(is_known(w->shop, other));
    place_deinit(&place);
}

static void
test_cursors_of_large_keys_take_so_much_memory_and_no_more(void **state)
{
    struct world *w = *state;
    struct place place = place_behind("");
    uint64_t cursors[30];
    int nknown = 0;

    world_start(w);
    memset(buf_reserve(&place.key, 1024 * 1024), 'k', 1024 * 1024);
    place.key.len = 1024 * 1024;
    for (int i = 0; i < 30; i++)
        cursors[i] = cursor_keep(w->shop, &place, 0);
    for (int i = 0; i < 30; i++)
        nknown += is_known(w->shop, cursors[i]);
    assert_true(is_known(w->shop, cursors[29]));
    assert_in_range(nknown, 8, CURSORS_BYTES / (1024 * 1024));
    place_deinit(&place);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TESTS(test_listing_tells_each_key_once_that_was_there_when_it_began),
        MODEL_TEST(test_listing_tells_a_key_once_that_moves_in_memory),
        MODEL_TESTS(test_listing_that_is_held_can_be_brought_up_to_date),
        MODEL_TEST(test_listing_tells_what_matches),
        MODEL_TEST(test_listing_ends_when_it_is_enough),
        MODEL_TEST(test_listing_of_a_store_that_is_flushed_is_broken),
        MODEL_TEST(test_listing_that_is_held_goes_along_when_its_store_is_swapped),
        MODEL_TEST(test_listing_on_its_way_is_broken_when_its_store_is_swapped),
        MODEL_TEST(test_listing_leaves_out_what_has_expired),
        MODEL_TEST(test_listing_that_is_freed_is_not_done),
        MODEL_TEST(test_listing_of_a_table_that_cannot_be_read_fails),
        MODEL_TESTS(test_pages_miss_nothing_that_is_there_all_the_while),
        MODEL_TESTS(test_pages_that_are_held_can_be_brought_up_to_date),
        MODEL_TESTS(test_pages_that_are_held_miss_nothing_that_is_there_all_the_while),
        MODEL_TESTS(test_pages_go_on_where_a_walk_over_memory_was),
        MODEL_TEST(test_pages_can_be_asked_for_again),
        MODEL_TEST(test_page_is_about_as_long_as_was_asked_for),
        MODEL_TEST(test_cursor_that_is_not_known_begins_anew),
        MODEL_TEST(test_cursor_is_of_one_store),
        WORLD_TEST(test_cursors_of_many_walks_are_not_kept_for_ever),
        WORLD_TEST(test_cursors_of_one_walk_take_two_places),
        WORLD_TEST(test_cursors_of_large_keys_take_so_much_memory_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
