/*
 * transcript_run: plays every transcript in one of three ways:
 *
 *   process   sessions of an engine in this process, without sockets
 *   wire      a keyvald of our own, over TCP
 *   redis     Debian's redis-server: where it disagrees, the transcript is wrong
 *
 * usage: transcript_run process|wire|redis [file or directory ...]
 *
 * Sections share a server as long as they leave it as it was; each begins with empty stores and
 * new connections. A section with directives, events, CONFIG or SHUTDOWN gets one of its own.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "lib/transcript.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "lib/engine.h"
#include "lib/daemon.h"
#include <fts.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LETTERS 26

enum way_kind { WAY_PROCESS, WAY_WIRE, WAY_REDIS };

/* What stands behind the sections of this run. */
struct run {
    enum way_kind kind;
    struct engine *engine; /* in process */
    struct daemon *server; /* otherwise */
    struct client *clients[LETTERS];
    bool is_soiled; /* the server may not serve another section */
    struct transcript **files;
    size_t nfiles;
    struct CMUnitTest *tests;
    size_t ntests;
    size_t nskipped;
};

struct played {
    struct run *run;
    const struct section *section;
};

static void
hang_up(struct run *r)
{
    for (int i = 0; i < LETTERS; i++) {
        client_close(r->clients[i]);
        r->clients[i] = NULL;
    }
    if (r->engine != NULL && engine_is_running(r->engine))
        engine_disconnect(r->engine);
}

static void
put_away(struct run *r)
{
    hang_up(r);
    engine_free(r->engine);
    daemon_free(r->server);
    r->engine = NULL;
    r->server = NULL;
    r->is_soiled = false;
}

/* --- the two kinds of ways --- */

static bool
process_command(void *arg, char client, const struct bytes *argv, int argc,
                struct answer *out)
{
    struct run *r = arg;

    assert_true(engine_is_running(r->engine));
    return engine_command(r->engine, client, argv, argc, out);
}

static void
process_event(void *arg, const char *event)
{
    struct run *r = arg;
    char *unit;

    if (strcmp(event, "stop") == 0)
        engine_stop(r->engine);
    else if (strcmp(event, "start") == 0)
        engine_start(r->engine);
    else {
        long long amount = strtoll(event + strlen("clock +"), &unit, 10);
        clock_advance(strcmp(unit, "ms") == 0 ? amount : amount * 1000);
    }
}

static bool
wire_command(void *arg, char client, const struct bytes *argv, int argc,
             struct answer *out)
{
    struct run *r = arg;
    struct client **c = &r->clients[client - 'a'];

    if (*c == NULL)
        *c = daemon_client(r->server);
    bool answered = client_command(*c, argv, argc, out);
    if (!answered || (argc > 0 && bytes_is(argv[0], "quit"))) {
        client_close(*c);
        *c = NULL;
    }
    return answered;
}

static void
wire_event(void *arg, const char *event)
{
    struct run *r = arg;

    hang_up(r);
    if (strcmp(event, "kill") == 0)
        daemon_kill(r->server);
    else if (strcmp(event, "stop") == 0)
        assert_int_equal(daemon_stop(r->server), 0);
    else {
        daemon_wait(r->server); /* it may have been told to end by SHUTDOWN */
        daemon_start(r->server);
    }
}

/* --- a section --- */

/* Whether Redis has the directive, and it says the same there. */
static bool
is_redis_directive(const char *word)
{
    static const char *const words[] = {
        "--client-output-buffer-limit", "--databases",   "--enable-debug-command",
        "--notify-keyspace-events",     "--requirepass", "--proto-max-bulk-len",
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static bool
is_for_redis(const struct section *s)
{
    for (int i = 0; i < s->ndirectives; i += 2) {
        if (!is_redis_directive(s->directives[i]))
            return false;
    }
    return !s->has_events && !s->only_keyvald;
}

static bool
is_for(const struct section *s, enum way_kind kind)
{
    if (kind == WAY_REDIS)
        return is_for_redis(s);
    return kind == WAY_PROCESS ? !s->has_kill : !s->has_clock;
}

static void
make_server(struct run *r, const struct section *s)
{
    static char *args[TRANSCRIPT_DIRECTIVES * 2 + 3] = {"--enable-debug-command", "yes"};

    memcpy(args + 2, s->directives, sizeof s->directives);
    if (r->kind == WAY_PROCESS) {
        r->engine = engine_new(args);
        return;
    }
    r->server = daemon_new(r->kind == WAY_REDIS ? DAEMON_REDIS : DAEMON_KEYVALD, args);
    daemon_start(r->server);
}

static void
say(const struct way *way, const struct bytes *argv, int argc)
{
    struct answer answer;

    assert_true(way->command(way->arg, TRANSCRIPT_CLIENT, argv, argc, &answer));
    assert_int_equal(answer.kind, '+');
    answer_deinit(&answer);
}

/* Where the section begins with a password, it has to be said; the section's clients begin
 * without having said it. */
static void
empty_stores(struct run *r, const struct section *s, const struct way *way)
{
    struct bytes flush = bytes_str("FLUSHALL");

    for (int i = 0; i < s->ndirectives; i += 2) {
        struct bytes auth[] = {bytes_str("AUTH"), bytes_str(s->directives[i + 1])};
        if (strcmp(s->directives[i], "--requirepass") == 0)
            say(way, auth, 2);
    }
    say(way, &flush, 1);
    hang_up(r);
}

static void
play(void **state)
{
    struct played *p = *state;
    struct run *r = p->run;
    const struct section *s = p->section;
    bool alone = s->ndirectives > 0 || s->has_events || s->soils;
    struct way way = {r, wire_command, wire_event};

    if (r->kind == WAY_PROCESS)
        way = (struct way){r, process_command, process_event};
    if (alone || r->is_soiled)
        put_away(r);
    if (r->engine == NULL && r->server == NULL)
        make_server(r, s);
    r->is_soiled = true;
    empty_stores(r, s, &way);
    section_play(s, &way);
    hang_up(r);
    r->is_soiled = alone;
}

/* --- the files --- */

static void
add_section(struct run *r, const struct section *s)
{
    struct played *p = xmalloc(sizeof *p);

    if (!is_for(s, r->kind)) {
        free(p);
        r->nskipped++;
        return;
    }
    *p = (struct played){r, s};
    r->tests = xrealloc(r->tests, (r->ntests + 1) * sizeof *r->tests);
    r->tests[r->ntests++] = (struct CMUnitTest){s->title, play, NULL, NULL, p};
}

static int
add_file(struct run *r, const char *path)
{
    struct transcript *t = transcript_load(path);

    if (t == NULL)
        return -1;
    r->files = xrealloc(r->files, (r->nfiles + 1) * sizeof *r->files);
    r->files[r->nfiles++] = t;
    for (size_t i = 0; i < t->nsections; i++)
        add_section(r, &t->sections[i]);
    return 0;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
add_tree(struct run *r, char *path)
{
    char *paths[] = {path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    int result = 0;

    for (FTSENT *f = fts_read(walk); f != NULL; f = fts_read(walk)) {
        const char *dot = strrchr(f->fts_name, '.');
        if (f->fts_info == FTS_F && dot != NULL && strcmp(dot, ".txt") == 0)
            result |= add_file(r, f->fts_path);
    }
    fts_close(walk);
    return result;
}

static void
run_deinit(struct run *r)
{
    put_away(r);
    for (size_t i = 0; i < r->ntests; i++)
        free(r->tests[i].initial_state);
    for (size_t i = 0; i < r->nfiles; i++)
        transcript_free(r->files[i]);
    free(r->files);
    free(r->tests);
}

int
main(int argc, char **argv)
{
    static const char *names[] = {"process", "wire", "redis"};
    char *all[] = {SOURCE_DIR "/tests/transcripts", NULL};
    struct run run = {.kind = WAY_REDIS + 1};
    int failed = 0;

    for (int i = 0; argc > 1 && i < 3; i++) {
        if (strcmp(argv[1], names[i]) == 0)
            run.kind = (enum way_kind)i;
    }
    if (run.kind > WAY_REDIS) {
        fprintf(stderr,
                "usage: transcript_run process|wire|redis [file or directory ...]\n");
        return EXIT_FAILURE;
    }
    log_set_level(LOG_WARNING);
    for (char **path = argc > 2 ? argv + 2 : all; *path != NULL; path++)
        failed |= add_tree(&run, *path);
    printf("%s: %zu sections, %zu are not for this way\n", names[run.kind], run.ntests,
           run.nskipped);
    if (failed == 0)
        failed =
            _cmocka_run_group_tests(names[run.kind], run.tests, run.ntests, NULL, NULL);
    run_deinit(&run);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
