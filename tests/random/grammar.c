/*
 * grammar: shapes to requests. A shape is read anew each time it is drawn; what it may
 * hold is said at the head of grammar.def.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "grammar.h"

#include "base/buf.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/number.h"
#include "lib/random.h"
#include "value/crc64.h"
#include "value/dump.h"
#include <assert.h>
#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define OR          " | "
#define SHARED_KEYS 10  /* that everybody comes back to */
#define MANY_KEYS   200 /* that are drawn less often */
#define OWN_KEYS    12  /* of one owner */
#define LONGEST_KEY 20000
#define LARGE       100000
#define MEDIUM      2000
#define SHORT       40
#define LATER_S                                                                          \
    20000 /* the first deadline that counts from now, and from one to the next */
#define LATER_STEP   20000 /* more than what two answers may differ in, in seconds, too */
#define SPOIL_EVERY  25    /* requests: one gets a wrong argument, or one more or less */
#define SMALL_EVERY  20    /* words: one in small letters */
#define DUMP_TAIL    10    /* version and checksum */
#define DUMP_LENGTHS 64    /* that one byte can say */
#define LINE_EVERY   40    /* requests: one is said as a line, if it is short */
#define LINE_MAX     100   /* bytes of a word */
#define MANY_MAX     4     /* times a word with "+" or "*" */

#define SCOPE_AS_IT_STANDS                                                               \
    (SCOPE_SCAN | SCOPE_FLEETING) /* what hangs on it is not spoiled */

struct row {
    enum scope scope;
    unsigned weight;
    enum check check;
    const char *shape;
};

struct choice {
    const char *name;
    const char *shapes;
};

static const struct row rows[] = {
#define COMMAND(scope, weight, check, shape)                                             \
    {SCOPE_##scope, weight, CHECK_##check, shape},
#include "grammar.def"
};

static const struct choice choices[] = {
#define CHOICE(name, shapes) {name, shapes},
#include "grammar.def"
};

static const char *const excluded[] = {
#define EXCLUDED(command, reason) command,
#include "grammar.def"
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

struct grammar {
    struct arena *arena;
    uint64_t random;
    bool admitted[COUNT_OF(rows)];
    int owner;
    struct bytes key;
    int64_t nlater; /* deadlines that were drawn and count from now */
};

/* The words of a request as it grows. */
struct words {
    struct bytes at[REQUEST_WORDS_MAX];
    int count;
};

struct grammar *
grammar_new(uint64_t seed, struct arena *arena)
{
    struct grammar *g = xcalloc(1, sizeof *g);

    g->arena = arena;
    g->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    g->owner = -1;
    return g;
}

void
grammar_free(struct grammar *g)
{
    free(g);
}

uint64_t
grammar_below(struct grammar *g, uint64_t count)
{
    return random_below(&g->random, count);
}

void
grammar_set_owner(struct grammar *g, int owner)
{
    g->owner = owner;
}

void
grammar_set_key(struct grammar *g, struct bytes key)
{
    g->key = key;
}

/* Whether a shape says this command: its first word, or its first two with '|' between. */
static bool
says(const char *shape, struct bytes command)
{
    const char *bar = memchr(command.data, '|', command.len);
    size_t first = bar != NULL ? (size_t)(bar - command.data) : command.len;
    size_t len = strcspn(shape, " ");

    if (len != first || strncasecmp(shape, command.data, first) != 0)
        return false;
    if (bar == NULL)
        return true;
    shape += len + (shape[len] == ' ');
    len = strcspn(shape, " ");
    return len == command.len - first - 1 && strncasecmp(shape, bar + 1, len) == 0;
}

bool
grammar_admit(struct grammar *g, struct bytes command)
{
    bool known = false;

    for (size_t i = 0; i < COUNT_OF(excluded); i++)
        known |= bytes_is(command, excluded[i]);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (says(rows[i].shape, command))
            known = g->admitted[i] = true;
    }
    return known;
}

const char *
grammar_unknown(const struct grammar *g)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!g->admitted[i])
            return rows[i].shape;
    }
    return NULL;
}

/* --- words that are drawn --- */

static struct bytes
keep(struct grammar *g, const void *data, size_t len)
{
    char *copy = arena_alloc(g->arena, len + 1);

    memcpy(copy, data, len);
    copy[len] = '\0';
    return bytes_of(copy, len);
}

/* --- which rows the server has --- */

static struct bytes
keep_number(struct grammar *g, int64_t number)
{
    char text[NUMBER_TEXT_MAX];

    return keep(g, text, number_format(number, text));
}

static struct bytes
named(struct grammar *g, const char *name, uint64_t count)
{
    char text[64];
    unsigned number = (unsigned)grammar_below(g, count);
    int len;

    if (g->owner >= 0)
        len = snprintf(text, sizeof text, "own-%d-%s-%u", g->owner, name, number);
    else
        len = snprintf(text, sizeof text, "%s-%u", name, number);
    return keep(g, text, (size_t)len);
}

static struct bytes
draw_large_key(struct grammar *g)
{
    return named(g, "large", 3);
}

static struct bytes
draw_crowd_key(struct grammar *g)
{
    return named(g, "crowd", 1500);
}

static struct bytes
draw_key(struct grammar *g)
{
    static const char odd[] = "\0\r\n\xff \x80\"";
    static const size_t lengths[] = {300, 300, 3000, LONGEST_KEY};
    static char longest[LONGEST_KEY];

    if (g->key.data != NULL && grammar_below(g, 4) != 0)
        return g->key;
    if (g->owner >= 0)
        return named(g, "key", OWN_KEYS);
    if (grammar_below(g, 50) == 0)
        return grammar_below(g, 2) == 0 ? draw_large_key(g) : draw_crowd_key(g);
    if (grammar_below(g, 4) == 0)
        return named(g, "many", MANY_KEYS);
    switch (grammar_below(g, SHARED_KEYS)) {
    case 0:
        return bytes_str("");
    case 1:
        return keep(g, odd, sizeof odd - 1);
    case 2:
        memset(longest, 'l', sizeof longest);
        return keep(g, longest, lengths[grammar_below(g, COUNT_OF(lengths))]);
    default:
        return keep(g, "abcdefgh" + grammar_below(g, 7), 1);
    }
}

static struct bytes
draw_short_key(struct grammar *g)
{
    return named(g, "short", 4);
}

static struct bytes
draw_hll_key(struct grammar *g)
{
    return named(g, "hll", 5);
}

static struct bytes
draw_element(struct grammar *g)
{
    return named(g, "element", grammar_below(g, 8) == 0 ? 100000 : 60);
}

/* Bytes that say nothing, or the same few again and again. */
static struct bytes
draw_run(struct grammar *g, size_t len)
{
    char *run = arena_alloc(g->arena, len + 1);
    bool noise = grammar_below(g, 2) == 0;
    size_t period = 1 + grammar_below(g, 60);

    for (size_t i = 0; i < len; i++)
        run[i] = noise || i < period ? (char)random_next(&g->random) : run[i - period];
    return bytes_of(run, len);
}

static struct bytes
draw_value(struct grammar *g)
{
    uint64_t roll = grammar_below(g, 100);

    if (roll < 2)
        return draw_run(g, grammar_below(g, LARGE));
    if (roll < 12)
        return draw_run(g, grammar_below(g, MEDIUM));
    if (roll < 15)
        return bytes_str("");
    if (roll < 30)
        return keep_number(g, (int64_t)random_next(&g->random) >> grammar_below(g, 64));
    if (roll < 45)
        return keep_number(g, (int64_t)grammar_below(g, 200) - 50);
    if (roll < 55)
        return named(g, "value", 1000);
    return draw_run(g, grammar_below(g, SHORT));
}

static struct bytes
draw_short_value(struct grammar *g)
{
    char *text = arena_alloc(g->arena, SHORT);
    size_t len = grammar_below(g, SHORT);

    for (size_t i = 0; i < len; i++)
        text[i] = "abcdeABC 01\xff"[grammar_below(g, 12)];
    return bytes_of(text, len);
}

/* Of a few lengths, and nearly the same each time: what takes its place may differ from it
 * in a few bytes. */
static struct bytes
draw_large_value(struct grammar *g)
{
    static const size_t lengths[] = {4095, 4096, 5000, 70000, 70000, 300000, 1000000};
    size_t len = lengths[grammar_below(g, COUNT_OF(lengths))];
    char *value = arena_alloc(g->arena, len + 1);

    for (size_t i = 0; i < len; i++)
        value[i] = (char)('a' + i % 23);
    for (uint64_t changes = grammar_below(g, 4); changes > 0; changes--)
        value[grammar_below(g, len)] = (char)random_next(&g->random);
    return bytes_of(value, len);
}

/* Puts a wrong byte into the payload of DUMP, and more behind its value than a length of one
 * byte can say: for Redis a value may reach into the tail. */
static void
damage(struct grammar *g, struct buf *payload)
{
    size_t len = payload->len - DUMP_TAIL;
    char tail[DUMP_TAIL];

    memcpy(tail, payload->data + len, DUMP_TAIL);
    payload->data[1 + grammar_below(g, len - 1)] = (char)random_next(&g->random);
    payload->len = len;
    buf_append_bytes(payload, draw_run(g, DUMP_LENGTHS));
    buf_append(payload, tail, DUMP_TAIL);
}

/* What DUMP gives, or that with a wrong byte, whose checksum may be right. */
static struct bytes
draw_payload(struct grammar *g)
{
    struct bytes value = grammar_below(g, 4) == 0 ? draw_run(g, grammar_below(g, MEDIUM))
                                                  : draw_short_value(g);
    struct buf payload = {0};

    dump_encode(&payload, value);
    if (grammar_below(g, 2) == 0)
        damage(g, &payload);
    if (grammar_below(g, 8) != 0) {
        size_t rest = payload.len - sizeof(uint64_t);
        uint64_t checksum = htole64(crc64(bytes_of(payload.data, rest)));
        memcpy(payload.data + rest, &checksum, sizeof checksum);
    }
    struct bytes kept = keep(g, payload.data, payload.len);
    buf_deinit(&payload);
    return kept;
}

static int64_t
next_later(struct grammar *g)
{
    return LATER_S + LATER_STEP * g->nlater++;
}

static struct bytes
draw_later_s(struct grammar *g)
{
    return keep_number(g, next_later(g));
}

static struct bytes
draw_later_ms(struct grammar *g)
{
    return keep_number(g, next_later(g) * 1000 + (int64_t)grammar_below(g, 1000));
}

struct drawn {
    const char *name;
    struct bytes (*draw)(struct grammar *g);
};

static const struct drawn drawn[] = {
    {"key", draw_key},
    {"short-key", draw_short_key},
    {"large-key", draw_large_key},
    {"crowd-key", draw_crowd_key},
    {"hll-key", draw_hll_key},
    {"element", draw_element},
    {"value", draw_value},
    {"short-value", draw_short_value},
    {"large-value", draw_large_value},
    {"payload", draw_payload},
    {"later-s", draw_later_s},
    {"later-ms", draw_later_ms},
};

/* --- shapes --- */

static void add_shape(struct grammar *g, struct words *w, const char *shape, size_t len);

static void
add_word(struct words *w, struct bytes word)
{
    if (w->count < REQUEST_WORDS_MAX)
        w->at[w->count++] = word;
}

static void
add_quoted(struct grammar *g, struct words *w, struct bytes quoted)
{
    char *text = arena_alloc(g->arena, quoted.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < quoted.len; i++) {
        text[len] = quoted.data[i];
        if (quoted.data[i] == '\\') {
            struct bytes rest = bytes_of(quoted.data + i + 1, quoted.len - i - 1);
            i += escape_read(rest, &text[len]);
        }
        len++;
    }
    add_word(w, bytes_of(text, len));
}

static void
add_literal(struct grammar *g, struct words *w, struct bytes literal)
{
    struct bytes word = keep(g, literal.data, literal.len);
    char *text = (char *)word.data;

    if (grammar_below(g, SMALL_EVERY) == 0) {
        for (size_t i = 0; i < word.len; i++)
            text[i] = (char)tolower((unsigned char)text[i]);
    }
    add_word(w, word);
}

/* One of the alternatives, each as likely. */
static void
add_alternative(struct grammar *g, struct words *w, const char *shapes)
{
    uint64_t count = 1;

    for (const char *at = shapes; (at = strstr(at, OR)) != NULL; at += strlen(OR))
        count++;
    for (uint64_t skip = grammar_below(g, count); skip > 0; skip--)
        shapes = strstr(shapes, OR) + strlen(OR);
    const char *end = strstr(shapes, OR);
    add_shape(g, w, shapes, end != NULL ? (size_t)(end - shapes) : strlen(shapes));
}

/* What a client might say. */
static void
add_request(struct grammar *g, struct words *w)
{
    struct request r = grammar_draw(g, SCOPE_KEYS | SCOPE_TRANSACTION | SCOPE_SUBSCRIBER);

    for (int i = 0; i < r.argc; i++)
        add_word(w, r.argv[i]);
}

static void
add_named(struct grammar *g, struct words *w, struct bytes name)
{
    if (bytes_is(name, "request")) {
        add_request(g, w);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(drawn); i++) {
        if (bytes_eq(name, bytes_str(drawn[i].name))) {
            add_word(w, drawn[i].draw(g));
            return;
        }
    }
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        if (bytes_eq(name, bytes_str(choices[i].name))) {
            add_alternative(g, w, choices[i].shapes);
            return;
        }
    }
    panic("grammar.def: nothing is called %.*s", (int)name.len, name.data);
}

static uint64_t
draw_times(struct grammar *g, char suffix)
{
    switch (suffix) {
    case '?':
        return grammar_below(g, 2);
    case '*':
        return grammar_below(g, MANY_MAX);
    case '+':
        return 1 + grammar_below(g, MANY_MAX);
    default:
        return 1;
    }
}

static void
add_token(struct grammar *g, struct words *w, struct bytes token)
{
    char suffix = token.data[token.len - 1];

    if (token.data[0] == '\'') {
        add_quoted(g, w, bytes_of(token.data + 1, token.len - 2));
        return;
    }
    if (strchr("?*+", suffix) != NULL)
        token.len--;
    for (uint64_t times = draw_times(g, suffix); times > 0; times--) {
        if (islower((unsigned char)token.data[0]))
            add_named(g, w, token);
        else
            add_literal(g, w, token);
    }
}

static void
add_shape(struct grammar *g, struct words *w, const char *shape, size_t len)
{
    const char *end = shape + len;

    while (shape < end) {
        const char *stop =
            *shape == '\'' ? strchr(shape + 1, '\'') + 1 : shape + strcspn(shape, " ");
        if (stop > end)
            stop = end;
        add_token(g, w, bytes_of(shape, (size_t)(stop - shape)));
        shape = stop + (stop < end);
    }
}

/* --- requests --- */

/* A wrong number of a store is a store's name to keyvald; COMMAND alone lists what the two
 * have; and Redis loses the n of KEAn where a CONFIG SET is refused. */
static bool
is_fragile(const char *shape)
{
    return strstr(shape, "store") != NULL || strstr(shape, "copy-option") != NULL
           || strncmp(shape, "COMMAND", 7) == 0 || strncmp(shape, "CONFIG SET", 10) == 0;
}

/* A wrong argument, or one too many or too few. It may name a key that is nobody's. */
static void
spoil(struct grammar *g, struct words *w, const char *shape)
{
    static const char *const junk[] = {
        "", "abc", "-1", "nan", "1.5", " 1", "1 ", "9223372036854775808", "NX", "*"};
    struct bytes word = bytes_str(junk[grammar_below(g, COUNT_OF(junk))]);
    uint64_t how = grammar_below(g, 4);

    if (strncmp(shape, "CONFIG GET", 10)
        == 0) /* it takes any words; the directives differ */
        return;
    if (how == 0)
        add_word(w, word);
    else if (how == 1)
        add_word(w, w->at[grammar_below(g, (uint64_t)w->count)]);
    else if (is_fragile(shape) || w->count == 1)
        return;
    else if (how == 2)
        w->count--;
    else
        w->at[1 + grammar_below(g, (uint64_t)w->count - 1)] = word;
}

static struct request
finish(struct grammar *g, const struct words *w, enum check check)
{
    size_t size = (size_t)w->count * sizeof w->at[0];
    struct bytes *argv = arena_alloc(g->arena, size);
    bool is_line = grammar_below(g, LINE_EVERY) == 0;

    for (int i = 0; i < w->count; i++)
        is_line &= w->at[i].len <= LINE_MAX;
    memcpy(argv, w->at, size);
    return (struct request){argv, w->count, check, is_line};
}

struct request
grammar_say(struct grammar *g, const char *shape)
{
    struct words w = {.count = 0};

    add_shape(g, &w, shape, strlen(shape));
    return finish(g, &w, CHECK_SAME);
}

static unsigned
weight_of(const struct grammar *g, size_t row, unsigned scopes)
{
    return g->admitted[row] && (rows[row].scope & scopes) != 0 ? rows[row].weight : 0;
}

struct request
grammar_draw(struct grammar *g, unsigned scopes)
{
    struct words w = {.count = 0};
    uint64_t total = 0;
    size_t row = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        total += weight_of(g, i, scopes);
    if (total == 0)
        return (struct request){0};
    uint64_t skip = grammar_below(g, total);
    while (skip >= weight_of(g, row, scopes))
        skip -= weight_of(g, row++, scopes);
    add_shape(g, &w, rows[row].shape, strlen(rows[row].shape));
    if ((scopes & SCOPE_AS_IT_STANDS) == 0 && g->owner < 0
        && grammar_below(g, SPOIL_EVERY) == 0)
        spoil(g, &w, rows[row].shape);
    return finish(g, &w, rows[row].check);
}
