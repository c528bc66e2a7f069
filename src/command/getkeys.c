/* getkeys: COMMAND GETKEYS and GETKEYSANDFLAGS, which tell the keys of a request. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/arena.h"
#include "command/host.h"
#include "command/introspection.h"
#include "command/keyargs.h"
#include "command/syntax.h"
#include "command/table.h"
#include "resp/reply.h"

/* A request that is asked about. */
struct asked {
    const struct command *command;
    const struct bytes *argv;
    int argc;
};

struct key {
    int at;             /* argument */
    struct bytes flags; /* words */
};

/* SET with an option GET; its value is none. */
static bool
set_reads(const struct asked *a)
{
    for (int i = 3; i < a->argc; i++) {
        if (bytes_is(a->argv[i], "GET"))
            return true;
    }
    return false;
}

/* BITFIELD with what writes, or may: what it cannot read. */
static bool
bitfield_writes(const struct asked *a)
{
    for (int i = 2, behind; i < a->argc; i++) {
        behind = a->argc - 1 - i;
        if (bytes_is(a->argv[i], "GET") && behind >= 2)
            i += 2;
        else if (bytes_is(a->argv[i], "OVERFLOW") && behind >= 1)
            i++;
        else
            return true;
    }
    return false;
}

/* What happens to a key can depend on the options. */
static struct bytes
flags_of(const struct asked *a, const struct key_kind *kind)
{
    const char *name = a->command->name;

    if (!key_kind_is(kind, "variable_flags"))
        return kind->flags;
    if (strcmp(name, "bitfield") == 0 && !bitfield_writes(a))
        return bytes_str("RO access");
    if (strcmp(name, "set") == 0 && !set_reads(a))
        return bytes_str("OW update");
    return bytes_str("RW access update");
}

/* Adds the keys of a kind. False: there is no argument where one should be. */
static bool
add_kind(const struct asked *a, const struct key_kind *kind, struct key *keys,
         size_t *count)
{
    int last = kind->last < 0 ? a->argc + kind->last : kind->last;

    if (!kind->is_placed || key_kind_is(kind, "not_key"))
        return true;
    if (last < kind->first || last >= a->argc)
        return false;
    for (int at = kind->first; at <= last; at += kind->step)
        keys[(*count)++] = (struct key){at, flags_of(a, kind)};
    return true;
}

/* MIGRATE has its keys in one of two places. False: it names none. */
static bool
add_migrated(const struct asked *a, const struct key_kind *kind, struct key *keys,
             size_t *count)
{
    int first, nkeys = keyargs_migrate(a->argv, a->argc, &first);

    for (int i = first; i < first + nkeys; i++)
        keys[(*count)++] = (struct key){i, kind->flags};
    return nkeys > 0;
}

/* SORT has the key it writes behind a word. */
static void
add_stored(const struct asked *a, struct key *keys, size_t *count)
{
    int at = 0;

    if (a->command->fn == cmd_sort)
        at = keyargs_sort_store(a->argv, a->argc);
    if (at > 0)
        keys[(*count)++] = (struct key){at, bytes_str("OW update")};
}

static bool
has_keys(const struct key_kind *kinds, size_t nkinds)
{
    for (size_t i = 0; i < nkinds; i++) {
        if (!key_kind_is(&kinds[i], "not_key"))
            return true;
    }
    return false;
}

static enum err
find_asked(struct call *c, struct asked *a)
{
    const struct command *cmd = table_find(c->host->table, c->argv[2]);

    if (cmd != NULL && (cmd->flags & CMD_CONTAINER))
        cmd = table_find_sub(c->host->table, cmd, c->argv[3]);
    if (cmd == NULL)
        return ERR_COMMAND;
    *a = (struct asked){cmd, c->argv + 2, c->argc - 2};
    return OK;
}

/* The keys of the request behind the subcommand, in scratch. */
static enum err
find_keys(struct call *c, struct key **keys, size_t *count)
{
    struct key_kind kinds[KEY_KINDS_MAX];
    struct asked a;

    TRY(find_asked(c, &a));
    size_t nkinds = syntax_key_kinds(a.command, kinds);
    if (!has_keys(kinds, nkinds))
        return ERR_COMMAND_KEYS;
    if (!command_takes(a.command, a.argc))
        return ERR_COMMAND_ARITY;

    *count = 0;
    *keys = arena_alloc(c->scratch,
                        (size_t)a.argc * (KEY_KINDS_MAX + 1) * sizeof(struct key));
    if (a.command->fn == cmd_migrate)
        return add_migrated(&a, &kinds[0], *keys, count) ? OK : ERR_COMMAND_ARGUMENTS;
    for (size_t i = 0; i < nkinds; i++) {
        if (!add_kind(&a, &kinds[i], *keys, count))
            return ERR_COMMAND_ARGUMENTS;
    }
    add_stored(&a, *keys, count);
    return OK;
}

/* COMMAND GETKEYS command [argument ...]: those of its arguments that are keys. */
enum err
cmd_command_getkeys(struct call *c)
{
    struct key *keys;
    size_t count;
    TRY(find_keys(c, &keys, &count));

    reply_array(c->out, count);
    for (size_t i = 0; i < count; i++)
        reply_bulk(c->out, c->argv[2 + keys[i].at]);
    return OK;
}

/* COMMAND GETKEYSANDFLAGS command [argument ...]: the same, and what happens to them. */
enum err
cmd_command_getkeysandflags(struct call *c)
{
    struct key *keys;
    size_t count;
    TRY(find_keys(c, &keys, &count));

    reply_array(c->out, count);
    for (size_t i = 0; i < count; i++) {
        reply_array(c->out, 2);
        reply_bulk(c->out, c->argv[2 + keys[i].at]);
        reply_flags(c->out, keys[i].flags);
    }
    return OK;
}
