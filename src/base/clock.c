/* clock: the system's clocks, and the distance a test has put between us and the wall. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t advanced_ms;

int64_t
clock_ms(void)
{
    return clock_us() / 1000;
}

int64_t
clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000
           + 1000 * atomic_load_explicit(&advanced_ms, memory_order_relaxed);
}

int64_t
clock_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
clock_advance(int64_t ms)
{
    atomic_fetch_add(&advanced_ms, ms);
}
