/* option: one directive, and its value to and from text. For the config room only. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef CONFIG_OPTION_PRIV_H
#define CONFIG_OPTION_PRIV_H

#include "config/config.h"
#include <stdbool.h>

#define OPTION_NAME_MAX   40  /* bytes of a directive's name, its NUL included */
#define OPTION_REASON_MAX 160 /* bytes of why a value is refused, its NUL included */

enum option_kind {
    KIND_INT,
    KIND_MEMORY,   /* an int with a unit: 64mb */
    KIND_LOGLEVEL, /* an int with names, as the next six */
    KIND_FSYNC,
    KIND_YES_NO,
    KIND_ALLOWED,
    KIND_YES,      /* yes and nothing else */
    KIND_NO,       /* no and nothing else */
    KIND_EVICTION, /* noeviction and nothing else */
    KIND_TEXT,
    KIND_LIST,        /* words, kept as one text that config_split takes apart again */
    KIND_EVENTS,      /* classes of events.h, as their letters */
    KIND_PERCENTILES, /* as KIND_LIST, of numbers from 0 to 100 */
    KIND_LIMITS       /* words for limits.h */
};

enum option_when { START, LIVE };

struct option {
    const char *name;
    size_t offset; /* of its field in struct config */
    enum option_kind kind;
    const char *initial; /* the default, as a file would have it */
    int64_t min, max;
    enum option_when when;
};

enum {
#define OPTION(name, field, kind, initial, min, max, when) +1
    OPTION_COUNT =
#include "config/options.def"
#undef OPTION
};

/* The row at index, or NULL behind the last. */
const struct option *option_at(size_t index);

/* The row with this name, in any case, or NULL. */
const struct option *option_find(struct bytes name);

/* Sets the field to what the words of a line say. 0, or -1 with the reason and nothing
 * changed. */
int option_set(struct config *c, const struct option *o, const struct bytes *words,
               int count, char reason[OPTION_REASON_MAX]);

/* Appends the value as CONFIG GET prints it. */
void option_print(const struct config *c, const struct option *o, struct buf *out);

/* Appends the line (or lines) of a file that sets it to what it is, without an end. */
void option_write(const struct config *c, const struct option *o, struct buf *out);

/* Whether it has the same value in both. */
bool option_is_same(const struct config *a, const struct config *b,
                    const struct option *o);

/* Digits and a unit. No digits are 0, as in Redis. Too much for an int64 becomes its
 * greatest. False: it is something else. */
bool option_parse_memory(struct bytes word, int64_t *number);

/* Appends bytes in the largest unit that gives a whole number. */
void option_write_memory(int64_t bytes, struct buf *out);

/* Whether it has words instead of one value. */
bool option_is_list(const struct option *o);

/* The field of what is kept as a text, or NULL for another option. */
char **option_text(struct config *c, const struct option *o);

/* Appends the word so that config_split reads it back: in quotes where it needs them. */
void option_quote(struct buf *out, struct bytes word);

#endif
