/* See events.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/events.h"

static const char LETTERS[] = "g$lshzxetdnKEm"; /* the n-th stands for bit n */

bool
events_parse(struct bytes letters, int64_t *classes)
{
    int64_t all = 0;

    for (size_t i = 0; i < letters.len; i++) {
        const char *at = memchr(LETTERS, letters.data[i], sizeof LETTERS - 1);
        if (at == NULL && letters.data[i] != 'A')
            return false;
        all |= at != NULL ? INT64_C(1) << (at - LETTERS) : NOTIFY_ALL;
    }
    *classes = all;
    return true;
}

void
events_print(struct buf *out, int64_t classes)
{
    if ((classes & NOTIFY_ALL) == NOTIFY_ALL) {
        buf_append(out, "A", 1);
        classes &= ~(int64_t)(NOTIFY_ALL | NOTIFY_NEW);
    }
    for (size_t i = 0; i < sizeof LETTERS - 1; i++) {
        if (classes >> i & 1)
            buf_append(out, &LETTERS[i], 1);
    }
}
