/*
 * parser: requests out of bytes, in one pass.
 *
 *   "*2\r\n"   count      pos is behind it, args_left = 2, bulk_len = -1
 *   "$3\r\n"   length     pos is behind it, bulk_len = 3
 *   "GET\r\n"  payload    pos is behind it, args_left = 1, bulk_len = -1
 *
 * pos moves over whole elements only. What is not whole is looked at again when more has
 * come, but for lines, where searched says how far an end was looked for already. A
 * payload is never looked at. Nothing is allocated for an argument before its bytes are
 * there.
 *
 * As in redis-server, a line of an array ends at its CR, and neither the byte after that
 * nor the two bytes after a payload are checked.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "resp/parser.h"

#include "base/escape.h"
#include "base/mem.h"
#include "base/number.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_ARGS    8
#define ARGS_KEEP     1024 /* more than this is given back after the request */
#define UNQUOTED_KEEP 1024
#define QUICK_DIGITS  10 /* numbers up to this long are read without a search */
#define END_LEN       2  /* CR LF */

void
parser_init(struct parser *p, size_t bulk_max)
{
    *p = (struct parser){.bulk_max = bulk_max};
    parser_restart(p);
}

void
parser_deinit(struct parser *p)
{
    free(p->argv);
    buf_deinit(&p->unquoted);
}

void
parser_restart(struct parser *p)
{
    p->pos = 0;
    p->searched = 0;
    p->args_left = -1;
    p->bulk_len = -1;
    p->nargs = 0;
}

static enum parsed
refuse(struct parser *p, const char *why)
{
    snprintf(p->error, sizeof(p->error), "Protocol error: %s", why);
    return PARSED_ERROR;
}

static void
grow_args(struct parser *p)
{
    p->cap_args = p->cap_args == 0 ? FIRST_ARGS : 2 * p->cap_args;
    p->argv = xrealloc(p->argv, p->cap_args * sizeof(*p->argv));
}

/* Until the request is whole, an offset stands in place of the address. */
static inline void
push_arg(struct parser *p, size_t start, size_t len)
{
    if (p->nargs == p->cap_args)
        grow_args(p);
    p->argv[p->nargs++] = bytes_of((const char *)(uintptr_t)start, len);
}

/* The request is whole: its arguments stand in base, and it took so many bytes. */
static enum parsed
finish(struct parser *p, const char *base, size_t consumed)
{
    for (size_t i = 0; i < p->nargs; i++)
        p->argv[i].data = base + (uintptr_t)p->argv[i].data;
    p->argc = (int)p->nargs;
    p->consumed = consumed;
    parser_restart(p);
    return PARSED_REQUEST;
}

/* Looks for the byte that ends the line at pos: PARSED_REQUEST and its place, or
 * PARSED_MORE, or PARSED_ERROR when it is not in the first PARSER_INLINE_MAX + 1. Behind a
 * zero byte there is no end, as in redis-server: who sends one speaks no protocol. */
static enum parsed
find_end(struct parser *p, const char *data, size_t len, char end, size_t *place)
{
    size_t limit = p->pos + PARSER_INLINE_MAX + 1;
    size_t stop = len < limit ? len : limit;
    size_t from = p->pos + p->searched;
    const char *found = memchr(data + from, end, stop - from);
    size_t seen = found != NULL ? (size_t)(found - data) : stop;
    const char *zero = memchr(data + from, '\0', seen - from);

    if (zero != NULL) {
        found = NULL;
        seen = (size_t)(zero - data);
    }
    if (found == NULL && stop == limit)
        return PARSED_ERROR;
    if (found == NULL) {
        p->searched = seen - p->pos;
        return PARSED_MORE;
    }
    *place = (size_t)(found - data);
    p->searched = *place - p->pos;
    return PARSED_REQUEST;
}

/* The number between a mark and CR LF, when all of it is there and it is plain: no sign,
 * no leading zero, few digits. Gives its length, 0 when it must be read carefully. */
static inline size_t
quick_number(const char *digits, size_t left, int64_t *number)
{
    int64_t n = 0;
    size_t i = 0;

    for (; i < left && i < QUICK_DIGITS; i++) {
        unsigned digit = (unsigned char)digits[i] - (unsigned)'0';
        if (digit > 9)
            break;
        n = n * 10 + digit;
    }
    if (i == 0 || left - i < END_LEN || digits[i] != '\r' || (digits[0] == '0' && i > 1))
        return 0;
    *number = n;
    return i;
}

/* What a line of an array must begin with, and what is said when it is wrong. */
struct line_kind {
    char mark;
    const char *too_long;
    const char *invalid;
};

static const struct line_kind count_line = {'*', "too big mbulk count string",
                                            "invalid multibulk length"};
static const struct line_kind length_line = {'$', "too big bulk count string",
                                             "invalid bulk length"};

static enum parsed
refuse_mark(struct parser *p, char got)
{
    char why[] = "expected '$', got '?'";
    why[sizeof(why) - 3] = got;
    return refuse(p, why);
}

static enum parsed
read_line_carefully(struct parser *p, const char *data, size_t len,
                    const struct line_kind *kind, int64_t *number)
{
    size_t end;
    enum parsed found = find_end(p, data, len, '\r', &end);

    if (found == PARSED_ERROR)
        return refuse(p, kind->too_long);
    if (found == PARSED_MORE || len - end < END_LEN)
        return PARSED_MORE;
    if (data[p->pos] != kind->mark)
        return refuse_mark(p, data[p->pos]);
    if (!number_parse(bytes_of(data + p->pos + 1, end - p->pos - 1), number))
        return refuse(p, kind->invalid);
    p->pos = end + END_LEN;
    p->searched = 0;
    return PARSED_REQUEST;
}

/* The number of the line at pos, which is moved behind it. */
static inline enum parsed
read_line(struct parser *p, const char *data, size_t len, const struct line_kind *kind,
          int64_t *number)
{
    const char *line = data + p->pos;
    size_t left = len - p->pos;

    if (left == 0)
        return PARSED_MORE;
    size_t digits = *line == kind->mark ? quick_number(line + 1, left - 1, number) : 0;
    if (digits == 0)
        return read_line_carefully(p, data, len, kind, number);
    p->pos += 1 + digits + END_LEN;
    p->searched = 0;
    return PARSED_REQUEST;
}

static enum parsed
read_count(struct parser *p, const char *data, size_t len)
{
    int64_t count;
    enum parsed got = read_line(p, data, len, &count_line, &count);

    if (got != PARSED_REQUEST)
        return got;
    if (count > PARSER_ARGS_MAX)
        return refuse(p, count_line.invalid);
    if (p->guest && count > PARSER_GUEST_ARGS_MAX)
        return refuse(p, "unauthenticated multibulk length");
    p->args_left = count > 0 ? count : 0;
    return PARSED_REQUEST;
}

static enum parsed
read_length(struct parser *p, const char *data, size_t len)
{
    int64_t length;
    enum parsed got = read_line(p, data, len, &length_line, &length);

    if (got != PARSED_REQUEST)
        return got;
    if (length < 0 || (size_t)length > p->bulk_max)
        return refuse(p, length_line.invalid);
    if (p->guest && length > PARSER_GUEST_BULK_MAX)
        return refuse(p, "unauthenticated bulk length");
    p->bulk_len = length;
    return PARSED_REQUEST;
}

static enum parsed
next_array(struct parser *p, const char *data, size_t len)
{
    if (p->args_left < 0) {
        enum parsed got = read_count(p, data, len);
        if (got != PARSED_REQUEST)
            return got;
    }
    while (p->args_left > 0) {
        if (p->bulk_len < 0) {
            enum parsed got = read_length(p, data, len);
            if (got != PARSED_REQUEST)
                return got;
        }
        if (len - p->pos < (size_t)p->bulk_len + END_LEN)
            return PARSED_MORE;
        push_arg(p, p->pos, (size_t)p->bulk_len);
        p->pos += (size_t)p->bulk_len + END_LEN;
        p->bulk_len = -1;
        p->args_left--;
    }
    return finish(p, data, p->pos);
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* An unquoted word goes on over the other two spaces, VT and FF. */
static bool
ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Writes what stands between the quote that text begins with and its partner, behind
 * which there must be a space or the end. Gives how much of text that takes, 0 if it is
 * not balanced. */
static size_t
unquote(struct buf *out, struct bytes text)
{
    char quote = text.data[0];
    size_t i = 1;

    while (i < text.len && text.data[i] != quote) {
        bool more = i + 1 < text.len;
        if (quote == '"' && text.data[i] == '\\' && more) {
            char byte;
            i += 1 + escape_read(bytes_of(text.data + i + 1, text.len - i - 1), &byte);
            buf_append(out, &byte, 1);
            continue;
        }
        if (quote == '\'' && text.data[i] == '\\' && more && text.data[i + 1] == '\'')
            i++;
        buf_append(out, &text.data[i++], 1);
    }
    if (i == text.len || (i + 1 < text.len && !is_space(text.data[i + 1])))
        return 0;
    return i + 1;
}

/* Adds the word that text begins with to the arguments. A quote may begin within a word,
 * and ends it. Gives how much of text it takes, 0 if its quotes are not balanced. */
static size_t
read_word(struct parser *p, struct bytes text)
{
    size_t start = p->unquoted.len;
    size_t i = 0;

    while (i < text.len && !ends_word(text.data[i])) {
        if (text.data[i] == '"' || text.data[i] == '\'') {
            size_t taken = unquote(&p->unquoted, bytes_of(text.data + i, text.len - i));
            if (taken == 0)
                return 0;
            i += taken;
            break;
        }
        buf_append(&p->unquoted, &text.data[i++], 1);
    }
    push_arg(p, start, p->unquoted.len - start);
    return i;
}

static bool
split_words(struct parser *p, struct bytes line)
{
    size_t i = 0;

    for (;;) {
        while (i < line.len && is_space(line.data[i]))
            i++;
        if (i == line.len)
            return true;
        size_t taken = read_word(p, bytes_of(line.data + i, line.len - i));
        if (taken == 0)
            return false;
        i += taken;
    }
}

static enum parsed
next_inline(struct parser *p, const char *data, size_t len)
{
    size_t end;
    enum parsed found = find_end(p, data, len, '\n', &end);

    if (found == PARSED_ERROR)
        return refuse(p, "too big inline request");
    if (found == PARSED_MORE)
        return PARSED_MORE;

    size_t line_len = end > 0 && data[end - 1] == '\r' ? end - 1 : end;
    buf_reserve(&p->unquoted, line_len + 1); /* an empty argument has an address too */
    if (!split_words(p, bytes_of(data, line_len)))
        return refuse(p, "unbalanced quotes in request");
    return finish(p, p->unquoted.data, end + 1);
}

/* Gives back the memory of the last request, where it was a large one. */
static void
forget_last(struct parser *p)
{
    if (p->unquoted.len > 0)
        buf_clear(&p->unquoted, UNQUOTED_KEEP);
    if (p->cap_args <= ARGS_KEEP)
        return;
    free(p->argv);
    p->argv = NULL;
    p->cap_args = 0;
}

enum parsed
parser_next(struct parser *p, const char *data, size_t len)
{
    assert(p->pos <= len);
    if (p->pos == 0)
        forget_last(p);
    if (len == 0)
        return PARSED_MORE;
    if (data[0] == '*')
        return next_array(p, data, len);
    return next_inline(p, data, len);
}

size_t
parser_missing(const struct parser *p, size_t len)
{
    if (p->bulk_len < 0)
        return 0;
    size_t whole = p->pos + (size_t)p->bulk_len + END_LEN;
    return whole > len ? whole - len : 0;
}
