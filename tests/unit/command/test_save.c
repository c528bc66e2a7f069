/* save: what INFO tells of a BGSAVE. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/engine.h"
#include <stdlib.h>
#include <string.h>

static void
ask(struct engine *e, const char *first, const char *second, struct answer *out)
{
    struct bytes argv[] = {bytes_str(first), bytes_str(second != NULL ? second : "")};

    assert_true(engine_command(e, 'a', argv, second != NULL ? 2 : 1, out));
}

/* A figure of INFO persistence, by its name and a colon. */
static long
figure(struct engine *e, const char *name)
{
    struct answer answer;

    ask(e, "INFO", "persistence", &answer);
    const char *at = strstr(answer.text, name);
    assert_non_null(at);
    long number = atol(at + strlen(name));
    answer_deinit(&answer);
    return number;
}

static void
test_save_tells_how_long_the_last_in_the_background_took(void **state)
{
    struct engine *e = engine_new(NULL);
    struct answer answer;

    (void)state;
    assert_int_equal(figure(e, "rdb_last_bgsave_time_sec:"), -1);
    ask(e, "BGSAVE", NULL, &answer);
    answer_deinit(&answer);
    while (figure(e, "rdb_bgsave_in_progress:") == 1)
        assert_in_range(figure(e, "rdb_current_bgsave_time_sec:") + 1, 0, 60);
    assert_in_range(figure(e, "rdb_last_bgsave_time_sec:"), 0, 60);
    assert_int_equal(figure(e, "rdb_current_bgsave_time_sec:"), -1);
    assert_int_equal(figure(e, "rdb_saves:"), 1);
    engine_free(e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_save_tells_how_long_the_last_in_the_background_took),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
