/* debug: DEBUG OBJECT tells what Redis tells, but for addresses and times. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/twins.h"
#include <stdio.h>
#include <stdlib.h>

/* What stands between the address and the clock. The caller frees it. */
static char *
object(struct twins *t, enum twin which)
{
    struct bytes argv[] = {bytes_str("DEBUG"), bytes_str("OBJECT"), bytes_str("k")};
    struct answer answer;

    twins_ask_one(t, which, argv, 3, &answer);
    char *from = strstr(answer.text, " refcount:"), *to = strstr(answer.text, " lru:");
    assert_non_null(from);
    assert_non_null(to);
    char *text = bytes_dup(bytes_of(from, (size_t)(to - from)));
    answer_deinit(&answer);
    return text;
}

static void
assert_same_object(struct twins *t)
{
    char *ours = object(t, TWIN_KEYVALD), *theirs = object(t, TWIN_REDIS);

    assert_string_equal(ours, theirs);
    free(ours);
    free(theirs);
}

static void
test_debug_object_tells_encoding_references_and_length_as_redis_does(void **state)
{
    static const char *const requests[] = {
        "SET k 7",          "SET k 123456",  "SET k 12345678901",  "SET k text",
        "APPEND k 1",       "SET k 9999",    "INCRBYFLOAT k 1",    "SETRANGE k 100 end",
        "SETBIT k 8 1",     "BITOP NOT k k", "GETSET k 10000",     "SET k -1",
        "INCRBYFLOAT k -1", "PFADD hll a",   "COPY hll k REPLACE",
    };
    struct twins *t = twins_new();

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        twins_say(t, requests[i]);
        if (i + 2 != sizeof requests / sizeof *requests)
            assert_same_object(t);
    }
    twins_free(t);
}

static void
test_debug_object_tells_when_the_key_was_looked_at(void **state)
{
    struct bytes argv[] = {bytes_str("DEBUG"), bytes_str("OBJECT"), bytes_str("k")};
    struct twins *t = twins_new();
    struct answer answer;
    long lru[2], idle[2];

    (void)state;
    twins_say(t, "SET k v");
    for (enum twin which = TWIN_KEYVALD; which <= TWIN_REDIS; which++) {
        twins_ask_one(t, which, argv, 3, &answer);
        const char *from = strstr(answer.text, " lru:");
        assert_int_equal(
            sscanf(from, " lru:%ld lru_seconds_idle:%ld", &lru[which], &idle[which]), 2);
        answer_deinit(&answer);
    }
    assert_in_range(lru[TWIN_REDIS] - lru[TWIN_KEYVALD] + 5, 0, 10);
    assert_in_range(idle[TWIN_KEYVALD], 0, 5);
    twins_free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_debug_object_tells_encoding_references_and_length_as_redis_does),
        cmocka_unit_test(test_debug_object_tells_when_the_key_was_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
