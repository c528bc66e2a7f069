/* counters: strings that are numbers. */
// SPDX-License-Identifier: BSD-3-Clause
#include <math.h>

#include "base/arena.h"
#include "base/number.h"
#include "command/arguments.h"
#include "command/notify.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* Adds to the number at the key, which keeps its deadline; a missing key counts as 0. */
static enum err
add(struct call *c, int64_t delta)
{
    int64_t number = 0;

    struct entry *e = arg_entry(c, 1);
    TRY(check_type(e, TYPE_STRING));
    if (e != NULL && !number_parse(entry_string(e), &number))
        return ERR_NOT_INTEGER;
    if (number_add_overflows(number, delta))
        return ERR_OVERFLOW;
    number += delta;

    char text[NUMBER_TEXT_MAX];
    size_t len = number_format(number, text);
    store_set(c->store, c->argv[1], bytes_of(text, len),
              e != NULL ? entry_deadline(e) : 0, c->now);
    notify(c, NOTIFY_STRING, "incrby", c->argv[1]);

    reply_int(c->out, number);
    return OK;
}

/* INCR key: the number afterwards. */
enum err
cmd_incr(struct call *c)
{
    return add(c, 1);
}

/* DECR key: the number afterwards. */
enum err
cmd_decr(struct call *c)
{
    return add(c, -1);
}

/* INCRBY key delta: the number afterwards. */
enum err
cmd_incrby(struct call *c)
{
    int64_t delta;

    TRY(arg_int(c, 2, &delta));
    return add(c, delta);
}

/* DECRBY key delta: the number afterwards. */
enum err
cmd_decrby(struct call *c)
{
    int64_t delta;

    TRY(arg_int(c, 2, &delta));
    if (delta == INT64_MIN)
        return ERR_DECREMENT;
    return add(c, -delta);
}

/* INCRBYFLOAT key delta: the number afterwards, which need not be whole. */
enum err
cmd_incrbyfloat(struct call *c)
{
    long double number = 0, delta;

    struct entry *e = arg_entry(c, 1);
    TRY(check_type(e, TYPE_STRING));
    if ((e != NULL && !number_parse_real(entry_string(e), &number))
        || !number_parse_real(c->argv[2], &delta))
        return ERR_NOT_FLOAT;
    number += delta;
    if (!isfinite(number))
        return ERR_INFINITE;

    char *text = arena_alloc(c->scratch, NUMBER_REAL_TEXT_MAX);
    struct bytes value = bytes_of(text, number_format_real(number, text));
    store_set(c->store, c->argv[1], value, e != NULL ? entry_deadline(e) : 0, c->now);
    store_set_form(c->store, c->argv[1], FORM_TEXT);
    notify(c, NOTIFY_STRING, "incrbyfloat", c->argv[1]);

    reply_bulk(c->out, value);
    return OK;
}
