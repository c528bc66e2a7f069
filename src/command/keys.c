/* keys: commands on keys of any type, but for their deadlines. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/notify.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* DEL key ..., UNLINK key ...: how many were there. */
enum err
cmd_del(struct call *c)
{
    int64_t deleted = 0;

    for (int i = 1; i < c->argc; i++) {
        struct entry *e = arg_entry(c, i);
        if (e == NULL)
            continue;
        store_delete(c->store, e);
        notify(c, NOTIFY_GENERIC, "del", c->argv[i]);
        deleted++;
    }

    reply_int(c->out, deleted);
    return OK;
}

/* EXISTS key ...: how many are there; a key that is named twice counts twice. */
enum err
cmd_exists(struct call *c)
{
    int64_t there = 0;

    for (int i = 1; i < c->argc; i++)
        there += arg_peek(c, i) != NULL;

    reply_int(c->out, there);
    return OK;
}

/* TOUCH key ...: the same, and each has been looked at. */
enum err
cmd_touch(struct call *c)
{
    int64_t there = 0;

    for (int i = 1; i < c->argc; i++)
        there += arg_read(c, i) != NULL;

    reply_int(c->out, there);
    return OK;
}

/* TYPE key: the type's name, or none. */
enum err
cmd_type(struct call *c)
{
    struct entry *e = arg_peek(c, 1);

    reply_simple(c->out, e != NULL ? type_name(entry_type(e)) : "none");
    return OK;
}
