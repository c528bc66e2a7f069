/*
 * glob: each part of a pattern but the star takes exactly one byte, so a mismatch needs
 * to go back only to the last star and let it take one byte more: what an earlier star
 * could take instead, the last one can take as well. That bounds the time.
 *
 * The odd corners are Redis's: a class that is not closed ends with the pattern; a range
 * may be given backwards; bytes in a range are compared as signed; a backslash in a class
 * ignores nocase; a backslash that ends the pattern is itself; no pattern but the empty
 * one matches the empty text.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/glob.h"

struct matcher {
    struct bytes pattern;
    bool nocase;
};

static int
fold(char c, bool nocase)
{
    if (nocase && c >= 'A' && c <= 'Z')
        return c - 'A' + 'a';
    return (signed char)c;
}

static bool
same(const struct matcher *m, char a, char b)
{
    return fold(a, m->nocase) == fold(b, m->nocase);
}

static bool
in_range(const struct matcher *m, char from, char to, char c)
{
    bool backwards = (signed char)from > (signed char)to;
    int low = fold(backwards ? to : from, m->nocase);
    int high = fold(backwards ? from : to, m->nocase);
    int byte = fold(c, m->nocase);
    return low <= byte && byte <= high;
}

/* One item of the class at *at, which is moved behind it: a range or a byte. */
static bool
item_takes(const struct matcher *m, size_t *at, char c)
{
    const char *item = m->pattern.data + *at;
    size_t left = m->pattern.len - *at;

    if (left >= 2 && item[0] == '\\') {
        *at += 2;
        return item[1] == c;
    }
    if (left >= 3 && item[1] == '-') {
        *at += 3;
        return in_range(m, item[0], item[2], c);
    }
    *at += 1;
    return same(m, item[0], c);
}

/* The class whose first byte after the bracket is at *at, which is moved behind it. */
static bool
class_takes(const struct matcher *m, size_t *at, char c)
{
    struct bytes pattern = m->pattern;
    bool negated = *at < pattern.len && pattern.data[*at] == '^';
    bool found = false;

    *at += negated;
    while (*at < pattern.len && pattern.data[*at] != ']')
        found |= item_takes(m, at, c);
    if (*at < pattern.len)
        *at += 1;
    return found != negated;
}

/* Whether the part of the pattern at *at, no star, takes c; *at is moved behind it. */
static bool
part_takes(const struct matcher *m, size_t *at, char c)
{
    if (*at == m->pattern.len)
        return false;

    char part = m->pattern.data[(*at)++];
    if (part == '?')
        return true;
    if (part == '[')
        return class_takes(m, at, c);
    if (part == '\\' && *at < m->pattern.len)
        part = m->pattern.data[(*at)++];
    return same(m, part, c);
}

static bool
is_star(struct bytes pattern, size_t at)
{
    return at < pattern.len && pattern.data[at] == '*';
}

bool
glob_match(struct bytes pattern, struct bytes text, bool nocase)
{
    const struct matcher m = {pattern, nocase};
    bool starred = false;
    size_t at = 0, taken = 0; /* what comes next in pattern and in text */
    size_t after_star = 0;    /* where to go on in them when the last star takes more */
    size_t retry_at = 0;

    if (text.len == 0)
        return pattern.len == 0;
    while (taken < text.len) {
        if (is_star(pattern, at)) {
            starred = true;
            after_star = ++at;
            retry_at = taken;
        } else if (part_takes(&m, &at, text.data[taken])) {
            taken++;
        } else if (starred) {
            at = after_star;
            taken = ++retry_at;
        } else {
            return false;
        }
    }
    while (is_star(pattern, at))
        at++;
    return at == pattern.len;
}
