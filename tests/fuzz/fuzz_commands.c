/*
 * fuzz_commands: memory, eviction, expiry and the disk are invisible. The same commands are given to
 * two engines; one is left in peace, the other has its entries forced out of memory and its
 * directory closed and opened again in between. They answer the same.
 *
 * An operation is four bytes: which, on what key, with what value, and what befalls the second
 * engine before it. The clock stands still except where an operation moves it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "base/log.h"
#include "lib/engine.h"
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define OPERATION   4
#define WORDS_MAX   16
#define KEYS        8
#define LINES_MAX   1000 /* of an answer */
#define MOVES_MAX   20   /* of the clock in one input; see clock_move */
#define EVICT_BELOW 48   /* of 256: how often everything is put out of memory */
#define REOPEN_AT   255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct pair {
    struct engine *calm;
    struct engine *troubled;
    int64_t now;
    int nmoves;
};

static const char *const keys[KEYS] = {"a", "b", "counter", "d",
                                       "e", "f", "",        "a longer key"};
static const char *const values[] = {"1",  "-7", "9223372036854775807", "text", "", "0",
                                     "12", "x"};
static const char *const seconds[] = {"1", "2", "3", "5", "60", "3600", "0", "-1"};

static const char *const patterns[] = {"*e*", "?",       "",    "[^a]",
                                       "a*",  "counter", "\\d", "x"};

/* K and L stand for keys, V and LONG for values, S for seconds, D and E for stores, P for
 * a pattern. */
static const char *const operations[] = {
    "GET K",
    "SET K V",
    "SET K V EX S",
    "SET K V NX GET",
    "SET K V XX",
    "SET K V KEEPTTL",
    "GETDEL K",
    "EXISTS K L",
    "DEL K L",
    "MGET K L K",
    "MSET K V L V",
    "INCR K",
    "DECRBY K V",
    "APPEND K V",
    "STRLEN K",
    "TYPE K",
    "EXPIRE K S",
    "EXPIRE K S GT",
    "TTL K",
    "PERSIST K",
    "FLUSHDB",
    "FLUSHALL",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH K L",
    "UNWATCH",
    "SELECT D",
    "SELECT D",
    "SET K V",
    "SET L V",
    "GET L",
    "COUNT",
    "CLOCK",
    "SET K LONG",
    "COPY K L",
    "COPY K L DB D REPLACE",
    "MOVE K D",
    "RENAME K L",
    "RENAMENX K L",
    "SWAPDB D E",
    "SWAPDB D E",
    "STORE RENAME D E",
    "STORE DROP D",
    "EXPIRETIME K",
    "TOUCH K L",
    "SORT K STORE L",
    "PFADD K V",
    "PFADD L V",
    "PFCOUNT K",
    "PFCOUNT K L",
    "PFMERGE K L",
    "GETEX K EX S",
    "GETEX K PERSIST",
    "GETSET K V",
    "SETNX K V",
    "SETEX K S V",
    "MSETNX K V L V",
    "GETRANGE K V V",
    "SETRANGE K V V",
    "SETRANGE K 70000 V",
    "INCRBYFLOAT K V",
    "LCS K L",
    "SETBIT K V 1",
    "SETBIT K 600000 0",
    "BITCOUNT K",
    "BITPOS K 0",
    "BITOP XOR K K L",
    "BITOP NOT K L",
    "BITFIELD K INCRBY i9 V 77",
    "BITFIELD K OVERFLOW FAIL SET u5 600000 V",
    "KEYS *",
    "KEYS P",
    "KEYS [a-e]",
    "WALK",
    "WALK",
};

static const char *const stores[] = {"0", "1", "shop", "a b/c"};
static char long_value[70000];

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void
print_for_people(const char *who, const struct buf *text)
{
    fprintf(stderr, "%s: %.*s", who, (int)text->len, text->data);
}

static void
ask(struct engine *e, char client, const struct bytes *argv, int argc, struct buf *out)
{
    struct answer answer;

    if (engine_command(e, client, argv, argc, &answer)) {
        answer_print(&answer, out);
        answer_deinit(&answer);
    }
}

static int
compare_lines(const void *a, const void *b)
{
    return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Puts the lines of an answer in order, without the numbers of a list's elements: for
 * answers whose order is by chance. */
static void
sort_lines(struct buf *text)
{
    struct bytes lines[LINES_MAX];
    struct buf sorted = {0};
    size_t count = 0;

    for (char *at = text->data; at < text->data + text->len;) {
        size_t left = (size_t)(text->data + text->len - at);
        char *end = memchr(at, '\n', left);
        size_t len = end != NULL ? (size_t)(end - at) : left;
        size_t number = strspn(at, " 0123456789)");
        assert(count < LINES_MAX);
        lines[count++] =
            number < len ? bytes_of(at + number, len - number) : bytes_of(at, len);
        at += len + 1;
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        buf_append_bytes(&sorted, lines[i]);
        buf_append(&sorted, "\n", 1);
    }
    buf_deinit(text);
    *text = sorted;
}

static bool
has_no_order(struct bytes command)
{
    return bytes_is(command, "KEYS") || bytes_is(command, "EXEC");
}

static void
ask_both(struct pair *p, char client, const struct bytes *argv, int argc)
{
    struct buf calm = {0}, troubled = {0};

    ask(p->calm, client, argv, argc, &calm);
    ask(p->troubled, client, argv, argc, &troubled);
    if (has_no_order(argv[0])) {
        sort_lines(&calm);
        sort_lines(&troubled);
    }
    if (!bytes_eq(buf_bytes(&calm), buf_bytes(&troubled))) {
        for (int i = 0; i < argc; i++)
            fprintf(stderr, "%.*s ", (int)argv[i].len, argv[i].data);
        fputc('\n', stderr);
        print_for_people("left in peace", &calm);
        print_for_people("troubled", &troubled);
        abort();
    }
    buf_deinit(&calm);
    buf_deinit(&troubled);
}

/* A deadline and the clock never meet to the millisecond, because no sum of moves comes near a
 * whole second; so the milliseconds that working takes decide nothing. */
static void
clock_move(struct pair *p, unsigned value)
{
    if (p->nmoves == MOVES_MAX)
        return;
    p->nmoves++;
    p->now += (int64_t)(value % 4 + 1) * 1000 + 45;
    engine_hold_clock(p->calm, p->now);
    engine_hold_clock(p->troubled, p->now);
}

/* DBSIZE counts keys that have expired and were not found yet, so they are looked up first. */
static void
count_both(struct pair *p, char client)
{
    struct bytes look[KEYS + 1] = {bytes_str("EXISTS")};
    struct bytes count = bytes_str("DBSIZE");

    for (int i = 0; i < KEYS; i++)
        look[i + 1] = bytes_str(keys[i]);
    ask_both(p, client, look, KEYS + 1);
    ask_both(p, client, &count, 1);
}

static unsigned
bit_of(const struct answer *key)
{
    for (int i = 0; i < KEYS; i++) {
        if (bytes_eq(bytes_of(key->text, key->len), bytes_str(keys[i])))
            return 1u << i;
    }
    abort();
}

/* The keys that SCAN tells of from its beginning to its end, a bit for each. In MULTI one
 * that wants all at once is queued, and this gives none. */
static unsigned
walk(struct engine *e, char client)
{
    struct bytes argv[] = {bytes_str("SCAN"), bytes_str("0"), bytes_str("COUNT"),
                           bytes_str("1000")};
    char cursor[32] = "0";
    unsigned told = 0;
    struct answer answer;

    if (!engine_command(e, client, argv, 4, &answer))
        abort();
    bool queued = answer.kind != '*';
    answer_deinit(&answer);
    argv[3] = bytes_str("2");
    for (bool begun = false; !queued && !(begun && strcmp(cursor, "0") == 0);
         begun = true) {
        argv[1] = bytes_str(cursor);
        if (!engine_command(e, client, argv, 4, &answer))
            abort();
        for (size_t i = 0; i < answer.items[1].nitems; i++)
            told |= bit_of(&answer.items[1].items[i]);
        snprintf(cursor, sizeof cursor, "%s", answer.items[0].text);
        answer_deinit(&answer);
    }
    return told;
}

static void
walk_both(struct pair *p, char client)
{
    unsigned calm = walk(p->calm, client), troubled = walk(p->troubled, client);

    if (calm != troubled) {
        fprintf(stderr, "SCAN: left in peace %x, troubled %x\n", calm, troubled);
        abort();
    }
}

static struct bytes
fill_in(struct bytes word, const uint8_t *op)
{
    if (bytes_is(word, "K"))
        return bytes_str(keys[op[1] % KEYS]);
    if (bytes_is(word, "L"))
        return bytes_str(keys[op[1] / KEYS % KEYS]);
    if (bytes_is(word, "V"))
        return bytes_str(values[op[2] % COUNT_OF(values)]);
    if (bytes_is(word, "S"))
        return bytes_str(seconds[op[2] % COUNT_OF(seconds)]);
    if (bytes_is(word, "D"))
        return bytes_str(stores[op[2] % COUNT_OF(stores)]);
    if (bytes_is(word, "E"))
        return bytes_str(stores[op[1] / KEYS % COUNT_OF(stores)]);
    if (bytes_is(word, "P"))
        return bytes_str(patterns[op[2] % COUNT_OF(patterns)]);
    if (bytes_is(word, "LONG"))
        return bytes_of(long_value, (size_t)op[2] * 273);
    return word;
}

static void
carry_out(struct pair *p, const uint8_t *op)
{
    const char *text = operations[op[0] % COUNT_OF(operations)];
    char client = op[1] < 200 ? 'a' : 'b';
    struct bytes argv[WORDS_MAX];
    int argc = 0;

    if (strcmp(text, "CLOCK") == 0) {
        clock_move(p, op[2]);
        return;
    }
    if (strcmp(text, "WALK") == 0) {
        walk_both(p, client);
        return;
    }
    if (strcmp(text, "COUNT") == 0) {
        count_both(p, client);
        return;
    }
    for (const char *at = text; *at != '\0'; argc++) {
        size_t len = strcspn(at, " ");
        argv[argc] = fill_in(bytes_of(at, len), op);
        at += len + (at[len] == ' ');
    }
    ask_both(p, client, argv, argc);
}

static void
trouble(struct pair *p, unsigned what)
{
    if (what == REOPEN_AT) {
        engine_disconnect(p->calm);
        engine_stop(p->troubled);
        engine_start(p->troubled);
    } else if (what < EVICT_BELOW) {
        engine_evict(p->troubled);
    }
}

/* What is there at the end, whatever was asked before. */
static void
look_at_everything(struct pair *p)
{
    engine_disconnect(p->calm);
    engine_disconnect(p->troubled);
    for (size_t i = 0; i < COUNT_OF(stores); i++) {
        struct bytes select[] = {bytes_str("SELECT"), bytes_str(stores[i])};
        ask_both(p, 'a', select, 2);
        count_both(p, 'a');
        walk_both(p, 'a');
        for (int j = 0; j < KEYS; j++) {
            struct bytes get[] = {bytes_str("GET"), bytes_str(keys[j])};
            struct bytes ttl[] = {bytes_str("TTL"), bytes_str(keys[j])};
            ask_both(p, 'a', get, 2);
            ask_both(p, 'a', ttl, 2);
        }
    }
}

static struct pair pair;

static void
pair_close(void)
{
    engine_free(pair.calm);
    engine_free(pair.troubled);
}

static void
pair_open(void)
{
    static char *const args[] = {"--apply-delay", "1", NULL};

    log_set_level(LOG_WARNING);
    memset(long_value, 'v', sizeof long_value);
    pair.calm = engine_new(NULL);
    pair.troubled = engine_new(args);
    pair.now = clock_ms();
    atexit(pair_close);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes flush = bytes_str("FLUSHALL");

    if (len % OPERATION != 0)
        return 0;
    if (pair.calm == NULL)
        pair_open();
    pair.nmoves = 0;
    pair.now += 1000;
    engine_hold_clock(pair.calm, pair.now);
    engine_hold_clock(pair.troubled, pair.now);
    engine_disconnect(pair.calm);
    engine_disconnect(pair.troubled);
    ask_both(&pair, 'a', &flush, 1);
    for (size_t at = 0; at < len; at += OPERATION) {
        trouble(&pair, data[at + 3]);
        carry_out(&pair, data + at);
    }
    look_at_everything(&pair);
    return 0;
}
