/* bits: whatever is done to the bits of strings, Redis answers the same and keeps the same
 * bytes. LCS, which chooses among several answers, chooses the same. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/random.h"
#include "lib/twins.h"
#include <inttypes.h>
#include <stdio.h>

#define SEED  11
#define STEPS 3000

static uint64_t seed;

static unsigned
below(unsigned limit)
{
    return (unsigned)random_below(&seed, limit);
}

static const char *
any_of(const char *const *words, unsigned count)
{
    return words[below(count)];
}

#define ANY(...)                                                                         \
    any_of((const char *const[]){__VA_ARGS__},                                           \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *
any_key(void)
{
    return ANY("a", "b", "c", "d", "missing");
}

/* Near an end of the 64 bits, of the field, or small. */
static int64_t
any_number(void)
{
    uint64_t around = UINT64_C(1) << below(64);

    around = (below(2) ? 0 - around : around) - below(2);
    return below(3) ? (int64_t)around : (int64_t)below(400) - 200;
}

static void
operation(char *text, size_t size)
{
    const char *sign = ANY("i", "u"), *mark = ANY("", "#");
    unsigned bits = 1 + below(sign[0] == 'i' ? 64 : 63), at = below(mark[0] ? 5 : 150);
    const char *overflow = ANY("", " OVERFLOW WRAP", " OVERFLOW SAT", " OVERFLOW FAIL");

    if (below(3) == 0)
        snprintf(text, size, " GET %s%u %s%u", sign, bits, mark, at);
    else
        snprintf(text, size, "%s %s %s%u %s%u %" PRId64, overflow, ANY("SET", "INCRBY"),
                 sign, bits, mark, at, any_number());
}

static void
bitfield(char *line, size_t size)
{
    size_t len = (size_t)snprintf(line, size, "BITFIELD %s", any_key());

    for (unsigned i = 1 + below(4); i > 0; i--) {
        operation(line + len, size - len);
        len += strlen(line + len);
    }
}

static void
ranged(char *line, size_t size)
{
    int start = (int)below(500) - 250, end = (int)below(500) - 250;
    const char *unit = ANY("", " BYTE", " BIT");

    if (below(2))
        snprintf(line, size, "BITCOUNT %s %d %d%s", any_key(), start, end, unit);
    else
        snprintf(line, size, "BITPOS %s %u %d %d%s", any_key(), below(2), start, end,
                 unit);
}

static void
anything(char *line, size_t size)
{
    switch (below(9)) {
    case 0:
        snprintf(line, size, "SETBIT %s %u %u", any_key(), below(300), below(2));
        break;
    case 1:
        snprintf(line, size, "GETBIT %s %u", any_key(), below(300));
        break;
    case 2:
        snprintf(line, size, "BITOP %s %s %s %s", ANY("AND", "OR", "XOR"), any_key(),
                 any_key(), any_key());
        break;
    case 3:
        snprintf(line, size, "BITOP NOT %s %s", any_key(), any_key());
        break;
    case 4:
        snprintf(line, size, "BITPOS %s %u %u", any_key(), below(2), below(30));
        break;
    case 5:
        snprintf(line, size, "SETRANGE %s %u %s", any_key(), below(30), ANY("x", "some"));
        break;
    case 6:
        ranged(line, size);
        break;
    default:
        bitfield(line, size);
    }
}

static void
test_bits_are_as_in_redis(void **state)
{
    struct twins *twins = twins_new();
    char line[1024];

    (void)state;
    seed = SEED;
    for (int step = 0; step < STEPS; step++) {
        anything(line, sizeof line);
        twins_say(twins, line);
        if (step % 500 == 499)
            twins_say(twins, "DEL a b c d");
        else
            twins_say(twins, "MGET a b c d missing");
    }
    twins_free(twins);
}

static void
any_text(char *text, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        text[i] = (char)('a' + below(4));
    text[len] = '\0';
}

static void
test_lcs_chooses_as_redis_does(void **state)
{
    struct twins *twins = twins_new();

    (void)state;
    seed = SEED;
    for (int round = 0; round < 300; round++) {
        char a[64], b[64], line[160];
        any_text(a, 1 + below(60));
        any_text(b, 1 + below(60));
        snprintf(line, sizeof line, "MSET a %s b %s", a, b);
        twins_say(twins, line);
        twins_say(twins, "LCS a b");
        twins_say(twins, "LCS a b IDX WITHMATCHLEN MINMATCHLEN 2");
    }
    twins_free(twins);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_are_as_in_redis),
        cmocka_unit_test(test_lcs_chooses_as_redis_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
