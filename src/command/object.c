/* object: OBJECT, which tells how the server keeps a key. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"
#include "command/arguments.h"
#include "command/object.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

#define EMBSTR_MAX  44        /* bytes that Redis keeps in one piece with the object */
#define SHARED_MAX  10000     /* integers below are one object for all in Redis, */
#define SHARED_REFS INT32_MAX /* of which it says so many references */

static bool
is_int(const struct entry *e, int64_t *number)
{
    return entry_form(e) == FORM_SET && number_parse(entry_string(e), number);
}

const char *
object_encoding(const struct entry *e)
{
    int64_t number;

    if (is_int(e, &number))
        return "int";
    if (entry_form(e) == FORM_RAW || entry_string(e).len > EMBSTR_MAX)
        return "raw";
    return "embstr";
}

int64_t
object_references(const struct entry *e)
{
    int64_t number;

    return is_int(e, &number) && number >= 0 && number < SHARED_MAX ? SHARED_REFS : 1;
}

/* OBJECT ENCODING key: int, embstr or raw; null without the key. */
enum err
cmd_object_encoding(struct call *c)
{
    struct entry *e = arg_inspect(c, 2);

    if (e != NULL)
        reply_bulk_str(c->out, object_encoding(e));
    else
        reply_null(c->out);
    return OK;
}

/* OBJECT FREQ key: refused, but for a key that is not there. */
enum err
cmd_object_freq(struct call *c)
{
    if (arg_inspect(c, 2) != NULL)
        return ERR_NO_LFU;

    reply_null(c->out);
    return OK;
}

/* OBJECT IDLETIME key: seconds since it was last looked up. */
enum err
cmd_object_idletime(struct call *c)
{
    struct entry *e = arg_inspect(c, 2);

    if (e != NULL)
        reply_int(c->out, entry_idle(e, c->now));
    else
        reply_null(c->out);
    return OK;
}

/* OBJECT REFCOUNT key: as many as Redis would say. */
enum err
cmd_object_refcount(struct call *c)
{
    struct entry *e = arg_inspect(c, 2);

    if (e != NULL)
        reply_int(c->out, object_references(e));
    else
        reply_null(c->out);
    return OK;
}

/* OBJECT HELP: its subcommands. */
enum err
cmd_object_help(struct call *c)
{
    static const char *const lines[] = {
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
        "HELP",
        "    Prints this help.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
