/*
 * stream: draws turns until there are enough steps. A turn is a pipeline of one client,
 * pipelines of several clients at once (each on keys of its own), or one of the acts
 * stream.h names.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "stream.h"

#include "base/mem.h"
#include "lib/answer.h"
#include <ctype.h>
#include <stdlib.h>

#define TALKERS         (STREAM_CLIENTS - STREAM_SUBSCRIBERS)
#define PIPELINE_MAX    30
#define TRANSACTION_MAX 7
#define SILENT_MAX      4
#define BETWEEN_MAX     30  /* requests between the pages of a SCAN */
#define BETWEEN_OWNER   9   /* STREAM_BETWEEN has it */
#define WORD_PRINTED    200 /* bytes of an argument */

/* How often, of a thousand turns. */
#define PER_1000_RESTART  6
#define PER_1000_LOOK     3
#define PER_1000_FADE     40
#define PER_1000_SCAN     15
#define PER_1000_TOGETHER 60
#define PER_1000_LISTEN   60

struct drawing {
    struct grammar *grammar;
    struct arena *arena;
    struct stream stream;
    size_t cap;
    int turn;
    int queued[STREAM_CLIENTS]; /* requests until EXEC; 0: no MULTI was said */
};

bool
client_is_subscriber(int client)
{
    return client >= TALKERS;
}

static void
add_step(struct drawing *d, enum act act, int client, const struct request *requests,
         int nrequests)
{
    struct stream *s = &d->stream;
    size_t size = (size_t)nrequests * sizeof *requests;
    struct request *kept = arena_alloc(d->arena, size + 1);

    if (s->nsteps == d->cap) {
        d->cap = d->cap * 2 + 64;
        s->steps = xrealloc(s->steps, d->cap * sizeof *s->steps);
    }
    if (size > 0)
        memcpy(kept, requests, size);
    s->steps[s->nsteps++] = (struct step){.act = act,
                                          .client = client,
                                          .turn = d->turn,
                                          .requests = kept,
                                          .nrequests = nrequests};
}

static void
add_request(struct drawing *d, int client, struct request r)
{
    add_step(d, ACT_ASK, client, &r, 1);
}

/* --- turns --- */

static void
follow_transaction(struct drawing *d, int client, const struct request *r)
{
    static const char *const ends[] = {"exec", "discard", "reset", "quit"};

    if (bytes_is(r->argv[0], "multi") && d->queued[client] == 0)
        d->queued[client] = 2 + (int)grammar_below(d->grammar, TRANSACTION_MAX);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (bytes_is(r->argv[0], ends[i]))
            d->queued[client] = 0;
    }
}

static struct request
draw_exec(struct drawing *d)
{
    struct request exec = grammar_say(d->grammar, "EXEC");

    exec.check = CHECK_EXEC;
    return exec;
}

static bool
is_kill(const struct request *r)
{
    return r->argc > 1 && bytes_is(r->argv[1], "kill");
}

/* Whether its client may be hung up on. */
static bool
is_last(const struct request *r)
{
    return bytes_is(r->argv[0], "quit") || is_kill(r);
}

/* Draws the next request. False: nothing may come behind it in a pipeline, for the answers before
 * it are lost where a server closes while it has not read all. */
static bool
draw_talk(struct drawing *d, int client)
{
    unsigned scopes = SCOPE_KEYS | SCOPE_WHOLE | SCOPE_TRANSACTION;
    bool queues = d->queued[client] > 0;
    struct request r;

    do
        r = grammar_draw(d->grammar, scopes);
    while (queues && is_kill(&r)); /* it would end the pipeline that EXEC is in */
    if (queues && --d->queued[client] == 0)
        r = draw_exec(d);
    follow_transaction(d, client, &r);
    add_request(d, client, r);
    return !is_last(&r);
}

static void
draw_pipeline(struct drawing *d)
{
    int client = (int)grammar_below(d->grammar, TALKERS);
    uint64_t roll = grammar_below(d->grammar, 20);
    uint64_t length = 1;

    if (roll == 0)
        length += grammar_below(d->grammar, PIPELINE_MAX);
    else if (roll < 8)
        length += grammar_below(d->grammar, 6);
    while (length-- > 0 && draw_talk(d, client))
        continue;
}

/* A whole transaction, or a single request, on keys of the client's own. */
static void
draw_alone(struct drawing *d, int client)
{
    bool transaction = grammar_below(d->grammar, 8) == 0;
    uint64_t length = transaction ? 1 + grammar_below(d->grammar, TRANSACTION_MAX) : 1;
    struct buf whole = {0};

    for (uint64_t i = 0; i < length; i++) {
        struct request r = grammar_draw(d->grammar, SCOPE_KEYS);
        if (!transaction) {
            add_request(d, client, r);
            return;
        }
        buf_append(&whole, &r, sizeof r);
    }
    struct request multi = grammar_say(d->grammar, "MULTI"), exec = draw_exec(d);
    add_request(d, client, multi);
    for (uint64_t i = 0; i < length; i++)
        add_request(d, client, ((struct request *)whole.data)[i]);
    add_request(d, client, exec);
    buf_deinit(&whole);
}

/* Several at once. What they have queued before is dropped (stream.h). */
static void
draw_together(struct drawing *d)
{
    for (int client = 0; client < TALKERS; client++) {
        uint64_t length = grammar_below(d->grammar, 10);
        if (length == 0)
            continue;
        d->queued[client] = 0;
        grammar_set_owner(d->grammar, client);
        while (length-- > 0)
            draw_alone(d, client);
    }
    grammar_set_owner(d->grammar, -1);
}

/* What a subscriber hears cannot be told apart by the request it answers to, so all of it
 * must be the same. */
static struct request
draw_heard(struct drawing *d, unsigned scopes)
{
    struct request r;

    do
        r = grammar_draw(d->grammar, scopes);
    while (r.check != CHECK_SAME);
    return r;
}

/* A transaction is kept or left out as a whole: behind MULTI alone nothing would be heard. */
static void
listen_in_transaction(struct drawing *d, int client)
{
    struct request all[TRANSACTION_MAX + 2] = {grammar_say(d->grammar, "MULTI")};
    int count = 1 + (int)grammar_below(d->grammar, TRANSACTION_MAX);

    for (int i = 1; i <= count; i++)
        all[i] = draw_heard(d, SCOPE_SUBSCRIBER);
    all[count + 1] = grammar_say(d->grammar, "EXEC");
    add_step(d, ACT_ASK, client, all, count + 2);
}

/* Wants no answers for a while; as a whole, too. It must not begin to listen then: in RESP2
 * it could not say that it wants them again. */
static void
listen_in_silence(struct drawing *d, int client)
{
    struct request all[SILENT_MAX + 2] = {
        grammar_say(d->grammar, "CLIENT REPLY silence")};
    int count = 1 + (int)grammar_below(d->grammar, SILENT_MAX);

    for (int i = 1; i <= count; i++)
        all[i] = draw_heard(d, SCOPE_KEYS);
    all[count + 1] = grammar_say(d->grammar, "CLIENT REPLY ON");
    add_step(d, ACT_ASK, client, all, count + 2);
}

/* What a subscriber changes itself is broadcast at the end of a turn of the loop: so that
 * stands alone, and nobody begins to listen in the same turn. */
static void
draw_listening(struct drawing *d, int client)
{
    uint64_t roll = grammar_below(d->grammar, 8);

    if (roll < 2) {
        add_request(d, client, draw_heard(d, SCOPE_KEYS));
        return;
    }
    if (roll == 2) {
        listen_in_transaction(d, client);
        return;
    }
    if (roll == 3) {
        listen_in_silence(d, client);
        return;
    }
    for (uint64_t length = 1 + grammar_below(d->grammar, 4); length > 0; length--)
        add_request(d, client, draw_heard(d, SCOPE_SUBSCRIBER));
}

/* Fills in up to so many requests of another client that change keys nobody else has. Gives
 * how many. */
static int
draw_between(struct drawing *d, int other, struct request *requests)
{
    int count = (int)grammar_below(d->grammar, BETWEEN_MAX);

    d->queued[other] = 0;
    requests[0] = grammar_say(d->grammar, "DISCARD");
    requests[1] = grammar_say(d->grammar, "SELECT near");
    grammar_set_owner(d->grammar, BETWEEN_OWNER);
    for (int i = 0; i < count; i++)
        requests[2 + i] = grammar_draw(d->grammar, SCOPE_KEYS);
    grammar_set_owner(d->grammar, -1);
    return 2 + count;
}

static void
draw_scan(struct drawing *d)
{
    int client = (int)grammar_below(d->grammar, TALKERS), count = 1;
    int other = (client + 1) % TALKERS;
    struct request all[3 + BETWEEN_MAX] = {grammar_draw(d->grammar, SCOPE_SCAN)};

    if (grammar_below(d->grammar, 2) == 0)
        count += draw_between(d, other, all + 1);
    add_step(d, ACT_SCAN, client, all, count);
    d->stream.steps[d->stream.nsteps - 1].other = other;
}

/* The request for one key. */
static struct request
exists(struct drawing *d, struct bytes key)
{
    struct bytes *argv = arena_alloc(d->arena, 2 * sizeof *argv);

    argv[0] = bytes_str("EXISTS");
    argv[1] = key;
    return (struct request){argv, 2, CHECK_SAME, false};
}

/* Something to do to a key that has faded; but whether Redis finds that out before some of
 * these replace it is left to chance, and it does nothing about it in a pause. */
static struct request
draw_use(struct drawing *d)
{
    static const char *const chancy[] = {"bitop", "restore", "sort", "client"};
    struct request use = grammar_draw(d->grammar, SCOPE_KEYS);

    for (size_t i = 0; i < sizeof chancy / sizeof chancy[0]; i++) {
        if (bytes_is(use.argv[0], chancy[i]))
            return draw_use(d);
    }
    return use;
}

/* A key fades, and something is done to it. The last request settles it: DBSIZE and
 * events come to know at different moments that a key has gone; and who tracks may read it
 * before or after. */
static void
draw_fade(struct drawing *d)
{
    struct grammar *g = d->grammar;
    int client = (int)grammar_below(g, TALKERS);
    bool outlive = grammar_below(g, 5) == 0;
    struct request discard = grammar_say(g, "DISCARD");
    struct request off = grammar_say(g, "CLIENT TRACKING OFF");
    struct request select = grammar_say(g, "SELECT near");
    struct request fleeting = grammar_draw(g, SCOPE_FLEETING);
    struct bytes key = fleeting.argv[1];

    grammar_set_key(g, key);
    struct request use = draw_use(d);
    grammar_set_key(g, bytes_of(NULL, 0));
    struct request all[] = {discard, off, select, fleeting,
                            select,  use, select, exists(d, key)};
    add_step(d, outlive ? ACT_OUTLIVE : ACT_FADE, client, all, sizeof all / sizeof *all);
    d->queued[client] = 0;
    if (outlive)
        memset(d->queued, 0, sizeof d->queued);
}

/* New clients speak RESP2; every other says that it would rather speak RESP3. */
static void
draw_greetings(struct drawing *d)
{
    for (int client = 0; client < STREAM_CLIENTS; client++) {
        struct request hello = grammar_say(d->grammar, "HELLO 3");
        hello.check = CHECK_KIND;
        d->queued[client] = 0;
        if (grammar_below(d->grammar, 2) == 0)
            add_request(d, client, hello);
    }
}

static void
draw_restart(struct drawing *d)
{
    bool kill = grammar_below(d->grammar, 2) == 0;

    add_step(d, kill ? ACT_KILL : ACT_STOP, 0, NULL, 0);
    d->turn++;
    draw_greetings(d);
}

/* Whether one of a thousand is among the next so many, which are taken away. */
static bool
falls(uint64_t *roll, uint64_t per_1000)
{
    bool in = *roll < per_1000;

    *roll -= in ? 0 : per_1000;
    return in;
}

static void
draw_turn(struct drawing *d)
{
    uint64_t roll = grammar_below(d->grammar, 1000);

    d->turn++;
    if (falls(&roll, PER_1000_RESTART))
        draw_restart(d);
    else if (falls(&roll, PER_1000_LOOK))
        add_step(d, ACT_LOOK, 0, NULL, 0);
    else if (falls(&roll, PER_1000_FADE))
        draw_fade(d);
    else if (falls(&roll, PER_1000_SCAN))
        draw_scan(d);
    else if (falls(&roll, PER_1000_TOGETHER))
        draw_together(d);
    else if (falls(&roll, PER_1000_LISTEN))
        draw_listening(d, TALKERS + (int)grammar_below(d->grammar, STREAM_SUBSCRIBERS));
    else
        draw_pipeline(d);
}

/* What was published is heard, what was written is there, and is there after a kill. */
static void
draw_end(struct drawing *d)
{
    for (int i = 0; i < STREAM_SUBSCRIBERS; i++)
        add_request(d, TALKERS + i, grammar_say(d->grammar, "PING"));
    add_step(d, ACT_LOOK, 0, NULL, 0);
    add_step(d, ACT_KILL, 0, NULL, 0);
    add_step(d, ACT_LOOK, 0, NULL, 0);
    add_step(d, ACT_STOP, 0, NULL, 0);
    add_step(d, ACT_LOOK, 0, NULL, 0);
}

struct stream
stream_draw(struct grammar *g, struct arena *arena, size_t nsteps)
{
    struct drawing d = {.grammar = g, .arena = arena};

    draw_greetings(&d);
    while (d.stream.nsteps < nsteps)
        draw_turn(&d);
    d.turn++;
    draw_end(&d);
    return d.stream;
}

void
stream_deinit(struct stream *s)
{
    free(s->steps);
    *s = (struct stream){0};
}

struct stream
stream_copy(const struct stream *s)
{
    size_t size = s->nsteps * sizeof *s->steps;
    struct stream copy = {xmalloc(size + 1), s->nsteps};

    if (size > 0)
        memcpy(copy.steps, s->steps, size);
    return copy;
}

size_t
stream_turn(const struct stream *s, size_t at)
{
    size_t count = 1;

    while (at + count < s->nsteps && s->steps[at].act == ACT_ASK
           && s->steps[at + count].act == ACT_ASK
           && s->steps[at + count].turn == s->steps[at].turn)
        count++;
    return count;
}

bool
stream_is_shared_turn(const struct step *steps, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (steps[i].client != steps[0].client)
            return true;
    }
    return false;
}

/* --- for people --- */

static void
print_word(struct bytes word, struct buf *out)
{
    size_t shown = word.len > WORD_PRINTED ? WORD_PRINTED : word.len;
    bool plain = word.len > 0;

    for (size_t i = 0; i < shown; i++)
        plain &=
            isgraph((unsigned char)word.data[i]) && strchr("\"'\\", word.data[i]) == NULL;
    if (plain)
        buf_append(out, word.data, shown);
    else
        answer_quote(out, bytes_of(word.data, shown));
    if (shown < word.len)
        buf_printf(out, "...(%zu bytes)", word.len);
}

void
request_print(const struct request *r, struct buf *out)
{
    for (int i = 0; i < r->argc; i++) {
        if (i > 0)
            buf_append(out, " ", 1);
        print_word(r->argv[i], out);
    }
    buf_append(out, "\n", 1);
}

static void
print_step(const struct step *step, struct buf *out)
{
    for (int i = 0; i < step->nrequests; i++) {
        bool scan = step->act == ACT_SCAN && i == 0;
        int client = step->act == ACT_SCAN && i > 0 ? step->other : step->client;
        buf_printf(out, "%c>%s ", 'a' + client, scan ? "~" : "");
        request_print(&step->requests[i], out);
        if (i == STEP_FADES_AT && step->act == ACT_OUTLIVE)
            buf_printf(out, "! kill\n! start\n");
        if (i == STEP_FADES_AT && (step->act == ACT_FADE || step->act == ACT_OUTLIVE))
            buf_printf(out, "! clock +4ms\n");
    }
    if (step->act == ACT_LOOK)
        buf_printf(out, "# everything is looked at\n");
    if (step->act == ACT_STOP || step->act == ACT_KILL)
        buf_printf(out, "! %s\n! start\n", step->act == ACT_STOP ? "stop" : "kill");
}

void
stream_print(const struct stream *s, struct buf *out)
{
    for (size_t at = 0, count; at < s->nsteps; at += count) {
        count = stream_turn(s, at);
        if (count > 1)
            buf_printf(out, "# at once%s:\n",
                       stream_is_shared_turn(&s->steps[at], count)
                           ? ", each behind a DISCARD"
                           : "");
        for (size_t i = 0; i < count; i++)
            print_step(&s->steps[at + i], out);
        buf_append(out, "\n", 1);
    }
}
