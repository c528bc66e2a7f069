/* wal_priv: what writing and reading the log share. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_WAL_PRIV_H
#define STORAGE_WAL_PRIV_H

#include "storage/wal.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define WAL_MAGIC   "keyvald\n"
#define WAL_VERSION 2
#define WAL_PATH    4096 /* bytes of a file's path */

#define WAL_LEN_BITS  40
#define WAL_LEN_MAX   ((UINT64_C(1) << WAL_LEN_BITS) - 1)
#define WAL_AHEAD_MAX ((UINT64_C(1) << 24) - 1)

struct wal_file_head {
    char magic[8];
    uint32_t version;
    uint32_t file;
    uint64_t first;
    uint64_t durable;
    uint64_t checksum;
};

struct wal_head {
    uint64_t checksum;
    uint64_t number;
    uint64_t len_ahead; /* WAL_LEN_BITS of length, and above them how far it was ahead */
};

struct wal_file {
    uint32_t file;
    uint64_t first;   /* number of its first batch */
    uint64_t durable; /* the mark as it was begun */
    int64_t size;     /* bytes */
    int fd;           /* -1: not open */
    bool flushed;     /* the disk has all of it, and nothing is appended any more */
};

struct wal {
    char *home;
    bool failing;   /* loop only */
    int64_t offset; /* loop only: where the next batch goes */

    _Atomic uint64_t written, durable;
    pthread_mutex_t flushing; /* one flush at a time; taken before mutex */

    pthread_mutex_t mutex;
    /* Under the mutex: */
    struct wal_file *files; /* by number; batches are appended to the last, if it is open */
    size_t nfiles;
    uint32_t next_file;
    bool dir_flushed; /* the disk has all their names */
};

void wal_path(const struct wal *w, uint32_t file, char path[WAL_PATH]);

/* The checksum a batch ought to have in this file. */
uint64_t wal_checksum(const struct wal_head *head, struct bytes effects, uint32_t file);

#endif
