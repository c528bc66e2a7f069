/* tables_env: Berkeley DB's environment of the tables, recovered and open. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_TABLES_ENV_H
#define STORAGE_TABLES_ENV_H

#include <db.h>
#include <stdint.h>

#define TABLES_ENV_FILES 32 /* opened for writing pages of tables that are closed */

/* Opens it in the data directory with so many bytes of page cache. 0 or Berkeley DB's
 * code; then files that are no tables have been named in the log. */
int tables_env_open(const char *dir, int64_t cache, DB_ENV **out);

/* Removes the files of stores/ that no row of the catalog names: a death left them
 * behind. */
struct catalog;
int tables_env_remove_strays(DB_ENV *env, const char *dir, struct catalog *catalog);

/* Ends a transaction: commits it where code is 0, without waiting for the disk, else takes
 * it back. Gives code, or what the commit gave. */
int tables_env_end(DB_TXN *txn, int code);

#endif
