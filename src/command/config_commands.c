/* config_commands: CONFIG. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/host.h"
#include "command/table.h"
#include "config/config.h"
#include "resp/reply.h"

static void
count_directive(void *arg, const char *name, struct bytes value)
{
    (void)name;
    (void)value;
    ++*(size_t *)arg;
}

static void
reply_directive(void *arg, const char *name, struct bytes value)
{
    struct reply *out = arg;

    reply_bulk_str(out, name);
    reply_bulk(out, value);
}

/* CONFIG GET pattern ...: directives and their values. */
enum err
cmd_config_get(struct call *c)
{
    const struct bytes *patterns = c->argv + 2;
    size_t npatterns = (size_t)c->argc - 2;
    size_t count = 0;

    config_get(c->host->config, patterns, npatterns, count_directive, &count);
    reply_map(c->out, count);
    config_get(c->host->config, patterns, npatterns, reply_directive, c->out);
    return OK;
}

/* CONFIG SET directive value ...: all of them or none. */
enum err
cmd_config_set(struct call *c)
{
    struct host *h = c->host;
    char error[CONFIG_ERROR_MAX];

    for (int i = 2; i + 1 < c->argc; i += 2) {
        if (arg_is(c, i, "requirepass"))
            arg_hide(c, i + 1);
    }
    if (c->argc % 2 != 0)
        return ERR_SYNTAX;
    if (config_set(h->config, c->argv + 2, (size_t)(c->argc - 2) / 2, h->reconfigure,
                   h->reconfigure_arg, error)
        != 0)
        return fail(c, "ERR %s", error);

    reply_ok(c->out);
    return OK;
}

/* CONFIG REWRITE: the file has the values that hold now. */
enum err
cmd_config_rewrite(struct call *c)
{
    char error[CONFIG_ERROR_MAX];

    if (config_rewrite(c->host->config, error) != 0)
        return fail(c, "ERR %s", error);

    reply_ok(c->out);
    return OK;
}

/* CONFIG RESETSTAT: the figures of INFO that only grow begin at zero again. */
enum err
cmd_config_resetstat(struct call *c)
{
    host_reset_stats(c->host);

    reply_ok(c->out);
    return OK;
}

/* CONFIG HELP: its subcommands. */
enum err
cmd_config_help(struct call *c)
{
    static const char *const lines[] = {
        "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET <pattern> [<pattern> ...]",
        "    Tell the directives that match a pattern, and their values.",
        "RESETSTAT",
        "    Let the figures of INFO begin at zero again.",
        "REWRITE",
        "    Write the values that hold now to the file keyvald was started with.",
        "SET <directive> <value> [<directive> <value> ...]",
        "    Change directives until the next start: all of them, or none.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
