/* introspection: COMMAND, which prints the table. DOCS and GETKEYS have files of their own. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/arena.h"
#include "base/glob.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/introspection.h"
#include "command/syntax.h"
#include "command/table.h"
#include "resp/reply.h"

struct word {
    unsigned bit;
    const char *text;
};

static void
reply_words(struct call *c, const struct word *words, size_t nwords, unsigned bits)
{
    size_t count = 0;

    for (size_t i = 0; i < nwords; i++)
        count += (bits & words[i].bit) != 0;
    reply_set(c->out, count);
    for (size_t i = 0; i < nwords; i++) {
        if (bits & words[i].bit)
            reply_simple(c->out, words[i].text);
    }
}

static const struct word flag_words[] = {
    {CMD_WRITE, "write"},
    {CMD_READ, "readonly"},
    {CMD_GROWS, "denyoom"},
    {CMD_ADMIN, "admin"},
    {CMD_PUBSUB, "pubsub"},
    {CMD_NOSCRIPT, "noscript"},
    {CMD_LOADING, "loading"},
    {CMD_STALE, "stale"},
    {CMD_SKIP_SLOWLOG, "skip_slowlog"},
    {CMD_FAST, "fast"},
    {CMD_NO_AUTH, "no_auth"},
    {CMD_NO_ASYNC_LOADING, "no_async_loading"},
    {CMD_NO_MULTI, "no_multi"},
    {CMD_ALLOW_BUSY, "allow_busy"},
    {CMD_MOVABLE, "movablekeys"},
};

/* The categories that follow from flags have bits above those of the table. */
enum { ACL_READ = 1 << 16, ACL_WRITE = 1 << 17, ACL_FAST = 1 << 19, ACL_SLOW = 1 << 20 };

static const struct word category_words[] = {
    {ACL_KEYSPACE, "@keyspace"},
    {ACL_READ, "@read"},
    {ACL_WRITE, "@write"},
    {ACL_SET, "@set"},
    {ACL_SORTEDSET, "@sortedset"},
    {ACL_LIST, "@list"},
    {ACL_STRING, "@string"},
    {ACL_BITMAP, "@bitmap"},
    {ACL_HYPERLOGLOG, "@hyperloglog"},
    {ACL_PUBSUB, "@pubsub"},
    {ACL_ADMIN, "@admin"},
    {ACL_FAST, "@fast"},
    {ACL_SLOW, "@slow"},
    {ACL_DANGEROUS, "@dangerous"},
    {ACL_CONNECTION, "@connection"},
    {ACL_TRANSACTION, "@transaction"},
};

#define WORDS(array) (array), sizeof(array) / sizeof *(array)

static unsigned
categories(const struct command *cmd)
{
    unsigned bits = cmd->categories;

    bits |= cmd->flags & CMD_READ ? ACL_READ : 0;
    bits |= cmd->flags & CMD_WRITE ? ACL_WRITE : 0;
    bits |= cmd->flags & CMD_ADMIN ? ACL_ADMIN : 0;
    bits |= cmd->flags & CMD_FAST ? ACL_FAST : ACL_SLOW;
    return bits;
}

size_t
introspection_subs(const struct command *container)
{
    size_t count = 0;

    for (int i = 0; i < COMMAND_COUNT; i++)
        count += command_is_sub_of(&commands[i], container);
    return count;
}

void
reply_flags(struct reply *out, struct bytes words)
{
    struct bytes word;

    reply_set(out, syntax_count_words(words));
    while (syntax_next_word(&words, &word))
        reply_simple_bytes(out, word);
}

static void
reply_tips(struct call *c, struct bytes tips)
{
    struct bytes tip;

    reply_set(c->out, syntax_count_words(tips));
    while (syntax_next_word(&tips, &tip))
        reply_bulk(c->out, tip);
}

static void
reply_pair(struct call *c, const char *name, int64_t number)
{
    reply_bulk_str(c->out, name);
    reply_int(c->out, number);
}

/* What a search is, and the head of what it needs. */
static void
reply_search(struct call *c, const char *name, const char *type, size_t npairs)
{
    reply_bulk_str(c->out, name);
    reply_map(c->out, 2);
    reply_bulk_str(c->out, "type");
    reply_bulk_str(c->out, type);
    reply_bulk_str(c->out, "spec");
    reply_map(c->out, npairs);
}

static void
reply_range(struct call *c, int64_t last, int64_t step)
{
    reply_search(c, "find_keys", "range", 3);
    reply_pair(c, "lastkey", last);
    reply_pair(c, "keystep", step);
    reply_pair(c, "limit", 0);
}

static void
reply_word(struct call *c, const struct key_kind *kind)
{
    reply_search(c, "begin_search", "keyword", 2);
    reply_bulk_str(c->out, "keyword");
    reply_bulk(c->out, kind->word);
    reply_pair(c, "startfrom", kind->word_from);
    reply_range(c, -1, 1);
}

/* Where keys are: the first, and from there on the last. */
static void
reply_key_kind(struct call *c, const struct key_kind *kind)
{
    reply_map(c->out, 3);
    reply_bulk_str(c->out, "flags");
    reply_flags(c->out, kind->flags);
    if (kind->word.len > 0) {
        reply_word(c, kind);
        return;
    }
    if (!kind->is_placed) {
        reply_search(c, "begin_search", "unknown", 0);
        reply_search(c, "find_keys", "unknown", 0);
        return;
    }
    reply_search(c, "begin_search", "index", 1);
    reply_pair(c, "index", kind->first);
    reply_range(c, kind->last < 0 ? kind->last : kind->last - kind->first, kind->step);
}

static void
reply_key_kinds(struct call *c, const struct command *cmd)
{
    struct key_kind kinds[KEY_KINDS_MAX];
    size_t count = syntax_key_kinds(cmd, kinds);

    reply_set(c->out, count);
    for (size_t i = 0; i < count; i++)
        reply_key_kind(c, &kinds[i]);
}

static void
reply_row(struct call *c, const struct command *cmd)
{
    reply_array(c->out, 10);
    reply_bulk(c->out, bytes_of(cmd->name, cmd->name_len));
    reply_int(c->out, cmd->arity);
    reply_words(c, WORDS(flag_words), cmd->flags);
    reply_int(c->out, cmd->first);
    reply_int(c->out, cmd->last);
    reply_int(c->out, cmd->step);
    reply_words(c, WORDS(category_words), categories(cmd));
    reply_tips(c, bytes_str(syntax_of(cmd)->tips));
    reply_key_kinds(c, cmd);
}

/* A row and, as its tenth element, its subcommands' rows. */
static void
reply_command(struct call *c, const struct command *cmd)
{
    size_t subs = introspection_subs(cmd);

    reply_row(c, cmd);
    if (subs == 0)
        reply_set(c->out, 0);
    else
        reply_array(c->out, subs);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (!command_is_sub_of(&commands[i], cmd))
            continue;
        reply_row(c, &commands[i]);
        reply_set(c->out, 0);
    }
}

size_t
introspection_commands(void)
{
    size_t count = 0;

    for (int i = 0; i < COMMAND_COUNT; i++)
        count += !command_is_sub(&commands[i]);
    return count;
}

/* COMMAND: every row. */
enum err
cmd_command(struct call *c)
{
    reply_array(c->out, introspection_commands());
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (!command_is_sub(&commands[i]))
            reply_command(c, &commands[i]);
    }
    return OK;
}

/* COMMAND COUNT: how many there are, without subcommands. */
enum err
cmd_command_count(struct call *c)
{
    reply_int(c->out, (int64_t)introspection_commands());
    return OK;
}

/* COMMAND INFO [name ...]: rows; null for a name that is none. */
enum err
cmd_command_info(struct call *c)
{
    if (c->argc == 2)
        return cmd_command(c);

    reply_array(c->out, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        const struct command *cmd = table_find_full(c->host->table, c->argv[i]);
        if (cmd != NULL)
            reply_command(c, cmd);
        else
            reply_null(c->out);
    }
    return OK;
}

/* What COMMAND LIST leaves out. */
struct filter {
    unsigned categories;   /* 0: all */
    struct bytes *pattern; /* NULL: all */
    bool nothing;          /* a category or module that is not there */
};

static unsigned
category_named(struct bytes name)
{
    for (size_t i = 0; i < sizeof category_words / sizeof *category_words; i++) {
        if (bytes_is(name, category_words[i].text + 1))
            return category_words[i].bit;
    }
    return 0;
}

static enum err
read_filter(struct call *c, struct filter *f)
{
    if (c->argc == 2)
        return OK;
    if (c->argc != 5 || !arg_is(c, 2, "FILTERBY"))
        return ERR_SYNTAX;
    if (arg_is(c, 3, "PATTERN")) {
        f->pattern = arena_alloc(c->scratch, sizeof *f->pattern);
        *f->pattern = c->argv[4];
    } else if (arg_is(c, 3, "ACLCAT")) {
        f->categories = category_named(c->argv[4]);
        f->nothing = f->categories == 0;
    } else if (arg_is(c, 3, "MODULE")) {
        f->nothing = true;
    } else {
        return ERR_SYNTAX;
    }
    return OK;
}

static bool
passes(const struct filter *f, const struct command *cmd)
{
    if (f->nothing || (f->categories != 0 && !(categories(cmd) & f->categories)))
        return false;
    return f->pattern == NULL
           || glob_match(*f->pattern, bytes_of(cmd->name, cmd->name_len), true);
}

/* COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]: names. */
enum err
cmd_command_list(struct call *c)
{
    struct filter f = {0};
    size_t count = 0;

    TRY(read_filter(c, &f));
    for (int i = 0; i < COMMAND_COUNT; i++)
        count += passes(&f, &commands[i]);
    reply_array(c->out, count);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (passes(&f, &commands[i]))
            reply_bulk(c->out, bytes_of(commands[i].name, commands[i].name_len));
    }
    return OK;
}

/* COMMAND HELP: its subcommands. */
enum err
cmd_command_help(struct call *c)
{
    static const char *const lines[] = {
        "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "(no subcommand)",
        "    Describe every command.",
        "COUNT",
        "    Tell how many commands there are.",
        "DOCS [<command-name> ...]",
        "    Tell what commands are for; all of them if none is named.",
        "GETKEYS <full-command>",
        "    Tell which arguments of a request are keys.",
        "GETKEYSANDFLAGS <full-command>",
        "    The same, and what happens to them.",
        "INFO [<command-name> ...]",
        "    Describe commands; all of them if none is named.",
        "LIST [FILTERBY ACLCAT <category> | MODULE <name> | PATTERN <pattern>]",
        "    List the names of commands.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
