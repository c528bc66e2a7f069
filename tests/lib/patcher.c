/* patcher: draws changes, sends them, carries them out on values of its own. */
// SPDX-License-Identifier: BSD-3-Clause
#include "patcher.h"

#include "base/clock.h"
#include "base/mem.h"
#include "dialogue.h"
#include "ledger.h"
#include "random.h"
#include "values.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define PIPELINE_MAX   16
#define PENDING        (PIPELINE_MAX + FLEETING_STEPS)
#define LARGE          (100 * 1024) /* bytes of a new value, at most */
#define HUGE           (3 * 1024 * 1024)
#define PIECE          2000 /* bytes written into one, at most */
#define SOON_MS        400
#define HOUR_MS        (3600 * 1000)
#define TEXT_MAX       32
#define FLEETING_STEPS 4

struct patcher {
    int number, port;
    uint64_t random, acknowledged;
    pthread_t thread;
    bool wrong;
    struct state state; /* as of what was acknowledged */
    struct step pending[PENDING];
    size_t npending;
    char bytes[HUGE];
};

struct patcher *
patcher_new(int number, uint64_t seed)
{
    struct patcher *p = xcalloc(1, sizeof *p);

    p->number = number;
    p->random = (seed * 31 + (uint64_t)number) | 1;
    return p;
}

void
patcher_free(struct patcher *p)
{
    state_deinit(&p->state);
    free(p);
}

uint64_t
patcher_acknowledged(const struct patcher *p)
{
    return p->acknowledged;
}

/* --- which change --- */

static uint64_t
draw(struct patcher *p, uint64_t count)
{
    return random_below(&p->random, count);
}

static struct step
draw_change(struct patcher *p)
{
    static const enum kind kinds[] = {
        SET,  APPEND, APPEND, APPEND, WRITE, WRITE, WRITE,  BOTH,     DEADLINE, DEADLINE,
        BOTH, DELETE, RENAME, COPY,   WRITE, WRITE, APPEND, DEADLINE, WRITE,    APPEND};
    struct step c = {.kind = kinds[draw(p, sizeof kinds / sizeof kinds[0])]};

    if (draw(p, 200) == 0)
        c.kind = draw(p, 2) == 0 ? FLUSH : SWAP;
    c.key = (int)draw(p, FLEETING);
    c.other = (c.key + 1 + (int)draw(p, FLEETING - 1)) % FLEETING;
    c.seed = random_next(&p->random);
    c.at = draw(p, LARGE);
    c.len = 1 + draw(p, c.kind == SET ? LARGE : PIECE);
    if (c.kind == SET && draw(p, 40) == 0)
        c.len = HUGE - draw(p, LARGE);
    if (c.kind == DEADLINE && draw(p, 2) == 0)
        c.deadline = clock_ms() + HOUR_MS + (int64_t)draw(p, HOUR_MS);
    return c;
}

static void
ask_for(struct patcher *p, struct step c)
{
    p->pending[p->npending++] = c;
}

/* Nothing is done to it between its deadline and its next value, so when it goes does not
 * matter to what comes after. */
static void
ask_for_fleeting(struct patcher *p)
{
    struct step c = {.kind = SET, .key = FLEETING + (int)draw(p, KEYS - FLEETING)};

    c.seed = random_next(&p->random);
    c.len = LARGE - draw(p, PIECE);
    ask_for(p, c);
    c.kind = WRITE;
    for (int i = 0; i < FLEETING_STEPS - 2; i++) {
        c.at = draw(p, LARGE);
        c.len = 1 + draw(p, PIECE);
        ask_for(p, c);
    }
    c.kind = DEADLINE;
    c.deadline = clock_ms() + 1 + (int64_t)draw(p, SOON_MS);
    ask_for(p, c);
}

/* --- sending it --- */

static struct bytes
store_name(const struct patcher *p, int store, char text[TEXT_MAX])
{
    return bytes_of(text,
                    (size_t)snprintf(text, TEXT_MAX, "%d/%c", p->number, "ab"[store]));
}

static struct bytes
key_name(int key, char text[TEXT_MAX])
{
    return bytes_of(text, (size_t)snprintf(text, TEXT_MAX, "value %d", key));
}

static struct bytes
number_text(int64_t number, char text[TEXT_MAX])
{
    return bytes_of(text, (size_t)snprintf(text, TEXT_MAX, "%lld", (long long)number));
}

static void
say_change(struct patcher *p, struct redisContext *redis, const struct step *c)
{
    char one[TEXT_MAX], two[TEXT_MAX], three[TEXT_MAX], four[TEXT_MAX];
    struct bytes key = key_name(c->key, one), other = key_name(c->other, two);
    struct bytes at = number_text((int64_t)c->at, three),
                 bytes = bytes_of(p->bytes, c->len);

    value_fill(c->seed, p->bytes, c->len);
    switch (c->kind) {
    case SET:
        say(redis, "SET", key, bytes, END);
        break;
    case APPEND:
        say(redis, "APPEND", key, bytes, END);
        break;
    case WRITE:
        say(redis, "SETRANGE", key, at, bytes, END);
        break;
    case BOTH:
        say(redis, "MULTI", END);
        say(redis, "SETRANGE", other, at, bytes, END);
        say(redis, "SETRANGE", key, at, bytes, END);
        say(redis, "EXEC", END);
        break;
    case DEADLINE:
        if (c->deadline == 0)
            say(redis, "PERSIST", key, END);
        else
            say(redis, "PEXPIREAT", key, number_text(c->deadline, four), END);
        break;
    case DELETE:
        say(redis, "DEL", key, END);
        break;
    case RENAME:
        say(redis, "RENAME", key, other, END);
        break;
    case COPY:
        say(redis, "COPY", key, other, WORD("REPLACE"), END);
        break;
    case FLUSH:
        say(redis, "FLUSHDB", END);
        break;
    case SWAP:
        say(redis, "SWAPDB", store_name(p, 0, one), store_name(p, 1, two), END);
        break;
    }
}

/* --- the answers --- */

/* To a change that has been carried out. */
static bool
answer_is_right(const struct patcher *p, const struct step *c, bool was_there,
                const struct redisReply *reply)
{
    const struct value *v = &p->state.values[0][c->key];

    switch (c->kind) {
    case APPEND:
    case WRITE:
        return reply->type == REDIS_REPLY_INTEGER
               && (size_t)reply->integer == v->bytes.len;
    case BOTH:
        return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2
               && (size_t)reply->element[1]->integer == v->bytes.len;
    case DEADLINE:
    case DELETE:
    case COPY:
        return reply->type == REDIS_REPLY_INTEGER;
    case RENAME:
        return reply->type == (was_there ? REDIS_REPLY_STATUS : REDIS_REPLY_ERROR);
    case SET:
    case FLUSH:
    case SWAP:
        break;
    }
    return reply->type == REDIS_REPLY_STATUS;
}

/* Takes the answer to the oldest change that waits. False: there is none, or a wrong
 * one. */
static bool
take_answer(struct patcher *p, struct redisContext *redis)
{
    struct step c = p->pending[0];
    bool was_there = p->state.values[0][c.key].there;
    struct redisReply *reply = reply_behind(redis, c.kind == BOTH ? 3 : 0);

    if (reply == NULL)
        return false;
    state_carry_out(&p->state, &c);
    p->npending--;
    memmove(&p->pending[0], &p->pending[1], p->npending * sizeof p->pending[0]);
    p->acknowledged++;
    p->wrong = !answer_is_right(p, &c, was_there, reply);
    if (p->wrong)
        fprintf(stderr, "patcher %d: change of kind %d, key %d, was answered %s (%lld)\n",
                p->number, c.kind, c.key, reply->str != NULL ? reply->str : "a number",
                reply->integer);
    freeReplyObject(reply);
    return !p->wrong;
}

static bool
write_pipeline(struct patcher *p, struct redisContext *redis)
{
    for (uint64_t n = 1 + draw(p, PIPELINE_MAX); n > 0; n--)
        ask_for(p, draw_change(p));
    if (draw(p, 4) == 0)
        ask_for_fleeting(p);
    for (size_t i = 0; i < p->npending; i++)
        say_change(p, redis, &p->pending[i]);
    while (p->npending > 0) {
        if (!take_answer(p, redis))
            return false;
    }
    return true;
}

/* --- what is there --- */

/* The value as it is shown; the caller frees its bytes. */
static struct value
look_at(struct redisContext *redis, int key)
{
    char text[TEXT_MAX];
    struct value seen = {0};

    say(redis, "GET", key_name(key, text), END);
    say(redis, "PEXPIRETIME", key_name(key, text), END);
    struct redisReply *value = next_reply(redis), *deadline = next_reply(redis);
    if (value == NULL || deadline == NULL || value->type == REDIS_REPLY_ERROR)
        panic("key %d cannot be read: %s", key,
              value != NULL ? value->str : redis->errstr);
    seen.there = value->type == REDIS_REPLY_STRING && deadline->integer != -2;
    if (seen.there) {
        buf_append(&seen.bytes, value->str, value->len);
        seen.deadline = deadline->integer < 0 ? 0 : deadline->integer;
    }
    freeReplyObject(value);
    freeReplyObject(deadline);
    return seen;
}

static void
tell_difference(const struct patcher *p, const struct state *seen)
{
    const struct value *v = state_difference(&p->state, seen);
    ptrdiff_t i = v - &p->state.values[0][0];
    const struct value *w = &seen->values[i / KEYS][i % KEYS];
    size_t at = 0;

    while (at < v->bytes.len && at < w->bytes.len
           && v->bytes.data[at] == w->bytes.data[at])
        at++;
    fprintf(
        stderr,
        "patcher %d shows no prefix of what was asked for: store %d, value %d would be "
        "%s of %zu bytes (deadline %lld), but is %s of %zu (deadline %lld); from byte "
        "%zu on they differ\n",
        p->number, (int)(i / KEYS), (int)(i % KEYS), v->there ? "there," : "absent,",
        v->bytes.len, (long long)v->deadline, w->there ? "there," : "absent,",
        w->bytes.len, (long long)w->deadline, at);
}

/* A number of keys that were counted before they were looked at: some may have expired. */
static bool
is_count(int64_t count, const struct state *seen, int store)
{
    int64_t there = 0;

    for (int key = 0; key < KEYS; key++)
        there += seen->values[store][key].there;
    return count >= there && count <= there + KEYS - FLEETING;
}

/* Which keys a SCAN tells of. */
static void
scan(struct redisContext *redis, bool told[KEYS])
{
    char cursor[TEXT_MAX] = "0";
    int key;

    do {
        say(redis, "SCAN", WORD(cursor), WORD("COUNT"), WORD("3"), END);
        struct redisReply *page = next_reply(redis);
        if (page == NULL || page->type != REDIS_REPLY_ARRAY)
            panic("SCAN was not answered");
        snprintf(cursor, sizeof cursor, "%s", page->element[0]->str);
        for (size_t i = 0; i < page->element[1]->elements; i++) {
            if (sscanf(page->element[1]->element[i]->str, "value %d", &key) == 1)
                told[key] = true;
        }
        freeReplyObject(page);
    } while (strcmp(cursor, "0") != 0);
}

/* Keys are listed first, as long as values may stand in memory in parts. */
static bool
look_at_store(struct patcher *p, int store, struct state *seen)
{
    char name[TEXT_MAX];
    struct redisContext *redis = dialogue_open(p->port, store_name(p, store, name));

    say(redis, "DBSIZE", END);
    say(redis, "KEYS", WORD("*"), END);
    struct redisReply *size = next_reply(redis), *keys = next_reply(redis);
    bool told[KEYS] = {false}, scanned = true;
    scan(redis, told);
    for (int key = 0; key < KEYS; key++) {
        seen->values[store][key] = look_at(redis, key);
        scanned = scanned && (told[key] || !seen->values[store][key].there);
    }
    bool right = scanned && size != NULL && is_count(size->integer, seen, store)
                 && keys != NULL && is_count((int64_t)keys->elements, seen, store);
    if (!right)
        fprintf(stderr, "patcher %d: DBSIZE, KEYS or SCAN of store %d is wrong\n",
                p->number, store);
    freeReplyObject(size);
    freeReplyObject(keys);
    redisFree(redis);
    return right;
}

/* Carries out what was on its way until that is what is seen. */
static bool
settle(struct patcher *p, const struct state *seen)
{
    size_t done = 0;

    while (state_difference(&p->state, seen) != NULL) {
        if (done == p->npending) {
            tell_difference(p, seen);
            return false;
        }
        state_carry_out(&p->state, &p->pending[done++]);
    }
    p->npending = 0;
    state_forget_expired(&p->state, seen);
    return true;
}

/* As a change of values that stand in memory in parts. */
static void
swap_stores(struct patcher *p)
{
    static const struct step swap = {.kind = SWAP};
    char name[TEXT_MAX];
    struct redisContext *redis = dialogue_open(p->port, store_name(p, 0, name));

    say_change(p, redis, &swap);
    freeReplyObject(next_reply(redis));
    redisFree(redis);
}

bool
patcher_check(struct patcher *p, const struct daemon *s)
{
    static const struct step swap = {.kind = SWAP};
    struct state seen = {0};
    bool swapped = draw(p, 2) == 0;

    p->port = daemon_port(s);
    if (swapped)
        swap_stores(p);
    bool right = look_at_store(p, 0, &seen);
    right &= look_at_store(p, 1, &seen);
    if (swapped)
        state_carry_out(&seen, &swap);
    right = settle(p, &seen) && right;
    if (swapped)
        state_carry_out(&p->state, &swap);
    state_deinit(&seen);
    return right;
}

/* --- its thread --- */

static void *
write_until_gone(void *arg)
{
    struct patcher *p = arg;
    char name[TEXT_MAX];
    struct redisContext *redis = dialogue_try_open(p->port, store_name(p, 0, name));

    while (redis != NULL && write_pipeline(p, redis))
        continue;
    redisFree(redis);
    return NULL;
}

void
patcher_start(struct patcher *p, const struct daemon *s)
{
    p->port = daemon_port(s);
    if (pthread_create(&p->thread, NULL, write_until_gone, p) != 0)
        panic("no thread for a patcher");
}

bool
patcher_join(struct patcher *p)
{
    pthread_join(p->thread, NULL);
    return !p->wrong;
}
