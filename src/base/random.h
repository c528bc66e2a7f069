/* random: numbers nobody can foresee. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

uint64_t random_number(void);

#endif
