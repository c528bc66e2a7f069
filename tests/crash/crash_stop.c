/*
 * crash_stop: how a server ends and begins. A shutdown under load loses nothing and
 * leaves files that Berkeley DB's own tools accept; a directory that cannot be served is
 * refused in words; Berkeley DB's tools at work on the directory of a running server do
 * no harm.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "lib/daemon.h"
#include "lib/pause.h"
#include "lib/random.h"
#include "lib/writer.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY       65534 /* a user without rights */
#define LOAD_MS      300
#define FIRST_STARTS 20
#define FIRST_MS     60 /* a first start takes about so long */
#define READY_STARTS 10
#define SHUTDOWNS    5
#define TOOL_MISSING 127
#define PATH_TEXT    512
#define PAGE_SIZE    16384
#define PATIENCE_MS  30000
#define LOOK_US      5000

#define ABC "1) \"1\"\n2) \"2\"\n3) \"3\""

extern char **environ;

/* --- sentences --- */

static struct daemon *
started(void)
{
    struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);

    daemon_start(d);
    return d;
}

static void
assert_asks(struct daemon *d, const char *line, const char *answer)
{
    struct client *c = daemon_client(d);

    assert_string_equal(client_ask(c, line), answer);
    client_close(c);
}

/* It ends by itself, with exit code 1 and a message that has these words; no signal ends
 * it. */
static void
assert_refuses_to_start(struct daemon *d, const char *words)
{
    assert_false(daemon_try_start(d));
    char *output = daemon_output(d);
    if (!WIFEXITED(daemon_status(d)) || WEXITSTATUS(daemon_status(d)) != 1
        || strstr(output, words) == NULL)
        fail_msg("status %d, awaited \"%s\", the server said:\n%s", daemon_status(d),
                 words, output);
    free(output);
}

/* The exit code of a program that prints nothing we need. */
static int
run_tool(char *const *argv)
{
    posix_spawn_file_actions_t quiet;
    pid_t pid;
    int status;

    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&quiet);
    if (failed != 0)
        return TOOL_MISSING;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
has_tools(void)
{
    return run_tool((char *[]){"db5.3_verify", "-V", NULL}) == 0;
}

/* --- load --- */

struct load {
    struct daemon *daemon;
    struct writer *writers[WRITERS];
};

static void
load_begin(struct load *l)
{
    l->daemon = started();
    for (int i = 0; i < WRITERS; i++)
        l->writers[i] = writer_new(i, (uint64_t)clock_ms());
}

static void
load_run(struct load *l)
{
    for (int i = 0; i < WRITERS; i++)
        writer_start(l->writers[i], l->daemon);
    let_pass(LOAD_MS * 1000);
}

static void
load_join(struct load *l)
{
    for (int i = 0; i < WRITERS; i++)
        assert_true(writer_join(l->writers[i]));
}

static void
assert_all_is_there(struct load *l)
{
    for (int i = 0; i < WRITERS; i++)
        assert_true(writer_check(l->writers[i], l->daemon) >= 0);
    assert_true(writers_agree_on_sizes(l->writers, l->daemon));
}

static void
load_end(struct load *l)
{
    for (int i = 0; i < WRITERS; i++)
        writer_free(l->writers[i]);
    daemon_free(l->daemon);
}

/* --- ending --- */

static void
assert_tools_accept(const char *file)
{
    assert_int_equal(run_tool((char *[]){"db5.3_verify", "-q", (char *)file, NULL}), 0);
    assert_int_equal(run_tool((char *[]){"db5.3_dump", (char *)file, NULL}), 0);
}

static void
assert_files_are_accepted(struct daemon *d)
{
    char pattern[PATH_TEXT];
    glob_t found;

    if (!has_tools())
        return;
    snprintf(pattern, sizeof pattern, "%s/stores/*", daemon_dir(d));
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 8);
    for (size_t i = 0; i < found.gl_pathc; i++)
        assert_tools_accept(found.gl_pathv[i]);
    globfree(&found);
    snprintf(pattern, sizeof pattern, "%s/catalog.db", daemon_dir(d));
    assert_tools_accept(pattern);
}

static int
shut_down(struct daemon *d)
{
    assert_asks(d, "SHUTDOWN", "(hung up)");
    return daemon_wait(d);
}

static void
assert_end_under_load_loses_nothing(int (*end)(struct daemon *))
{
    struct load load;

    load_begin(&load);
    for (int i = 0; i < 3; i++) {
        load_run(&load);
        assert_int_equal(end(load.daemon), 0);
        load_join(&load);
        assert_files_are_accepted(load.daemon);
        daemon_start(load.daemon);
        assert_all_is_there(&load);
    }
    load_end(&load);
}

static void
test_sigterm_under_load_loses_nothing_acknowledged(void **state)
{
    (void)state;
    assert_end_under_load_loses_nothing(daemon_stop);
}

static void
test_shutdown_under_load_loses_nothing_acknowledged(void **state)
{
    (void)state;
    assert_end_under_load_loses_nothing(shut_down);
}

static bool
is_served(struct daemon *d)
{
    char path[PATH_TEXT];
    snprintf(path, sizeof path, "%s/LOCK", daemon_dir(d));
    int lock = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(lock >= 0);
    bool served = flock(lock, LOCK_EX | LOCK_NB) != 0;
    close(lock);
    return served;
}

/* As of a Redis: what comes behind it in a script copies the files, or starts another
 * server. */
static void
test_who_says_shutdown_is_hung_up_on_when_all_is_closed(void **state)
{
    struct daemon *d = started();

    (void)state;
    for (int i = 0; i < SHUTDOWNS; i++) {
        assert_asks(d, "MSET a 1 b 2 c 3", "OK");
        assert_true(is_served(d));
        assert_asks(d, "SHUTDOWN", "(hung up)");
        assert_false(is_served(d));
        assert_int_equal(daemon_wait(d), 0);
        daemon_start(d);
    }
    assert_asks(d, "MGET a b c", ABC);
    daemon_free(d);
}

static void
test_sigterm_is_a_proper_end_as_soon_as_it_is_ready(void **state)
{
    struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);

    (void)state;
    for (int i = 0; i < READY_STARTS; i++) {
        daemon_start(d);
        assert_int_equal(daemon_stop(d), 0);
    }
    daemon_free(d);
}

/* Clients come back at once when they are cut off. Refused, they try again later; taken by
 * a server that ends, they lose a request. */
static void
test_whoever_comes_while_it_ends_is_refused(void **state)
{
    struct daemon *d = started();
    struct client *c = daemon_client(d);
    char byte;

    (void)state;
    assert_string_equal(client_ask(c, "SET a 1"), "OK");
    kill(daemon_pid(d), SIGTERM);
    assert_int_equal(client_receive(c, &byte, 1), 0);
    assert_null(client_open(daemon_port(d)));
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(daemon_wait(d), 0);
    client_close(c);
    daemon_free(d);
}

/* --- beginning --- */

static void
test_a_second_server_is_refused_with_the_pid_of_the_first(void **state)
{
    struct daemon *first = started(), *second = daemon_new(DAEMON_KEYVALD, NULL);
    char pid[32];

    (void)state;
    assert_asks(first, "SET k v", "OK");
    daemon_set_dir(second, daemon_dir(first));
    snprintf(pid, sizeof pid, "process %ld", (long)daemon_pid(first));
    assert_refuses_to_start(second, pid);
    assert_asks(first, "GET k", "\"v\"");
    daemon_free(second);
    daemon_free(first);
}

static void
test_a_first_start_that_was_killed_is_no_harm(void **state)
{
    uint64_t random = (uint64_t)clock_ms() | 1;

    (void)state;
    for (int i = 0; i < FIRST_STARTS; i++) {
        struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);
        daemon_launch(d);
        let_pass_at_most(&random, FIRST_MS);
        daemon_kill(d);
        daemon_start(d);
        assert_asks(d, "SET k v", "OK");
        daemon_free(d);
    }
}

/* A copy that every user may run; ours may lie where only we may look. */
static void
use_program_for_everybody(const char *dir)
{
    char path[PATH_TEXT];

    snprintf(path, sizeof path, "%s/keyvald", dir);
    assert_int_equal(run_tool((char *[]){"cp", getenv("KEYVALD"), path, NULL}), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(chmod(path, 0755), 0);
    setenv("KEYVALD", path, 1);
}

static void
test_a_directory_without_permission_is_refused(void **state)
{
    struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);
    char *program = strdup(getenv("KEYVALD")), *bin = directory_make();

    (void)state;
    if (geteuid() == 0) {
        use_program_for_everybody(bin);
        daemon_set_uid(d, NOBODY);
    }
    assert_int_equal(chmod(daemon_dir(d), 0555), 0);
    assert_refuses_to_start(d, "Permission denied");
    assert_refuses_to_start(d, daemon_dir(d));
    assert_int_equal(chmod(daemon_dir(d), 0755), 0);
    setenv("KEYVALD", program, 1);
    daemon_free(d);
    directory_remove(bin);
    free(bin);
    free(program);
}

static void
test_a_path_that_is_no_directory_is_refused(void **state)
{
    struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);

    (void)state;
    daemon_set_dir(d, "/dev/null");
    assert_refuses_to_start(d, "/dev/null");
    daemon_free(d);
}

/* --- damage --- */

/* The first file below the directory that the pattern finds. */
static void
find_file(struct daemon *d, const char *pattern, char *path)
{
    glob_t found;

    snprintf(path, PATH_TEXT, "%s/%s", daemon_dir(d), pattern);
    assert_int_equal(glob(path, 0, NULL, &found), 0);
    snprintf(path, PATH_TEXT, "%s", found.gl_pathv[0]);
    globfree(&found);
}

static void
write_noise(struct daemon *d, const char *pattern)
{
    uint64_t random = 1;
    char path[PATH_TEXT];
    struct stat st;

    find_file(d, pattern, path);
    assert_int_equal(stat(path, &st), 0);
    FILE *f = fopen(path, "w");
    for (off_t i = 0; i < st.st_size; i++)
        fputc((int)random_below(&random, 256), f);
    fclose(f);
}

static void
cut_short(struct daemon *d, const char *pattern)
{
    char path[PATH_TEXT];

    find_file(d, pattern, path);
    assert_int_equal(truncate(path, 100), 0);
}

static void
empty_out(struct daemon *d, const char *pattern)
{
    char path[PATH_TEXT];

    find_file(d, pattern, path);
    assert_int_equal(truncate(path, 0), 0);
}

static void
take_away(struct daemon *d, const char *pattern)
{
    char path[PATH_TEXT];

    find_file(d, pattern, path);
    assert_int_equal(unlink(path), 0);
}

struct damage {
    const char *what;
    void (*inflict)(struct daemon *d, const char *pattern);
    const char *pattern;
};

static const struct damage damages[] = {
    {"a catalog of noise", write_noise, "catalog.db"},
    {"a catalog cut short", cut_short, "catalog.db"},
    {"no catalog", take_away, "catalog.db"},
    {"a log of noise", write_noise, "wal/*"},
    {"a log cut short", cut_short, "wal/*"},
    {"a log without a byte", empty_out, "wal/*"},
    {"no log", take_away, "wal/*"},
    {"tables' log of noise", write_noise, "txn/*"},
    {"tables' log cut short", cut_short, "txn/*"},
    {"no tables' log", take_away, "txn/*"},
};

static struct daemon *
served_and_stopped(void)
{
    struct daemon *d = started();

    assert_asks(d, "MSET a 1 b 2 c 3", "OK");
    assert_int_equal(daemon_stop(d), 0);
    return d;
}

/* Whether it ended by itself, with exit code 1 and a warning. */
static bool
is_refused(struct daemon *d)
{
    char *output = daemon_output(d);
    bool warned = strstr(output, " # ") != NULL;

    free(output);
    return warned && WIFEXITED(daemon_status(d)) && WEXITSTATUS(daemon_status(d)) == 1;
}

/* Whether all is there, and what is written now survives too. */
static bool
is_unharmed(struct daemon *d)
{
    struct client *c = daemon_client(d);
    bool right = strcmp(client_ask(c, "MGET a b c"), ABC) == 0;

    right &= strcmp(client_ask(c, "MSET a 1 d 4"), "OK") == 0;
    client_close(c);
    for (int i = 0; i < 2 && right; i++) {
        daemon_kill(d);
        if (!daemon_try_start(d))
            return false;
        c = daemon_client(d);
        right = strcmp(client_ask(c, "MGET a b c"), ABC) == 0;
        right &= strcmp(client_ask(c, "GET d"), "\"4\"") == 0;
        client_close(c);
    }
    return right;
}

static void
test_a_damaged_directory_is_refused_in_words_or_loses_nothing(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct daemon *d = served_and_stopped();
        damages[i].inflict(d, damages[i].pattern);
        bool serves = daemon_try_start(d);
        if (serves ? !is_unharmed(d) : !is_refused(d)) {
            char *output = daemon_output(d);
            print_error("%s: %s, status %d:\n%s\n", damages[i].what,
                        serves ? "was served" : "ended", daemon_status(d), output);
            free(output);
            wrong++;
        }
        daemon_free(d);
    }
    assert_int_equal(wrong, 0);
}

/* A server that has ended. */
static void
assert_said(struct daemon *d, const char *words)
{
    char *output = daemon_output(d);

    if (strstr(output, words) == NULL)
        fail_msg("awaited \"%s\", the server said:\n%s", words, output);
    free(output);
}

/* A damaged table may be found at the start or by the first read; it is never taken for
 * empty. */
static void
assert_damaged_table_is_noticed(void (*inflict)(struct daemon *, const char *))
{
    struct daemon *d = served_and_stopped();

    inflict(d, "stores/*");
    if (daemon_try_start(d)) {
        struct client *c = daemon_client(d);
        assert_memory_equal(client_ask(c, "GET a"), "(error)", strlen("(error)"));
        assert_string_equal(client_ask(c, "PING"), "PONG");
        client_close(c);
        daemon_kill(d);
        assert_said(d, "stores/0.1.db cannot be read");
    } else {
        assert_true(WIFEXITED(daemon_status(d)));
        assert_int_equal(WEXITSTATUS(daemon_status(d)), 1);
    }
    daemon_free(d);
}

static void
test_a_table_of_noise_is_noticed(void **state)
{
    (void)state;
    assert_damaged_table_is_noticed(write_noise);
}

static void
test_a_table_that_is_gone_is_noticed(void **state)
{
    (void)state;
    assert_damaged_table_is_noticed(take_away);
}

/* No page of a table of three keys is as it was, but for the first. */
static void
blank_out(struct daemon *d, const char *pattern)
{
    char path[PATH_TEXT];
    struct stat st;

    find_file(d, pattern, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, PAGE_SIZE), 0);
    assert_int_equal(truncate(path, st.st_size), 0);
}

static void
test_a_table_with_blank_pages_is_noticed(void **state)
{
    struct daemon *d = served_and_stopped();
    bool said = false;

    (void)state;
    blank_out(d, "stores/0.1.db");
    daemon_start(d);
    for (int64_t until = clock_ms() + PATIENCE_MS; !said && clock_ms() < until;) {
        char *output = daemon_output(d);
        said = strstr(output, "stores/0.1.db is damaged: its store has 0 keys") != NULL;
        free(output);
        let_pass(LOOK_US);
    }
    assert_true(said);
    daemon_free(d);
}

static void
test_a_file_that_recovery_cannot_pass_is_named(void **state)
{
    static const char *const files[] = {"stores/0.1.db", "catalog.db"};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct daemon *d = served_and_stopped();
        char words[PATH_TEXT];
        empty_out(d, files[i]);
        snprintf(words, sizeof words, "%s is damaged", files[i]);
        assert_refuses_to_start(d, words);
        daemon_free(d);
    }
}

static void
test_a_directory_with_files_of_others_is_refused(void **state)
{
    struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);
    char path[PATH_TEXT];

    (void)state;
    snprintf(path, sizeof path, "%s/dump.rdb", daemon_dir(d));
    fclose(fopen(path, "w"));
    assert_refuses_to_start(d, "dump.rdb");
    daemon_free(d);
}

/* --- Berkeley DB's tools --- */

static void
test_berkeley_dbs_tools_on_a_live_directory_do_no_harm(void **state)
{
    struct load load;
    char *dir;

    (void)state;
    if (!has_tools())
        skip();
    load_begin(&load);
    dir = (char *)daemon_dir(load.daemon);
    load_run(&load);
    run_tool((char *[]){"db5.3_checkpoint", "-1", "-h", dir, NULL});
    run_tool((char *[]){"db5.3_recover", "-h", dir, NULL});
    run_tool((char *[]){"db5.3_recover", "-c", "-h", dir, NULL});
    run_tool((char *[]){"db5.3_archive", "-d", "-h", dir, NULL});
    let_pass(LOAD_MS * 1000);
    daemon_kill(load.daemon);
    load_join(&load);
    daemon_start(load.daemon);
    assert_all_is_there(&load);
    load_end(&load);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigterm_under_load_loses_nothing_acknowledged),
        cmocka_unit_test(test_shutdown_under_load_loses_nothing_acknowledged),
        cmocka_unit_test(test_who_says_shutdown_is_hung_up_on_when_all_is_closed),
        cmocka_unit_test(test_sigterm_is_a_proper_end_as_soon_as_it_is_ready),
        cmocka_unit_test(test_whoever_comes_while_it_ends_is_refused),
        cmocka_unit_test(test_a_second_server_is_refused_with_the_pid_of_the_first),
        cmocka_unit_test(test_a_first_start_that_was_killed_is_no_harm),
        cmocka_unit_test(test_a_directory_without_permission_is_refused),
        cmocka_unit_test(test_a_path_that_is_no_directory_is_refused),
        cmocka_unit_test(test_a_damaged_directory_is_refused_in_words_or_loses_nothing),
        cmocka_unit_test(test_a_table_of_noise_is_noticed),
        cmocka_unit_test(test_a_table_that_is_gone_is_noticed),
        cmocka_unit_test(test_a_table_with_blank_pages_is_noticed),
        cmocka_unit_test(test_a_file_that_recovery_cannot_pass_is_named),
        cmocka_unit_test(test_a_directory_with_files_of_others_is_refused),
        cmocka_unit_test(test_berkeley_dbs_tools_on_a_live_directory_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
