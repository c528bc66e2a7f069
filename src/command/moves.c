/* moves: commands that give a key's value to another key, or to another store's. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/host.h"
#include "command/notify.h"
#include "command/selection.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* Argument 1 becomes argument 2, whose old value goes. */
static void
rename_key(struct call *c, struct entry *e)
{
    store_copy(c->store, c->argv[2], e, c->now);
    store_delete(c->store, arg_entry(c, 1));
    notify(c, NOTIFY_GENERIC, "rename_from", c->argv[1]);
    notify(c, NOTIFY_GENERIC, "rename_to", c->argv[2]);
}

/* RENAME key newkey: value and deadline are the new key's from now on. */
enum err
cmd_rename(struct call *c)
{
    struct entry *e = arg_entry(c, 1);
    if (e == NULL)
        return ERR_NO_KEY;

    if (!bytes_eq(c->argv[1], c->argv[2]))
        rename_key(c, e);

    reply_ok(c->out);
    return OK;
}

/* RENAMENX key newkey: 1, or 0 if there was a new key already. */
enum err
cmd_renamenx(struct call *c)
{
    struct entry *e = arg_entry(c, 1);
    if (e == NULL)
        return ERR_NO_KEY;
    bool free = arg_entry(c, 2) == NULL;

    if (free)
        rename_key(c, e);

    reply_int(c->out, free);
    return OK;
}

static enum err
move(struct call *c, struct store *to)
{
    if (to == c->store)
        return ERR_SAME_OBJECT;
    struct entry *e = arg_entry(c, 1);
    bool moves = e != NULL && store_find(to, c->argv[1], c->now) == NULL;

    if (moves) {
        store_copy(to, c->argv[1], e, c->now);
        store_delete(c->store, e);
        notify(c, NOTIFY_GENERIC, "move_from", c->argv[1]);
        notify_in(c, to, NOTIFY_GENERIC, "move_to", c->argv[1]);
    }

    reply_int(c->out, moves);
    return OK;
}

/* MOVE key store: 1, or 0 if the key is not here, or there already. */
enum err
cmd_move(struct call *c)
{
    struct store *to;
    TRY(selection_store(c->host, c->argv[2], &to));

    enum err err = move(c, to);
    store_release(to);
    return err;
}

/* Changes the held *to if another store is named. */
static enum err
read_copy(struct call *c, struct store **to, bool *replace)
{
    for (int i = 3; i < c->argc; i++) {
        if (arg_is(c, i, "REPLACE")) {
            *replace = true;
        } else if (arg_is(c, i, "DB") && i + 1 < c->argc) {
            struct store *named;
            TRY(selection_store(c->host, c->argv[++i], &named));
            store_release(*to);
            *to = named;
        } else {
            return ERR_SYNTAX;
        }
    }
    return OK;
}

static enum err
copy(struct call *c, struct store *to, bool replace)
{
    if (to == c->store && bytes_eq(c->argv[1], c->argv[2]))
        return ERR_SAME_OBJECT;
    struct entry *e = arg_read(c, 1);
    bool copies = e != NULL && (replace || store_find(to, c->argv[2], c->now) == NULL);

    if (copies) {
        store_copy(to, c->argv[2], e, c->now);
        notify_in(c, to, NOTIFY_GENERIC, "copy_to", c->argv[2]);
    }

    reply_int(c->out, copies);
    return OK;
}

/* COPY key newkey [DB store] [REPLACE]: 1, or 0 if the key is not there, or the new one
 * is. */
enum err
cmd_copy(struct call *c)
{
    struct store *to = c->store;
    bool replace = false;

    store_hold(to);
    enum err err = read_copy(c, &to, &replace);
    if (err == OK)
        err = copy(c, to, replace);
    store_release(to);
    return err;
}
