/*
 * world: a keyspace on a storage of its own, and this thread its loop. Where it is not
 * started nothing is applied and nothing can be read: as between a change and the tables.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_UNIT_KEYSPACE_WORLD_H
#define TESTS_UNIT_KEYSPACE_WORLD_H

#include "keyspace/fetch.h"
#include "keyspace/keyspace.h"
#include "unit/storage/bench.h"

#define NOW 1700000000000 /* ms, for what does not ask the clock */

struct world {
    struct bench bench;
    struct keyspace *keyspace;
    struct store *shop; /* held, the one most tests use */
};

static inline void
world_open(struct world *w)
{
    bench_open(&w->bench);
    w->keyspace = keyspace_new(w->bench.storage);
    assert_non_null(w->keyspace);
    w->shop = keyspace_store(w->keyspace, bytes_str("shop"));
}

/* Without a commit: what is in the batch is lost. */
static inline void
world_close(struct world *w)
{
    if (w->keyspace != NULL) {
        store_release(w->shop);
        keyspace_free(w->keyspace);
    }
    w->keyspace = NULL;
    bench_close(&w->bench);
}

static inline void
world_start(struct world *w)
{
    world_open(w);
    storage_start(w->bench.storage);
}

static inline void
world_commit(struct world *w)
{
    assert_int_equal(keyspace_commit(w->keyspace), 0);
}

static inline void
world_restart(struct world *w)
{
    world_commit(w);
    world_close(w);
    world_start(w);
}

/* For cmocka: a directory, nothing open yet. */
static inline int
world_set_up(void **state)
{
    static struct world world;

    world = (struct world){0};
    bench_init(&world.bench);
    *state = &world;
    return 0;
}

static inline int
world_tear_down(void **state)
{
    struct world *w = *state;

    world_close(w);
    bench_deinit(&w->bench);
    return 0;
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

/* --- a turn of the loop --- */

static inline void
world_turn(struct world *w)
{
    keyspace_take_reads(w->keyspace);
    world_commit(w);
    keyspace_tend(w->keyspace, clock_ms());
}

static inline void
world_wait_applied(struct world *w)
{
    world_commit(w);
    bench_wait_applied(&w->bench);
}

/* Lets everything leave memory. */
static inline void
world_evict(struct world *w)
{
    int64_t until = bench_until();
    struct keyspace_stats stats;

    world_wait_applied(w);
    keyspace_set_maxmemory(w->keyspace, 1);
    for (;;) {
        world_turn(w);
        keyspace_stats(w->keyspace, &stats);
        if (stats.entries == 0)
            break;
        bench_listen(&w->bench, until);
    }
    keyspace_set_maxmemory(w->keyspace, 0);
}

/* Waits until a store is complete. */
static inline void
world_wait_complete(struct world *w, struct store *s)
{
    int64_t until = bench_until();

    while (!store_is_complete(s)) {
        world_turn(w);
        if (!store_is_complete(s))
            bench_listen(&w->bench, until);
    }
}

/* --- keys --- */

static inline void
world_noted(void *arg, int error)
{
    *(int *)arg = error == 0 ? 1 : -1;
}

/* The key's entry, read from the table if need be. */
static inline struct entry *
world_find(struct world *w, struct store *s, const char *key, int64_t now)
{
    struct fetch_key k = {s, bytes_str(key)};
    int64_t until = bench_until();

    while (!store_knows(s, k.key)) {
        int done = 0;
        fetch_start(w->keyspace, &k, 1, world_noted, &done);
        while (done == 0) {
            bench_listen(&w->bench, until);
            keyspace_take_reads(w->keyspace);
        }
        assert_int_equal(done, 1);
    }
    return store_find(s, k.key, now);
}

static inline void
world_set(struct store *s, const char *key, const char *value)
{
    store_set(s, bytes_str(key), bytes_str(value), 0, 0);
}

static inline void
world_delete(struct world *w, struct store *s, const char *key)
{
    struct entry *e = world_find(w, s, key, NOW);

    assert_non_null(e);
    store_delete(s, e);
}

/* The key has this value; NULL: there is none. */
static inline void
world_assert(struct world *w, struct store *s, const char *key, const char *value)
{
    struct entry *e = world_find(w, s, key, NOW);

    if (value == NULL) {
        assert_null(e);
        return;
    }
    assert_non_null(e);
    assert_int_equal(entry_type(e), TYPE_STRING);
    assert_true(bytes_eq(entry_key(e), bytes_str(key)));
    assert_true(bytes_eq(entry_string(e), bytes_str(value)));
}

#endif
