/* mem: memory that is made ready before it is given out. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK   1000
#define NBLOCKS 20000

/* Has all pieces from about where the next block comes from made ready. */
static void
touch_all(void)
{
    uintptr_t at = mem_fresh() & ~(uintptr_t)4095;

    while (mem_touch(at))
        at += MEM_PIECE;
}

static void
test_mem_that_is_touched_stays_as_it_is(void **state)
{
    static char *blocks[NBLOCKS];

    (void)state;
    mem_load_begin();
    for (int i = 0; i < NBLOCKS; i++) {
        if (i % 1000 == 0)
            touch_all();
        blocks[i] = xmalloc(BLOCK);
        memset(blocks[i], i % 100, BLOCK);
    }
    mem_touch((uintptr_t)blocks[0] & ~(uintptr_t)4095);
    mem_load_end();
    for (int i = 0; i < NBLOCKS; i++) {
        for (int at = 0; at < BLOCK; at++)
            assert_int_equal(blocks[i][at], i % 100);
        free(blocks[i]);
    }
}

static void
test_mem_that_is_not_there_is_not_touched(void **state)
{
    uintptr_t end = (uintptr_t)sbrk(0);

    (void)state;
    assert_false(mem_touch(0));
    assert_false(mem_touch(end));
    assert_false(mem_touch(end - MEM_PIECE + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mem_that_is_touched_stays_as_it_is),
        cmocka_unit_test(test_mem_that_is_not_there_is_not_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
