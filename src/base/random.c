/* See random.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/random.h"
#include <sys/random.h>

uint64_t
random_number(void)
{
    uint64_t number;

    while (getrandom(&number, sizeof number, 0) != sizeof number)
        ;
    return number;
}
