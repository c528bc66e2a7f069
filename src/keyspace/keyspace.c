/* See keyspace.h: all stores, the batch, the marks, the round of background work. */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/keyspace.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
#include <assert.h>
#include <stdlib.h>

#define BATCH_KEEP    (1024 * 1024) /* bytes of the batch's memory kept for the next; */
#define BATCH_LARGE   (32 * 1024 * 1024) /* where this one was larger than that */
#define BATCH_MAX     (64 * 1024 * 1024) /* bytes of it, before writers wait for the next */
#define DROP_STORES   64                 /* looked at in one slice, whether they can go */
#define TEND_US       500                /* one slice of background work */
#define TEND_EVERY_MS 100                /* at the latest */
#define HEADROOM      (4 * 1024 * 1024) /* bytes over maxmemory before writers wait */

/* --- opening --- */

static bool
has_name(const struct map_node *node, struct bytes name)
{
    return bytes_eq(((const struct store *)node)->name, name);
}

struct store *
store_named(const struct keyspace *ks, struct bytes name)
{
    return (struct store *)map_find(&ks->stores, map_hash(name), name, has_name);
}

struct keyspace *
keyspace_new(struct storage *storage)
{
    struct keyspace *ks = xcalloc(1, sizeof *ks);

    ks->storage = storage;
    ks->seconds = (uint32_t)(clock_ms() / 1000);
    ks->flights.next = ks->flights.previous = &ks->flights;
    ks->done_end = &ks->done;
    ks->cursors = cursors_new();
    heap_init(&ks->deadlines, store_heap_place);
    if (keyspace_load(ks) != 0) {
        keyspace_free(ks);
        return NULL;
    }
    ks->next = storage_next(storage);
    return ks;
}

void
keyspace_free(struct keyspace *ks)
{
    ks->closing = true;
    storage_finish_reads(ks->storage);
    while (keyspace_take_reads(ks))
        ;
    assert(ks->warming == NULL && ks->flights.next == &ks->flights);
    while (ks->ring != NULL)
        store_free(ks->ring);
    while (discard_step(ks, INT64_MAX))
        ;
    cursors_free(ks->cursors);
    map_deinit(&ks->stores);
    heap_deinit(&ks->deadlines);
    buf_deinit(&ks->batch);
    buf_deinit(&ks->refused);
    free(ks);
}

/* --- stores --- */

struct store *
keyspace_store(struct keyspace *ks, struct bytes name)
{
    struct store *s = store_named(ks, name);

    if (s == NULL)
        s = store_new(ks, name);
    store_hold(s);
    return s;
}

struct store *
keyspace_find_store(struct keyspace *ks, struct bytes name)
{
    struct store *s = store_named(ks, name);

    /* Also that it is empty may not be told before it is safe. */
    return s != NULL && store_count(s) > 0 ? s : NULL;
}

void
keyspace_each_store(struct keyspace *ks, keyspace_store_fn *visit, void *arg)
{
    struct store *s = ks->ring;

    for (size_t left = ks->stores.count; left > 0; left--, s = s->next) {
        if (store_count(s) > 0)
            visit(arg, s);
    }
}

void
keyspace_flush_all(struct keyspace *ks)
{
    struct store *s = ks->ring;

    for (size_t left = ks->stores.count; left > 0; left--, s = s->next)
        store_flush(s);
}

/* Stores nobody has selected go when they are empty, and the tables know that they are,
 * whatever happens: the next store of that name has another id. */
static void
drop_empty_stores(struct keyspace *ks)
{
    uint64_t checkpointed = storage_checkpointed(ks->storage);

    for (int i = 0; i < DROP_STORES && ks->ring != NULL; i++) {
        struct store *s = ks->ring;
        ks->ring = s->next;
        if (s->holds == 0 && s->count == 0 && s->stamp <= checkpointed)
            store_free(s);
    }
}

/* --- batches and marks --- */

/* Appends the batch that was refused before. It has to be the same batch, byte for byte:
 * the log may have it already. */
static int
commit_refused(struct keyspace *ks)
{
    if (ks->refused.len == 0)
        return 0;
    if (storage_append(ks->storage, buf_bytes(&ks->refused)) != 0)
        return -1;
    buf_clear(&ks->refused, 0);
    ks->failing = false;
    return 0;
}

static int
commit(struct keyspace *ks)
{
    if (commit_refused(ks) != 0)
        return -1;
    if (ks->batch.len == 0)
        return 0;
    if (storage_append(ks->storage, buf_bytes(&ks->batch)) != 0) {
        struct buf empty = ks->refused;
        ks->refused = ks->batch;
        ks->batch = empty;
        ks->failing = true;
        ks->next++;
        return -1;
    }
    buf_clear(&ks->batch, ks->batch.len > BATCH_KEEP ? BATCH_LARGE : BATCH_KEEP);
    ks->next = storage_next(ks->storage);
    return 0;
}

int
keyspace_commit(struct keyspace *ks)
{
    if (commit(ks) != 0)
        return -1;
    if (ks->flush_soon) {
        ks->flush_soon = false;
        storage_flush_soon(ks->storage);
    }
    return 0;
}

bool
keyspace_is_failing(const struct keyspace *ks)
{
    return ks->failing || storage_is_stuck(ks->storage);
}

void
keyspace_tell(struct keyspace *ks, keyspace_told_fn *expired, keyspace_told_fn *created,
              void *arg)
{
    ks->expired = expired;
    ks->created = created;
    ks->told = arg;
}

void
keyspace_tell_changes(struct keyspace *ks, keyspace_changed_fn *changed, void *arg)
{
    ks->changed = changed;
    ks->changed_arg = arg;
}

uint64_t
keyspace_seen(const struct keyspace *ks)
{
    return ks->seen;
}

void
keyspace_forget_seen(struct keyspace *ks)
{
    ks->seen = 0;
}

uint64_t
keyspace_promised(const struct keyspace *ks)
{
    return storage_promised(ks->storage);
}

bool
keyspace_may_write(struct keyspace *ks)
{
    if (ks->batch.len >= BATCH_MAX || !storage_may_write(ks->storage))
        return false;
    if (ks->maxmemory == 0 || ks->memory - ks->maxmemory <= ks->maxmemory / 8 + HEADROOM)
        return true;
    /* Only what is not applied yet is worth waiting for. */
    return ks->batch.len == 0
           && storage_applied(ks->storage) == storage_written(ks->storage);
}

/* --- background work --- */

int64_t
keyspace_tend(struct keyspace *ks, int64_t now)
{
    int64_t until_us = clock_mono_us() + TEND_US;

    ks->seconds = (uint32_t)(now / 1000);
    drop_empty_stores(ks);
    warm_step(ks, now);
    bool more = expiry_step(ks, now, until_us);
    /* What is on its way out need not be made up for by others. */
    more = discard_step(ks, until_us) || evict_step(ks, until_us) || more;
    if (more)
        return 0;

    const struct heap_item *first = heap_first(&ks->deadlines);
    if (first == NULL || first->at - now >= TEND_EVERY_MS || expiry_is_held(ks))
        return TEND_EVERY_MS;
    return first->at < now ? 1 : first->at - now + 1;
}

void
keyspace_set_maxmemory(struct keyspace *ks, int64_t bytes)
{
    ks->maxmemory = bytes;
}

void
keyspace_stats(const struct keyspace *ks, struct keyspace_stats *out)
{
    *out = ks->stats;
    out->memory = ks->memory;
    out->entries = ks->nentries;
}

void
keyspace_reset_stats(struct keyspace *ks)
{
    ks->stats.evicted = ks->stats.expired = ks->stats.cold = 0;
}

void
keyspace_set_expiring(struct keyspace *ks, bool yes)
{
    ks->idle_expiry = !yes;
}

void
keyspace_apply_soon(struct keyspace *ks)
{
    storage_hurry(ks->storage);
}

int
keyspace_save(struct keyspace *ks)
{
    return keyspace_commit(ks) != 0 ? -1 : storage_flush(ks->storage);
}

uint64_t
keyspace_save_soon(struct keyspace *ks)
{
    ks->flush_soon = true;
    return ks->batch.len > 0 ? ks->next : ks->next - 1;
}

void
keyspace_disk(const struct keyspace *ks, struct keyspace_disk *out)
{
    struct storage_stats stats;

    storage_stats(ks->storage, &stats);
    *out = (struct keyspace_disk){
        .written = storage_written(ks->storage),
        .durable = storage_durable(ks->storage),
        .applied = storage_applied(ks->storage),
        .log_ahead = stats.log_ahead,
        .log_bytes = stats.log_bytes,
        .last_sync_ms = stats.last_sync_ms,
        .transactions = stats.transactions,
        .checkpoints = stats.checkpoints,
        .reads = stats.reads,
        .open_tables = stats.open_tables,
        .failing = ks->failing || stats.failing,
    };
}

void
store_file(const struct store *s, struct store_file *out)
{
    struct storage_table table;

    storage_table(s->keyspace->storage, s->id, &table);
    memcpy(out->path, table.file, sizeof out->path);
    out->bytes = table.bytes;
}
