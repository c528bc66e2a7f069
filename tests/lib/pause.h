/* pause: a random time passes, where the moment of what follows is what is tried. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_PAUSE_H
#define TESTS_PAUSE_H

#include "random.h"
#include <time.h>

static inline void
let_pass(int64_t us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};

    nanosleep(&time, NULL);
}

static inline void
let_pass_at_most(uint64_t *random, int64_t ms)
{
    let_pass((int64_t)random_below(random, (uint64_t)ms * 1000));
}

#endif
