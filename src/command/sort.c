/* sort: SORT, as far as there is something to sort: no type that has elements is here. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/notify.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* Finds the argument that names where the result goes, 0 for none. */
static enum err
read_options(struct call *c, bool may_store, int *store)
{
    for (int i = 2; i < c->argc; i++) {
        int left = c->argc - i - 1;
        if (arg_is(c, i, "ASC") || arg_is(c, i, "DESC") || arg_is(c, i, "ALPHA"))
            continue;
        if (arg_is(c, i, "LIMIT") && left >= 2) {
            int64_t number;
            TRY(arg_int(c, ++i, &number));
            TRY(arg_int(c, ++i, &number));
        } else if (arg_is(c, i, "STORE") && left >= 1 && may_store) {
            *store = ++i;
        } else if ((arg_is(c, i, "BY") || arg_is(c, i, "GET")) && left >= 1) {
            i++;
        } else {
            return ERR_SYNTAX;
        }
    }
    return OK;
}

static enum err
sort(struct call *c, bool may_store)
{
    int store = 0;

    TRY(read_options(c, may_store, &store));
    if (arg_read(c, 1) != NULL)
        return ERR_TYPE;

    if (store == 0) {
        reply_array(c->out, 0);
        return OK;
    }
    struct entry *old = arg_entry(c, store);
    if (old != NULL) {
        store_delete(c->store, old);
        notify(c, NOTIFY_GENERIC, "del", c->argv[store]);
    }
    reply_int(c->out, 0);
    return OK;
}

/* SORT key [BY pattern] [LIMIT from count] [GET pattern ...] [ASC | DESC] [ALPHA]
 * [STORE key]: nothing, for a key that is not there. */
enum err
cmd_sort(struct call *c)
{
    return sort(c, true);
}

/* SORT_RO key ...: the same without STORE. */
enum err
cmd_sort_ro(struct call *c)
{
    return sort(c, false);
}
