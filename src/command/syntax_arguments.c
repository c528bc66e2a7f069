/*
 * syntax_arguments: the arguments' notation of syntax.def to a tree, each time somebody
 * asks. It is read by a function for each line of
 *
 *   sequence  item item ...
 *   choice    sequence | sequence | ...
 *   item      [choice], [choice]... or term
 *   term      name=WORD value and suffixes; one of WORD and value is enough
 *   value     name or (choice)
 *
 * What is wrong in the notation is our mistake, so it asserts.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "command/syntax.h"

/* What a name is made of. */
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-_:/"

struct notation {
    const char *at;
    struct arena *arena;
    int nkinds, next_kind;
};

static struct argument *parse_sequence(struct notation *p);

static bool
take(struct notation *p, const char *text)
{
    size_t len = strlen(text);
    bool found = strncmp(p->at, text, len) == 0;

    if (found)
        p->at += len;
    return found;
}

static void
skip_blanks(struct notation *p)
{
    p->at += strspn(p->at, " ");
}

static struct bytes
take_run(struct notation *p, const char *chars)
{
    struct bytes run = bytes_of(p->at, strspn(p->at, chars));

    assert(run.len > 0);
    p->at += run.len;
    return run;
}

static struct bytes
take_name(struct notation *p)
{
    return take_run(p, NAME_CHARS);
}

static struct bytes
take_capitals(struct notation *p)
{
    return take_run(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
}

/* Dots behind it are not its own. */
static struct bytes
take_version(struct notation *p)
{
    struct bytes version = take_run(p, "0123456789.");

    while (version.data[version.len - 1] == '.') {
        version.len--;
        p->at--;
    }
    return version;
}

static bool
is_one_of(struct bytes name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (bytes_eq(name, bytes_str(*names)))
            return true;
    }
    return false;
}

/* What a value of that name is, where it is not said. */
static struct bytes
implied_type(struct bytes name)
{
    static const char *const keys[] = {"key",    "key1",        "key2",
                                       "newkey", "destkey",     "sourcekey",
                                       "source", "destination", NULL};
    static const char *const integers[] = {
        "seconds",   "milliseconds",   "offset", "start",     "end",
        "increment", "decrement",      "bit",    "count",     "cursor",
        "timeout",   "numreplicas",    "port",   "client-id", "protover",
        "ttl",       "frequency",      "index",  "index1",    "index2",
        "db",        "destination-db", NULL};

    if (is_one_of(name, keys))
        return bytes_str("key");
    if (is_one_of(name, integers))
        return bytes_str("integer");
    if (bytes_eq(name, bytes_str("pattern")))
        return name;
    bool is_time = name.len > 9 && memcmp(name.data, "unix-time", 9) == 0;
    return bytes_str(is_time ? "unix-time" : "string");
}

/* "key" and "value" to "key_value". */
static struct bytes
joined_name(struct notation *p, const struct argument *children)
{
    size_t len = 0;
    for (const struct argument *a = children; a != NULL; a = a->next)
        len += a->name.len + 1;
    char *text = arena_alloc(p->arena, len), *to = text;

    for (const struct argument *a = children; a != NULL; a = a->next) {
        memcpy(to, a->name.data, a->name.len);
        to += a->name.len;
        *to++ = '_';
    }
    return bytes_of(text, len - 1);
}

static struct bytes
lower_case(struct notation *p, struct bytes word)
{
    char *text = arena_alloc(p->arena, word.len);

    for (size_t i = 0; i < word.len; i++)
        text[i] = (char)tolower((unsigned char)word.data[i]);
    return bytes_of(text, word.len);
}

static struct argument *
new_argument(struct notation *p)
{
    struct argument *a = arena_alloc(p->arena, sizeof *a);

    *a = (struct argument){.key_kind = -1};
    return a;
}

static void
make_group(struct notation *p, struct argument *a, struct argument *children,
           const char *type)
{
    a->children = children;
    a->type = bytes_str(type);
    if (a->name.data == NULL)
        a->name = joined_name(p, children);
}

/* Several in a sequence are one where one is wanted. */
static struct argument *
as_one(struct notation *p, struct argument *sequence)
{
    if (sequence->next == NULL)
        return sequence;
    struct argument *block = new_argument(p);
    make_group(p, block, sequence, "block");
    return block;
}

/* Up to the bracket that ends it: one of several where there is a '|', otherwise a
 * sequence. */
static struct argument *
parse_choice(struct notation *p, const char *end, bool *is_choice)
{
    struct argument *first = parse_sequence(p), *last;

    *is_choice = *p->at == '|';
    if (*is_choice)
        first = as_one(p, first);
    last = first;
    while (take(p, "|")) {
        last->next = as_one(p, parse_sequence(p));
        last = last->next;
    }
    bool ended = take(p, end);
    assert(ended);
    return first;
}

static void
parse_value(struct notation *p, struct argument *a)
{
    bool is_choice;

    if (take(p, "(")) {
        struct argument *children = parse_choice(p, ")", &is_choice);
        make_group(p, a, children, is_choice ? "oneof" : "block");
        return;
    }
    struct bytes name = take_name(p);
    if (a->name.data == NULL)
        a->name = name;
    a->type = implied_type(name);
}

static void
parse_suffixes(struct notation *p, struct argument *a)
{
    if (take(p, "{")) {
        a->type = take_name(p);
        bool ended = take(p, "}");
        assert(ended);
    }
    if (bytes_eq(a->type, bytes_str("key"))) {
        a->key_kind = p->next_kind < p->nkinds ? p->next_kind : p->nkinds - 1;
        p->next_kind++;
    }
    if (take(p, "#"))
        a->key_kind = atoi(take_run(p, "0123456789").data);
    if (take(p, "@"))
        a->since = take_version(p);
    if (take(p, "!"))
        a->deprecated = take_version(p);
    a->multiple = take(p, "...");
}

static bool
stands_for_itself(const struct notation *p)
{
    return isupper((unsigned char)*p->at);
}

/* Whether a name with a '=' stands here. */
static bool
is_named(const struct notation *p)
{
    return p->at[strspn(p->at, NAME_CHARS)] == '=';
}

static struct argument *
parse_term(struct notation *p)
{
    struct argument *a = new_argument(p);

    if (is_named(p)) {
        a->name = take_name(p);
        p->at++;
    }
    if (stands_for_itself(p)) {
        a->token = take_capitals(p);
        if (*p->at == ' ' && (p->at[1] == '(' || islower((unsigned char)p->at[1])))
            p->at++;
    }
    if (*p->at == '(' || islower((unsigned char)*p->at)) {
        parse_value(p, a);
    } else {
        if (take(p, "''"))
            a->token = bytes_str("");
        a->type = bytes_str("pure-token");
        if (a->name.data == NULL)
            a->name = lower_case(p, a->token);
    }
    parse_suffixes(p, a);
    return a;
}

static struct argument *
parse_item(struct notation *p)
{
    struct argument *a;
    bool is_choice;

    if (!take(p, "["))
        return parse_term(p);
    struct argument *inside = parse_choice(p, "]", &is_choice);
    if (is_choice) {
        a = new_argument(p);
        make_group(p, a, inside, "oneof");
    } else {
        a = as_one(p, inside);
    }
    a->optional = true;
    if (take(p, "..."))
        a->multiple = a->multiple_token = true;
    return a;
}

static struct argument *
parse_sequence(struct notation *p)
{
    struct argument *first = NULL, **place = &first;

    skip_blanks(p);
    while (*p->at != '\0' && strchr("|)]", *p->at) == NULL) {
        *place = parse_item(p);
        place = &(*place)->next;
        skip_blanks(p);
    }
    return first;
}

struct argument *
syntax_arguments(const struct command *cmd, struct arena *arena)
{
    struct key_kind kinds[KEY_KINDS_MAX];
    struct notation p = {.at = syntax_of(cmd)->arguments, .arena = arena};

    p.nkinds = (int)syntax_key_kinds(cmd, kinds);
    struct argument *first = parse_sequence(&p);
    assert(*p.at == '\0');
    return first;
}

size_t
argument_count(const struct argument *first)
{
    size_t count = 0;

    for (; first != NULL; first = first->next)
        count++;
    return count;
}
