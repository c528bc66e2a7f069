/* timing: what is kept of how long commands take. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/timing.h" /* before cmocka, which has a macro of fail's name */
#include "base/histogram.h"
#include "command/host.h"
#include "command/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_timing_has_no_call_take_less_than_a_nanosecond(void **state)
{
    static struct command_stats stats[COMMAND_COUNT];
    struct config *config = config_new();
    struct host host = {.config = config, .by_command = stats};
    struct call c = {.host = &host, .command = &commands[0]};

    (void)state;
    timing_ran(&c, 0);
    assert_int_equal(stats[0].calls, 1);
    assert_int_equal(stats[0].usec, 0);
    assert_int_equal(histogram_percentile(stats[0].times, 50), 1);
    histogram_free(stats[0].times);
    config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timing_has_no_call_take_less_than_a_nanosecond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
