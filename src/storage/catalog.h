/*
 * catalog: the table of the tables, catalog.db.
 *
 *   key "s" + a store's name   version 1, id (4 bytes), count (8), records with a
 *                              deadline (8), the store's file below the data directory
 *                              ("" for none yet)
 *   key "m"                    the mark: version 1, number of the last batch the tables
 *                              have whole (8), next store id (4), next file generation
 *                              (8)
 *   key "r"                    the reach: version 1, number of the last batch the tables
 *                              may have something of (8)
 *
 * Integers are little endian. Counts are as of the mark, even where a table is ahead of
 * it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_CATALOG_H
#define STORAGE_CATALOG_H

#include "base/bytes.h"
#include "storage/filename.h"
#include <db.h>
#include <stdint.h>

#define CATALOG_FILE "catalog.db"

struct catalog;

struct catalog_row {
    uint32_t id;
    struct bytes name;
    int64_t count;
    int64_t expires;
    char file[FILENAME_MAX_LEN];
};

struct catalog_mark {
    uint64_t number;
    uint32_t next_id;
    uint64_t next_generation;
};

/* Opens or makes it. NULL with the reason logged. */
struct catalog *catalog_open(DB_ENV *env);
void catalog_close(struct catalog *c);

/* The mark; a new catalog's is all zeros but for next_id and next_generation, 1. -1 with
 * the reason logged where it cannot be read. */
int catalog_read_mark(struct catalog *c, struct catalog_mark *out);

/* The reach; 0 where there is none yet. -1 with the reason logged. */
int catalog_read_reach(struct catalog *c, uint64_t *out);

/* Each row, its name borrowed. -1 with the reason logged. */
typedef void catalog_row_fn(void *arg, const struct catalog_row *row);
int catalog_rows(struct catalog *c, catalog_row_fn *visit, void *arg);

/* Within a transaction; they give Berkeley DB's code. */
int catalog_put(struct catalog *c, DB_TXN *txn, const struct catalog_row *row);
int catalog_delete(struct catalog *c, DB_TXN *txn, struct bytes name);
int catalog_put_mark(struct catalog *c, DB_TXN *txn, const struct catalog_mark *mark);
int catalog_put_reach(struct catalog *c, DB_TXN *txn, uint64_t number);

#endif
