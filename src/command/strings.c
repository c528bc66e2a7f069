/* strings: commands on strings, but for SET and numbers. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/host.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "value/string.h"

/* GET key: its value, or null. */
enum err
cmd_get(struct call *c)
{
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    if (e != NULL)
        reply_bulk(c->out, entry_string(e));
    else
        reply_null(c->out);
    return OK;
}

/* GETDEL key: its value, or null; afterwards it is gone. */
enum err
cmd_getdel(struct call *c)
{
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    if (e == NULL) {
        reply_null(c->out);
        return OK;
    }
    reply_bulk(c->out, entry_string(e));
    store_delete(c->store, e);
    return OK;
}

/* MGET key ...: the values; null for what is missing or no string. */
enum err
cmd_mget(struct call *c)
{
    reply_array(c->out, (size_t)c->argc - 1);
    for (int i = 1; i < c->argc; i++) {
        struct entry *e = arg_read(c, i);
        if (e != NULL && entry_type(e) == TYPE_STRING)
            reply_bulk(c->out, entry_string(e));
        else
            reply_null(c->out);
    }
    return OK;
}

/* MSET key value ...: sets them all, in this order. */
enum err
cmd_mset(struct call *c)
{
    if (c->argc % 2 == 0)
        return fail(c, "ERR wrong number of arguments for 'mset' command");

    for (int i = 1; i < c->argc; i += 2)
        store_set(c->store, c->argv[i], c->argv[i + 1], 0);

    reply_ok(c->out);
    return OK;
}

static enum err
check_length(const struct call *c, size_t len)
{
    int64_t max = c->host->config->proto_max_bulk_len;

    return len > STRING_MAX || (int64_t)len > max ? ERR_TOO_LONG : OK;
}

/* APPEND key more: the length afterwards. A missing key counts as an empty one. */
enum err
cmd_append(struct call *c)
{
    struct entry *e = arg_entry(c, 1);
    TRY(check_type(e, TYPE_STRING));
    size_t len = c->argv[2].len + (e != NULL ? entry_string(e).len : 0);
    TRY(check_length(c, len));

    if (e == NULL)
        store_set(c->store, c->argv[1], c->argv[2], 0);
    else
        store_write(c->store, e, len - c->argv[2].len, c->argv[2]);

    reply_int(c->out, (int64_t)len);
    return OK;
}

/* STRLEN key: 0 for a missing one. */
enum err
cmd_strlen(struct call *c)
{
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    reply_int(c->out, e != NULL ? (int64_t)entry_string(e).len : 0);
    return OK;
}
