/* info: INFO, the server's figures by section. A section is a row and a function. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/info.h"

#include "command/arguments.h"
#include "command/table.h"
#include "resp/reply.h"

struct section {
    const char *name;
    info_fn *write;
    bool by_default; /* is told when no section was asked for */
};

static const struct section sections[] = {
    {"Server", info_server, true},
    {"Clients", info_clients, true},
    {"Memory", info_memory, true},
    {"Persistence", info_persistence, true},
    {"Stats", info_stats, true},
    {"Replication", info_replication, true},
    {"CPU", info_cpu, true},
    {"Modules", info_modules, true},
    {"Commandstats", info_commandstats, false},
    {"Errorstats", info_errorstats, true},
    {"Latencystats", info_latencystats, false},
    {"Cluster", info_cluster, true},
    {"Keyspace", info_keyspace, true},
    {"Stores", info_stores, false},
};

static bool
is_asked_for(const struct call *c, const struct section *s)
{
    if (c->argc == 1)
        return s->by_default;
    for (int i = 1; i < c->argc; i++) {
        if (arg_is(c, i, "all") || arg_is(c, i, "everything") || arg_is(c, i, s->name))
            return true;
        if (arg_is(c, i, "default") && s->by_default)
            return true;
    }
    return false;
}

/* INFO [section ...]: text of "name:value" lines below "# Section" lines. */
enum err
cmd_info(struct call *c)
{
    struct buf text = {0};

    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (!is_asked_for(c, &sections[i]))
            continue;
        buf_printf(&text, "%s# %s\r\n", text.len > 0 ? "\r\n" : "", sections[i].name);
        sections[i].write(c, &text);
    }
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    return OK;
}
