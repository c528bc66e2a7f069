/*
 * home: the data directory.
 *
 *   LOCK           held by the process that serves it; has its pid
 *   catalog.db     which store is in which file (catalog.h)
 *   stores/        a btree file for each store
 *   txn/           Berkeley DB's log of the tables
 *   wal/           our log (wal.h)
 *
 * Both logs stand in directories of their own and no DB_CONFIG names them, so that
 * Berkeley DB's tools run on a live directory find no log and do no harm.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_HOME_H
#define STORAGE_HOME_H

#include <stddef.h>

#define HOME_LOCK "LOCK"
#define HOME_TXN  "txn"

/* Makes the directory where it is not there, locks it, and refuses it where it is another
 * program's or has lost a part. Gives the descriptor that holds the lock (close it to
 * unlock), -1 with the reason in error. */
int home_open(const char *dir, char *error, size_t error_size);

#endif
