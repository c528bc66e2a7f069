/* clock: what time it is. One function, which a test can replace. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970 on the wall clock, plus what clock_advance added. */
int64_t clock_ms(void);

/* The same in microseconds. */
int64_t clock_us(void);

/* Microseconds of a clock that only goes forward, plus nothing: for measuring. */
int64_t clock_mono_us(void);

/* Moves clock_ms forward from now on, or back. For tests. */
void clock_advance(int64_t ms);

#endif
