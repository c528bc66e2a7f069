/* modules: MODULE, which tells that there are none. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/table.h"
#include "resp/reply.h"

/* MODULE LIST: none. */
enum err
cmd_module_list(struct call *c)
{
    reply_array(c->out, 0);
    return OK;
}

/* MODULE HELP: its subcommands. */
enum err
cmd_module_help(struct call *c)
{
    static const char *const lines[] = {
        "MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "LIST",
        "    List modules. keyvald has none.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
