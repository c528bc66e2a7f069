/* ledger: cells, and the search for the prefix that a server shows. */
// SPDX-License-Identifier: BSD-3-Clause
#include "ledger.h"

#include "random.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_PRIME   UINT64_C(1099511628211)
#define TTL_SLACK_MS 2000 /* between the server's clock reading and ours */

void
value_fill(uint64_t seed, char *out, size_t len)
{
    uint64_t state = seed | 1, drawn = 0;

    for (size_t i = 0; i < len; i++) {
        if (i % sizeof drawn == 0)
            drawn = random_next(&state);
        out[i] = (char)(drawn >> (i % sizeof drawn * 8));
    }
}

uint64_t
value_hash(uint64_t hash, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)data[i]) * HASH_PRIME;
    return hash;
}

bool
ledger_key_is_second(int key)
{
    return key >= LEDGER_PAIRS && key < LEDGER_FLEETING && key % 2 == 1;
}

static void
cell_set_number(struct cell *cell, int64_t number)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%lld", (long long)number);

    *cell = (struct cell){
        .present = true,
        .len = (size_t)len,
        .hash = value_hash(VALUE_HASH_EMPTY, text, (size_t)len),
        .number = number,
    };
}

static void
cell_append(struct cell *cell, uint64_t seed, size_t len)
{
    char *data = malloc(len + 1);

    assert(data != NULL);
    if (!cell->present)
        *cell = (struct cell){.present = true, .hash = VALUE_HASH_EMPTY};
    value_fill(seed, data, len);
    cell->hash = value_hash(cell->hash, data, len);
    cell->len += len;
    free(data);
}

static void
change_apply(const struct change *change, struct cell *cells)
{
    struct cell *cell = &cells[change->key];

    switch (change->kind) {
    case CHANGE_SET:
        cell->present = false;
        cell_append(cell, change->seed, change->len);
        cell->deadline = change->deadline;
        break;
    case CHANGE_APPEND:
        cell_append(cell, change->seed, change->len);
        break;
    case CHANGE_DELETE:
        *cell = (struct cell){0};
        break;
    case CHANGE_COUNT:
        cell_set_number(cell, cell->number + 1);
        break;
    case CHANGE_PAIR:
        cell_set_number(cell, (int64_t)change->seed);
        cell_set_number(cell + 1, (int64_t)change->seed);
        break;
    case CHANGE_FLUSH:
        for (int i = 0; i < LEDGER_KEYS; i++) {
            if (!ledger_key_is_second(i))
                cells[i] = (struct cell){0};
        }
        break;
    }
}

struct cell
ledger_foresee(const struct ledger *l, int key)
{
    struct cell cell = l->cells[key];

    for (size_t i = 0; i < l->npending; i++) {
        const struct change *change = &l->pending[i];
        if (change->kind == CHANGE_FLUSH
            || (change->kind == CHANGE_DELETE && change->key == key))
            cell = (struct cell){0};
        else if (change->key == key) {
            cell.len = change->len + (change->kind == CHANGE_APPEND ? cell.len : 0);
            cell.present = true;
        }
    }
    return cell;
}

void
ledger_add(struct ledger *l, const struct change *change)
{
    assert(l->npending < LEDGER_PENDING);
    l->pending[l->npending++] = *change;
}

const struct cell *
ledger_acknowledge(struct ledger *l)
{
    int key = l->pending[0].key;

    assert(l->npending > 0);
    change_apply(&l->pending[0], l->cells);
    l->npending--;
    memmove(&l->pending[0], &l->pending[1], l->npending * sizeof l->pending[0]);
    l->acknowledged++;
    return &l->cells[key];
}

static bool
cell_shows(const struct cell *cell, const struct sight *seen)
{
    if (!seen->present)
        return !cell->present || (cell->deadline != 0 && cell->deadline <= seen->to_ms);
    if (!cell->present || cell->len != seen->len || cell->hash != seen->hash)
        return false;
    if (cell->deadline == 0 || seen->ttl_ms < 0)
        return cell->deadline == 0 && seen->ttl_ms < 0;
    return cell->deadline >= seen->from_ms
           && llabs(seen->from_ms + seen->ttl_ms - cell->deadline) < TTL_SLACK_MS;
}

static int
first_difference(const struct cell *cells, const struct sight *seen)
{
    for (int i = 0; i < LEDGER_KEYS; i++) {
        if (!cell_shows(&cells[i], &seen[i]))
            return i;
    }
    return -1;
}

static void
tell_difference(const char *when, int key, const struct cell *cell,
                const struct sight *seen)
{
    fprintf(stderr,
            "  %s, key %d would be %s of %zu bytes (number %lld, deadline %lld),"
            " but it is %s of %zu bytes (ttl %lld)\n",
            when, key, cell->present ? "there, a value" : "absent", cell->len,
            (long long)cell->number, (long long)cell->deadline,
            seen->present ? "there, a value" : "absent", seen->len,
            (long long)seen->ttl_ms);
}

/* What has expired meanwhile is gone. */
static void
forget_expired(struct cell *cells, const struct sight *seen)
{
    for (int i = 0; i < LEDGER_KEYS; i++) {
        if (!seen[i].present)
            cells[i] = (struct cell){0};
    }
}

/* Carries pending changes out on cells until they look like what is seen. */
static int
find_prefix(const struct ledger *l, struct cell *cells, const struct sight *seen)
{
    size_t done = 0;

    while (first_difference(cells, seen) >= 0) {
        if (done == l->npending)
            return -1;
        change_apply(&l->pending[done++], cells);
    }
    return (int)done;
}

int
ledger_settle(struct ledger *l, const struct sight *seen, const char *who)
{
    struct cell cells[LEDGER_KEYS];

    memcpy(cells, l->cells, sizeof cells);
    int done = find_prefix(l, cells, seen);
    if (done < 0) {
        int before = first_difference(l->cells, seen);
        int after = first_difference(cells, seen);
        fprintf(stderr, "%s shows no prefix of what was asked for:\n", who);
        tell_difference("with what was acknowledged", before, &l->cells[before],
                        &seen[before]);
        tell_difference("with all that was sent", after, &cells[after], &seen[after]);
        return -1;
    }
    forget_expired(cells, seen);
    memcpy(l->cells, cells, sizeof cells);
    l->npending = 0;
    return done;
}
