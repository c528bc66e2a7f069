/* hyperloglog: whatever is done to them, Redis answers the same and keeps the same bytes. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/random.h"
#include "lib/twins.h"
#include <stdio.h>

#define SEED         7
#define STEPS        1500
#define KEYS         6
#define ELEMENTS_MAX 300 /* in a request */
#define ELEMENT_MAX  40  /* bytes */

struct world {
    struct twins *twins;
    uint64_t random;
};

static const char *const keys[KEYS] = {"a", "b", "c", "d", "e", "f"};

static struct bytes
any_key(struct world *w)
{
    return bytes_str(keys[random_below(&w->random, KEYS)]);
}

static void
assert_same_bytes(struct world *w, struct bytes key)
{
    struct bytes get[] = {bytes_str("GET"), key};

    twins_ask(w->twins, get, 2, NULL);
}

/* Sometimes the same few, sometimes new ones, of any length up to ELEMENT_MAX. */
static struct bytes
any_element(struct world *w, char text[ELEMENT_MAX])
{
    static const uint64_t choices[] = {10, 1000, 100000, UINT64_MAX};
    size_t len = random_below(&w->random, ELEMENT_MAX);
    uint64_t element = random_below(&w->random, choices[random_below(&w->random, 4)]);

    if (element < 100000)
        return bytes_of(text, (size_t)snprintf(text, ELEMENT_MAX, "%u", (int)element));
    for (size_t i = 0; i < len; i++)
        text[i] = (char)random_next(&w->random);
    return bytes_of(text, len);
}

static void
add_some(struct world *w)
{
    static char texts[ELEMENTS_MAX][ELEMENT_MAX];
    struct bytes argv[2 + ELEMENTS_MAX] = {bytes_str("PFADD"), any_key(w)};
    int few = random_below(&w->random, 2) ? 5 : ELEMENTS_MAX;
    int count = (int)random_below(&w->random, (uint64_t)few);

    for (int i = 0; i < count; i++)
        argv[2 + i] = any_element(w, texts[i]);
    twins_ask(w->twins, argv, 2 + count, NULL);
    assert_same_bytes(w, argv[1]);
}

static void
name_some(struct world *w, const char *command)
{
    struct bytes argv[1 + KEYS] = {bytes_str(command)};
    int count = 1 + (int)random_below(&w->random, KEYS);

    for (int i = 0; i < count; i++)
        argv[1 + i] = any_key(w);
    twins_ask(w->twins, argv, 1 + count, NULL);
    assert_same_bytes(w, argv[1]);
}

static void
change_sparse_max(struct world *w)
{
    static const char *const values[] = {"0",   "17",  "21",   "30",
                                         "100", "500", "3000", "20000"};
    struct bytes set[] = {bytes_str("CONFIG"), bytes_str("SET"),
                          bytes_str("hll-sparse-max-bytes"),
                          bytes_str(values[random_below(&w->random, 8)])};

    twins_ask(w->twins, set, 4, NULL);
}

static void
step(struct world *w)
{
    struct bytes del[] = {bytes_str("DEL"), any_key(w)};
    uint64_t choice = random_below(&w->random, 100);

    if (choice < 60)
        add_some(w);
    else if (choice < 80)
        name_some(w, "PFCOUNT");
    else if (choice < 90)
        name_some(w, "PFMERGE");
    else if (choice < 95)
        twins_ask(w->twins, del, 2, NULL);
    else
        change_sparse_max(w);
}

static void
test_hyperloglogs_are_what_they_are_in_redis(void **state)
{
    struct world w = {twins_new(), SEED};

    (void)state;
    for (int i = 0; i < STEPS; i++)
        step(&w);
    twins_free(w.twins);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hyperloglogs_are_what_they_are_in_redis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
