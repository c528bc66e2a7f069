/* keyargs: see keyargs.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/keyargs.h"

#include "base/mem.h"
#include "command/debug.h"
#include "command/table.h"

struct walk {
    const struct bytes *argv;
    int argc;
    keyargs_fn *visit;
    void *arg;
};

static bool
tell(const struct walk *w, int key, int store)
{
    return w->visit(w->arg, key, store);
}

/* MOVE key store */
static bool
walk_move(const struct walk *w)
{
    return tell(w, 1, 0) && tell(w, 1, 2);
}

/* COPY key newkey ... DB store ...: the last one counts. */
static bool
walk_copy(const struct walk *w)
{
    int store = 0;

    for (int i = 3; i + 1 < w->argc; i++) {
        if (bytes_is(w->argv[i], "db"))
            store = ++i;
    }
    return tell(w, 1, 0) && tell(w, 2, store);
}

int
keyargs_sort_store(const struct bytes *argv, int argc)
{
    int store = 0;

    for (int i = 2; i < argc; i++) {
        if (bytes_is(argv[i], "limit"))
            i += 2;
        else if (bytes_is(argv[i], "by") || bytes_is(argv[i], "get"))
            i++;
        else if (bytes_is(argv[i], "store") && i + 1 < argc)
            store = ++i;
    }
    return store;
}

int
keyargs_migrate(const struct bytes *argv, int argc, int *first)
{
    *first = 3;
    for (int i = 6; i + 1 < argc; i++) {
        if (bytes_is(argv[i], "auth")) {
            i++;
        } else if (bytes_is(argv[i], "auth2")) {
            i += 2;
        } else if (bytes_is(argv[i], "keys")) {
            *first = i + 1;
            return argv[3].len > 0 ? 0 : argc - *first;
        }
    }
    return 1;
}

static bool
walk_migrate(const struct walk *w)
{
    int first, count = keyargs_migrate(w->argv, w->argc, &first);

    for (int i = first; i < first + count; i++) {
        if (!tell(w, i, 0))
            return false;
    }
    return true;
}

static bool
walk_sort(const struct walk *w)
{
    int store = keyargs_sort_store(w->argv, w->argc);

    return tell(w, 1, 0) && (store == 0 || tell(w, store, 0));
}

/* DEBUG: some of its subcommands have one. */
static bool
walk_debug(const struct walk *w)
{
    int key = debug_key(w->argv, w->argc);

    return key == 0 || tell(w, key, 0);
}

static const struct own {
    command_fn *fn;
    bool (*walk)(const struct walk *w);
} owns[] = {
    {cmd_copy, walk_copy}, {cmd_debug, walk_debug}, {cmd_migrate, walk_migrate},
    {cmd_move, walk_move}, {cmd_sort, walk_sort},
};

static bool
walk_own(const struct command *cmd, const struct walk *w)
{
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++) {
        if (owns[i].fn == cmd->fn)
            return owns[i].walk(w);
    }
    panic("no function says where the keys of '%s' are", cmd->name);
}

bool
keyargs_walk(const struct command *cmd, const struct bytes *argv, int argc,
             keyargs_fn *visit, void *arg)
{
    if (cmd->flags & CMD_PUBSUB) /* told as keys, but shard channels */
        return true;
    if (cmd->flags & CMD_KEYARGS)
        return walk_own(cmd, &(struct walk){argv, argc, visit, arg});
    int nkeys = command_nkeys(cmd, argc);
    for (int i = 0; i < nkeys; i++) {
        if (!visit(arg, cmd->first + i * cmd->step, 0))
            return false;
    }
    return true;
}
