/* bitfield: BITFIELD and BITFIELD_RO, for integers that stand anywhere in a string. */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/field.h"

#include "base/arena.h"
#include "command/arguments.h"
#include "command/bits.h"
#include "command/notify.h"
#include "command/strings.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

enum op_kind { OP_GET, OP_SET, OP_INCRBY };

struct op {
    enum op_kind kind;
    enum field_overflow overflow;
    struct field field;
    uint64_t at;
    int64_t number; /* to set or to add */
};

struct ops {
    struct op *at;
    size_t count;
    size_t len; /* the least a string has that all can write to; 0: all only read */
    /* What has come of them: */
    struct entry *e; /* where it is now; NULL: there is none */
    bool grown;      /* the string was lengthened for them */
    bool changed;    /* subscribers are told */
};

static enum err
read_overflow(const struct call *c, int i, enum field_overflow *overflow)
{
    if (arg_is(c, i, "WRAP"))
        *overflow = FIELD_WRAP;
    else if (arg_is(c, i, "SAT"))
        *overflow = FIELD_SATURATE;
    else if (arg_is(c, i, "FAIL"))
        *overflow = FIELD_FAIL;
    else
        return ERR_FIELD_OVERFLOW;
    return OK;
}

/* "12" counts bits, "#12" fields. */
static enum err
read_offset(const struct call *c, int i, struct op *op)
{
    struct bytes text = c->argv[i];

    if (text.len > 0 && text.data[0] == '#')
        return bit_offset(c, bytes_of(text.data + 1, text.len - 1), op->field.bits,
                          &op->at);
    return bit_offset(c, text, 1, &op->at);
}

static enum err
read_kind(const struct call *c, int i, enum op_kind *kind)
{
    int behind = c->argc - i - 1;

    if (arg_is(c, i, "GET") && behind >= 2)
        *kind = OP_GET;
    else if (arg_is(c, i, "SET") && behind >= 3)
        *kind = OP_SET;
    else if (arg_is(c, i, "INCRBY") && behind >= 3)
        *kind = OP_INCRBY;
    else
        return ERR_SYNTAX;
    return OK;
}

/* Takes the operation at argument *i, and moves *i to its last. */
static enum err
read_op(const struct call *c, int *i, struct op *op)
{
    TRY(read_kind(c, *i, &op->kind));
    if (!field_parse(c->argv[*i + 1], &op->field))
        return ERR_FIELD_TYPE;
    TRY(read_offset(c, *i + 2, op));
    if (op->kind != OP_GET)
        TRY(arg_int(c, *i + 3, &op->number));
    *i += op->kind == OP_GET ? 2 : 3;
    return OK;
}

static enum err
read_ops(struct call *c, struct ops *ops)
{
    enum field_overflow overflow = FIELD_WRAP;

    ops->at = arena_alloc(c->scratch, (size_t)c->argc * sizeof *ops->at);
    for (int i = 2; i < c->argc; i++) {
        if (arg_is(c, i, "OVERFLOW") && i + 1 < c->argc) {
            TRY(read_overflow(c, ++i, &overflow));
            continue;
        }
        struct op *op = &ops->at[ops->count++];
        op->overflow = overflow;
        TRY(read_op(c, &i, op));
        size_t len = (size_t)((op->at + op->field.bits - 1) / 8 + 1);
        if (op->kind != OP_GET && len > ops->len)
            ops->len = len;
    }
    return OK;
}

/* Writes a number over its field in the string, which is long enough. */
static void
put(struct call *c, struct ops *ops, const struct op *op, int64_t number)
{
    size_t first = (size_t)(op->at / 8);
    size_t end = (size_t)((op->at + op->field.bits - 1) / 8) + 1;
    char bytes[FIELD_BYTES_MAX];

    memcpy(bytes, entry_string(ops->e).data + first, end - first);
    field_put(op->field, bytes, op->at % 8, number);
    ops->e = store_write(c->store, ops->e, first, bytes_of(bytes, end - first));
}

/* Carries out an operation that may write, and answers it: SET with the number before,
 * INCRBY with the one afterwards, null where it does not fit. */
static void
change(struct call *c, struct ops *ops, const struct op *op)
{
    int64_t before = field_get(op->field, entry_string(ops->e), op->at), after;
    bool fits = op->kind == OP_SET
                    ? field_add(op->field, op->overflow, op->number, 0, &after)
                    : field_add(op->field, op->overflow, before, op->number, &after);

    if (!fits) {
        reply_null(c->out);
        return;
    }
    reply_int(c->out, op->kind == OP_SET ? before : after);
    if (before != after)
        put(c, ops, op, after);
    ops->changed |= ops->grown || before != after;
}

static enum err
bitfield(struct call *c, bool read_only)
{
    struct ops ops = {0};

    TRY(read_ops(c, &ops));
    if (read_only && ops.len > 0)
        return ERR_FIELD_READ_ONLY;
    ops.e = ops.len > 0 ? arg_entry(c, 1) : arg_read(c, 1);
    TRY(check_type(ops.e, TYPE_STRING));

    ops.grown = ops.len > string_of(ops.e).len;
    if (ops.grown)
        ops.e = string_write(c, ops.e, ops.len - 1, bytes_of("", 1));
    reply_array(c->out, ops.count);
    for (size_t i = 0; i < ops.count; i++) {
        const struct op *op = &ops.at[i];
        if (op->kind == OP_GET)
            reply_int(c->out, field_get(op->field, string_of(ops.e), op->at));
        else
            change(c, &ops, op);
    }
    if (ops.len > 0)
        store_set_form(c->store, c->argv[1], FORM_RAW);
    if (ops.changed)
        notify(c, NOTIFY_STRING, "setbit", c->argv[1]);
    return OK;
}

/* BITFIELD key {GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset number |
 * INCRBY type offset delta} ...: what each of them answers. */
enum err
cmd_bitfield(struct call *c)
{
    return bitfield(c, false);
}

/* BITFIELD_RO key {GET type offset} ... */
enum err
cmd_bitfield_ro(struct call *c)
{
    return bitfield(c, true);
}
