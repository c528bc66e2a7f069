/* limits: see limits.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/limits.h"

#include "base/number.h"
#include "config/option_priv.h"
#include <inttypes.h>

#define WORDS 4 /* of one class */

static const char *const names[CLIENT_CLASSES] = {
    [CLASS_NORMAL] = "normal",
    [CLASS_REPLICA] = "slave",
    [CLASS_PUBSUB] = "pubsub",
};

/* CLIENT_CLASSES: there is no such class. */
static enum client_class
class_named(struct bytes name)
{
    enum client_class class = CLASS_NORMAL;

    if (bytes_is(name, "replica"))
        return CLASS_REPLICA;
    while (class < CLIENT_CLASSES && !bytes_is(name, names[class]))
        class ++;
    return class;
}

static bool
read_limit(const struct bytes *words, struct client_limit *limit)
{
    return option_parse_memory(words[0], &limit->hard)
           && option_parse_memory(words[1], &limit->soft)
           && number_parse(words[2], &limit->soft_s) && limit->soft_s >= 0;
}

const char *
limits_set(struct client_limit limits[CLIENT_CLASSES], const struct bytes *words,
           int count)
{
    struct client_limit fresh[CLIENT_CLASSES];

    if (count % WORDS != 0)
        return "Wrong number of arguments in buffer limit configuration.";
    memcpy(fresh, limits, sizeof fresh);
    for (int i = 0; i < count; i += WORDS) {
        enum client_class class = class_named(words[i]);
        if (class == CLIENT_CLASSES)
            return "Invalid client class specified in buffer limit configuration.";
        if (!read_limit(&words[i + 1], &fresh[class]))
            return "Error in hard, soft or soft_seconds setting in buffer limit "
                   "configuration.";
    }
    memcpy(limits, fresh, sizeof fresh);
    return NULL;
}

void
limits_print(const struct client_limit limits[CLIENT_CLASSES], struct buf *out)
{
    for (int i = 0; i < CLIENT_CLASSES; i++)
        buf_printf(out, "%s%s %" PRId64 " %" PRId64 " %" PRId64, i > 0 ? " " : "",
                   names[i], limits[i].hard, limits[i].soft, limits[i].soft_s);
}

void
limits_write(const struct client_limit limits[CLIENT_CLASSES], const char *name,
             struct buf *out)
{
    for (int i = 0; i < CLIENT_CLASSES; i++) {
        buf_printf(out, "%s%s %s ", i > 0 ? "\n" : "", name, names[i]);
        option_write_memory(limits[i].hard, out);
        buf_append(out, " ", 1);
        option_write_memory(limits[i].soft, out);
        buf_printf(out, " %" PRId64, limits[i].soft_s);
    }
}
