/*
 * scan: commands that tell of keys they do not name. What a complete store has they walk
 * over in memory; else the keys were listed before they run (listed.h).
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/scan.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "command/arguments.h"
#include "command/listed.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/cursors.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

#define COUNT_DEFAULT 10
#define SLOTS_A_KEY   10   /* SCAN looks at, where they are empty */
#define DRAWN_FROM    1000 /* keys of a table, by RANDOMKEY */
#define DRAW_SLOTS    1000 /* in memory, before the table is looked at */

/* --- arguments --- */

/* "*" is no pattern: it takes the empty key, too. */
static struct bytes
pattern_of(struct bytes text)
{
    if (bytes_is(text, "*"))
        return bytes_of(NULL, 0);
    return text.len == 0 ? bytes_str("") : text;
}

static int
type_of(struct bytes name)
{
    return bytes_is(name, type_name(TYPE_STRING)) ? TYPE_STRING : -1;
}

/* A number as strtoul reads it, without blanks before it. */
static enum err
read_cursor(struct call *c, uint64_t *cursor)
{
    struct bytes text = c->argv[1];
    char digits[32];
    char *end;

    if (text.len >= sizeof digits
        || (text.len > 0 && isspace((unsigned char)text.data[0])))
        return ERR_CURSOR;
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    errno = 0;
    *cursor = strtoul(digits, &end, 10);
    return end == digits + text.len && errno != ERANGE ? OK : ERR_CURSOR;
}

static enum err
read_count(struct call *c, int i, struct wanted *wanted)
{
    int64_t count;

    TRY(arg_int(c, i, &count));
    if (count < 1)
        return ERR_SYNTAX;
    wanted->page = (size_t)count;
    return OK;
}

static enum err
read_scan(struct call *c, uint64_t *cursor, struct wanted *wanted)
{
    *wanted = (struct wanted){.page = COUNT_DEFAULT};
    TRY(read_cursor(c, cursor));
    for (int i = 2; i < c->argc; i += 2) {
        if (i + 1 == c->argc)
            return ERR_SYNTAX;
        if (arg_is(c, i, "COUNT"))
            TRY(read_count(c, i + 1, wanted));
        else if (arg_is(c, i, "MATCH"))
            wanted->pattern = pattern_of(c->argv[i + 1]);
        else if (arg_is(c, i, "TYPE"))
            wanted->type = type_of(c->argv[i + 1]);
        else
            return ERR_SYNTAX;
    }
    return OK;
}

/* --- before they run --- */

static bool
is_scan(const struct call *c)
{
    return c->command->fn == cmd_scan;
}

static bool
is_randomkey(const struct call *c)
{
    return c->command->fn == cmd_randomkey;
}

bool
scan_is_known(struct call *c)
{
    struct wanted wanted;
    uint64_t cursor;

    if (c->command->fn != cmd_keys && !is_scan(c) && !is_randomkey(c))
        return true;
    if (store_is_complete(c->store) || listed_is_ready(c))
        return true;
    /* For EXEC what is in memory now may be gone when it is its turn. */
    if (is_randomkey(c))
        return (!c->session->queue.open || c->in_exec)
               && store_random(c->store, c->now, DRAW_SLOTS) != NULL;
    return is_scan(c) && read_scan(c, &cursor, &wanted) != OK;
}

void
scan_begin(struct call *c, size_t at)
{
    struct wanted wanted = {0};
    struct place place = {0};
    uint64_t cursor;

    if (is_scan(c)) {
        enum err err = read_scan(c, &cursor, &wanted);
        assert(err == OK);
    } else if (is_randomkey(c)) {
        /* Requests before it in EXEC can delete as many as they have arguments. */
        wanted.enough = DRAWN_FROM + c->session->queue.size / sizeof *c->argv;
    } else {
        wanted.pattern = pattern_of(c->argv[1]);
    }
    /* In EXEC, where nobody goes on for more, all that was wanted is answered at once. */
    if (c->session->queue.open && (int64_t)wanted.page >= store_count(c->store))
        wanted.page = 0;
    if (wanted.page > 0)
        cursor_place(c->store, cursor, &place);
    listed_begin(c, at, &wanted, &place);
    place_deinit(&place);
}

/* --- running --- */

static void
find(void *arg, struct bytes key, enum type type)
{
    struct found *found = arg;

    found_add(found, key, type);
}

struct page {
    struct found found;
    size_t seen; /* wanted or not */
};

static void
find_on_page(void *arg, struct bytes key, enum type type)
{
    struct page *page = arg;

    page->seen++;
    found_add(&page->found, key, type);
}

/* KEYS pattern: all keys that match it. */
enum err
cmd_keys(struct call *c)
{
    struct found found = {.wanted.pattern = pattern_of(c->argv[1])};

    if (store_is_complete(c->store)) {
        found_expect(&found, store_count(c->store));
        store_each(c->store, c->now, find, &found);
    } else {
        listed_take(c, &found);
    }

    found_reply(c, &found);
    return OK;
}

/* Walks over memory; gives the cursor to go on with. */
static uint64_t
scan_memory(struct call *c, uint64_t cursor, const struct wanted *wanted,
            struct found *found)
{
    struct page page = {.found.wanted = *wanted};
    struct place place;

    cursor_place(c->store, cursor, &place);
    uint32_t at = place.from;
    place_deinit(&place);
    for (size_t slots = 0; slots / SLOTS_A_KEY <= wanted->page; slots++) {
        at = store_scan(c->store, at, c->now, find_on_page, &page);
        if (at == 0 || page.seen >= wanted->page)
            break;
    }
    *found = page.found;
    return cursor_of_memory(store_keyspace(c->store), at);
}

static uint64_t
scan_listed(struct call *c, uint64_t cursor, struct found *found)
{
    listed_take(c, found);
    const struct place *next = listed_place(c);
    return next == NULL ? 0 : cursor_keep(c->store, next, cursor);
}

/* SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: some keys, and the cursor for
 * the next ones. */
enum err
cmd_scan(struct call *c)
{
    struct wanted wanted;
    struct found found;
    uint64_t cursor;

    TRY(read_scan(c, &cursor, &wanted));

    if (store_is_complete(c->store))
        cursor = scan_memory(c, cursor, &wanted, &found);
    else
        cursor = scan_listed(c, cursor, &found);

    reply_array(c->out, 2);
    reply_bulk_int(c->out, (int64_t)cursor);
    found_reply(c, &found);
    return OK;
}

static void
reply_drawn(struct call *c, const struct found *found)
{
    struct bytes keys = found_keys(found), key;

    if (found->count == 0) {
        reply_null(c->out);
        return;
    }
    for (uint64_t left = random_number() % found->count + 1; left > 0; left--)
        found_next(&keys, &key);
    reply_bulk(c->out, key);
}

/* RANDOMKEY: a key by chance, of those in memory if there are some; null if there is
 * none. */
enum err
cmd_randomkey(struct call *c)
{
    struct found found = {0};
    struct entry *e = store_random(c->store, c->now, DRAW_SLOTS);

    if (e == NULL && listed_is_ready(c))
        listed_take(c, &found);
    if (e == NULL && found.count == 0)
        e = store_random(c->store, c->now, SIZE_MAX);

    if (e != NULL)
        reply_bulk(c->out, entry_key(e));
    else
        reply_drawn(c, &found);
    found_deinit(&found);
    return OK;
}
