/* table: what commands.def promises, row by row. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/syntax.h"
#include "command/table.h" /* before cmocka, which has a macro of fail's name */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <fts.h>
#include <stdio.h>
#include <unistd.h>

#define TRANSCRIPTS SOURCE_DIR "/tests/transcripts/"

static struct bytes
name_of(const struct command *cmd)
{
    return bytes_of(cmd->name, cmd->name_len);
}

static void
test_table_finds_every_row_by_its_whole_name(void **state)
{
    struct command_table *t = table_new();

    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++)
        assert_ptr_equal(table_find_full(t, name_of(&commands[i])), &commands[i]);
    table_free(t);
}

static void
test_table_has_no_name_twice(void **state)
{
    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        for (int j = 0; j < i; j++)
            assert_string_not_equal(commands[i].name, commands[j].name);
    }
}

static void
test_table_names_are_lower_case_and_fit(void **state)
{
    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        assert_in_range(commands[i].name_len, 1, COMMAND_NAME_MAX);
        for (const char *ch = commands[i].name; *ch != '\0'; ch++)
            assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz|-_", *ch));
    }
}

static void
test_table_reads_names_in_any_case(void **state)
{
    struct command_table *t = table_new();

    (void)state;
    const struct command *get = table_find(t, bytes_str("get"));
    assert_non_null(get);
    assert_ptr_equal(table_find(t, bytes_str("GET")), get);
    assert_ptr_equal(table_find(t, bytes_str("gEt")), get);
    const struct command *config = table_find(t, bytes_str("Config"));
    assert_ptr_equal(table_find_sub(t, config, bytes_str("GET")),
                     table_find_full(t, bytes_str("config|get")));
    table_free(t);
}

static void
test_table_finds_nothing_for_what_is_no_name(void **state)
{
    static const char *const names[] = {
        "",
        "ge",
        "gets",
        "get ",
        "config|get",
        "config|",
        "|",
        "a name that is longer than any that a row of the table could have"};
    struct command_table *t = table_new();

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(table_find(t, bytes_str(names[i])));
    assert_null(table_find(t, bytes_of("get\0", 4)));
    assert_null(table_find_full(t, bytes_str("get|x")));
    assert_null(table_find_full(t, bytes_str("config|nothing")));
    assert_null(table_find_full(t, bytes_str("config|get|x")));
    table_free(t);
}

static void
test_table_subcommands_have_a_container(void **state)
{
    struct command_table *t = table_new();

    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *bar = strchr(commands[i].name, '|');
        if (bar == NULL)
            continue;
        struct bytes name = bytes_of(commands[i].name, (size_t)(bar - commands[i].name));
        const struct command *container = table_find(t, name);
        assert_non_null(container);
        assert_true(container->flags & CMD_CONTAINER);
        assert_true(command_is_sub_of(&commands[i], container));
        assert_string_equal(commands[i].group, container->group);
    }
    table_free(t);
}

static void
test_table_arity_covers_the_keys(void **state)
{
    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct command *cmd = &commands[i];
        int least = cmd->arity < 0 ? -cmd->arity : cmd->arity;
        assert_true(least >= (command_is_sub(cmd) ? 2 : 1));
        if (cmd->first == 0) {
            assert_int_equal(cmd->last, 0);
            assert_int_equal(cmd->step, 0);
            continue;
        }
        assert_true(cmd->step > 0);
        /* SUNSUBSCRIBE's channels are told as keys and may be missing. */
        if (cmd->flags & CMD_PUBSUB)
            continue;
        assert_true(cmd->first < least);
        assert_true(cmd->last < least);
        assert_true(command_nkeys(cmd, least) >= 1);
    }
}

/* However many arguments a client sends, the last key is one of them. */
static void
test_table_keys_are_arguments(void **state)
{
    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        for (int argc = 1; argc < 20; argc++) {
            const struct command *cmd = &commands[i];
            int nkeys = command_takes(cmd, argc) ? command_nkeys(cmd, argc) : 0;
            assert_true(nkeys == 0 || cmd->first + (nkeys - 1) * cmd->step < argc);
        }
    }
}

static void
test_table_no_command_both_reads_and_writes_by_its_flags(void **state)
{
    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++)
        assert_false((commands[i].flags & CMD_READ) && (commands[i].flags & CMD_WRITE));
}

/* "config|get" in the group server is told by server/config-get.txt. */
static void
transcript_of(const struct command *cmd, char *path, size_t size)
{
    int head = snprintf(path, size, TRANSCRIPTS "%s/", cmd->group);
    snprintf(path + head, size - (size_t)head, "%s.txt", cmd->name);
    char *bar = strchr(path + head, '|');
    if (bar != NULL)
        *bar = '-';
}

static void
test_table_every_row_has_a_transcript(void **state)
{
    char path[4096];

    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        transcript_of(&commands[i], path, sizeof path);
        if (access(path, R_OK) != 0)
            fail_msg("%s is not there", path);
    }
}

static void
test_table_every_row_has_a_syntax(void **state)
{
    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(syntax_of(&commands[i])->name, commands[i].name) != 0)
            fail_msg("%s has no row in syntax.def", commands[i].name);
    }
}

/* Where the keys are is said twice; fetching goes by the columns. */
static void
test_table_columns_and_syntax_place_the_same_keys(void **state)
{
    struct key_kind kinds[KEY_KINDS_MAX];

    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct command *cmd = &commands[i];
        size_t count = syntax_key_kinds(cmd, kinds);
        for (size_t k = 0; k < count; k++) {
            if (!kinds[k].is_placed || key_kind_is(&kinds[k], "not_key"))
                continue;
            assert_true(kinds[k].flags.len > 0);
            assert_true(kinds[k].first >= cmd->first && cmd->first > 0);
            assert_true(cmd->last < 0
                        || (kinds[k].last > 0 && kinds[k].last <= cmd->last));
        }
        if (count == 0)
            assert_int_equal(cmd->first, 0);
    }
}

static bool
is_of_a_row(const char *transcript)
{
    char path[4096];

    for (int i = 0; i < COMMAND_COUNT; i++) {
        transcript_of(&commands[i], path, sizeof path);
        if (strcmp(path, transcript) == 0)
            return true;
    }
    return false;
}

/* Those below scenarios/ are about more than one command. */
static void
test_table_every_transcript_has_a_row(void **state)
{
    static const char root[] = SOURCE_DIR "/tests/transcripts";
    char *roots[] = {(char *)root, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);

    (void)state;
    for (FTSENT *f = fts_read(walk); f != NULL; f = fts_read(walk)) {
        if (f->fts_info == FTS_D && strcmp(f->fts_name, "scenarios") == 0)
            fts_set(walk, f, FTS_SKIP);
        else if (f->fts_info == FTS_F && !is_of_a_row(f->fts_path))
            fail_msg("%s tells of no command", f->fts_path);
    }
    fts_close(walk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_finds_every_row_by_its_whole_name),
        cmocka_unit_test(test_table_has_no_name_twice),
        cmocka_unit_test(test_table_names_are_lower_case_and_fit),
        cmocka_unit_test(test_table_reads_names_in_any_case),
        cmocka_unit_test(test_table_finds_nothing_for_what_is_no_name),
        cmocka_unit_test(test_table_subcommands_have_a_container),
        cmocka_unit_test(test_table_arity_covers_the_keys),
        cmocka_unit_test(test_table_keys_are_arguments),
        cmocka_unit_test(test_table_no_command_both_reads_and_writes_by_its_flags),
        cmocka_unit_test(test_table_every_row_has_a_transcript),
        cmocka_unit_test(test_table_every_transcript_has_a_row),
        cmocka_unit_test(test_table_every_row_has_a_syntax),
        cmocka_unit_test(test_table_columns_and_syntax_place_the_same_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
