/* storage_priv: what the threads of storage share. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_STORAGE_PRIV_H
#define STORAGE_STORAGE_PRIV_H

#include "storage/applier.h"
#include "storage/backlog.h"
#include "storage/catalog.h"
#include "storage/checkpoint.h"
#include "storage/flusher.h"
#include "storage/readers.h"
#include "storage/storage.h"
#include "storage/tables.h"
#include "storage/wal.h"
#include <db.h>
#include <stdatomic.h>

struct storage {
    /* Set once, before the threads start: */
    char *dir;
    int lock; /* descriptor that holds the directory's lock */
    void (*wake)(void *arg);
    void *wake_arg;
    DB_ENV *env; /* of the tables */
    struct catalog *catalog;
    struct tables *tables;
    struct wal *wal;

    /* Loop only: */
    enum storage_sync sync;
    uint64_t next; /* number of the next batch */
    uint32_t next_store;
    bool started;

    /* Applier only, once it runs: */
    struct catalog_mark mark;

    /* For everyone: */
    _Atomic uint64_t written, applied, checkpointed;
    _Atomic bool log_failing, apply_failing;
    _Atomic uint64_t transactions;
    _Atomic int64_t last_sync_ms;

    struct backlog backlog;
    struct applier applier;
    struct flusher flusher;
    struct checkpoint checkpoint;
    struct readers readers;
};

#endif
