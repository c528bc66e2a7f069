/*
 * See order.h. Many changes are sorted by radix: digit by digit of the rank, from the
 * last to the first, and then of the table's id, each pass stable. What has one rank but
 * more key behind it is compared whole.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/order.h"
#include "base/mem.h"
#include <stdlib.h>

#define RADIX_FROM   512 /* changes: fewer are compared */
#define RANK_DIGITS  8   /* bytes */
#define TABLE_DIGITS 4
#define DIGITS       (RANK_DIGITS + TABLE_DIGITS)
#define DIGIT_VALUES 256

int
order_keys(const struct change *a, const struct change *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->tail_len <= sizeof a->rank && b->tail_len <= sizeof b->rank)
        return (a->tail_len > b->tail_len) - (a->tail_len < b->tail_len);
    return bytes_cmp(change_effect(a).key, change_effect(b).key);
}

static int
compare(const void *left, const void *right)
{
    const struct change *a = left, *b = right;

    if (a->table != b->table)
        return a->table->id < b->table->id ? -1 : 1;
    int order = order_keys(a, b);
    if (order != 0)
        return order;
    return a->order < b->order ? -1 : 1;
}

static unsigned
digit(const struct change *c, int place)
{
    if (place < RANK_DIGITS)
        return (unsigned char)(c->rank >> 8 * place);
    return (unsigned char)(c->table->id >> 8 * (place - RANK_DIGITS));
}

static void
count_digits(const struct change *changes, size_t count,
             size_t counts[DIGITS][DIGIT_VALUES])
{
    memset(counts, 0, sizeof(size_t[DIGITS][DIGIT_VALUES]));
    for (size_t i = 0; i < count; i++) {
        for (int place = 0; place < DIGITS; place++)
            counts[place][digit(&changes[i], place)]++;
    }
}

/* Moves changes to `to`, sorted by one digit, of which counts has how often each value
 * is there. */
static void
scatter(const struct change *changes, size_t count, struct change *to, int place,
        size_t counts[DIGIT_VALUES])
{
    size_t at = 0;

    for (int value = 0; value < DIGIT_VALUES; value++) {
        size_t n = counts[value];
        counts[value] = at;
        at += n;
    }
    for (size_t i = 0; i < count; i++)
        to[counts[digit(&changes[i], place)]++] = changes[i];
}

static void
sort_by_rank(struct change *changes, size_t count)
{
    size_t counts[DIGITS][DIGIT_VALUES];
    struct change *scratch = xmalloc(count * sizeof *scratch), *from = changes;

    count_digits(changes, count, counts);
    for (int place = 0; place < DIGITS; place++) {
        if (counts[place][digit(&from[0], place)] == count)
            continue; /* all have the same */
        struct change *to = from == changes ? scratch : changes;
        scatter(from, count, to, place, counts[place]);
        from = to;
    }
    if (from == scratch)
        memcpy(changes, scratch, count * sizeof *changes);
    free(scratch);
}

/* How many changes from here on have one table and one rank. */
static size_t
run_length(const struct change *changes, size_t count)
{
    size_t len = 1;

    while (len < count && changes[len].table == changes->table
           && changes[len].rank == changes->rank)
        len++;
    return len;
}

/* A rank says all of a key where all have as many bytes, and no more than it holds. */
static bool
rank_decides(const struct change *run, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (run[i].tail_len > sizeof run->rank || run[i].tail_len != run->tail_len)
            return false;
    }
    return true;
}

void
order_changes(struct change *changes, size_t count)
{
    if (count < RADIX_FROM) {
        if (count > 0)
            qsort(changes, count, sizeof *changes, compare);
        return;
    }
    sort_by_rank(changes, count);
    for (size_t at = 0, len; at < count; at += len) {
        len = run_length(changes + at, count - at);
        if (len > 1 && !rank_decides(changes + at, len))
            qsort(changes + at, len, sizeof *changes, compare);
    }
}
