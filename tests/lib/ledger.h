/*
 * ledger: what one writer has asked for and what was acknowledged, so that after a crash
 * one can say whether what is there is a prefix of it: everything acknowledged, then some
 * of what was on its way, in order, and no transaction in part.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_LEDGER_H
#define TESTS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A writer's keys are numbered; what is done to one depends on its number. */
#define LEDGER_COUNTERS 0 /* INCR */
#define LEDGER_PAIRS    16 /* two keys in two stores, set to the same number by MULTI/EXEC */
#define LEDGER_FLEETING 48 /* SET PXAT soon */
#define LEDGER_STRINGS  80 /* SET, APPEND, DEL */
#define LEDGER_KEYS     200
#define LEDGER_PENDING  64 /* changes on their way at most */

/* A key's value. A counter's and a pair's is the text of number. */
struct cell {
    bool present;
    size_t len;
    uint64_t hash;
    int64_t number;
    int64_t deadline; /* ms since 1970; 0: none */
};

enum change_kind {
    CHANGE_SET,
    CHANGE_APPEND,
    CHANGE_DELETE,
    CHANGE_COUNT,
    CHANGE_PAIR,
    CHANGE_FLUSH
};

struct change {
    enum change_kind kind;
    int key;       /* of a pair: the even one */
    uint64_t seed; /* of the bytes that are set or appended; of a pair: the number */
    size_t len;
    int64_t deadline;
};

struct ledger {
    struct cell cells[LEDGER_KEYS]; /* as of what was acknowledged */
    struct change pending[LEDGER_PENDING];
    size_t npending;
    uint64_t acknowledged;
};

/* What a server shows for a key. */
struct sight {
    bool present;
    size_t len;
    uint64_t hash;
    int64_t ttl_ms;  /* -1: none */
    int64_t from_ms; /* the clock before and after it was asked for */
    int64_t to_ms;
};

/* The bytes of a value that a change with this seed sets or appends. */
void value_fill(uint64_t seed, char *out, size_t len);

/* The hash of a value, which goes on from that of its beginning. */
uint64_t value_hash(uint64_t hash, const char *data, size_t len);
#define VALUE_HASH_EMPTY UINT64_C(14695981039346656037)

/* Whether a key lies in the writer's second store. */
bool ledger_key_is_second(int key);

/* The cell as it will be when everything pending is done. */
struct cell ledger_foresee(const struct ledger *l, int key);

void ledger_add(struct ledger *l, const struct change *change);

/* The oldest pending change was acknowledged; gives its cell. */
const struct cell *ledger_acknowledge(struct ledger *l);

/* Takes what a server shows of every key as the truth from now on, if it is a prefix.
 * Gives how many pending changes it has; -1 where it is none, after why was written to
 * standard error. */
int ledger_settle(struct ledger *l, const struct sight *seen, const char *who);

#endif
