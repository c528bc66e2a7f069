/*
 * duel: plays a stream turn by turn. Requests go to both servers before any answer is
 * read, so that the two work at the same time.
 *
 * A talker gets one answer a request. A subscriber gets more, so its pipeline ends with a
 * PING of a word that nobody else says, and everything up to its answer is compared.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "duel.h"

#include "agree.h"
#include "base/clock.h"
#include "base/mem.h"
#include "lib/daemon.h"
#include "whole.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REPORT_MAX         2000 /* bytes of an answer or of the server's last words */
#define FADE_MS            4    /* what fades is gone then */
#define TRACKINGINFO_ITEMS 6    /* in RESP2 */
#define CUT_EVERY          8    /* pipelines: one is sent in two parts */

enum { KEYVALD, REDIS, SIDES };

static const char *const side_names[SIDES] = {"keyvald", "redis"};
static const char *const other_store[SIDES] = {OTHER_STORE_NAME, OTHER_STORE_NUMBER};

struct answers {
    struct answer *at;
    size_t count;
    bool hung_up;
};

struct side {
    struct daemon *server;
    struct client *clients[STREAM_CLIENTS];
    char *ids[STREAM_CLIENTS]; /* as CLIENT ID told; NULL: it is not connected */
};

struct duel {
    char *const *args;
    char *const *shared;
    struct side sides[SIDES];
    struct buf queued[STREAM_CLIENTS]; /* enum check of each request since MULTI */
    unsigned nmarkers;
    struct troubles troubles;
    struct buf *report;
};

/* The requests of one client in one turn. */
struct pipeline {
    struct buf requests; /* struct request */
    char marker[32];     /* of a subscriber; else empty */
    struct answers answers[SIDES];
};

/* --- the servers --- */

static void
drop_client(struct duel *d, int side, int client)
{
    struct side *s = &d->sides[side];

    client_close(s->clients[client]);
    free(s->ids[client]);
    s->clients[client] = NULL;
    s->ids[client] = NULL;
}

static void
hang_up(struct duel *d)
{
    for (int side = 0; side < SIDES; side++) {
        for (int i = 0; i < STREAM_CLIENTS; i++)
            drop_client(d, side, i);
    }
}

/* NULL: nobody listens. */
static struct client *
client_of(struct duel *d, int side, int client)
{
    struct side *s = &d->sides[side];
    struct client **c = &s->clients[client];

    if (*c != NULL)
        return *c;
    *c = client_open(daemon_port(s->server));
    if (*c == NULL)
        return NULL;
    const char *id = client_ask(*c, "CLIENT ID");
    s->ids[client] = bytes_dup(bytes_str(id + strcspn(id, "0123456789")));
    return *c;
}

/* The number behind a name in INFO's text; 0: there is none. */
static int64_t
figure(const char *info, const char *name)
{
    const char *at = strstr(info, name);

    return at != NULL ? strtoll(at + strlen(name), NULL, 10) : 0;
}

/* Before keyvald ends its figures are taken. */
static void
take_figures(struct duel *d)
{
    struct client *c = client_open(daemon_port(d->sides[KEYVALD].server));

    if (c == NULL)
        return;
    const char *info = client_ask(c, "INFO stats");
    d->troubles.let_go += figure(info, "entries_let_go:");
    d->troubles.cold += figure(info, "keys_read_cold:");
    d->troubles.starts++;
    client_close(c);
}

struct troubles
duel_troubles(const struct duel *d)
{
    return d->troubles;
}

static struct daemon *
start_server(enum daemon_kind kind, char *const *args)
{
    struct daemon *server = daemon_new(kind, args);

    daemon_start(server);
    return server;
}

struct duel *
duel_new(char *const *args, char *const *shared)
{
    struct duel *d = xcalloc(1, sizeof *d);

    d->args = args;
    d->shared = shared;
    d->sides[REDIS].server = start_server(DAEMON_REDIS, shared);
    d->sides[KEYVALD].server = start_server(DAEMON_KEYVALD, args);
    return d;
}

void
duel_free(struct duel *d)
{
    hang_up(d);
    for (int side = 0; side < SIDES; side++)
        daemon_free(d->sides[side].server);
    for (int i = 0; i < STREAM_CLIENTS; i++)
        buf_deinit(&d->queued[i]);
    free(d);
}

/* What was set is set back in Redis, as it is in a keyvald that starts. */
static void
set_back(struct duel *d)
{
    struct client *c = client_of(d, REDIS, 0);

    for (char *const *arg = d->shared; *arg != NULL; arg += 2) {
        struct bytes argv[] = {bytes_str("CONFIG"), bytes_str("SET"),
                               bytes_str(arg[0] + strlen("--")), bytes_str(arg[1])};
        struct answer answer = {0};
        client_command(c, argv, 4, &answer);
        answer_deinit(&answer);
    }
    drop_client(d, REDIS, 0);
}

/* As if nothing had ever been said. */
static void
begin(struct duel *d)
{
    hang_up(d);
    daemon_free(d->sides[KEYVALD].server);
    d->sides[KEYVALD].server = start_server(DAEMON_KEYVALD, d->args);
    client_ask(client_of(d, REDIS, 0), "FLUSHALL");
    hang_up(d);
    set_back(d);
}

bool
duel_admit(struct duel *d, struct grammar *g)
{
    struct bytes list[] = {bytes_str("COMMAND"), bytes_str("LIST")};
    struct answer names;
    bool covered = true;

    if (!client_command(client_of(d, KEYVALD, 0), list, 2, &names))
        panic("keyvald does not list its commands");
    answer_sort(&names); /* so that a seed draws the same whatever their order */
    for (size_t i = 0; i < names.nitems; i++) {
        const struct answer *name = &names.items[i];
        if (!grammar_admit(g, bytes_of(name->text, name->len))) {
            fprintf(stderr, "%s: no row in tests/random/grammar.def\n", name->text);
            covered = false;
        }
    }
    answer_deinit(&names);
    hang_up(d);
    grammar_admit(g, bytes_str("nosuch"));
    const char *unknown = grammar_unknown(g);
    if (unknown != NULL)
        fprintf(stderr, "%s: keyvald has no such command\n", unknown);
    return covered && unknown == NULL;
}

/* --- what differs --- */

static void
report_text(struct duel *d, int side, const struct buf *text, size_t from)
{
    size_t len = text->len - from;

    buf_printf(d->report, "%s: %s%.*s%s", side_names[side], from > 0 ? "...\n" : "",
               (int)(len < REPORT_MAX ? len : REPORT_MAX), text->data + from,
               len > REPORT_MAX ? "...\n" : "");
}

/* What each answered, without the lines in front that are the same. */
static void
report_answers(struct duel *d, const struct answer *a, size_t na, const struct answer *b,
               size_t nb)
{
    struct buf texts[SIDES] = {0};
    size_t from = 0;

    for (size_t i = 0; i < na; i++)
        answer_print(&a[i], &texts[KEYVALD]);
    for (size_t i = 0; i < nb; i++)
        answer_print(&b[i], &texts[REDIS]);
    for (size_t i = 0; i < texts[KEYVALD].len && i < texts[REDIS].len
                       && texts[KEYVALD].data[i] == texts[REDIS].data[i];
         i++)
        from = texts[KEYVALD].data[i] == '\n' ? i + 1 : from;
    for (int side = 0; side < SIDES; side++) {
        report_text(d, side, &texts[side], from);
        buf_deinit(&texts[side]);
    }
}

static void
report_request(struct duel *d, const struct request *r)
{
    buf_printf(d->report, "they differ in what they answer to\n> ");
    request_print(r, d->report);
}

/* What keyvald complained about. It is ended for that, to have all of it. */
static void
report_output(struct duel *d)
{
    daemon_kill(d->sides[KEYVALD].server);
    char *output = daemon_output(d->sides[KEYVALD].server);
    bool crashed = false; /* a sanitizer says why, to the end */

    for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        crashed |= strstr(line, "Assertion") != NULL;
        crashed |=
            strstr(line, "ERROR:") != NULL || strstr(line, "runtime error:") != NULL;
        if (crashed || strstr(line, " # ") != NULL)
            buf_printf(d->report, "keyvald's log: %.*s\n", REPORT_MAX, line);
    }
    free(output);
}

/* --- pipelines --- */

static void
answers_deinit(struct answers *a)
{
    for (size_t i = 0; i < a->count; i++)
        answer_deinit(&a->at[i]);
    free(a->at);
}

static size_t
request_count(const struct pipeline *p)
{
    return p->requests.len / sizeof(struct request);
}

static const struct request *
request_at(const struct pipeline *p, size_t number)
{
    return (const struct request *)p->requests.data + number;
}

static void
pipeline_deinit(struct pipeline *p)
{
    for (int side = 0; side < SIDES; side++)
        answers_deinit(&p->answers[side]);
    buf_deinit(&p->requests);
}

static void
pipeline_add(struct pipeline *p, const struct request *requests, int count)
{
    buf_append(&p->requests, requests, (size_t)count * sizeof *requests);
}

/* A word as this server is told it: the two call clients and stores by names of their own. */
static struct bytes
word_of(const struct duel *d, int side, struct bytes word)
{
    size_t len = strlen(WORD_CLIENT_ID);

    if (bytes_eq(word, bytes_str(WORD_OTHER_STORE)))
        return bytes_str(other_store[side]);
    if (word.len != len + 1 || memcmp(word.data, WORD_CLIENT_ID, len) != 0)
        return word;
    const char *id = d->sides[side].ids[(word.data[len] - '0') % STREAM_CLIENTS];
    return bytes_str(id != NULL ? id : "999999999");
}

static void
encode(const struct duel *d, int side, const struct request *r, struct buf *out)
{
    struct bytes argv[REQUEST_WORDS_MAX];

    for (int i = 0; i < r->argc; i++)
        argv[i] = word_of(d, side, r->argv[i]);
    struct request said = {argv, r->argc, r->check, r->is_line};
    if (r->is_line)
        request_print(&said, out);
    else
        request_encode(out, argv, r->argc);
}

/* Sends it, now and then in two parts, so that a request comes in two parts. */
static int
send_out(struct client *c, const struct buf *out)
{
    size_t cut = out->len % CUT_EVERY == 0 ? out->len / 3 : 0;

    if (c == NULL || client_exchange(c, bytes_of(out->data, cut)) != 0)
        return -1;
    return client_exchange(c, bytes_of(out->data + cut, out->len - cut));
}

static void
say(struct duel *d, int client, struct pipeline *p, int side)
{
    struct client *c = client_of(d, side, client);
    struct buf out = {0};

    for (size_t i = 0; i < request_count(p); i++)
        encode(d, side, request_at(p, i), &out);
    if (p->marker[0] != '\0') {
        struct bytes ping[] = {bytes_str("PING"), bytes_str(p->marker)};
        request_encode(&out, ping, 2);
    }
    p->answers[side].hung_up = send_out(c, &out) != 0;
    buf_deinit(&out);
}

/* Whether this is the answer to the PING behind what a subscriber said. */
static bool
is_marker(const struct answer *a, const char *marker)
{
    const struct answer *text = a->nitems == 2 ? &a->items[1] : a;

    return bytes_eq(bytes_of(text->text, text->len), bytes_str(marker));
}

/* Gives the other store the name that Redis has for it, in the channels of its events. */
static void
rename_channels(struct answer *a)
{
    static const char own[] = "@" OTHER_STORE_NAME "__",
                      other[] = "@" OTHER_STORE_NUMBER "__";

    for (size_t i = 0; i < a->nitems; i++)
        rename_channels(&a->items[i]);
    char *at = a->len > 0 ? memmem(a->text, a->len, own, strlen(own)) : NULL;
    if (at == NULL || memcmp(a->text, "__key", strlen("__key")) != 0)
        return;
    size_t rest = a->len - (size_t)(at - a->text) - strlen(own);
    memmove(at + strlen(other), at + strlen(own), rest + 1);
    memcpy(at, other, strlen(other));
    a->len -= strlen(own) - strlen(other);
}

/* A server that hangs up may have answered before, whether all was sent or not. */
static void
hear(struct duel *d, int client, struct pipeline *p, int side)
{
    struct client *c = d->sides[side].clients[client];
    struct answers *a = &p->answers[side];
    bool done = c == NULL;

    while (!done && (p->marker[0] != '\0' || a->count < request_count(p))) {
        a->at = xrealloc(a->at, (a->count + 1) * sizeof *a->at);
        a->hung_up = !client_answer(c, &a->at[a->count]);
        if (!a->hung_up && client_is_subscriber(client))
            rename_channels(&a->at[a->count]);
        done = a->hung_up
               || (p->marker[0] != '\0' && is_marker(&a->at[a->count], p->marker));
        a->count += !a->hung_up;
    }
    if (a->hung_up)
        drop_client(d, side, client);
}

/* What a turn of the loop told at its end, behind the answer that ended the pipeline. */
static void
hear_rest(struct duel *d, int client, struct pipeline *p, int side)
{
    struct client *c = d->sides[side].clients[client];
    struct bytes ping[] = {bytes_str("PING"), bytes_str(p->marker)};
    struct buf out = {0};

    request_encode(&out, ping, 2);
    if (c != NULL)
        p->answers[side].hung_up = client_exchange(c, buf_bytes(&out)) != 0;
    buf_deinit(&out);
    hear(d, client, p, side);
}

static enum check
queued_check(const struct duel *d, int client, size_t number)
{
    const struct buf *queued = &d->queued[client];

    if (number >= queued->len / sizeof(enum check))
        return CHECK_SAME;
    return ((const enum check *)queued->data)[number];
}

static bool
exec_agrees(const struct duel *d, int client, const struct answer *a,
            const struct answer *b)
{
    if (a->kind != b->kind || a->null != b->null || a->nitems != b->nitems
        || a->nitems == 0)
        return answer_agrees(a, b, CHECK_SAME);
    for (size_t i = 0; i < a->nitems; i++) {
        if (!answer_agrees(&a->items[i], &b->items[i], queued_check(d, client, i)))
            return false;
    }
    return true;
}

/* Remembers what EXEC will answer to. */
static void
follow(struct duel *d, int client, const struct request *r, const struct answer *a)
{
    struct bytes text = bytes_of(a->text, a->len);

    if (a->kind != '+')
        return;
    if (bytes_is(text, "QUEUED"))
        buf_append(&d->queued[client], &r->check, sizeof r->check);
    else if (bytes_is(r->argv[0], "multi"))
        d->queued[client].len = 0;
}

static bool
talk_agrees(struct duel *d, int client, const struct pipeline *p)
{
    const struct answers *a = &p->answers[KEYVALD], *b = &p->answers[REDIS];

    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct request *r = request_at(p, i);
        bool agrees = r->check == CHECK_EXEC
                          ? exec_agrees(d, client, &a->at[i], &b->at[i])
                          : answer_agrees(&a->at[i], &b->at[i], r->check);
        if (!agrees) {
            report_request(d, r);
            report_answers(d, &a->at[i], 1, &b->at[i], 1);
            return false;
        }
        follow(d, client, r, &b->at[i]);
    }
    if (a->count == b->count)
        return true;
    report_request(d, request_at(p, a->count < b->count ? a->count : b->count));
    buf_printf(d->report, "%s hangs up\n",
               side_names[a->count < b->count ? KEYVALD : REDIS]);
    return false;
}

/* HELLO and CLIENT TRACKINGINFO tell what each server has for itself. */
static enum check
heard_check(const struct answer *a)
{
    if (a->kind == '%')
        return CHECK_KIND;
    return a->nitems == TRACKINGINFO_ITEMS ? CHECK_IDS : CHECK_SAME;
}

static bool
listening_agrees(struct duel *d, struct pipeline *p)
{
    struct answers *a = &p->answers[KEYVALD], *b = &p->answers[REDIS];
    size_t same = 0;

    heard_unfold(&a->at, &a->count);
    heard_unfold(&b->at, &b->count);
    a->count = heard_gather(a->at, a->count);
    b->count = heard_gather(b->at, b->count);
    heard_sort(a->at, a->count);
    heard_sort(b->at, b->count);
    while (same < a->count && same < b->count
           && answer_agrees(&a->at[same], &b->at[same], heard_check(&a->at[same])))
        same++;
    if (same == a->count && same == b->count)
        return true;
    buf_printf(d->report, "they differ in what the subscriber hears, from item %zu on\n",
               same);
    report_answers(d, a->at + same, a->count - same, b->at + same, b->count - same);
    return false;
}

/* Says one pipeline a client to both servers and compares what they answer. */
static bool
converse(struct duel *d, struct pipeline pipelines[STREAM_CLIENTS])
{
    bool agree = true;

    for (int i = 0; i < STREAM_CLIENTS; i++) {
        if (request_count(&pipelines[i]) > 0 && client_is_subscriber(i))
            snprintf(pipelines[i].marker, sizeof pipelines[i].marker, "marker-%u",
                     d->nmarkers++);
        for (int side = 0; side < SIDES && request_count(&pipelines[i]) > 0; side++)
            say(d, i, &pipelines[i], side);
    }
    for (int i = 0; i < STREAM_CLIENTS; i++) {
        for (int side = 0; side < SIDES && request_count(&pipelines[i]) > 0; side++)
            hear(d, i, &pipelines[i], side);
        for (int side = 0; side < SIDES && pipelines[i].marker[0] != '\0'; side++)
            hear_rest(d, i, &pipelines[i], side);
    }
    for (int i = 0; i < STREAM_CLIENTS && agree; i++)
        agree = client_is_subscriber(i) ? listening_agrees(d, &pipelines[i])
                                        : talk_agrees(d, i, &pipelines[i]);
    for (int i = 0; i < STREAM_CLIENTS; i++)
        pipeline_deinit(&pipelines[i]);
    return agree;
}

static bool
ask(struct duel *d, int client, const struct request *requests, int count)
{
    struct pipeline pipelines[STREAM_CLIENTS] = {0};

    pipeline_add(&pipelines[client], requests, count);
    return converse(d, pipelines);
}

/* --- acts --- */

static bool
restart(struct duel *d, enum act act)
{
    struct daemon *server = d->sides[KEYVALD].server;

    take_figures(d);
    hang_up(d);
    if (act == ACT_STOP && daemon_stop(server) != 0) {
        buf_printf(d->report, "keyvald's exit status is %d\n", daemon_status(server));
        return false;
    }
    daemon_kill(server);
    set_back(d);
    if (daemon_try_start(server))
        return true;
    buf_printf(d->report, "keyvald does not start\n");
    return false;
}

/* Waits for the clock, which both servers share. */
static void
let_fade(void)
{
    int64_t until = clock_ms() + FADE_MS;
    struct timespec tick = {.tv_nsec = 100000};

    while (clock_ms() < until)
        nanosleep(&tick, NULL);
}

static bool
fade(struct duel *d, const struct step *step)
{
    for (int i = 0; i < step->nrequests; i++) {
        if (!ask(d, step->client, &step->requests[i], 1))
            return false;
        if (i == STEP_FADES_AT)
            let_fade();
        if (i == STEP_FADES_AT && step->act == ACT_OUTLIVE && !restart(d, ACT_KILL))
            return false;
    }
    return true;
}

/* What is said to one server between the pages of a SCAN. */
struct between {
    struct duel *duel;
    const struct step *step;
    int side, said;
    struct answers answers;
};

static void
say_next(void *arg)
{
    struct between *b = arg;
    struct answers *a = &b->answers;
    struct client *c = client_of(b->duel, b->side, b->step->other);
    struct buf out = {0};

    if (++b->said >= b->step->nrequests || a->hung_up)
        return;
    a->at = xrealloc(a->at, (a->count + 1) * sizeof *a->at);
    encode(b->duel, b->side, &b->step->requests[b->said], &out);
    a->hung_up = send_out(c, &out) != 0 || !client_answer(c, &a->at[a->count]);
    a->count += !a->hung_up;
    if (a->hung_up)
        drop_client(b->duel, b->side, b->step->other);
    buf_deinit(&out);
}

/* Follows the cursors to their end. False: the server hung up. */
static bool
scan_one(struct between *b, struct answer *all)
{
    const struct step *step = b->step;
    struct client *c = client_of(b->duel, b->side, step->client);
    bool answered = scan_all(c, &step->requests[0], say_next, b, all);

    if (!answered)
        drop_client(b->duel, b->side, step->client);
    while (b->said < step->nrequests)
        say_next(b);
    if (step->nrequests > 1)
        answer_leave_out(all, STREAM_BETWEEN);
    return answered;
}

static bool
between_agrees(struct duel *d, const struct between sides[SIDES])
{
    const struct answers *a = &sides[KEYVALD].answers, *b = &sides[REDIS].answers;

    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct request *r = &sides[KEYVALD].step->requests[i + 1];
        if (!answer_agrees(&a->at[i], &b->at[i], r->check)) {
            report_request(d, r);
            report_answers(d, &a->at[i], 1, &b->at[i], 1);
            return false;
        }
    }
    return a->count == b->count;
}

/* Inside a transaction there are no cursors: it is queued. Where a client had said QUIT,
 * both hang up. */
static bool
scan(struct duel *d, const struct step *step)
{
    struct between sides[SIDES];
    struct answer all[SIDES] = {0};
    struct request queued = step->requests[0];
    bool answered[SIDES];

    for (int side = 0; side < SIDES; side++) {
        sides[side] = (struct between){.duel = d, .step = step, .side = side};
        answered[side] = scan_one(&sides[side], &all[side]);
    }
    bool agree = answered[KEYVALD] == answered[REDIS]
                 && answer_agrees(&all[KEYVALD], &all[REDIS], CHECK_SAME);
    queued.check = CHECK_KIND;
    follow(d, step->client, &queued, &all[REDIS]);
    if (!agree) {
        report_request(d, &queued);
        report_answers(d, &all[KEYVALD], answered[KEYVALD], &all[REDIS], answered[REDIS]);
    }
    agree = agree && between_agrees(d, sides);
    for (int side = 0; side < SIDES; side++) {
        answers_deinit(&sides[side].answers);
        answer_deinit(&all[side]);
    }
    return agree;
}

static bool
look(struct duel *d)
{
    struct client *keyvald = client_open(daemon_port(d->sides[KEYVALD].server));
    struct client *redis = client_open(daemon_port(d->sides[REDIS].server));
    bool agree = look_at_everything(keyvald, redis, d->report);

    client_close(keyvald);
    client_close(redis);
    return agree;
}

static bool
converse_turn(struct duel *d, const struct step *steps, size_t count)
{
    static const struct bytes discard = {"DISCARD", 7};
    static const struct request alone = {&discard, 1, CHECK_SAME, false};
    struct pipeline pipelines[STREAM_CLIENTS] = {0};
    bool shared = stream_is_shared_turn(steps, count);

    for (int i = 0; shared && !client_is_subscriber(i); i++)
        pipeline_add(&pipelines[i], &alone, 1);
    for (size_t i = 0; i < count; i++)
        pipeline_add(&pipelines[steps[i].client], steps[i].requests, steps[i].nrequests);
    return converse(d, pipelines);
}

static bool
act(struct duel *d, const struct step *steps, size_t count)
{
    switch (steps->act) {
    case ACT_ASK:
        return converse_turn(d, steps, count);
    case ACT_SCAN:
        return scan(d, steps);
    case ACT_FADE:
    case ACT_OUTLIVE:
        return fade(d, steps);
    case ACT_LOOK:
        return look(d);
    case ACT_STOP:
    case ACT_KILL:
        return restart(d, steps->act);
    }
    panic("a step of no kind");
}

size_t
duel_play(struct duel *d, const struct stream *s, struct buf *report)
{
    size_t at = 0;

    begin(d);
    d->report = report;
    while (at < s->nsteps) {
        size_t count = stream_turn(s, at);
        if (!act(d, &s->steps[at], count)) {
            report_output(d);
            return at + count - 1;
        }
        at += count;
    }
    return s->nsteps;
}
