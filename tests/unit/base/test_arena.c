/* arena: scratch memory that is freed all at once. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include <string.h>

#define NPIECES 2000

/* From none to more than a block, mostly small. */
static size_t
size_of_piece(int i)
{
    return i % 97 == 0 ? (size_t)i * 11 : (size_t)(i * 7 % 120);
}

static void
test_arena_gives_memory_aligned_for_anything(void **state)
{
    (void)state;
    struct arena a = {0};

    for (size_t size = 0; size < 100; size++)
        assert_int_equal((uintptr_t)arena_alloc(&a, size) % _Alignof(max_align_t), 0);
    arena_deinit(&a);
}

static void
test_arena_gives_pieces_that_do_not_overlap(void **state)
{
    (void)state;
    struct arena a = {0};
    unsigned char *pieces[NPIECES];

    for (int i = 0; i < NPIECES; i++) {
        pieces[i] = arena_alloc(&a, size_of_piece(i));
        memset(pieces[i], i % 251, size_of_piece(i));
    }
    for (int i = 0; i < NPIECES; i++) {
        for (size_t j = 0; j < size_of_piece(i); j++)
            assert_int_equal(pieces[i][j], i % 251);
    }
    arena_deinit(&a);
}

static void
test_arena_goes_on_filling_its_block_after_a_large_piece(void **state)
{
    (void)state;
    struct arena a = {0};

    char *before = arena_alloc(&a, 16);
    memset(arena_alloc(&a, 1000000), 'x', 1000000);
    char *after = arena_alloc(&a, 16);
    assert_ptr_equal(after, before + 16);
    arena_deinit(&a);
}

static void
test_arena_reset_starts_over_in_the_block_it_kept(void **state)
{
    (void)state;
    struct arena a = {0};

    arena_reset(&a);
    char *first = arena_alloc(&a, 100);
    arena_alloc(&a, 1000000);
    arena_reset(&a);
    assert_ptr_equal(arena_alloc(&a, 100), first);
    arena_deinit(&a);
    assert_null(a.blocks);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_memory_aligned_for_anything),
        cmocka_unit_test(test_arena_gives_pieces_that_do_not_overlap),
        cmocka_unit_test(test_arena_goes_on_filling_its_block_after_a_large_piece),
        cmocka_unit_test(test_arena_reset_starts_over_in_the_block_it_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
