/* See readers.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/readers.h"
#include "base/mem.h"
#include "base/pages.h"
#include "storage/dberr.h"
#include "storage/storage_priv.h"
#include <assert.h>
#include <endian.h>
#include <stdio.h>

#define FIRST_TRY 4096 /* bytes of room for a record whose size is not known yet */

/* --- keys --- */

static int
get(DB *db, struct read_item *item)
{
    DBT key = {.data = (void *)item->key.data, .size = (uint32_t)item->key.len};
    DBT data = {.flags = DB_DBT_USERMEM};
    int code = DB_BUFFER_SMALL;

    for (size_t room = FIRST_TRY; code == DB_BUFFER_SMALL; room = data.size) {
        data.data = buf_reserve(&item->record, room);
        data.ulen = (uint32_t)item->record.cap;
        code = db->get(db, NULL, &key, &data, 0);
    }
    item->found = code == 0;
    item->record.len = code == 0 ? data.size : 0;
    return code == DB_NOTFOUND ? 0 : code;
}

static int
read_item(struct storage *s, struct read_item *item)
{
    struct table *table;
    DB *db;
    int code = tables_acquire(s->tables, item->store, &table, &db);

    item->found = false;
    if (code != 0 || db == NULL)
        return code;
    pthread_rwlock_rdlock(&table->pages);
    code = get(db, item);
    pthread_rwlock_unlock(&table->pages);
    tables_release(s->tables, table);
    atomic_fetch_add(&s->readers.keys, 1);
    return code;
}

/* *store is that of the last one read. */
static int
read_items(struct storage *s, struct storage_read *r, uint32_t *store)
{
    int code = 0;

    for (size_t i = 0; i < r->nitems && code == 0; i++) {
        *store = r->items[i].store;
        code = read_item(s, &r->items[i]);
    }
    return code;
}

/* --- scans --- */

static void
append_sized(struct buf *out, const DBT *part)
{
    uint32_t len = htole32(part->size);

    buf_append(out, &len, sizeof len);
    buf_append(out, part->data, part->size);
}

static bool
take_sized(struct bytes *from, struct bytes *part)
{
    uint32_t len;

    if (from->len == 0)
        return false;
    assert(from->len >= sizeof len);
    memcpy(&len, from->data, sizeof len);
    len = le32toh(len);
    assert(from->len - sizeof len >= len);
    *part = bytes_of(from->data + sizeof len, len);
    *from = bytes_of(part->data + len, from->len - sizeof len - len);
    return true;
}

bool
scan_next(struct bytes *pairs, struct bytes *key, struct bytes *record)
{
    return take_sized(pairs, key) && take_sized(pairs, record);
}

static int
walk(DBC *cursor, struct storage_read *r)
{
    DBT key = {.data = r->scan_from.data, .size = (uint32_t)r->scan_from.len};
    DBT data = {.dlen = (uint32_t)r->scan_head};
    size_t count = 0;

    data.flags = r->scan_head > 0 ? DB_DBT_PARTIAL : 0;
    int code = cursor->get(cursor, &key, &data, r->scan_begun ? DB_SET_RANGE : DB_FIRST);

    if (code == 0 && r->scan_begun
        && bytes_eq(bytes_of(key.data, key.size), buf_bytes(&r->scan_from)))
        code = cursor->get(cursor, &key, &data, DB_NEXT);
    while (code == 0 && r->scan_out.len < r->scan_limit
           && (r->scan_count == 0 || count++ < r->scan_count)) {
        append_sized(&r->scan_out, &key);
        append_sized(&r->scan_out, &data);
        code = cursor->get(cursor, &key, &data, DB_NEXT);
    }
    r->scan_ended = code == DB_NOTFOUND;
    return code == DB_NOTFOUND ? 0 : code;
}

static int
scan(struct storage *s, struct storage_read *r)
{
    struct table *table;
    DB *db;
    DBC *cursor;
    int code = tables_acquire(s->tables, r->scan_store, &table, &db);

    r->scan_out.len = 0;
    r->scan_ended = true;
    if (code != 0 || db == NULL)
        return code;
    pthread_rwlock_rdlock(&table->pages);
    code = db->cursor(db, NULL, &cursor, 0);
    if (code == 0) {
        code = walk(cursor, r);
        int closed = cursor->close(cursor);
        code = code != 0 ? code : closed;
    }
    pthread_rwlock_unlock(&table->pages);
    tables_release(s->tables, table);
    return code;
}

/* --- the threads --- */

static int
complain(struct storage *s, uint32_t store, int code)
{
    char file[FILENAME_MAX_LEN], what[FILENAME_MAX_LEN + 16];

    tables_file(s->tables, store, file);
    snprintf(what, sizeof what, "%s cannot be read", file);
    return dberr_log(code, what);
}

/* Where several tables were to be read, the first that cannot be is the one told of. */
static void
carry_out(struct storage *s, struct storage_read *read)
{
    uint32_t store = read->scan_store;
    int code = read->nitems > 0 ? read_items(s, read, &store) : scan(s, read);

    read->error = code == 0 ? 0 : complain(s, store, code);
    if (read->scan_room.len > 0)
        pages_touch(read->scan_room.data, read->scan_room.len);
}

static void *
run(void *arg)
{
    struct storage *s = arg;
    struct readers *r = &s->readers;

    pthread_mutex_lock(&r->mutex);
    for (;;) {
        while (!r->stop && r->asked == NULL)
            pthread_cond_wait(&r->changed, &r->mutex);
        if (r->stop)
            break;
        struct storage_read *read = r->asked;
        r->asked = read->next;
        if (r->asked == NULL)
            r->asked_end = &r->asked;
        r->nbusy++;
        pthread_mutex_unlock(&r->mutex);

        carry_out(s, read);

        pthread_mutex_lock(&r->mutex);
        r->nbusy--;
        bool first = r->done == NULL;
        read->next = r->done;
        r->done = read;
        if (first)
            s->wake(s->wake_arg);
        pthread_cond_broadcast(&r->finished);
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

void
readers_start(struct storage *s, int nthreads)
{
    struct readers *r = &s->readers;

    assert(nthreads > 0 && nthreads <= READERS_MAX);
    r->nthreads = nthreads;
    r->asked_end = &r->asked;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->changed, NULL);
    pthread_cond_init(&r->finished, NULL);
    for (int i = 0; i < nthreads; i++) {
        if (pthread_create(&r->threads[i], NULL, run, s) != 0)
            panic("a reader cannot be started");
    }
}

void
readers_finish(struct readers *r)
{
    pthread_mutex_lock(&r->mutex);
    while (r->asked != NULL || r->nbusy > 0)
        pthread_cond_wait(&r->finished, &r->mutex);
    pthread_mutex_unlock(&r->mutex);
}

void
readers_stop(struct storage *s)
{
    struct readers *r = &s->readers;

    pthread_mutex_lock(&r->mutex);
    r->stop = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->mutex);
    for (int i = 0; i < r->nthreads; i++)
        pthread_join(r->threads[i], NULL);
    pthread_cond_destroy(&r->changed);
    pthread_cond_destroy(&r->finished);
    pthread_mutex_destroy(&r->mutex);
}

void
readers_ask(struct readers *r, struct storage_read *read)
{
    pthread_mutex_lock(&r->mutex);
    read->next = NULL;
    *r->asked_end = read;
    r->asked_end = &read->next;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
}

struct storage_read *
readers_take_done(struct readers *r)
{
    pthread_mutex_lock(&r->mutex);
    struct storage_read *done = r->done;
    r->done = NULL;
    pthread_mutex_unlock(&r->mutex);
    return done;
}
