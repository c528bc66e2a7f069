/* shrink: the shortest stream found at which two servers still differ. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_RANDOM_SHRINK_H
#define TESTS_RANDOM_SHRINK_H

#include "duel.h"

/* Leaves out of *s what can be left out. difference is the step at which the two differed.
 * report, which holds what they said then, becomes what they say to the shortest stream.
 * False: they did not differ again, and the stream was only cut behind the difference. */
bool shrink(struct duel *d, struct stream *s, struct arena *arena, size_t difference,
            struct buf *report);

#endif
