/* syntax: how the notation of syntax.def is read. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/syntax.h"
#include "command/table.h" /* before cmocka, which has a macro of fail's name */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"

static const struct command *
row(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    fail_msg("%s is no command", name);
    return NULL;
}

static void
assert_text(struct bytes text, const char *expected)
{
    assert_non_null(text.data);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

static void
test_syntax_of_a_command_without_arguments_is_empty(void **state)
{
    struct arena arena = {0};

    (void)state;
    assert_null(syntax_arguments(row("exec"), &arena));
    arena_deinit(&arena);
}

static void
test_syntax_reads_words_values_and_choices(void **state)
{
    struct arena arena = {0};

    (void)state;
    const struct argument *a = syntax_arguments(row("set"), &arena);
    assert_int_equal(argument_count(a), 5);
    assert_text(a->name, "key");
    assert_text(a->type, "key");
    assert_int_equal(a->key_kind, 0);
    assert_false(a->optional);
    a = a->next;
    assert_text(a->name, "value");
    assert_text(a->type, "string");
    assert_int_equal(a->key_kind, -1);
    a = a->next;
    assert_text(a->name, "condition");
    assert_text(a->type, "oneof");
    assert_text(a->since, "2.6.12");
    assert_true(a->optional);
    assert_false(a->multiple);
    assert_int_equal(argument_count(a->children), 2);
    assert_text(a->children->name, "nx");
    assert_text(a->children->type, "pure-token");
    assert_text(a->children->token, "NX");
    a = a->next->next;
    assert_text(a->children->name, "seconds");
    assert_text(a->children->token, "EX");
    assert_text(a->children->type, "integer");
    arena_deinit(&arena);
}

static void
test_syntax_joins_names_of_what_is_together(void **state)
{
    struct arena arena = {0};

    (void)state;
    const struct argument *a = syntax_arguments(row("mset"), &arena);
    assert_text(a->name, "key_value");
    assert_text(a->type, "block");
    assert_true(a->multiple);
    assert_false(a->multiple_token);
    assert_text(a->children->next->name, "value");
    a = syntax_arguments(row("shutdown"), &arena);
    assert_text(a->name, "nosave_save");
    assert_text(a->type, "oneof");
    assert_true(a->optional);
    arena_deinit(&arena);
}

static void
test_syntax_reads_what_is_said_of_a_type(void **state)
{
    struct arena arena = {0};

    (void)state;
    const struct argument *a = syntax_arguments(row("lolwut"), &arena);
    assert_text(a->name, "version");
    assert_text(a->token, "VERSION");
    assert_text(a->type, "integer");
    arena_deinit(&arena);
}

static void
test_syntax_reads_what_is_empty_and_what_is_behind_a_version(void **state)
{
    struct arena arena = {0};

    (void)state;
    const struct argument *a = syntax_arguments(row("migrate"), &arena)->next->next;
    assert_text(a->children->next->name, "empty_string");
    assert_text(a->children->next->token, "");
    while (a->next != NULL)
        a = a->next;
    assert_text(a->token, "KEYS");
    assert_text(a->since, "3.0.6");
    assert_true(a->multiple);
    assert_true(a->optional);
    arena_deinit(&arena);
}

static void
test_syntax_can_read_all_rows(void **state)
{
    struct arena arena = {0};

    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++)
        syntax_arguments(&commands[i], &arena);
    arena_deinit(&arena);
}

static void
test_syntax_places_keys_where_the_table_does(void **state)
{
    struct key_kind kinds[KEY_KINDS_MAX];

    (void)state;
    assert_int_equal(syntax_key_kinds(row("mset"), kinds), 1);
    assert_text(kinds[0].flags, "OW update");
    assert_true(kinds[0].is_placed);
    assert_int_equal(kinds[0].first, 1);
    assert_int_equal(kinds[0].last, -1);
    assert_int_equal(kinds[0].step, 2);
    assert_true(key_kind_is(&kinds[0], "update"));
    assert_true(key_kind_is(&kinds[0], "OW"));
    assert_false(key_kind_is(&kinds[0], "up"));
    assert_false(key_kind_is(&kinds[0], "access"));
    assert_int_equal(syntax_key_kinds(row("ping"), kinds), 0);
}

static void
test_syntax_places_keys_behind_a_word(void **state)
{
    struct key_kind kinds[KEY_KINDS_MAX];

    (void)state;
    assert_int_equal(syntax_key_kinds(row("migrate"), kinds), 2);
    assert_true(kinds[0].is_placed);
    assert_int_equal(kinds[0].word.len, 0);
    assert_false(kinds[1].is_placed);
    assert_text(kinds[1].flags, "RW access delete incomplete");
    assert_text(kinds[1].word, "KEYS");
    assert_int_equal(kinds[1].word_from, -2);
    syntax_key_kinds(row("sort_ro"), kinds);
    assert_false(kinds[1].is_placed);
    assert_int_equal(kinds[1].word.len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax_of_a_command_without_arguments_is_empty),
        cmocka_unit_test(test_syntax_reads_words_values_and_choices),
        cmocka_unit_test(test_syntax_joins_names_of_what_is_together),
        cmocka_unit_test(test_syntax_reads_what_is_said_of_a_type),
        cmocka_unit_test(test_syntax_reads_what_is_empty_and_what_is_behind_a_version),
        cmocka_unit_test(test_syntax_can_read_all_rows),
        cmocka_unit_test(test_syntax_places_keys_where_the_table_does),
        cmocka_unit_test(test_syntax_places_keys_behind_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
