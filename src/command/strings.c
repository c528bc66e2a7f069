/* strings: commands on strings, but for SET, numbers and bits. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/strings.h"

#include "command/arguments.h"
#include "command/host.h"
#include "command/lifetime.h"
#include "command/notify.h"
#include "command/session.h"
#include "command/table.h"
#include "command/unsent.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "value/string.h"

enum err
check_length(const struct call *c, size_t len)
{
    int64_t max = c->host->config->proto_max_bulk_len;

    return len > STRING_MAX || (int64_t)len > max ? ERR_TOO_LONG : OK;
}

bool
range_clip(int64_t len, int64_t *start, int64_t *end)
{
    if (*start < 0)
        *start = *start < -len ? 0 : *start + len;
    if (*end < 0)
        *end = *end < -len ? 0 : *end + len;
    if (*end >= len)
        *end = len - 1;
    return *start <= *end;
}

struct bytes
string_of(const struct entry *e)
{
    return e != NULL ? entry_string(e) : bytes_of("", 0);
}

void
reply_string(struct call *c, const struct entry *e)
{
    if (e != NULL)
        reply_bulk(c->out, entry_string(e));
    else
        reply_null(c->out);
}

struct entry *
string_write(struct call *c, struct entry *e, size_t at, struct bytes bytes)
{
    if (e == NULL) {
        store_set(c->store, c->argv[1], bytes_of("", 0), 0, c->now);
        e = arg_entry(c, 1);
    }
    return store_write(c->store, e, at, bytes);
}

/* GET key: its value, or null. */
enum err
cmd_get(struct call *c)
{
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    reply_string(c, e);
    return OK;
}

/* GETDEL key: its value, or null; afterwards it is gone. */
enum err
cmd_getdel(struct call *c)
{
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    reply_string(c, e);
    if (e != NULL) {
        store_delete(c->store, e);
        notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
    }
    return OK;
}

struct getex_options {
    bool persist;
    struct lifetime life;
};

static enum err
read_getex_options(const struct call *c, struct getex_options *o)
{
    for (int i = 2; i < c->argc; i++) {
        if (arg_is(c, i, "PERSIST") && o->life.unit == NULL)
            o->persist = true;
        else if (o->persist)
            return ERR_SYNTAX;
        else
            TRY(lifetime_read(c, &i, &o->life));
    }
    return OK;
}

/* GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]: its value, or null; afterwards it
 * has the deadline. */
enum err
cmd_getex(struct call *c)
{
    struct getex_options o = {0};
    int64_t deadline;

    TRY(read_getex_options(c, &o));
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));
    if (e == NULL) {
        reply_null(c->out);
        return OK;
    }
    TRY(lifetime_deadline(c, &o.life, &deadline));

    reply_string(c, e);
    if (lifetime_is_absolute(&o.life) && deadline <= c->began) {
        store_delete(c->store, e);
        notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
    } else if (deadline != 0) {
        store_set_deadline(c->store, e, deadline);
        notify(c, NOTIFY_GENERIC, "expire", c->argv[1]);
    } else if (o.persist && entry_deadline(e) != 0) {
        store_set_deadline(c->store, e, 0);
        notify(c, NOTIFY_GENERIC, "persist", c->argv[1]);
    }
    return OK;
}

/* MGET key ...: the values; null for what is missing or no string. A few bytes can ask for
 * any number of them: who is to be closed for that gets no more. */
enum err
cmd_mget(struct call *c)
{
    reply_array(c->out, (size_t)c->argc - 1);
    for (int i = 1; i < c->argc && !session_is_killed(c->session); i++) {
        struct entry *e = arg_read(c, i);
        if (e != NULL && entry_type(e) == TYPE_STRING)
            reply_bulk(c->out, entry_string(e));
        else
            reply_null(c->out);
        if (c->out->out->len > SESSION_OUTPUT_FIRST)
            unsent_check(c->session);
    }
    return OK;
}

static enum err
check_pairs(struct call *c)
{
    if (c->argc % 2 == 0)
        return fail(c, "ERR wrong number of arguments for '%s' command", c->command->name);
    return OK;
}

static void
set_pairs(struct call *c)
{
    for (int i = 1; i < c->argc; i += 2) {
        store_set(c->store, c->argv[i], c->argv[i + 1], 0, c->now);
        notify(c, NOTIFY_STRING, "set", c->argv[i]);
    }
}

/* MSET key value ...: sets them all, in this order. */
enum err
cmd_mset(struct call *c)
{
    TRY(check_pairs(c));

    set_pairs(c);

    reply_ok(c->out);
    return OK;
}

/* MSETNX key value ...: 1 if there was none of the keys; else nothing is set. */
enum err
cmd_msetnx(struct call *c)
{
    bool are_new = true;

    TRY(check_pairs(c));
    for (int i = 1; are_new && i < c->argc; i += 2)
        are_new = arg_entry(c, i) == NULL;

    if (are_new)
        set_pairs(c);

    reply_int(c->out, are_new);
    return OK;
}

/* APPEND key more: the length afterwards. A missing key counts as an empty one. */
enum err
cmd_append(struct call *c)
{
    struct entry *e = arg_entry(c, 1);
    TRY(check_type(e, TYPE_STRING));
    size_t len = string_of(e).len + c->argv[2].len;
    TRY(check_length(c, len));

    if (e == NULL)
        store_set(c->store, c->argv[1], c->argv[2], 0, c->now);
    else
        store_write(c->store, e, string_of(e).len, c->argv[2]);
    notify(c, NOTIFY_STRING, "append", c->argv[1]);

    reply_int(c->out, (int64_t)len);
    return OK;
}

/* STRLEN key: 0 for a missing one. */
enum err
cmd_strlen(struct call *c)
{
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    reply_int(c->out, (int64_t)string_of(e).len);
    return OK;
}

/* GETRANGE key start end: the bytes from start to end, both included. SUBSTR was its
 * name before. */
enum err
cmd_getrange(struct call *c)
{
    int64_t start, end;

    TRY(arg_int(c, 2, &start));
    TRY(arg_int(c, 3, &end));
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    struct bytes value = string_of(e);
    bool backwards = start < 0 && end < 0 && start > end;
    if (backwards || !range_clip((int64_t)value.len, &start, &end))
        reply_bulk(c->out, bytes_of("", 0));
    else
        reply_bulk(c->out, bytes_of(value.data + start, (size_t)(end - start + 1)));
    return OK;
}

/* SETRANGE key offset value: writes over the string from there on, which is lengthened
 * where it has to be; its length afterwards. */
enum err
cmd_setrange(struct call *c)
{
    struct bytes bytes = c->argv[3];
    int64_t offset;

    TRY(arg_int(c, 2, &offset));
    if (offset < 0)
        return ERR_OFFSET;
    struct entry *e = arg_entry(c, 1);
    TRY(check_type(e, TYPE_STRING));
    size_t len = string_of(e).len;
    if (bytes.len == 0) {
        reply_int(c->out, (int64_t)len);
        return OK;
    }
    size_t least = (size_t)offset + bytes.len;
    TRY(check_length(c, least));

    string_write(c, e, (size_t)offset, bytes);
    notify(c, NOTIFY_STRING, "setrange", c->argv[1]);

    reply_int(c->out, (int64_t)(least > len ? least : len));
    return OK;
}
