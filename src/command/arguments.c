/* arguments: see arguments.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"

#include <assert.h>
#include <ctype.h>

#include "base/number.h"
#include "command/host.h"
#include "command/notify.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

#define ECHOED_MAX 128 /* bytes of a wrong name told back */

bool
arg_is(const struct call *c, int i, const char *word)
{
    assert(i < c->argc);
    return bytes_is(c->argv[i], word);
}

enum err
arg_int(const struct call *c, int i, int64_t *number)
{
    assert(i < c->argc);
    return number_parse(c->argv[i], number) ? OK : ERR_NOT_INTEGER;
}

struct entry *
arg_entry(struct call *c, int i)
{
    assert(i < c->argc);
    return store_find(c->store, c->argv[i], c->now);
}

static struct entry *
count_read(struct call *c, struct entry *e)
{
    if (e != NULL)
        c->host->hits++;
    else
        c->host->misses++;
    return e;
}

static struct entry *
tell_read(struct call *c, int i, struct entry *e)
{
    if (e == NULL)
        notify(c, NOTIFY_MISS, "keymiss", c->argv[i]);
    return count_read(c, e);
}

struct entry *
arg_read(struct call *c, int i)
{
    return tell_read(c, i, arg_entry(c, i));
}

struct entry *
arg_inspect(struct call *c, int i)
{
    assert(i < c->argc);
    return count_read(c, store_peek(c->store, c->argv[i], c->now));
}

struct entry *
arg_peek(struct call *c, int i)
{
    assert(i < c->argc);
    return tell_read(c, i, store_peek(c->store, c->argv[i], c->now));
}

enum err
check_type(const struct entry *e, enum type type)
{
    return e == NULL || entry_type(e) == type ? OK : ERR_TYPE;
}

enum err
deadline_after(struct call *c, int64_t amount, int64_t unit_ms, int64_t base,
               int64_t *deadline)
{
    int64_t ms;

    if (__builtin_mul_overflow(amount, unit_ms, &ms)
        || __builtin_add_overflow(ms, base, deadline))
        return fail_expire_time(c);
    return OK;
}

enum err
fail_expire_time(struct call *c)
{
    return fail(c, "ERR invalid expire time in '%s' command", c->command->name);
}

enum err
fail_subcommand(struct call *c)
{
    char name[COMMAND_NAME_MAX] = "";
    size_t len = strcspn(c->command->name, "|");
    int shown = c->argv[1].len < ECHOED_MAX ? (int)c->argv[1].len : ECHOED_MAX;

    assert(len < sizeof name);
    for (size_t i = 0; i < len; i++)
        name[i] = (char)toupper((unsigned char)c->command->name[i]);
    return fail(c,
                "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s "
                "HELP.",
                shown, c->argv[1].data, name);
}

void
reply_help(struct call *c, const char *const *lines)
{
    size_t count = 0;

    while (lines[count] != NULL)
        count++;
    reply_array(c->out, count);
    for (size_t i = 0; i < count; i++)
        reply_simple(c->out, lines[i]);
}
