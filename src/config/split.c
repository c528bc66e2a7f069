/*
 * split: a line to words, with the quoting of redis.conf, inline requests and redis-cli.
 * As there, a quote may open in the middle of a word, but must close at its end, and a
 * zero byte ends the line.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/config.h"

#include "base/escape.h"
#include <ctype.h>

/* What is left of the line, and where the next byte of a word goes. There is always room:
 * a word is never longer than what it was read from, and its NUL has been reserved. */
struct splitter {
    const char *at;
    const char *end;
    char *out;
};

static bool
at_blank(const struct splitter *s)
{
    return s->at < s->end && isspace((unsigned char)*s->at);
}

/* One byte within "...", where at is not the closing quote. */
static void
copy_double_quoted(struct splitter *s)
{
    size_t left = (size_t)(s->end - s->at);

    if (left >= 2 && s->at[0] == '\\') {
        s->at += 1 + escape_read(bytes_of(s->at + 1, left - 1), s->out);
        s->out++;
    } else {
        *s->out++ = *s->at++;
    }
}

/* One byte within '...', where at is not the closing quote. */
static void
copy_single_quoted(struct splitter *s)
{
    if (s->end - s->at >= 2 && s->at[0] == '\\' && s->at[1] == '\'')
        s->at++;
    *s->out++ = *s->at++;
}

/* From an opening quote to the end of the word. False: it does not close there. */
static bool
copy_quoted(struct splitter *s)
{
    char quote = *s->at++;

    while (s->at < s->end && *s->at != quote) {
        if (quote == '"')
            copy_double_quoted(s);
        else
            copy_single_quoted(s);
    }
    if (s->at == s->end)
        return false;
    s->at++;
    return s->at == s->end || at_blank(s);
}

static bool
copy_word(struct splitter *s)
{
    while (s->at < s->end && !at_blank(s)) {
        if (*s->at == '"' || *s->at == '\'')
            return copy_quoted(s);
        *s->out++ = *s->at++;
    }
    return true;
}

int
config_split(struct bytes line, struct buf *text, struct bytes *words, int max)
{
    size_t len = line.len > 0 ? strnlen(line.data, line.len) : 0;
    char *out = buf_reserve(text, len + (size_t)max);
    struct splitter s = {line.data, line.data + len, out};
    int count = 0;

    for (;;) {
        while (at_blank(&s))
            s.at++;
        if (s.at == s.end)
            break;
        if (count == max)
            return -1;
        words[count].data = s.out;
        if (!copy_word(&s))
            return -1;
        words[count].len = (size_t)(s.out - words[count].data);
        count++;
        *s.out++ = '\0';
    }
    text->len += (size_t)(s.out - out);
    return count;
}
