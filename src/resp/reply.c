/* reply: the wire format, by hand where it is hot: one reserve a reply, and no printf. */
// SPDX-License-Identifier: BSD-3-Clause
#include "resp/reply.h"

#include "base/number.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>

#define HEAD_MAX        (1 + NUMBER_TEXT_MAX + 2) /* mark, number, CR LF */
#define DOUBLE_TEXT_MAX 32                        /* of "%.17g" */
#define FORMAT_LEN      3                         /* "txt" */

/* Writes to a place with room for it; gives the place behind. */
static inline char *
put(char *to, const void *data, size_t len)
{
    memcpy(to, data, len);
    return to + len;
}

/* The same for a mark, a number and CR LF: HEAD_MAX bytes at most. */
static inline char *
put_head(char *to, char mark, int64_t number)
{
    *to++ = mark;
    if (number >= 0 && number <= 9)
        *to++ = (char)('0' + number);
    else
        to += number_format(number, to);
    return put(to, "\r\n", 2);
}

static inline void
written(struct reply *r, const char *end)
{
    r->out->len = (size_t)(end - r->out->data);
}

static void
head(struct reply *r, char mark, size_t count)
{
    char *to = buf_reserve(r->out, HEAD_MAX);
    written(r, put_head(to, mark, (int64_t)count));
}

void
reply_ok(struct reply *r)
{
    buf_append(r->out, "+OK\r\n", 5);
}

/* A line: a mark, a text without CR and LF, CR LF. */
static void
line(struct reply *r, char mark, struct bytes text)
{
    char *to = buf_reserve(r->out, 1 + text.len + 2);
    *to++ = mark;
    to = put(to, text.data, text.len);
    written(r, put(to, "\r\n", 2));
}

void
reply_simple(struct reply *r, const char *text)
{
    line(r, '+', bytes_str(text));
}

void
reply_simple_bytes(struct reply *r, struct bytes text)
{
    line(r, '+', text);
}

void
reply_error(struct reply *r, struct bytes text)
{
    size_t start = r->out->len + 1;

    line(r, '-', text);
    for (size_t i = 0; i < text.len; i++) {
        char *c = &r->out->data[start + i];
        if (*c == '\r' || *c == '\n')
            *c = ' ';
    }
}

void
reply_int(struct reply *r, int64_t number)
{
    char *to = buf_reserve(r->out, HEAD_MAX);
    written(r, put_head(to, ':', number));
}

void
reply_bulk(struct reply *r, struct bytes value)
{
    size_t room = HEAD_MAX + value.len + 2;

    if (r->out->cap - r->out->len < room && r->spare != NULL)
        buf_grow_from(r->out, room, r->spare);
    char *to = buf_reserve(r->out, room);
    to = put_head(to, '$', (int64_t)value.len);
    if (value.len > 0)
        to = put(to, value.data, value.len);
    written(r, put(to, "\r\n", 2));
}

void
reply_bulk_str(struct reply *r, const char *text)
{
    reply_bulk(r, bytes_str(text));
}

void
reply_bulk_int(struct reply *r, int64_t number)
{
    char digits[NUMBER_TEXT_MAX];
    reply_bulk(r, bytes_of(digits, number_format(number, digits)));
}

void
reply_null(struct reply *r)
{
    if (r->protocol == 3)
        buf_append(r->out, "_\r\n", 3);
    else
        buf_append(r->out, "$-1\r\n", 5);
}

void
reply_null_array(struct reply *r)
{
    if (r->protocol == 3)
        buf_append(r->out, "_\r\n", 3);
    else
        buf_append(r->out, "*-1\r\n", 5);
}

void
reply_array(struct reply *r, size_t count)
{
    head(r, '*', count);
}

void
reply_map(struct reply *r, size_t pairs)
{
    if (r->protocol == 3)
        head(r, '%', pairs);
    else
        head(r, '*', 2 * pairs);
}

void
reply_figure(struct reply *r, const char *name, int64_t number)
{
    reply_bulk_str(r, name);
    reply_int(r, number);
}

void
reply_set(struct reply *r, size_t count)
{
    head(r, r->protocol == 3 ? '~' : '*', count);
}

void
reply_push(struct reply *r, size_t count)
{
    head(r, r->protocol == 3 ? '>' : '*', count);
}

void
reply_bool(struct reply *r, bool yes)
{
    if (r->protocol == 3)
        buf_append(r->out, yes ? "#t\r\n" : "#f\r\n", 4);
    else
        reply_int(r, yes);
}

/* "inf" whatever the C library calls it; "%.17g" is the same double when it is read. */
static struct bytes
double_text(double number, char *text)
{
    if (isinf(number))
        return bytes_str(number > 0 ? "inf" : "-inf");
    int len = snprintf(text, DOUBLE_TEXT_MAX, "%.17g", number);
    assert(len > 0 && len < DOUBLE_TEXT_MAX);
    return bytes_of(text, (size_t)len);
}

void
reply_double(struct reply *r, double number)
{
    char room[DOUBLE_TEXT_MAX];
    struct bytes text = double_text(number, room);

    if (r->protocol == 3)
        line(r, ',', text);
    else
        reply_bulk(r, text);
}

void
reply_big_number(struct reply *r, const char *digits)
{
    if (r->protocol == 3)
        line(r, '(', bytes_str(digits));
    else
        reply_bulk_str(r, digits);
}

void
reply_attribute(struct reply *r, size_t pairs)
{
    assert(r->protocol == 3);
    head(r, '|', pairs);
}

void
reply_verbatim(struct reply *r, const char *format, struct bytes text)
{
    assert(strlen(format) == FORMAT_LEN);
    if (r->protocol != 3) {
        reply_bulk(r, text);
        return;
    }
    head(r, '=', FORMAT_LEN + 1 + text.len);
    buf_append(r->out, format, FORMAT_LEN);
    buf_append(r->out, ":", 1);
    buf_append_bytes(r->out, text);
    buf_append(r->out, "\r\n", 2);
}
