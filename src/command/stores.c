/* stores: STORE, which is about named stores, and SWAPDB. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/glob.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/selection.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* Leaves out what does not match; gives how many are left. */
static size_t
filter(struct store **stores, size_t count, struct bytes pattern)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        if (glob_match(pattern, store_name(stores[i]), false))
            stores[left++] = stores[i];
    }
    return left;
}

/* STORE LIST [pattern]: the names of stores that have keys, sorted. */
enum err
cmd_store_list(struct call *c)
{
    size_t count;
    if (c->argc > 3)
        return fail(c, "ERR wrong number of arguments for 'store|list' command");

    struct store **stores = selection_all(c, &count);
    if (c->argc == 3)
        count = filter(stores, count, c->argv[2]);
    reply_array(c->out, count);
    for (size_t i = 0; i < count; i++)
        reply_bulk(c->out, store_name(stores[i]));
    return OK;
}

/* STORE INFO name: its figures. */
enum err
cmd_store_info(struct call *c)
{
    struct store_file file;
    struct store *s = keyspace_find_store(c->host->keyspace, c->argv[2]);
    if (s == NULL)
        return ERR_NO_STORE;

    store_file(s, &file);
    reply_map(c->out, 7);
    reply_bulk_str(c->out, "name");
    reply_bulk(c->out, store_name(s));
    reply_figure(c->out, "keys", store_count(s));
    reply_figure(c->out, "expires", store_expires(s));
    reply_figure(c->out, "resident", store_resident(s));
    reply_bulk_str(c->out, "complete");
    reply_bool(c->out, store_is_complete(s));
    reply_bulk_str(c->out, "file");
    reply_bulk_str(c->out, file.path);
    reply_figure(c->out, "bytes", file.bytes);
    return OK;
}

/* STORE DROP name: the store has no keys and no file any more. */
enum err
cmd_store_drop(struct call *c)
{
    struct store *s = keyspace_find_store(c->host->keyspace, c->argv[2]);
    if (s == NULL)
        return ERR_NO_STORE;

    store_flush(s);
    tracking_tell_flush(c->host);

    reply_ok(c->out);
    return OK;
}

/* STORE RENAME name newname: the store is called newname from now on. Who has selected it
 * by its old name finds nothing there. Not inside MULTI: whether it succeeds depends on
 * what is before it, and which keys are needed on that. */
enum err
cmd_store_rename(struct call *c)
{
    struct store *s = keyspace_find_store(c->host->keyspace, c->argv[2]), *named;
    if (s == NULL)
        return ERR_NO_STORE;
    if (keyspace_find_store(c->host->keyspace, c->argv[3]) != NULL)
        return ERR_STORE_EXISTS;
    TRY(selection_store(c->host, c->argv[3], &named));

    store_swap(s, named, c->now);
    store_release(named);
    tracking_tell_flush(c->host);

    reply_ok(c->out);
    return OK;
}

static enum err
read_swapped(struct call *c, int i, struct store **store)
{
    enum err err = selection_store(c->host, c->argv[i], store);

    if (err == ERR_NOT_INTEGER || err == ERR_STORE_NUMBER)
        return fail(c, "ERR invalid %s DB index", i == 1 ? "first" : "second");
    return err;
}

/* SWAPDB store store: each has the other's keys; who has selected one sees the
 * other's. That a number is beyond the stores is told when both are numbers. */
enum err
cmd_swapdb(struct call *c)
{
    struct store *a, *b;
    enum err first = read_swapped(c, 1, &a);
    if (first != OK && first != ERR_STORE_INDEX)
        return first;
    enum err second = read_swapped(c, 2, &b);
    if (first != OK || second != OK) {
        if (first == OK)
            store_release(a);
        if (second == OK)
            store_release(b);
        return second != OK ? second : first;
    }

    store_swap(a, b, c->now);
    store_release(a);
    store_release(b);

    reply_ok(c->out);
    return OK;
}

/* STORE HELP: its subcommands. */
enum err
cmd_store_help(struct call *c)
{
    static const char *const lines[] = {
        "STORE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DROP <name>",
        "    Remove a store, its keys and its file.",
        "INFO <name>",
        "    Tell how many keys a store has, how many of them expire, how many are in "
        "memory,",
        "    whether all are, and its file and the bytes that takes.",
        "LIST [<pattern>]",
        "    List the names of the stores that have keys.",
        "RENAME <name> <newname>",
        "    Give a store another name, which no store with keys has.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
