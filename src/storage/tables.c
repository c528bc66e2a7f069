/* See tables.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/tables.h"
#include "base/mem.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct tables {
    DB_ENV *env;
    pthread_mutex_t mutex;
    pthread_cond_t unused; /* a table lost its last user */
    struct map by_id;
    int64_t max_open, nopen;
    struct table *newest, *oldest; /* the open ones nobody uses */
};

static bool
has_id(const struct map_node *node, struct bytes key)
{
    return memcmp(&((const struct table *)node)->id, key.data, key.len) == 0;
}

static struct table *
find(struct tables *t, uint32_t id)
{
    struct bytes key = {(const char *)&id, sizeof id};

    return (struct table *)map_find(&t->by_id, map_hash(key), key, has_id);
}

struct tables *
tables_new(DB_ENV *env, int64_t max_open)
{
    struct tables *t = xcalloc(1, sizeof *t);

    t->env = env;
    t->max_open = max_open;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->unused, NULL);
    return t;
}

static void
unlink_unused(struct tables *t, struct table *table)
{
    if (table->newer != NULL)
        table->newer->older = table->older;
    else
        t->newest = table->older;
    if (table->older != NULL)
        table->older->newer = table->newer;
    else
        t->oldest = table->newer;
    table->newer = table->older = NULL;
}

static void
link_unused(struct tables *t, struct table *table)
{
    table->older = t->newest;
    if (t->newest != NULL)
        t->newest->newer = table;
    else
        t->oldest = table;
    t->newest = table;
}

/* Closes a table nobody uses. Its pages stay in the cache until they are written. */
static void
close_table(struct tables *t, struct table *table)
{
    assert(table->users == 0 && table->db != NULL);
    unlink_unused(t, table);
    table->db->close(table->db, DB_NOSYNC);
    table->db = NULL;
    t->nopen--;
}

static void
free_table(struct map_node *node, void *arg)
{
    struct table *table = (struct table *)node;
    struct tables *t = arg;

    if (table->db != NULL)
        close_table(t, table);
    map_remove(&t->by_id, node);
    pthread_rwlock_destroy(&table->pages);
    free((char *)table->name.data);
    free(table);
}

void
tables_free(struct tables *t)
{
    map_each(&t->by_id, free_table, t);
    assert(t->by_id.count == 0);
    pthread_cond_destroy(&t->unused);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

static void
close_surplus(struct tables *t)
{
    while (t->nopen > t->max_open && t->oldest != NULL)
        close_table(t, t->oldest);
}

void
tables_set_max_open(struct tables *t, int64_t max_open)
{
    pthread_mutex_lock(&t->mutex);
    t->max_open = max_open;
    close_surplus(t);
    pthread_mutex_unlock(&t->mutex);
}

struct table *
tables_find(struct tables *t, uint32_t id)
{
    pthread_mutex_lock(&t->mutex);
    struct table *table = find(t, id);
    pthread_mutex_unlock(&t->mutex);
    return table;
}

struct table *
tables_add(struct tables *t, uint32_t id, struct bytes name)
{
    struct table *table = xcalloc(1, sizeof *table);
    struct bytes key = {(const char *)&table->id, sizeof table->id};

    table->id = id;
    table->name = bytes_of(bytes_dup(name), name.len);
    pthread_rwlock_init(&table->pages, NULL);
    pthread_mutex_lock(&t->mutex);
    assert(find(t, id) == NULL);
    map_insert(&t->by_id, &table->node, map_hash(key));
    pthread_mutex_unlock(&t->mutex);
    return table;
}

void
tables_rename(struct table *table, struct bytes name)
{
    char *own = bytes_dup(name);

    free((char *)table->name.data);
    table->name = bytes_of(own, name.len);
}

void
tables_forget(struct tables *t, struct table *table)
{
    assert(table->file[0] == '\0');
    pthread_mutex_lock(&t->mutex);
    free_table(&table->node, t);
    pthread_mutex_unlock(&t->mutex);
}

static int
open_file(struct tables *t, const char *file, uint32_t flags, DB **out)
{
    DB *db;
    int code = db_create(&db, t->env, 0);

    if (code != 0)
        return code;
    code = db->set_pagesize(db, TABLE_PAGE_SIZE);
    if (code == 0)
        code = db->open(db, NULL, file, NULL, DB_BTREE,
                        flags | DB_AUTO_COMMIT | DB_THREAD, 0640);
    if (code != 0) {
        db->close(db, DB_NOSYNC);
        return code;
    }
    *out = db;
    return 0;
}

int
tables_create_file(struct tables *t, struct table *table, uint64_t generation)
{
    char file[FILENAME_MAX_LEN];
    DB *db;

    assert(table->file[0] == '\0' && table->db == NULL);
    filename_make(table->name, generation, file);
    int code = open_file(t, file, DB_CREATE | DB_EXCL, &db);
    if (code != 0)
        return code;

    pthread_mutex_lock(&t->mutex);
    memcpy(table->file, file, sizeof file);
    table->db = db;
    link_unused(t, table);
    t->nopen++;
    pthread_mutex_unlock(&t->mutex);
    return 0;
}

void
tables_drop_file(struct tables *t, struct table *table, char file[FILENAME_MAX_LEN])
{
    pthread_mutex_lock(&t->mutex);
    memcpy(file, table->file, FILENAME_MAX_LEN);
    table->file[0] = '\0';
    while (table->users > 0)
        pthread_cond_wait(&t->unused, &t->mutex);
    if (table->db != NULL)
        close_table(t, table);
    pthread_mutex_unlock(&t->mutex);
}

int
tables_note_file(struct catalog *c, DB_TXN *txn, const struct table *t, const char *file)
{
    struct catalog_row row = {t->id, t->name, t->count, t->expires, ""};

    if (!t->has_row)
        return 0;
    memcpy(row.file, file, strlen(file) + 1);
    return catalog_put(c, txn, &row);
}

int
tables_acquire(struct tables *t, uint32_t id, struct table **out, DB **db)
{
    int code = 0;

    *db = NULL;
    pthread_mutex_lock(&t->mutex);
    struct table *table = find(t, id);
    if (table != NULL && table->file[0] != '\0') {
        if (table->db == NULL && (code = open_file(t, table->file, 0, &table->db)) == 0) {
            link_unused(t, table);
            t->nopen++;
        }
        if (code == 0) {
            if (table->users++ == 0)
                unlink_unused(t, table);
            *out = table;
            *db = table->db;
            close_surplus(t);
        }
    }
    pthread_mutex_unlock(&t->mutex);
    return code;
}

void
tables_release(struct tables *t, struct table *table)
{
    pthread_mutex_lock(&t->mutex);
    assert(table->users > 0);
    if (--table->users == 0) {
        link_unused(t, table);
        close_surplus(t);
        pthread_cond_broadcast(&t->unused);
    }
    pthread_mutex_unlock(&t->mutex);
}

void
tables_file(struct tables *t, uint32_t id, char file[FILENAME_MAX_LEN])
{
    pthread_mutex_lock(&t->mutex);
    struct table *table = find(t, id);
    memcpy(file, table != NULL ? table->file : "", table != NULL ? FILENAME_MAX_LEN : 1);
    pthread_mutex_unlock(&t->mutex);
}

int64_t
tables_open_count(struct tables *t)
{
    pthread_mutex_lock(&t->mutex);
    int64_t count = t->nopen;
    pthread_mutex_unlock(&t->mutex);
    return count;
}
