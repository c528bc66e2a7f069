/*
 * redis: what commands.def and syntax.def say of a command that Redis has too, Redis says
 * as well: COMMAND INFO and COMMAND DOCS are compared row by row. Texts for people are
 * our own.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/table.h" /* before cmocka, which has a macro of fail's name */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/daemon.h"
#include "lib/engine.h"
#include <stdio.h>

#define WORDS_MAX     3
#define SUBCOMMANDS   9 /* where COMMAND INFO has them */
#define INFO_ELEMENTS 10

struct fixture {
    struct engine *ours;
    struct daemon *daemon;
    struct client *theirs;
};

static void
ask(struct fixture *f, const char *const *words, struct answer *ours,
    struct answer *theirs)
{
    struct bytes argv[WORDS_MAX];
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = bytes_str(words[argc]);
    assert_true(engine_command(f->ours, 'a', argv, argc, ours));
    assert_true(client_command(f->theirs, argv, argc, theirs));
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int
setup(void **state)
{
    static struct fixture f;
    struct answer ours, theirs;

    f.ours = engine_new(NULL);
    f.daemon = daemon_new(DAEMON_REDIS, NULL);
    daemon_start(f.daemon);
    f.theirs = daemon_client(f.daemon);
    ask(&f, WORDS("HELLO", "3"), &ours, &theirs);
    answer_deinit(&ours);
    answer_deinit(&theirs);
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    client_close(f->theirs);
    daemon_free(f->daemon);
    engine_free(f->ours);
    return 0;
}

static bool
says(const struct answer *a, const char *text)
{
    return a->text != NULL && strcmp(a->text, text) == 0;
}

/* The value of a name in a map, NULL for none. */
static const struct answer *
value_of(const struct answer *map, const char *name)
{
    for (size_t i = 0; i + 1 < map->nitems; i += 2) {
        if (says(&map->items[i], name))
            return &map->items[i + 1];
    }
    return NULL;
}

/* What is written for people, and may be left out. */
static bool
is_prose(const struct answer *name)
{
    return says(name, "summary") || says(name, "complexity") || says(name, "history")
           || says(name, "notes");
}

static bool same(const struct answer *a, const struct answer *b);

/* Whether all that b says and is no prose, a says too. */
static bool
says_all_of(const struct answer *a, const struct answer *b)
{
    for (size_t i = 0; i + 1 < b->nitems; i += 2) {
        if (is_prose(&b->items[i]) || says(&b->items[i], "subcommands"))
            continue;
        const struct answer *value = value_of(a, b->items[i].text);
        if (value == NULL || !same(value, &b->items[i + 1]))
            return false;
    }
    return true;
}

static bool
same(const struct answer *a, const struct answer *b)
{
    if (a->kind != b->kind || a->null != b->null)
        return false;
    if (a->kind == '%')
        return says_all_of(a, b) && says_all_of(b, a);
    if (a->nitems != b->nitems || (a->text == NULL) != (b->text == NULL)
        || (a->text != NULL && strcmp(a->text, b->text) != 0))
        return false;
    for (size_t i = 0; i < a->nitems; i++) {
        if (!same(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

static void
print(const char *whose, const struct answer *a)
{
    struct buf text = {0};

    answer_print(a, &text);
    print_error("  %s:\n%.*s", whose, (int)text.len, text.data);
    buf_deinit(&text);
}

static bool
compare(const char *name, const char *what, const struct answer *ours,
        const struct answer *theirs)
{
    if (same(ours, theirs))
        return true;
    print_error("%s: %s differs\n", name, what);
    print("ours", ours);
    print("Redis's", theirs);
    return false;
}

/* All of a row but its subcommands, which are rows of their own. */
static bool
compare_info(const char *name, const struct answer *ours, const struct answer *theirs)
{
    static const char *const elements[] = {"name",       "arity",    "flags",
                                           "first key",  "last key", "step",
                                           "categories", "tips",     "keys"};
    bool equal = true;

    assert_int_equal(ours->nitems, INFO_ELEMENTS);
    assert_int_equal(theirs->nitems, INFO_ELEMENTS);
    for (int i = 0; i < SUBCOMMANDS; i++)
        equal &= compare(name, elements[i], &ours->items[i], &theirs->items[i]);
    return equal;
}

static void
test_redis_tells_the_same_of_commands_it_has(void **state)
{
    int ncompared = 0, ndiffer = 0;

    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *name = commands[i].name;
        struct answer ours, theirs;
        ask(*state, WORDS("COMMAND", "INFO", name), &ours, &theirs);
        if (!theirs.items[0].null) {
            ndiffer += !compare_info(name, &ours.items[0], &theirs.items[0]);
            ncompared++;
        }
        answer_deinit(&ours);
        answer_deinit(&theirs);
    }
    assert_true(ncompared > 50);
    assert_int_equal(ndiffer, 0);
}

static void
test_redis_documents_the_same_of_commands_it_has(void **state)
{
    int ncompared = 0, ndiffer = 0;

    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *name = commands[i].name;
        struct answer ours, theirs;
        ask(*state, WORDS("COMMAND", "DOCS", name), &ours, &theirs);
        if (theirs.nitems > 0) {
            ndiffer += !compare(name, "the document", &ours.items[1], &theirs.items[1]);
            ncompared++;
        }
        answer_deinit(&ours);
        answer_deinit(&theirs);
    }
    assert_true(ncompared > 50);
    assert_int_equal(ndiffer, 0);
}

/* The name of a line "name:value" of INFO, NULL for others. */
static char *
name_on(char *line)
{
    char *colon = strchr(line, ':');

    if (colon == NULL)
        return NULL;
    *colon = '\0';
    return line;
}

/* What there is of these is a matter of what happened. */
static bool
is_of_redis_alone(const char *name)
{
    return strncmp(name, "cmdstat_", 8) == 0 || strncmp(name, "latency_", 8) == 0
           || strncmp(name, "errorstat_", 10) == 0;
}

static void
test_redis_tells_no_figure_that_is_missing(void **state)
{
    struct answer ours, theirs;
    char wanted[128], *rest = NULL;
    int nmissing = 0, nnames = 0;

    ask(*state, WORDS("INFO", "everything"), &ours, &theirs);
    for (char *line = strtok_r(theirs.text, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest)) {
        const char *name = name_on(line);
        if (name == NULL || is_of_redis_alone(name))
            continue;
        nnames++;
        snprintf(wanted, sizeof wanted, "\r\n%s:", name);
        if (strstr(ours.text, wanted) == NULL) {
            print_error("INFO has no %s\n", name);
            nmissing++;
        }
    }
    answer_deinit(&ours);
    answer_deinit(&theirs);
    assert_true(nnames > 100);
    assert_int_equal(nmissing, 0);
}

/* Whether two maps have the same names in the same order, and maps below the same ones. */
static bool
has_names_of(const struct answer *a, const struct answer *b)
{
    if (a->kind != b->kind || a->nitems != b->nitems)
        return false;
    for (size_t i = 0; i + 1 < a->nitems; i += 2) {
        if (!same(&a->items[i], &b->items[i]))
            return false;
        if (b->items[i + 1].kind == '%'
            && !has_names_of(&a->items[i + 1], &b->items[i + 1]))
            return false;
    }
    return true;
}

static void
test_redis_names_the_figures_of_memory_in_the_same_way(void **state)
{
    struct answer ours, theirs;

    ask(*state, WORDS("SET", "k", "v"), &ours, &theirs);
    answer_deinit(&ours);
    answer_deinit(&theirs);
    ask(*state, WORDS("MEMORY", "STATS"), &ours, &theirs);
    assert_non_null(value_of(&ours, "db.0"));
    assert_true(has_names_of(&ours, &theirs));
    assert_true(same(value_of(&ours, "keys.count"), value_of(&theirs, "keys.count")));
    answer_deinit(&ours);
    answer_deinit(&theirs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redis_tells_the_same_of_commands_it_has),
        cmocka_unit_test(test_redis_documents_the_same_of_commands_it_has),
        cmocka_unit_test(test_redis_tells_no_figure_that_is_missing),
        cmocka_unit_test(test_redis_names_the_figures_of_memory_in_the_same_way),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
