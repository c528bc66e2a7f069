/*
 * patch: a change of a part of a record, so that a large value need not be written anew
 * for it.
 *
 *   record head   as in record.h: what type and deadline are from now on
 *   8 bytes       offset in the value, little endian
 *   the rest      the bytes that stand there from now on
 *
 * A value that does not reach so far is lengthened, with zeros where nothing else stands.
 * A patch is absolute, as a record is: it may be carried out twice, and a run of patches
 * may begin anew on what it gave before.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_PATCH_H
#define VALUE_PATCH_H

#include "value/record.h"
#include <stddef.h>

#define PATCH_HEAD_MAX (RECORD_HEAD_MAX + 8) /* bytes before those of the value */

struct patch {
    enum type type;
    int64_t deadline; /* ms since 1970; 0: none */
    size_t at;
    struct bytes bytes; /* borrowed from what was decoded */
};

/* The bytes before those of the value, written to head[PATCH_HEAD_MAX]; gives their
 * count. */
size_t patch_head(char *head, enum type type, int64_t deadline, size_t at);

/* 0; or -1 where the bytes are no patch, or reach beyond what a value can have. */
int patch_decode(struct bytes bytes, struct patch *out);

/* How long a value of this length is afterwards. */
size_t patch_length(const struct patch *p, size_t len);

/* Writes the patch's bytes into a value that was len bytes long and has room for
 * patch_length. */
void patch_write(const struct patch *p, char *value, size_t len);

/* Carries a patch out on an encoded record; an empty one counts as that of an empty value.
 * -1 where it cannot be read: it is as before. */
int patch_record(struct buf *record, const struct patch *p);

#endif
