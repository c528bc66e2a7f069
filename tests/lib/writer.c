/* writer: draws changes, sends them, reads the answers; and looks at all keys
 * afterwards. */
// SPDX-License-Identifier: BSD-3-Clause
#include "writer.h"

#include "base/clock.h"
#include "base/mem.h"
#include "dialogue.h"
#include "ledger.h"
#include "random.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define PIPELINE_MAX  48
#define GROWN         (100 * 1024) /* bytes from which a string is no longer appended to */
#define SMALL_MAX     300          /* bytes of an ordinary value */
#define MIDDLE_MAX    (64 * 1024)  /* of one in a hundred */
#define BIG_MAX       (2 * 1024 * 1024) /* of one in a hundred of the big writer's */
#define FLEETING_MS   2000
#define HOUR_MS       (3600 * 1000)
#define FLUSHING      4 /* number of the writer that empties its store at times */
#define BIG           5 /* of the one with big values */
#define PAIR_COMMANDS 6 /* MULTI SELECT SET SELECT SET EXEC */
#define KEY_MAX       32

#define NAME(text)                                                                       \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

/* Where each writes; the second store has the other halves of its pairs. */
static const struct bytes stores[WRITERS][2] = {
    {NAME("0"), NAME("the other halves")}, {NAME("0"), NAME("the other halves")},
    {NAME("orders"), NAME("../orders")},   {NAME("a b/c\0d"), NAME("0")},
    {NAME("scratch"), NAME("\xc3\xa9")},   {NAME("big"), NAME("15")},
};

struct writer {
    int number;
    uint64_t random;
    pthread_t thread;
    int port;
    bool wrong; /* was refused or answered wrongly */
    struct ledger ledger;
    struct sight seen[LEDGER_KEYS];
    char *value; /* BIG_MAX bytes */
};

struct writer *
writer_new(int number, uint64_t seed)
{
    struct writer *w = xcalloc(1, sizeof *w);

    w->number = number;
    w->random = seed * WRITERS + (uint64_t)number + 1;
    w->value = xmalloc(BIG_MAX);
    return w;
}

void
writer_free(struct writer *w)
{
    free(w->value);
    free(w);
}

uint64_t
writer_acknowledged(const struct writer *w)
{
    return w->ledger.acknowledged;
}

size_t
writer_pending(const struct writer *w)
{
    return w->ledger.npending;
}

static uint64_t
draw(struct writer *w, uint64_t count)
{
    return random_below(&w->random, count);
}

/* --- which change --- */

static size_t
draw_len(struct writer *w)
{
    if (draw(w, 100) > 0)
        return 1 + draw(w, SMALL_MAX);
    return 1 + draw(w, w->number == BIG ? BIG_MAX : MIDDLE_MAX);
}

static struct change
draw_string_change(struct writer *w, int key)
{
    struct change c = {.kind = CHANGE_SET, .key = key, .seed = random_next(&w->random)};
    struct cell cell = ledger_foresee(&w->ledger, key);
    uint64_t kind = draw(w, 10);

    if (kind == 0) {
        c.kind = CHANGE_DELETE;
        return c;
    }
    c.len = draw_len(w);
    if (kind < 4 && cell.len < GROWN)
        c.kind = CHANGE_APPEND;
    else if (kind == 4)
        c.deadline = clock_ms() + HOUR_MS;
    return c;
}

static struct change
draw_change(struct writer *w)
{
    struct change c = {.key = (int)draw(w, LEDGER_KEYS)};

    if (w->number == FLUSHING && draw(w, 500) == 0) {
        c.kind = CHANGE_FLUSH;
    } else if (c.key < LEDGER_PAIRS) {
        c.kind = CHANGE_COUNT;
    } else if (c.key < LEDGER_FLEETING) {
        c.kind = CHANGE_PAIR;
        c.key &= ~1;
        c.seed = w->ledger.acknowledged + w->ledger.npending;
    } else if (c.key < LEDGER_STRINGS) {
        c.kind = CHANGE_SET;
        c.seed = random_next(&w->random);
        c.len = 1 + draw(w, SMALL_MAX);
        c.deadline = clock_ms() + 1 + (int64_t)draw(w, FLEETING_MS);
    } else {
        c = draw_string_change(w, c.key);
    }
    return c;
}

/* --- sending it --- */

static struct bytes
key_name(const struct writer *w, int key, char *text)
{
    int len = snprintf(text, KEY_MAX, "%d:%d", w->number, key);

    return bytes_of(text, (size_t)len);
}

static void
say_pair(struct writer *w, struct redisContext *redis, const struct change *c)
{
    char one[KEY_MAX], other[KEY_MAX], number[KEY_MAX];

    snprintf(number, sizeof number, "%lld", (long long)c->seed);
    say(redis, "MULTI", END);
    say(redis, "SELECT", stores[w->number][1], END);
    say(redis, "SET", key_name(w, c->key + 1, other), WORD(number), END);
    say(redis, "SELECT", stores[w->number][0], END);
    say(redis, "SET", key_name(w, c->key, one), WORD(number), END);
    say(redis, "EXEC", END);
}

static void
say_set(struct writer *w, struct redisContext *redis, const struct change *c,
        struct bytes key)
{
    struct bytes value = bytes_of(w->value, c->len);
    char deadline[KEY_MAX];

    if (c->deadline == 0) {
        say(redis, "SET", key, value, END);
        return;
    }
    snprintf(deadline, sizeof deadline, "%lld", (long long)c->deadline);
    say(redis, "SET", key, value, WORD("PXAT"), WORD(deadline), END);
}

static void
say_change(struct writer *w, struct redisContext *redis, const struct change *c)
{
    char text[KEY_MAX];
    struct bytes key = key_name(w, c->key, text);

    if (c->kind == CHANGE_SET || c->kind == CHANGE_APPEND)
        value_fill(c->seed, w->value, c->len);
    switch (c->kind) {
    case CHANGE_SET:
        say_set(w, redis, c, key);
        break;
    case CHANGE_APPEND:
        say(redis, "APPEND", key, bytes_of(w->value, c->len), END);
        break;
    case CHANGE_DELETE:
        say(redis, "DEL", key, END);
        break;
    case CHANGE_COUNT:
        say(redis, "INCR", key, END);
        break;
    case CHANGE_PAIR:
        say_pair(w, redis, c);
        break;
    case CHANGE_FLUSH:
        say(redis, "FLUSHDB", END);
        break;
    }
}

/* --- the answers --- */

static bool
answer_is_right(const struct change *c, const struct cell *cell,
                const struct redisReply *reply)
{
    switch (c->kind) {
    case CHANGE_SET:
    case CHANGE_FLUSH:
        return reply->type == REDIS_REPLY_STATUS;
    case CHANGE_APPEND:
        return reply->type == REDIS_REPLY_INTEGER && (size_t)reply->integer == cell->len;
    case CHANGE_DELETE:
        return reply->type == REDIS_REPLY_INTEGER;
    case CHANGE_COUNT:
        return reply->type == REDIS_REPLY_INTEGER && reply->integer == cell->number;
    case CHANGE_PAIR:
        return reply->type == REDIS_REPLY_ARRAY && reply->elements == PAIR_COMMANDS - 2;
    }
    return false;
}

/* Takes the answer to the oldest change that waits. False: there is none, or a wrong
 * one. */
static bool
take_answer(struct writer *w, struct redisContext *redis)
{
    struct change c = w->ledger.pending[0];
    int before = c.kind == CHANGE_PAIR ? PAIR_COMMANDS - 1 : 0;
    struct redisReply *reply = reply_behind(redis, before);

    if (reply == NULL)
        return false;
    if (reply->type != REDIS_REPLY_ERROR)
        w->wrong = !answer_is_right(&c, ledger_acknowledge(&w->ledger), reply);
    else
        w->wrong = true;
    if (w->wrong)
        fprintf(stderr, "writer %d: change of kind %d, key %d, was answered %s (%lld)\n",
                w->number, c.kind, c.key, reply->str != NULL ? reply->str : "a number",
                reply->integer);
    freeReplyObject(reply);
    return !w->wrong;
}

static bool
write_pipeline(struct writer *w, struct redisContext *redis)
{
    for (uint64_t n = 1 + draw(w, PIPELINE_MAX); n > 0; n--) {
        struct change c = draw_change(w);
        ledger_add(&w->ledger, &c);
        say_change(w, redis, &c);
    }
    while (w->ledger.npending > 0) {
        if (!take_answer(w, redis))
            return false;
    }
    return true;
}

static void *
write_until_gone(void *arg)
{
    struct writer *w = arg;
    struct redisContext *redis = dialogue_try_open(w->port, stores[w->number][0]);

    while (redis != NULL && write_pipeline(w, redis))
        continue;
    redisFree(redis);
    return NULL;
}

void
writer_start(struct writer *w, const struct daemon *s)
{
    w->port = daemon_port(s);
    if (pthread_create(&w->thread, NULL, write_until_gone, w) != 0)
        panic("no thread for a writer");
}

bool
writer_join(struct writer *w)
{
    pthread_join(w->thread, NULL);
    return !w->wrong;
}

/* --- what is there --- */

static struct sight
look_at(struct writer *w, struct redisContext *redis, int key)
{
    char text[KEY_MAX];
    struct bytes name = key_name(w, key, text);
    struct sight seen = {.from_ms = clock_ms()};

    say(redis, "PTTL", name, END);
    say(redis, "GET", name, END);
    struct redisReply *ttl = next_reply(redis);
    struct redisReply *value = next_reply(redis);
    if (ttl == NULL || value == NULL || value->type == REDIS_REPLY_ERROR)
        panic("writer %d: key %d cannot be read: %s", w->number, key,
              value != NULL ? value->str : redis->errstr);
    seen.to_ms = clock_ms();
    if (value->type == REDIS_REPLY_STRING) {
        seen.present = true;
        seen.len = (size_t)value->len;
        seen.hash = value_hash(VALUE_HASH_EMPTY, value->str, seen.len);
        seen.ttl_ms = ttl->integer;
    }
    freeReplyObject(ttl);
    freeReplyObject(value);
    return seen;
}

int
writer_check(struct writer *w, const struct daemon *s)
{
    char who[KEY_MAX];

    for (int second = 0; second < 2; second++) {
        struct redisContext *redis =
            dialogue_open(daemon_port(s), stores[w->number][second]);
        for (int key = 0; key < LEDGER_KEYS; key++) {
            if (ledger_key_is_second(key) == (second == 1))
                w->seen[key] = look_at(w, redis, key);
        }
        redisFree(redis);
    }
    snprintf(who, sizeof who, "writer %d", w->number);
    return ledger_settle(&w->ledger, w->seen, who);
}

/* How many keys of a store a writer has seen, and how many of them may have expired
 * since. */
static void
count_seen(const struct writer *w, struct bytes store, int64_t now, int64_t *seen,
           int64_t *gone)
{
    for (int key = 0; key < LEDGER_KEYS; key++) {
        const struct sight *at = &w->seen[key];
        if (!at->present || !bytes_eq(stores[w->number][ledger_key_is_second(key)], store))
            continue;
        ++*seen;
        if (at->ttl_ms >= 0 && at->from_ms + at->ttl_ms <= now)
            ++*gone;
    }
}

static bool
size_is_right(struct writer **writers, const struct daemon *s, struct bytes store)
{
    struct redisContext *redis = dialogue_open(daemon_port(s), store);
    int64_t seen = 0, gone = 0;

    say(redis, "DBSIZE", END);
    struct redisReply *reply = next_reply(redis);
    int64_t size = reply != NULL ? reply->integer : -1;
    freeReplyObject(reply);
    redisFree(redis);
    for (int i = 0; i < WRITERS; i++)
        count_seen(writers[i], store, clock_ms(), &seen, &gone);
    if (seen - gone <= size && size <= seen)
        return true;
    fprintf(
        stderr, "DBSIZE of \"%.*s\" is %lld, but %lld keys are there (%lld may expire)\n",
        (int)store.len, store.data, (long long)size, (long long)seen, (long long)gone);
    return false;
}

bool
writers_agree_on_sizes(struct writer **writers, const struct daemon *s)
{
    bool agree = true;

    for (int i = 0; i < WRITERS; i++) {
        for (int second = 0; second < 2; second++)
            agree &= size_is_right(writers, s, stores[i][second]);
    }
    return agree;
}
