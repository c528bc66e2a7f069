/*
 * tables: the stores' btree files. Handles are opened when they are needed; the one that
 * was not used for longest is closed when too many are open.
 *
 * Readers acquire and release; only the applier adds, drops and forgets. What is not
 * marked otherwise is under the mutex of struct tables.
 *
 * Berkeley DB keeps no locks of its own here: while the applier changes a table, it
 * holds its pages alone, and a reader shares them with other readers.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_TABLES_H
#define STORAGE_TABLES_H

#include "base/bytes.h"
#include "base/map.h"
#include "storage/catalog.h"
#include <db.h>
#include <pthread.h>
#include <stdint.h>

#define TABLE_PAGE_SIZE 16384 /* bytes */

struct tables;

struct table {
    struct map_node node; /* in tables->by_id */
    uint32_t id;
    char file[FILENAME_MAX_LEN]; /* "" while it has none */
    DB *db;                      /* NULL while closed */
    int users;
    pthread_rwlock_t pages;
    struct table *newer, *older; /* among the open ones nobody uses */

    /* Applier only: */
    struct bytes name;      /* its own; as of the mark, as in the catalog */
    struct bytes new_name;  /* as of the end of the sweep; borrowed from the log */
    int64_t count, expires; /* as of the mark; the catalog has the same */
    int64_t new_count, new_expires; /* as of the end of the sweep that is on its way */
    struct table *next_touched;     /* by this sweep */
    bool has_row;                   /* in the catalog, as of the mark */
    bool touched, flushed;          /* in this sweep */
    uint32_t flushed_at;            /* changes before this one were flushed away */
    struct bytes first_key;         /* of this sweep, */
    size_t prefix_len;              /* and how much of it all its keys begin with */
};

struct tables *tables_new(DB_ENV *env, int64_t max_open);
void tables_free(struct tables *t);
void tables_set_max_open(struct tables *t, int64_t max_open);

/* The table of that id; NULL where there is none. Applier only. */
struct table *tables_find(struct tables *t, uint32_t id);

/* Adds one without a file, with an id that is not there. Applier only. */
struct table *tables_add(struct tables *t, uint32_t id, struct bytes name);

/* It has this name from now on. Applier only. */
void tables_rename(struct table *table, struct bytes name);

/* Forgets a table, which has no file. Applier only. */
void tables_forget(struct tables *t, struct table *table);

/* Makes an empty file for it. Gives Berkeley DB's code. Applier only. */
int tables_create_file(struct tables *t, struct table *table, uint64_t generation);

/* The table has no file from now on: waits for its users and closes it. The file itself
 * is the caller's to remove: its name is copied to file. Applier only. */
void tables_drop_file(struct tables *t, struct table *table, char file[FILENAME_MAX_LEN]);

/* Notes in its row that this is its file ("": none). A table that has no row yet waits for
 * the mark: until then its name may be another's. A file that is in no row is removed at a
 * start, and what was in it is still in the log. Gives Berkeley DB's code. Applier only. */
int tables_note_file(struct catalog *c, DB_TXN *txn, const struct table *t,
                     const char *file);

/* Opens the table of that id for use; *db is NULL where it has no file. Gives Berkeley
 * DB's code. Each success with a db is given back with tables_release. From any
 * thread. */
int tables_acquire(struct tables *t, uint32_t id, struct table **table, DB **db);
void tables_release(struct tables *t, struct table *table);

/* The name of a table's file, "" for none. From any thread. */
void tables_file(struct tables *t, uint32_t id, char file[FILENAME_MAX_LEN]);
int64_t tables_open_count(struct tables *t);

#endif
