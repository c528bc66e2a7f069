/*
 * table: rows are found by hashing the lower-cased name into an array four times as
 * large as the table, with linear probing.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

#define SLOTS 1024 /* a power of two */

_Static_assert(COMMAND_COUNT * 4 <= SLOTS * 3, "the index has become too full");
_Static_assert(COMMAND_COUNT < UINT16_MAX, "slots have become too small");

const struct command commands[COMMAND_COUNT] = {
#define COMMAND(name, fn, ...) {name, sizeof name - 1, fn, __VA_ARGS__},
#include "command/commands.def"
#undef COMMAND
};

struct command_table {
    uint16_t slots[SLOTS]; /* a row's number plus one; 0: empty */
};

static unsigned
hash(const char *name, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)name[i]) * 16777619u;
    return (h ^ h >> 15) & (SLOTS - 1);
}

struct command_table *
table_new(void)
{
    struct command_table *t = xcalloc(1, sizeof *t);

    for (int i = 0; i < COMMAND_COUNT; i++) {
        unsigned at = hash(commands[i].name, commands[i].name_len);
        while (t->slots[at] != 0)
            at = (at + 1) & (SLOTS - 1);
        t->slots[at] = (uint16_t)(i + 1);
    }
    return t;
}

void
table_free(struct command_table *t)
{
    free(t);
}

static const struct command *
find(const struct command_table *t, const char *name, size_t len)
{
    for (unsigned at = hash(name, len); t->slots[at] != 0; at = (at + 1) & (SLOTS - 1)) {
        const struct command *cmd = &commands[t->slots[at] - 1];
        if (cmd->name_len == len && memcmp(cmd->name, name, len) == 0)
            return cmd;
    }
    return NULL;
}

/* Writes the name in lower case; false for one that no row can have. */
static bool
lower(char *to, size_t room, struct bytes name)
{
    if (name.len > room)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.data[i];
        if (ch == '|')
            return false;
        to[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch | 0x20) : ch;
    }
    return true;
}

const struct command *
table_find(const struct command_table *t, struct bytes name)
{
    char text[COMMAND_NAME_MAX];

    return lower(text, sizeof text, name) ? find(t, text, name.len) : NULL;
}

const struct command *
table_find_sub(const struct command_table *t, const struct command *container,
               struct bytes name)
{
    char text[COMMAND_NAME_MAX];
    size_t len = container->name_len + 1;

    assert(len < sizeof text);
    memcpy(text, container->name, container->name_len);
    text[len - 1] = '|';
    if (!lower(text + len, sizeof text - len, name))
        return NULL;
    return find(t, text, len + name.len);
}

const struct command *
table_find_full(const struct command_table *t, struct bytes name)
{
    const char *bar = name.len > 0 ? memchr(name.data, '|', name.len) : NULL;
    if (bar == NULL)
        return table_find(t, name);

    size_t len = (size_t)(bar - name.data);
    const struct command *container = table_find(t, bytes_of(name.data, len));
    if (container == NULL)
        return NULL;
    return table_find_sub(t, container, bytes_of(bar + 1, name.len - len - 1));
}

bool
command_is_sub(const struct command *cmd)
{
    return memchr(cmd->name, '|', cmd->name_len) != NULL;
}

bool
command_is_sub_of(const struct command *cmd, const struct command *container)
{
    return cmd->name_len > container->name_len && cmd->name[container->name_len] == '|'
           && memcmp(cmd->name, container->name, container->name_len) == 0;
}

bool
command_takes(const struct command *cmd, int argc)
{
    return cmd->arity >= 0 ? argc == cmd->arity : argc >= -cmd->arity;
}

int
command_nkeys(const struct command *cmd, int argc)
{
    if (cmd->first == 0)
        return 0;
    int last = cmd->last < 0 ? argc + cmd->last : cmd->last;
    return last < cmd->first ? 0 : (last - cmd->first) / cmd->step + 1;
}

/* A container without a subcommand is refused for its arity. */
enum err
cmd_container(struct call *c)
{
    panic("'%s' was called without a subcommand", c->command->name);
}
