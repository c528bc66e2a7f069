/*
 * sweep: a run of the log made ready for the tables: of each key its last change, and the
 * patches behind it, in the tables' order; what was flushed away left out; and names and
 * counts as they are behind it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_SWEEP_H
#define STORAGE_SWEEP_H

#include "storage/effect.h"
#include "storage/tables.h"
#include "storage/wal.h"

/* One key's last change, or a patch. What sorting needs stands here, for the effects lie
 * far apart. */
struct change {
    struct table *table;
    uint64_t rank;  /* the key's bytes behind what all keys of its table share */
    const char *at; /* the effect, in a chunk */
    uint32_t order; /* in the log */
    uint32_t len;   /* bytes of the effect */
    uint32_t tail_len; /* bytes of the key behind what is shared: rank has them all up to 8 */
    bool patch;
    bool follows; /* a patch of what the change before gives */
};

struct sweep {
    struct change *changes;
    size_t nchanges;
    struct table *touched; /* linked by next_touched; name and counts in new_... */
    uint64_t number;       /* of the last batch */
    uint32_t max_id;       /* of the stores it names */
};

/* Makes it of chunks, which are borrowed until sweep_free. Tables the log creates are
 * added. -1 with the reason logged where the log contradicts the catalog. */
int sweep_build(struct sweep *s, struct tables *tables, const struct chunk *chunks);

/* The tables are no longer touched. */
void sweep_free(struct sweep *s);

struct effect change_effect(const struct change *c);

#endif
