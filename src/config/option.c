/*
 * option: the table of directives, and the kinds of values they have. What is refused,
 * and with which words, is as in redis-server 7.0.15.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/option_priv.h"
#include "config/events.h"
#include "config/limits.h"

#include "base/log.h"
#include "base/number.h"
#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option options[OPTION_COUNT] = {
#define OPTION(name, field, kind, initial, min, max, when)                               \
    {name, offsetof(struct config, field), kind, initial, min, max, when},
#include "config/options.def"
#undef OPTION
};

struct choice {
    const char *name;
    int64_t number;
};

static const struct choice loglevels[] = {
    {"debug", LOG_DEBUG},
    {"verbose", LOG_VERBOSE},
    {"notice", LOG_NOTICE},
    {"warning", LOG_WARNING},
    {NULL, 0},
};

static const struct choice appendfsyncs[] = {
    {"everysec", APPENDFSYNC_EVERYSEC},
    {"always", APPENDFSYNC_ALWAYS},
    {"no", APPENDFSYNC_NO},
    {NULL, 0},
};

static const struct choice yes_no[] = {
    {"yes", true},
    {"no", false},
    {NULL, 0},
};

static const struct choice allowed[] = {
    {"no", ALLOWED_NO},
    {"yes", ALLOWED_YES},
    {"local", ALLOWED_LOCAL},
    {NULL, 0},
};

/* What Redis leaves to be chosen and is settled here. */
static const struct choice only_yes[] = {{"yes", true}, {NULL, 0}};
static const struct choice only_no[] = {{"no", false}, {NULL, 0}};
static const struct choice only_noeviction[] = {{"noeviction", 0}, {NULL, 0}};

static const struct choice *const choices[] = {
    [KIND_LOGLEVEL] = loglevels,
    [KIND_FSYNC] = appendfsyncs,
    [KIND_YES_NO] = yes_no,
    [KIND_ALLOWED] = allowed,
    [KIND_YES] = only_yes,
    [KIND_NO] = only_no,
    [KIND_EVICTION] = only_noeviction,
};

static const struct choice memory_units[] = {
    {"", 1},
    {"b", 1},
    {"k", 1000},
    {"kb", 1024},
    {"m", 1000 * 1000},
    {"mb", 1024 * 1024},
    {"g", 1000 * 1000 * 1000},
    {"gb", 1024 * 1024 * 1024},
    {NULL, 0},
};

const struct option *
option_at(size_t index)
{
    return index < OPTION_COUNT ? &options[index] : NULL;
}

const struct option *
option_find(struct bytes name)
{
    const struct option *o;

    for (size_t i = 0; (o = option_at(i)) != NULL; i++) {
        if (bytes_is(name, o->name))
            return o;
    }
    return NULL;
}

static const struct choice *
find_choice(const struct choice *first, struct bytes word)
{
    for (const struct choice *choice = first; choice->name != NULL; choice++) {
        if (bytes_is(word, choice->name))
            return choice;
    }
    return NULL;
}

static int64_t *
number_field(struct config *c, const struct option *o)
{
    return (int64_t *)((char *)c + o->offset);
}

bool
option_is_list(const struct option *o)
{
    return o->kind == KIND_LIST || o->kind == KIND_PERCENTILES || o->kind == KIND_LIMITS;
}

char **
option_text(struct config *c, const struct option *o)
{
    if (o->kind != KIND_TEXT && o->kind != KIND_LIST && o->kind != KIND_PERCENTILES)
        return NULL;
    return (char **)((char *)c + o->offset);
}

static int __attribute__((format(printf, 2, 3)))
refuse(char *reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, OPTION_REASON_MAX, format, args);
    va_end(args);
    return -1;
}

static int
set_number(struct config *c, const struct option *o, int64_t number, char *reason)
{
    if (number < o->min || number > o->max)
        return refuse(reason,
                      "argument must be between %" PRId64 " and %" PRId64 " inclusive",
                      o->min, o->max);
    *number_field(c, o) = number;
    return 0;
}

static int
set_int(struct config *c, const struct option *o, struct bytes word, char *reason)
{
    int64_t number;

    if (!number_parse(word, &number))
        return refuse(reason, "argument couldn't be parsed into an integer");
    return set_number(c, o, number, reason);
}

bool
option_parse_memory(struct bytes word, int64_t *number)
{
    const struct choice *unit;
    size_t ndigits = 0;

    *number = 0;
    while (ndigits < word.len && isdigit((unsigned char)word.data[ndigits])) {
        if (__builtin_mul_overflow(*number, 10, number)
            || __builtin_add_overflow(*number, word.data[ndigits] - '0', number))
            *number = INT64_MAX;
        ndigits++;
    }
    unit = find_choice(memory_units, bytes_of(word.data + ndigits, word.len - ndigits));
    if (unit != NULL && __builtin_mul_overflow(*number, unit->number, number))
        *number = INT64_MAX;
    return unit != NULL;
}

static int
set_memory(struct config *c, const struct option *o, struct bytes word, char *reason)
{
    int64_t number;

    if (!option_parse_memory(word, &number))
        return refuse(reason, "argument must be a memory value");
    return set_number(c, o, number, reason);
}

static int
refuse_choice(const struct choice *first, char *reason)
{
    struct buf names = {0};

    if (first == yes_no)
        return refuse(reason, "argument must be 'yes' or 'no'");
    for (const struct choice *choice = first; choice->name != NULL; choice++)
        buf_printf(&names, "%s%s", choice == first ? "" : ", ", choice->name);
    refuse(reason, "argument(s) must be one of the following: %.*s", (int)names.len,
           names.data);
    buf_deinit(&names);
    return -1;
}

static int
set_choice(struct config *c, const struct option *o, struct bytes word, char *reason)
{
    const struct choice *found = find_choice(choices[o->kind], word);

    if (found == NULL)
        return refuse_choice(choices[o->kind], reason);
    *number_field(c, o) = found->number;
    return 0;
}

static int
set_text(struct config *c, const struct option *o, struct bytes text, char *reason)
{
    char **field = option_text(c, o);

    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
        return refuse(reason, "argument must not contain a zero byte");
    if (text.len > 0 && o->max == 0)
        return refuse(reason, "argument must be empty");
    if ((int64_t)text.len < o->min || (int64_t)text.len > o->max)
        return refuse(reason, "argument must be %" PRId64 " to %" PRId64 " bytes long",
                      o->min, o->max);
    free(*field);
    *field = bytes_dup(text);
    return 0;
}

static int
set_events(struct config *c, const struct option *o, struct bytes word, char *reason)
{
    if (events_parse(word, number_field(c, o)))
        return 0;
    return refuse(reason, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
}

static int
set_list(struct config *c, const struct option *o, const struct bytes *words, int count,
         char *reason)
{
    struct buf text = {0};
    int failed;

    for (int i = 0; i < count; i++) {
        if (i > 0)
            buf_append(&text, " ", 1);
        option_quote(&text, words[i]);
    }
    failed = set_text(c, o, buf_bytes(&text), reason);
    buf_deinit(&text);
    return failed;
}

/* Appends a percentile as it is told: without zeros at its end. */
static int
print_percentile(struct buf *out, const char *word, char *reason)
{
    char *end;
    double percent = strtod(word, &end);

    if (end == word || *end != '\0' || isnan(percent))
        return refuse(reason, "Invalid latency-tracking-info-percentiles parameters");
    if (percent < 0 || percent > 100)
        return refuse(reason, "latency-tracking-info-percentiles parameters should sit "
                              "between [0.0,100.0]");
    buf_printf(out, "%s%f", out->len > 0 ? " " : "", percent);
    while (out->data[out->len - 1] == '0')
        out->len--;
    if (out->data[out->len - 1] == '.')
        out->len--;
    return 0;
}

static int
set_percentiles(struct config *c, const struct option *o, const struct bytes *words,
                int count, char *reason)
{
    struct buf text = {0};
    int failed = 0;

    /* An empty word is how a file says that there are none. */
    if (count == 1 && words[0].len == 0)
        count = 0;
    for (int i = 0; i < count && !failed; i++)
        failed = print_percentile(&text, words[i].data, reason);
    if (!failed)
        failed = set_text(c, o, buf_bytes(&text), reason);
    buf_deinit(&text);
    return failed;
}

/* Words between one pair of quotes are as good. */
static int
set_limits(struct config *c, const struct option *o, const struct bytes *words, int count,
           char *reason)
{
    struct client_limit *field = (struct client_limit *)((char *)c + o->offset);
    struct bytes parts[CONFIG_LINE_ARGS];
    struct buf text = {0};

    if (count == 1) {
        count = config_split(words[0], &text, parts, CONFIG_LINE_ARGS);
        words = parts;
    }
    const char *wrong = limits_set(field, words, count);
    buf_deinit(&text);
    return wrong == NULL ? 0 : refuse(reason, "%s", wrong);
}

int
option_set(struct config *c, const struct option *o, const struct bytes *words, int count,
           char reason[OPTION_REASON_MAX])
{
    if (o->kind == KIND_LIST)
        return set_list(c, o, words, count, reason);
    if (o->kind == KIND_PERCENTILES)
        return set_percentiles(c, o, words, count, reason);
    if (o->kind == KIND_LIMITS)
        return set_limits(c, o, words, count, reason);
    if (count != 1)
        return refuse(reason, "wrong number of arguments");
    switch (o->kind) {
    case KIND_INT:
        return set_int(c, o, words[0], reason);
    case KIND_MEMORY:
        return set_memory(c, o, words[0], reason);
    case KIND_TEXT:
        return set_text(c, o, words[0], reason);
    case KIND_EVENTS:
        return set_events(c, o, words[0], reason);
    default:
        return set_choice(c, o, words[0], reason);
    }
}

static void
print_choice(const struct choice *choice, int64_t number, struct buf *out)
{
    while (choice->name != NULL && choice->number != number)
        choice++;
    assert(choice->name != NULL);
    buf_append_bytes(out, bytes_str(choice->name));
}

void
option_print(const struct config *c, const struct option *o, struct buf *out)
{
    const char *field = (const char *)c + o->offset;

    switch (o->kind) {
    case KIND_INT:
    case KIND_MEMORY:
        buf_printf(out, "%" PRId64, *(const int64_t *)field);
        break;
    case KIND_TEXT:
    case KIND_LIST:
    case KIND_PERCENTILES:
        buf_append_bytes(out, bytes_str(*(char *const *)field));
        break;
    case KIND_EVENTS:
        events_print(out, *(const int64_t *)field);
        break;
    case KIND_LIMITS:
        limits_print((const struct client_limit *)field, out);
        break;
    default:
        print_choice(choices[o->kind], *(const int64_t *)field, out);
    }
}

bool
option_is_same(const struct config *a, const struct config *b, const struct option *o)
{
    struct buf left = {0}, right = {0};

    option_print(a, o, &left);
    option_print(b, o, &right);
    bool same = bytes_eq(buf_bytes(&left), buf_bytes(&right));
    buf_deinit(&left);
    buf_deinit(&right);
    return same;
}

void
option_write_memory(int64_t bytes, struct buf *out)
{
    static const char *const units[] = {"", "kb", "mb", "gb"};
    int unit = 0;

    while (bytes != 0 && bytes % 1024 == 0 && unit < 3) {
        bytes /= 1024;
        unit++;
    }
    buf_printf(out, "%" PRId64 "%s", bytes, units[unit]);
}

void
option_write(const struct config *c, const struct option *o, struct buf *out)
{
    const char *field = (const char *)c + o->offset;

    if (o->kind == KIND_LIMITS) {
        limits_write((const struct client_limit *)field, o->name, out);
        return;
    }
    buf_printf(out, "%s ", o->name);
    if (o->kind == KIND_MEMORY)
        option_write_memory(*(const int64_t *)field, out);
    else if (o->kind == KIND_TEXT)
        option_quote(out, bytes_str(*(char *const *)field));
    else if (o->kind == KIND_EVENTS && *(const int64_t *)field == 0)
        option_quote(out, bytes_str(""));
    else
        option_print(c, o, out);
}

static bool
needs_quotes(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        unsigned char byte = (unsigned char)word.data[i];

        if (byte <= ' ' || byte == 0x7f || byte == '"' || byte == '\'' || byte == '\\')
            return true;
    }
    return word.len == 0;
}

void
option_quote(struct buf *out, struct bytes word)
{
    if (!needs_quotes(word)) {
        buf_append_bytes(out, word);
        return;
    }
    buf_append(out, "\"", 1);
    for (size_t i = 0; i < word.len; i++) {
        unsigned char byte = (unsigned char)word.data[i];

        if (byte == '"' || byte == '\\')
            buf_printf(out, "\\%c", byte);
        else if (byte < ' ' || byte == 0x7f)
            buf_printf(out, "\\x%02x", byte);
        else
            buf_append(out, &word.data[i], 1);
    }
    buf_append(out, "\"", 1);
}
