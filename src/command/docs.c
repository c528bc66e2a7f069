/* docs: COMMAND DOCS, which tells what commands are for and which arguments they take. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/host.h"
#include "command/introspection.h"
#include "command/syntax.h"
#include "command/table.h"
#include "resp/reply.h"

static void reply_arguments(struct call *c, const struct argument *first);
static void reply_doc(struct call *c, const struct command *cmd);

/* Commands that should not be used any more, or never by applications. */
struct remark {
    const char *name;
    const char *flag;
    const char *since; /* of a deprecation, */
    const char *instead;
};

static const struct remark remarks[] = {
    {"debug", "syscmd", NULL, NULL},
    {"getset", "deprecated", "6.2.0", "`SET` with the `!GET` argument"},
    {"substr", "deprecated", "2.0.0", "`GETRANGE`"},
};

static const struct remark *
remark_on(const struct command *cmd)
{
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++) {
        if (strcmp(remarks[i].name, cmd->name) == 0)
            return &remarks[i];
    }
    return NULL;
}

static void
reply_text(struct call *c, const char *name, const char *text)
{
    reply_bulk_str(c->out, name);
    reply_bulk_str(c->out, text);
}

static void
reply_remark(struct call *c, const struct remark *r)
{
    reply_bulk_str(c->out, "doc_flags");
    reply_set(c->out, 1);
    reply_simple(c->out, r->flag);
    if (r->since == NULL)
        return;
    reply_text(c, "deprecated_since", r->since);
    reply_text(c, "replaced_by", r->instead);
}

static void
reply_bytes(struct call *c, const char *name, struct bytes text)
{
    reply_bulk_str(c->out, name);
    reply_bulk(c->out, text);
}

static void
reply_argument_flags(struct call *c, const struct argument *a)
{
    reply_bulk_str(c->out, "flags");
    reply_set(c->out, (size_t)a->optional + a->multiple + a->multiple_token);
    if (a->optional)
        reply_simple(c->out, "optional");
    if (a->multiple)
        reply_simple(c->out, "multiple");
    if (a->multiple_token)
        reply_simple(c->out, "multiple_token");
}

static bool
has_flags(const struct argument *a)
{
    return a->optional || a->multiple;
}

static void
reply_argument(struct call *c, const struct argument *a)
{
    reply_map(c->out, 2 + (size_t)(a->key_kind >= 0) + (a->token.data != NULL)
                          + (a->since.data != NULL) + (a->deprecated.data != NULL)
                          + has_flags(a) + (a->children != NULL));
    reply_bytes(c, "name", a->name);
    reply_bytes(c, "type", a->type);
    if (a->key_kind >= 0)
        reply_figure(c->out, "key_spec_index", a->key_kind);
    if (a->token.data != NULL)
        reply_bytes(c, "token", a->token);
    if (a->since.data != NULL)
        reply_bytes(c, "since", a->since);
    if (a->deprecated.data != NULL)
        reply_bytes(c, "deprecated_since", a->deprecated);
    if (has_flags(a))
        reply_argument_flags(c, a);
    if (a->children != NULL)
        reply_arguments(c, a->children);
}

static void
reply_arguments(struct call *c, const struct argument *first)
{
    reply_bulk_str(c->out, "arguments");
    reply_array(c->out, argument_count(first));
    for (const struct argument *a = first; a != NULL; a = a->next)
        reply_argument(c, a);
}

static void
reply_subcommands(struct call *c, const struct command *container, size_t count)
{
    reply_bulk_str(c->out, "subcommands");
    reply_map(c->out, count);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (command_is_sub_of(&commands[i], container))
            reply_doc(c, &commands[i]);
    }
}

/* A name and what it is for; a container's subcommands in the same way below it. */
static void
reply_doc(struct call *c, const struct command *cmd)
{
    const struct remark *remark = remark_on(cmd);
    const struct argument *arguments = syntax_arguments(cmd, c->scratch);
    size_t subs = introspection_subs(cmd), nremarks = 0;

    if (remark != NULL)
        nremarks = remark->since != NULL ? 3 : 1;
    reply_bulk(c->out, bytes_of(cmd->name, cmd->name_len));
    reply_map(c->out, 3 + nremarks + (arguments != NULL) + (subs > 0));
    reply_text(c, "summary", cmd->summary);
    reply_text(c, "since", cmd->since);
    reply_text(c, "group", cmd->group);
    if (remark != NULL)
        reply_remark(c, remark);
    if (arguments != NULL)
        reply_arguments(c, arguments);
    if (subs > 0)
        reply_subcommands(c, cmd, subs);
}

static void
reply_all_docs(struct call *c)
{
    reply_map(c->out, introspection_commands());
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (!command_is_sub(&commands[i]))
            reply_doc(c, &commands[i]);
    }
}

/* COMMAND DOCS [name ...]: what they are for; names that are none are left out. */
enum err
cmd_command_docs(struct call *c)
{
    const struct command_table *t = c->host->table;
    size_t found = 0;

    if (c->argc == 2) {
        reply_all_docs(c);
        return OK;
    }
    for (int i = 2; i < c->argc; i++)
        found += table_find_full(t, c->argv[i]) != NULL;
    reply_map(c->out, found);
    for (int i = 2; i < c->argc; i++) {
        const struct command *cmd = table_find_full(t, c->argv[i]);
        if (cmd != NULL)
            reply_doc(c, cmd);
    }
    return OK;
}
