/*
 * effect: what a change does, as it stands in the log. An effect is absolute: a run of
 * them may be carried out again on what it gave before, or on what a part of it gave.
 *
 *   byte 0      kind
 *   byte 1      flags
 *   4 bytes     store id
 *   4 bytes     length of the key
 *   4 bytes     length of the record
 *   the key, the record
 *
 * Integers are little endian. CREATE has the store's name for its key; FLUSH has neither.
 * PATCH has a patch (value/patch.h) for its record.
 *
 * A store keeps its id under whatever name, so giving it another, or giving two stores
 * each other's, takes one CREATE each. In between, two stores may have the same name;
 * behind a batch, names of stores that have keys differ.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_EFFECT_H
#define STORAGE_EFFECT_H

#include "base/buf.h"
#include "base/bytes.h"
#include <stdint.h>

#define EFFECT_HEAD 14

enum effect_kind {
    EFFECT_CREATE = 1, /* the store has this name from now on; written as its count leaves
                        * 0, and when it gets another name */
    EFFECT_PUT,        /* the key has this record */
    EFFECT_DELETE,     /* the key is gone */
    EFFECT_FLUSH,      /* every key of the store is gone */
    EFFECT_PATCH       /* a part of the key's record is as this says */
};

/* So that counts can be kept without looking into the tables. */
enum effect_flag {
    EFFECT_NEW = 1,          /* PUT: there was no record before */
    EFFECT_HAD_DEADLINE = 2, /* PUT, DELETE, PATCH: the record before had a deadline */
    EFFECT_HAS_DEADLINE = 4  /* PUT, PATCH: the new one has */
};

struct effect {
    enum effect_kind kind;
    unsigned flags;
    uint32_t store;
    struct bytes key;
    struct bytes record;
};

/* Writes the head and the key; the caller appends record_len bytes of record behind
 * it. */
void effect_begin(struct buf *out, enum effect_kind kind, unsigned flags, uint32_t store,
                  struct bytes key, size_t record_len);

/* Takes an effect from the front of *bytes. 1; 0 at the end; -1 where the bytes are
 * none. */
int effect_next(struct bytes *bytes, struct effect *out);

/* What an effect does to the count of records, and of records with a deadline. */
void effect_count(const struct effect *e, int64_t *count, int64_t *expires);

#endif
