/* dump: values go from Redis to keyvald and back, and are what they were. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/number.h"
#include "lib/random.h"
#include "lib/twins.h"

#define SEED      11
#define VALUES    600
#define VALUE_MAX 100000
#define SHORT_MAX                                                                        \
    20 /* bytes; longer ones may be compressed, which can be done in two ways */

struct world {
    struct twins *twins;
    uint64_t random;
};

/* Numbers of any size, bytes of few kinds, bytes of all kinds. */
static struct bytes
any_value(struct world *w, char text[VALUE_MAX])
{
    static const size_t lens[] = {2, 20, 21, 30, 100, 1000, 20000, VALUE_MAX};
    size_t len = random_below(&w->random, lens[random_below(&w->random, 8)]);
    uint64_t kinds = random_below(&w->random, 2) ? 256 : 1 + random_below(&w->random, 30);

    if (random_below(&w->random, 4) == 0) {
        int64_t number = (int64_t)random_next(&w->random);
        return bytes_of(text, number_format(number >> random_below(&w->random, 64), text));
    }
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + random_below(&w->random, kinds));
    return bytes_of(text, len);
}

static struct answer
dump(struct world *w, enum twin from)
{
    struct bytes argv[] = {bytes_str("DUMP"), bytes_str("k")};
    struct answer answer;

    twins_ask_one(w->twins, from, argv, 2, &answer);
    assert_int_equal(answer.kind, '$');
    return answer;
}

static void
restore(struct world *w, enum twin to, const struct answer *payload)
{
    struct bytes argv[] = {bytes_str("RESTORE"), bytes_str("k"), bytes_str("0"),
                           bytes_of(payload->text, payload->len), bytes_str("REPLACE")};
    struct answer answer;

    twins_ask_one(w->twins, to, argv, 5, &answer);
    assert_string_equal(answer.text, "OK");
    answer_deinit(&answer);
}

static void
assert_value(struct world *w, struct bytes value)
{
    struct bytes argv[] = {bytes_str("GET"), bytes_str("k")};
    struct answer answer;

    twins_ask(w->twins, argv, 2, &answer);
    assert_true(bytes_eq(bytes_of(answer.text, answer.len), value));
    answer_deinit(&answer);
}

static void
change_over(struct world *w, struct bytes value)
{
    struct answer ours = dump(w, TWIN_KEYVALD), theirs = dump(w, TWIN_REDIS);

    if (value.len <= SHORT_MAX)
        assert_true(
            bytes_eq(bytes_of(ours.text, ours.len), bytes_of(theirs.text, theirs.len)));
    twins_say(w->twins, "SET k other");
    restore(w, TWIN_KEYVALD, &theirs);
    restore(w, TWIN_REDIS, &ours);
    answer_deinit(&ours);
    answer_deinit(&theirs);
}

static void
test_values_change_over_between_keyvald_and_redis(void **state)
{
    static char text[VALUE_MAX];
    struct world w = {twins_new(), SEED};

    (void)state;
    for (int i = 0; i < VALUES; i++) {
        struct bytes value = any_value(&w, text);
        struct bytes set[] = {bytes_str("SET"), bytes_str("k"), value};
        twins_ask(w.twins, set, 3, NULL);
        change_over(&w, value);
        assert_value(&w, value);
    }
    twins_free(w.twins);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_change_over_between_keyvald_and_redis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
