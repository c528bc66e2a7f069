/* See checkpoint.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/checkpoint.h"
#include "base/clock.h"
#include "storage/dberr.h"
#include "storage/disk.h"
#include "storage/storage_priv.h"
#include <errno.h>

#define ENOUGH_CHANGES 40000
#define ENOUGH_BYTES   (64 * 1024 * 1024)
/* Berkeley DB opens a closed table's file again to write its pages, and closes it only at
 * the next checkpoint: so many descriptors may gather. */
#define ENOUGH_TABLES 256
#define LONG_AGO_US   (10 * 1000 * 1000)

int
checkpoint_make(struct storage *s)
{
    if (disk_has_failed())
        return EIO;
    int code = s->env->txn_checkpoint(s->env, 0, 0, 0);
    if (code != 0) {
        dberr_log(code, "The tables cannot be checkpointed");
        return code;
    }
    atomic_store(&s->checkpointed, atomic_load(&s->applied));
    wal_remove(s->wal, atomic_load(&s->applied));
    s->checkpoint.since = (struct extent){0};
    s->checkpoint.last_us = clock_mono_us();
    atomic_fetch_add(&s->checkpoint.count, 1);
    return 0;
}

void
checkpoint_note(struct storage *s, const struct extent *done)
{
    struct checkpoint *c = &s->checkpoint;

    c->since.changes += done->changes;
    c->since.bytes += done->bytes;
    c->since.tables += done->tables;
}

int
checkpoint_when_due(struct storage *s)
{
    struct checkpoint *c = &s->checkpoint;

    if (c->since.changes >= ENOUGH_CHANGES || c->since.bytes >= ENOUGH_BYTES
        || c->since.tables >= ENOUGH_TABLES
        || clock_mono_us() - c->last_us >= LONG_AGO_US)
        return checkpoint_make(s);
    return 0;
}
