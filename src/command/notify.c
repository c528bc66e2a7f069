/* See notify.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/notify.h"

void
notify_in(struct call *c, struct store *s, enum notify_class class, const char *event,
          struct bytes key)
{
    (void)c;
    (void)s;
    (void)class;
    (void)event;
    (void)key;
}

void
notify(struct call *c, enum notify_class class, const char *event, struct bytes key)
{
    notify_in(c, c->store, class, event, key);
}
