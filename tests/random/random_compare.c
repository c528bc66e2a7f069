/*
 * random_compare: says the same random stream to keyvald and to the real Redis, and
 * compares every answer. Meanwhile keyvald has next to no memory, so that entries come and
 * go all the time, and is stopped, killed and started: none of which may show.
 *
 * usage: random_compare [--seed N] [--steps N]
 *
 * The same seed says the same again, as long as grammar.def and the commands are the same.
 * Where the two differ, the shortest stream that was found is printed.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "shrink.h"
#include <stdio.h>
#include <stdlib.h>

#define STEPS    2000
#define ARGS_MAX 32

struct run {
    uint64_t seed;
    size_t nsteps;
    char *args[ARGS_MAX + 1]; /* of keyvald */
    int nargs;
    char **shared; /* the last of them, for Redis, too */
};

static void
add_directive(struct run *run, struct grammar *g, const char *name,
              const char *const *values, uint64_t count)
{
    run->args[run->nargs++] = (char *)name;
    run->args[run->nargs++] = (char *)values[grammar_below(g, count)];
}

/* Little of everything: how little differs from seed to seed. */
static void
choose_directives(struct run *run, struct grammar *g)
{
    static const char *const memory[] = {"1",    "1",     "1",   "16kb",
                                         "64kb", "256kb", "1mb", "0"};
    static const char *const delay[] = {"0", "1", "20", "200", "5000"};
    static const char *const few[] = {"1", "2", "256"};
    static const char *const distance[] = {"1mb", "2mb"};
    static const char *const sync[] = {"everysec", "everysec", "no", "always"};
    static const char *const longest[] = {"512mb", "1mb"};
    static const char *const events[] = {"KEA", "KEAmn", "KE$g", "Ex", ""};

    add_directive(run, g, "--maxmemory", memory, 8);
    add_directive(run, g, "--apply-delay", delay, 5);
    add_directive(run, g, "--log-distance", distance, 2);
    add_directive(run, g, "--max-open-tables", few, 3);
    add_directive(run, g, "--read-threads", few, 2);
    add_directive(run, g, "--table-cache", distance, 2);
    add_directive(run, g, "--appendfsync", sync, 4);
    run->shared = &run->args[run->nargs];
    add_directive(run, g, "--notify-keyspace-events", events, 5);
    add_directive(run, g, "--proto-max-bulk-len", longest, 2);
}

static void
print_buf(struct buf *text)
{
    fwrite(text->data, 1, text->len, stdout);
    fflush(stdout);
}

static void
tell_difference(struct run *run, struct duel *d, struct stream *s, struct arena *arena,
                size_t difference, struct buf *report)
{
    struct buf text = {0};

    printf("seed %llu: they differ at step %zu\n", (unsigned long long)run->seed,
           difference);
    print_buf(report);
    bool again = shrink(d, s, arena, difference, report);
    buf_printf(&text,
               again ? "\nThe shortest stream found, with seed %llu:\n\n"
                     : "\nThey did not differ again. The stream of seed %llu:\n\n",
               (unsigned long long)run->seed);
    for (int i = 0; i < run->nargs; i += 2)
        buf_printf(&text, "[%s %s] ", run->args[i] + strlen("--"), run->args[i + 1]);
    buf_printf(&text, "\n\n");
    stream_print(s, &text);
    print_buf(&text);
    print_buf(report);
    buf_deinit(&text);
}

static void
tell_troubles(const struct duel *d)
{
    struct troubles t = duel_troubles(d);

    printf(
        "%lld times keyvald was started again, %lld entries left memory, %lld were read "
        "from tables\n",
        (long long)t.starts, (long long)t.let_go, (long long)t.cold);
}

/* Gives whether they agreed. */
static bool
compare(struct run *run)
{
    struct arena arena = {0};
    struct buf report = {0};
    struct grammar *g = grammar_new(run->seed, &arena);
    bool agree = false;

    choose_directives(run, g);
    struct duel *d = duel_new(run->args, run->shared);
    if (duel_admit(d, g)) {
        struct stream s = stream_draw(g, &arena, run->nsteps);
        size_t difference = duel_play(d, &s, &report);
        agree = difference == s.nsteps;
        tell_troubles(d);
        if (!agree)
            tell_difference(run, d, &s, &arena, difference, &report);
        stream_deinit(&s);
    }
    duel_free(d);
    grammar_free(g);
    buf_deinit(&report);
    arena_deinit(&arena);
    return agree;
}

int
main(int argc, char **argv)
{
    struct run run = {.seed = (uint64_t)clock_ms(), .nsteps = STEPS};

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            run.seed = strtoull(argv[i + 1], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--steps") == 0)
            run.nsteps = strtoull(argv[i + 1], NULL, 10);
        else {
            fprintf(stderr, "usage: random_compare [--seed N] [--steps N]\n");
            return EXIT_FAILURE;
        }
    }
    printf("seed %llu, %zu steps\n", (unsigned long long)run.seed, run.nsteps);
    fflush(stdout);
    int64_t began = clock_mono_us();
    bool agree = compare(&run);
    printf("%s after %lld ms\n", agree ? "they agree" : "they differ",
           (long long)(clock_mono_us() - began) / 1000);
    return agree ? EXIT_SUCCESS : EXIT_FAILURE;
}
