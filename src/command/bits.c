/* bits: commands on strings as rows of bits, but for BITFIELD. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/bits.h"

#include "base/arena.h"
#include "base/number.h"
#include "command/arguments.h"
#include "command/notify.h"
#include "command/strings.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "value/bits.h"

enum err
bit_offset(const struct call *c, struct bytes text, unsigned unit, uint64_t *at)
{
    int64_t number;

    if (!number_parse(text, &number) || number < 0
        || __builtin_mul_overflow((uint64_t)number, unit, at)
        || check_length(c, (size_t)(*at / 8) + 1) != OK)
        return ERR_BIT_OFFSET;
    return OK;
}

/* SETBIT key offset bit: the bit before. The string is lengthened where it has to be. */
enum err
cmd_setbit(struct call *c)
{
    int64_t bit;
    uint64_t at;

    TRY(bit_offset(c, c->argv[2], 1, &at));
    if (arg_int(c, 3, &bit) != OK || bit < 0 || bit > 1)
        return ERR_BIT;
    struct entry *e = arg_entry(c, 1);
    TRY(check_type(e, TYPE_STRING));

    struct bytes s = string_of(e);
    size_t place = (size_t)(at / 8);
    bool before = bits_get(s, at);
    if (place >= s.len || before != bit) {
        char byte = place < s.len ? s.data[place] : 0;
        bits_put(&byte, at % 8, bit);
        string_write(c, e, place, bytes_of(&byte, 1));
        notify(c, NOTIFY_STRING, "setbit", c->argv[1]);
    } else {
        store_set_form(c->store, c->argv[1], FORM_RAW);
    }

    reply_int(c->out, before);
    return OK;
}

/* GETBIT key offset */
enum err
cmd_getbit(struct call *c)
{
    uint64_t at;

    TRY(bit_offset(c, c->argv[2], 1, &at));
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    reply_int(c->out, bits_get(string_of(e), at));
    return OK;
}

/* Which bits of a string are meant. */
struct range {
    int64_t start, end; /* as they were given */
    int64_t unit;       /* bits in what they count */
};

/* BYTE or BIT, where there is an argument i. */
static enum err
read_unit(const struct call *c, int i, int64_t *unit)
{
    *unit = 8;
    if (i >= c->argc || arg_is(c, i, "BYTE"))
        return OK;
    *unit = 1;
    return arg_is(c, i, "BIT") ? OK : ERR_SYNTAX;
}

/* False: the range has no bits. */
static bool
bits_of(const struct range *r, struct bytes s, uint64_t *first, uint64_t *count)
{
    int64_t start = r->start, end = r->end;

    if (!range_clip((int64_t)s.len * 8 / r->unit, &start, &end))
        return false;
    *first = (uint64_t)(start * r->unit);
    *count = (uint64_t)((end - start + 1) * r->unit);
    return true;
}

/* BITCOUNT key [start end [BYTE | BIT]]: how many bits are set. */
enum err
cmd_bitcount(struct call *c)
{
    struct range range = {0, -1, 8};
    uint64_t first, count, found = 0;

    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));
    if (e == NULL) {
        reply_int(c->out, 0);
        return OK;
    }
    if (c->argc == 3 || c->argc > 5)
        return ERR_SYNTAX;
    if (c->argc > 3) {
        TRY(arg_int(c, 2, &range.start));
        TRY(arg_int(c, 3, &range.end));
    }
    /* Then the unit is not looked at. */
    bool backwards = range.start < 0 && range.end < 0 && range.start > range.end;
    if (!backwards)
        TRY(read_unit(c, 4, &range.unit));

    if (!backwards && bits_of(&range, string_of(e), &first, &count))
        found = bits_count(string_of(e), first, count);
    reply_int(c->out, (int64_t)found);
    return OK;
}

static enum err
read_bit(const struct call *c, int i, bool *bit)
{
    int64_t number;

    TRY(arg_int(c, i, &number));
    if (number < 0 || number > 1)
        return ERR_BIT_WANTED;
    *bit = number;
    return OK;
}

static enum err
read_bitpos_range(const struct call *c, struct range *r)
{
    if (c->argc > 6)
        return ERR_SYNTAX;
    if (c->argc > 3)
        TRY(arg_int(c, 3, &r->start));
    TRY(read_unit(c, 5, &r->unit));
    if (c->argc > 4)
        TRY(arg_int(c, 4, &r->end));
    return OK;
}

/* A string whose end was not given goes on with zeros. */
static int64_t
find_bit(struct bytes s, bool bit, const struct range *r, bool has_end)
{
    uint64_t first, count;

    if (!bits_of(r, s, &first, &count))
        return -1;
    int64_t at = bits_find(s, bit, first, count);
    return at == -1 && !bit && !has_end ? (int64_t)s.len * 8 : at;
}

/* BITPOS key bit [start [end [BYTE | BIT]]]: where the first such bit is; -1: nowhere. */
enum err
cmd_bitpos(struct call *c)
{
    struct range range = {0, -1, 8};
    bool bit;

    TRY(read_bit(c, 2, &bit));
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));
    if (e == NULL) {
        reply_int(c->out, bit ? -1 : 0);
        return OK;
    }
    TRY(read_bitpos_range(c, &range));

    reply_int(c->out, find_bit(string_of(e), bit, &range, c->argc > 4));
    return OK;
}

static enum err
read_operation(const struct call *c, enum bits_operation *operation)
{
    static const char *const words[] = {
        [BITS_AND] = "AND", [BITS_OR] = "OR", [BITS_XOR] = "XOR", [BITS_NOT] = "NOT"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (arg_is(c, 1, words[i])) {
            *operation = (enum bits_operation)i;
            return OK;
        }
    }
    return ERR_SYNTAX;
}

/* What BITOP makes its value of. */
struct operands {
    enum bits_operation operation;
    struct bytes *strings;
    size_t count;
};

static void
combine(void *arg, size_t at, char *to, size_t len)
{
    const struct operands *o = arg;

    bits_combine(o->operation, to, at, len, o->strings, o->count);
}

/* BITOP AND | OR | XOR | NOT destination key ...: the length of what is made of the
 * strings, which all count as long as the longest, and put into the destination. */
enum err
cmd_bitop(struct call *c)
{
    struct operands o = {.count = (size_t)c->argc - 3};
    size_t len = 0;

    TRY(read_operation(c, &o.operation));
    if (o.operation == BITS_NOT && o.count != 1)
        return ERR_BITOP_NOT;
    o.strings = arena_alloc(c->scratch, o.count * sizeof *o.strings);
    for (size_t i = 0; i < o.count; i++) {
        struct entry *e = arg_read(c, (int)i + 3);
        TRY(check_type(e, TYPE_STRING));
        o.strings[i] = string_of(e);
        len = o.strings[i].len > len ? o.strings[i].len : len;
    }

    struct entry *old = arg_entry(c, 2);
    if (len > 0) {
        store_fill(c->store, c->argv[2], len, combine, &o, c->now);
        store_set_form(c->store, c->argv[2], FORM_RAW);
        notify(c, NOTIFY_STRING, "set", c->argv[2]);
    } else if (old != NULL) {
        store_delete(c->store, old);
        notify(c, NOTIFY_GENERIC, "del", c->argv[2]);
    }

    reply_int(c->out, (int64_t)len);
    return OK;
}
