/*
 * fuzz_glob: any pattern ends in time, and small ones agree with a naive matcher, which
 * tries everything a star could take. The input is a byte, odd for nocase, a pattern, a
 * LF and a text.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/glob.h"
#include <assert.h>
#include <ctype.h>
#include <stdint.h>

#define NAIVE_MAX 16 /* bytes of pattern and of text; the time is exponential */
#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
lower(int c, bool nocase)
{
    return nocase && c >= 0 ? tolower(c) : c;
}

/* Whether the class at *p, behind its bracket, takes c; *p is moved behind it. */
static bool
naive_class(const char **p, const char *end, char c, bool nocase)
{
    bool negated = *p < end && **p == '^', found = false;
    const char *s = *p + negated;

    for (; s < end && *s != ']'; s++) {
        if (s + 1 < end && *s == '\\') {
            found |= *++s == c;
        } else if (s + 2 < end && s[1] == '-') {
            signed char a = (signed char)s[0], b = (signed char)s[2];
            int low = lower(a < b ? a : b, nocase), high = lower(a < b ? b : a, nocase);
            int byte = lower((signed char)c, nocase);
            found |= low <= byte && byte <= high;
            s += 2;
        } else {
            found |= lower((signed char)*s, nocase) == lower((signed char)c, nocase);
        }
    }
    *p = s < end ? s + 1 : s;
    return found != negated;
}

static bool
naive(const char *p, const char *p_end, const char *t, const char *t_end, bool nocase)
{
    if (p == p_end)
        return t == t_end;
    if (*p == '*') {
        while (p < p_end && *p == '*')
            p++;
        for (; t <= t_end; t++) {
            if (naive(p, p_end, t, t_end, nocase))
                return true;
        }
        return false;
    }
    if (t == t_end)
        return false;

    char part = *p++;
    if (part == '[')
        return naive_class(&p, p_end, *t, nocase)
               && naive(p, p_end, t + 1, t_end, nocase);
    bool any = part == '?';
    if (part == '\\' && p < p_end)
        part = *p++;
    if (!any && lower((signed char)part, nocase) != lower((signed char)*t, nocase))
        return false;
    return naive(p, p_end, t + 1, t_end, nocase);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *input = (const char *)data;
    const char *middle = size == 0 ? NULL : memchr(input + 1, '\n', size - 1);

    if (middle == NULL || size > INPUT_MAX)
        return 0;
    struct bytes pattern = bytes_of(input + 1, (size_t)(middle - input) - 1);
    struct bytes text = bytes_of(middle + 1, size - pattern.len - 2);
    bool nocase = data[0] & 1;
    bool got = glob_match(pattern, text, nocase);

    /* As in Redis, no pattern but the empty one matches the empty text. */
    bool small = pattern.len <= NAIVE_MAX && text.len <= NAIVE_MAX;
    if (small && text.len > 0)
        assert(got
               == naive(pattern.data, pattern.data + pattern.len, text.data,
                        text.data + text.len, nocase));
    if (text.len == 0)
        assert(got == (pattern.len == 0));
    return 0;
}
