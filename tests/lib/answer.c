/*
 * answer: a reader and a printer of replies that share no code with src/resp, so that a
 * mistake there cannot hide here.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "answer.h"

#include "base/mem.h"
#include <ctype.h>
#include <stdlib.h>

#define AGGREGATES "*%~>"
#define BULKS      "$="

static ssize_t read_at_depth(struct bytes data, struct answer *out, int depth);

static void
set_text(struct answer *a, const char *data, size_t len)
{
    a->text = bytes_dup(bytes_of(data, len));
    a->len = len;
}

static ssize_t
read_bulk(struct bytes data, size_t head, long len, struct answer *out)
{
    size_t skip = out->kind == '=' ? strlen("txt:") : 0;

    if (len < 0) {
        out->null = true;
        return (ssize_t)head;
    }
    if (data.len < head + (size_t)len + 2)
        return 0;
    if (memcmp(data.data + head + len, "\r\n", 2) != 0 || (size_t)len < skip)
        return -1;
    set_text(out, data.data + head + skip, (size_t)len - skip);
    return (ssize_t)head + len + 2;
}

static ssize_t
read_items(struct bytes data, size_t head, long count, struct answer *out, int depth)
{
    size_t pos = head;

    out->null = count < 0;
    if (count <= 0)
        return (ssize_t)head;
    if (depth == ANSWER_DEPTH_MAX)
        return -1;
    out->nitems = (size_t)count * (out->kind == '%' ? 2 : 1);
    out->items = xcalloc(out->nitems, sizeof *out->items);
    for (size_t i = 0; i < out->nitems; i++) {
        struct bytes rest = bytes_of(data.data + pos, data.len - pos);
        ssize_t used = read_at_depth(rest, &out->items[i], depth + 1);
        if (used <= 0)
            return used;
        pos += (size_t)used;
    }
    return (ssize_t)pos;
}

static ssize_t
read_at_depth(struct bytes data, struct answer *out, int depth)
{
    const char *end = data.len > 0 ? memchr(data.data, '\n', data.len) : NULL;
    size_t head;

    if (end == NULL)
        return 0;
    if (end == data.data || end[-1] != '\r'
        || strchr("+-:$*%~>,#=_(", data.data[0]) == NULL)
        return -1;
    head = (size_t)(end - data.data) + 1;
    out->kind = data.data[0];
    if (strchr(BULKS, out->kind) != NULL)
        return read_bulk(data, head, strtol(data.data + 1, NULL, 10), out);
    if (strchr(AGGREGATES, out->kind) != NULL)
        return read_items(data, head, strtol(data.data + 1, NULL, 10), out, depth);
    out->null = out->kind == '_';
    set_text(out, data.data + 1, head - strlen("+\r\n"));
    return (ssize_t)head;
}

ssize_t
answer_read(struct bytes data, struct answer *out)
{
    *out = (struct answer){0};
    ssize_t used = read_at_depth(data, out, 0);
    if (used <= 0)
        answer_deinit(out);
    return used;
}

void
answer_deinit(struct answer *a)
{
    for (size_t i = 0; i < a->nitems; i++)
        answer_deinit(&a->items[i]);
    free(a->items);
    free(a->text);
    *a = (struct answer){0};
}

void
answer_quote(struct buf *out, struct bytes text)
{
    static const char plain[] = "\\\"\n\r\t\a\b";
    static const char letters[] = "\\\"nrtab";

    buf_append(out, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        const char *special = c != '\0' ? strchr(plain, c) : NULL;
        if (special != NULL)
            buf_printf(out, "\\%c", letters[special - plain]);
        else if (c < ' ' || c > '~')
            buf_printf(out, "\\x%02x", c);
        else
            buf_append(out, &c, 1);
    }
    buf_append(out, "\"", 1);
}

static void
print_scalar(const struct answer *a, struct buf *out)
{
    switch (a->kind) {
    case '-':
        buf_printf(out, "(error) ");
        break;
    case ':':
        buf_printf(out, "(integer) ");
        break;
    case ',':
        buf_printf(out, "(double) ");
        break;
    case '#':
        buf_printf(out, a->text[0] == 't' ? "(true)\n" : "(false)\n");
        return;
    case '$':
        answer_quote(out, bytes_of(a->text, a->len));
        buf_append(out, "\n", 1);
        return;
    default:
        break;
    }
    buf_append(out, a->text, a->len);
    buf_append(out, "\n", 1);
}

static void print_indented(const struct answer *a, int indent, struct buf *out);

static int
digits_of(size_t number)
{
    int digits = 1;

    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

/* The value of a map's pair: on the same line if it is a single line. */
static void
print_pair_value(const struct answer *value, int indent, struct buf *out)
{
    struct buf text = {0};

    print_indented(value, indent, &text);
    out->len--;
    buf_printf(out, " => ");
    if (memchr(text.data, '\n', text.len) != text.data + text.len - 1)
        buf_printf(out, "\n%*s", indent, "");
    buf_append(out, text.data, text.len);
    buf_deinit(&text);
}

static void
print_items(const struct answer *a, int indent, struct buf *out)
{
    size_t step = a->kind == '%' ? 2 : 1;
    int width = digits_of(a->nitems / step);
    char mark = a->kind == '%' ? '#' : a->kind == '~' ? '~' : ')';

    for (size_t i = 0; i < a->nitems; i += step) {
        int inner = indent + width + 2;
        buf_printf(out, "%*s%*zu%c ", i > 0 ? indent : 0, "", width, i / step + 1, mark);
        print_indented(&a->items[i], inner, out);
        if (step == 2)
            print_pair_value(&a->items[i + 1], inner, out);
    }
}

/* The first line goes where the caller stands; the following ones are indented. */
static void
print_indented(const struct answer *a, int indent, struct buf *out)
{
    if (a->null)
        buf_printf(out, "(nil)\n");
    else if (strchr(AGGREGATES, a->kind) == NULL)
        print_scalar(a, out);
    else if (a->nitems > 0)
        print_items(a, indent, out);
    else
        buf_printf(out, "(empty %s)\n",
                   a->kind == '%'   ? "hash"
                   : a->kind == '~' ? "set"
                   : a->kind == '>' ? "push"
                                    : "array");
}

void
answer_print(const struct answer *a, struct buf *out)
{
    print_indented(a, 0, out);
}

void
request_encode(struct buf *out, const struct bytes *argv, int argc)
{
    buf_printf(out, "*%d\r\n", argc);
    for (int i = 0; i < argc; i++) {
        buf_printf(out, "$%zu\r\n", argv[i].len);
        buf_append_bytes(out, argv[i]);
        buf_append(out, "\r\n", 2);
    }
}
