/* memory: figures of it that Redis has too. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/twins.h"
#include <stdlib.h>
#include <string.h>

#define MUCH 20000000 /* bytes */

/* A figure of INFO memory, by its name and a colon. */
static long
figure(struct twins *t, enum twin which, const char *name)
{
    struct bytes argv[] = {bytes_str("INFO"), bytes_str("memory")};
    struct answer answer;

    twins_ask_one(t, which, argv, 2, &answer);
    const char *at = strstr(answer.text, name);
    assert_non_null(at);
    long number = atol(at + strlen(name));
    answer_deinit(&answer);
    return number;
}

static void
test_memory_remembers_its_peak_when_other_figures_begin_again(void **state)
{
    struct twins *t = twins_new();

    (void)state;
    twins_say(t, "SETRANGE k 20000000 x");
    for (enum twin which = TWIN_KEYVALD; which <= TWIN_REDIS; which++)
        assert_true(figure(t, which, "used_memory:") > MUCH);
    twins_say(t, "DEL k");
    twins_say(t, "CONFIG RESETSTAT");
    for (enum twin which = TWIN_KEYVALD; which <= TWIN_REDIS; which++) {
        assert_true(figure(t, which, "used_memory:") < MUCH);
        assert_true(figure(t, which, "used_memory_peak:") > MUCH);
    }
    twins_free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_remembers_its_peak_when_other_figures_begin_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
