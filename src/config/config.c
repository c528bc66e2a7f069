/*
 * config: the defaults, and what CONFIG GET and CONFIG SET do. What a value may be is
 * option.c's affair; how a file is read, load.c's.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/config.h"

#include "base/glob.h"
#include "base/mem.h"
#include "config/option_priv.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Takes the value of a CONFIG SET apart: only that of a list has more than one word. */
static int
set_value(struct config *c, const struct option *o, struct bytes value, char *reason)
{
    struct bytes words[CONFIG_LINE_ARGS];
    struct buf text = {0};
    int count, failed;

    if (!option_is_list(o))
        return option_set(c, o, &value, 1, reason);
    count = config_split(value, &text, words, CONFIG_LINE_ARGS - 1);
    if (count < 0)
        snprintf(reason, OPTION_REASON_MAX, "unbalanced quotes, or more than %d words",
                 CONFIG_LINE_ARGS - 1);
    failed = count < 0 ? -1 : option_set(c, o, words, count, reason);
    buf_deinit(&text);
    return failed;
}

static void
set_default(struct config *c, const struct option *o)
{
    struct bytes words[CONFIG_LINE_ARGS];
    char reason[OPTION_REASON_MAX];
    struct buf text = {0};
    int count = config_split(bytes_str(o->initial), &text, words, CONFIG_LINE_ARGS);
    int failed = option_set(c, o, words, count, reason);

    assert(failed == 0);
    buf_deinit(&text);
}

struct config *
config_new(void)
{
    struct config *c = xcalloc(1, sizeof(*c));
    const struct option *o;

    for (size_t i = 0; (o = option_at(i)) != NULL; i++)
        set_default(c, o);
    c->file = bytes_dup(bytes_str(""));
    return c;
}

static void
free_texts(struct config *c)
{
    const struct option *o;

    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        char **text = option_text(c, o);

        if (text != NULL)
            free(*text);
    }
    free(c->file);
}

void
config_free(struct config *c)
{
    if (c == NULL)
        return;
    free_texts(c);
    free(c);
}

/* Gives a config texts of its own in place of those it shares with its copy. */
static void
own_texts(struct config *c)
{
    const struct option *o;

    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        char **text = option_text(c, o);

        if (text != NULL)
            *text = bytes_dup(bytes_str(*text));
    }
    c->file = bytes_dup(bytes_str(c->file));
}

void
config_resolve_dir(struct config *c)
{
    char *absolute = realpath(c->dir, NULL);

    if (absolute == NULL)
        return;
    free(c->dir);
    c->dir = absolute;
}

/* How much of a client's word goes into an error: a whole one could be gigabytes. */
static int
shown(struct bytes word)
{
    return word.len < CONFIG_ERROR_MAX ? (int)word.len : CONFIG_ERROR_MAX;
}

static int
fail_set(char *error, struct bytes name, const char *reason)
{
    snprintf(error, CONFIG_ERROR_MAX,
             "CONFIG SET failed (possibly related to argument '%.*s') - %s", shown(name),
             name.data, reason);
    return -1;
}

static bool
is_chosen(const struct option *const *chosen, size_t count, const struct option *o)
{
    for (size_t i = 0; i < count; i++) {
        if (chosen[i] == o)
            return true;
    }
    return false;
}

/* Finds the rows of all pairs before any value is looked at. As each is there once,
 * chosen needs no more places than there are rows. */
static int
choose(const struct bytes *pairs, size_t count, const struct option **chosen, char *error)
{
    for (size_t i = 0; i < count; i++) {
        struct bytes name = pairs[2 * i];
        const struct option *o = option_find(name);

        if (o == NULL) {
            snprintf(error, CONFIG_ERROR_MAX,
                     "Unknown option or number of arguments for CONFIG SET - '%.*s'",
                     shown(name), name.data);
            return -1;
        }
        if (o->when == START)
            return fail_set(error, name, "can't set immutable config");
        if (is_chosen(chosen, i, o))
            return fail_set(error, name, "duplicate parameter");
        chosen[i] = o;
    }
    return 0;
}

static int
set_chosen(struct config *c, const struct bytes *pairs, size_t count,
           const struct option *const *chosen, char *error)
{
    char reason[OPTION_REASON_MAX];

    for (size_t i = 0; i < count; i++) {
        if (set_value(c, chosen[i], pairs[2 * i + 1], reason) != 0)
            return fail_set(error, bytes_str(chosen[i]->name), reason);
    }
    return 0;
}

int
config_set(struct config *c, const struct bytes *pairs, size_t count,
           config_changed_fn *changed, void *arg, char error[CONFIG_ERROR_MAX])
{
    const struct option *chosen[OPTION_COUNT];
    struct config old = *c;

    if (choose(pairs, count, chosen, error) != 0)
        return -1;
    own_texts(c);
    if (set_chosen(c, pairs, count, chosen, error) != 0
        || (changed != NULL && changed(arg, c, error) != 0)) {
        free_texts(c);
        *c = old;
        return -1;
    }
    free_texts(&old);
    return 0;
}

static bool
is_plain(struct bytes pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (strchr("*?[", pattern.data[i]) != NULL && pattern.data[i] != '\0')
            return false;
    }
    return true;
}

/* Finds the first pattern that matches. A name asked for without a pattern is answered in
 * the client's own spelling, as Redis does. */
static bool
find_name(const struct option *o, const struct bytes *patterns, size_t count,
          char name[OPTION_NAME_MAX])
{
    for (size_t i = 0; i < count; i++) {
        bool plain = is_plain(patterns[i]);

        if (plain && bytes_is(patterns[i], o->name)) {
            memcpy(name, patterns[i].data, patterns[i].len);
            name[patterns[i].len] = '\0';
            return true;
        }
        if (!plain && glob_match(patterns[i], bytes_str(o->name), true)) {
            memcpy(name, o->name, strlen(o->name) + 1);
            return true;
        }
    }
    return false;
}

void
config_get(const struct config *c, const struct bytes *patterns, size_t count,
           config_visit_fn *visit, void *arg)
{
    const struct option *o;
    char name[OPTION_NAME_MAX];
    struct buf value = {0};

    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        if (!find_name(o, patterns, count, name))
            continue;
        value.len = 0;
        option_print(c, o, &value);
        visit(arg, name, buf_bytes(&value));
    }
    buf_deinit(&value);
}

const char *
config_option_name(size_t index)
{
    const struct option *o = option_at(index);

    return o != NULL ? o->name : NULL;
}
