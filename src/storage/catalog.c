/* See catalog.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/catalog.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/dberr.h"
#include <endian.h>
#include <stdlib.h>

#define CATALOG_VERSION 1
#define KEY_MARK        "m"
#define KEY_REACH       "r"
#define KEY_STORE       's'
#define ROW_HEAD        (1 + 4 + 8 + 8)
#define MARK_SIZE       (1 + 8 + 4 + 8)
#define REACH_SIZE      (1 + 8)

struct catalog {
    DB *db;
};

/* Integers of the disk's byte order, one behind the other. */
static char *
put_u32(char *at, uint32_t number)
{
    number = htole32(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static char *
put_u64(char *at, uint64_t number)
{
    number = htole64(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static const char *
get_u32(const char *at, uint32_t *number)
{
    memcpy(number, at, sizeof *number);
    *number = le32toh(*number);
    return at + sizeof *number;
}

static const char *
get_u64(const char *at, uint64_t *number)
{
    memcpy(number, at, sizeof *number);
    *number = le64toh(*number);
    return at + sizeof *number;
}

struct catalog *
catalog_open(DB_ENV *env)
{
    struct catalog *c = xcalloc(1, sizeof *c);
    int code = db_create(&c->db, env, 0);

    if (code == 0)
        code = c->db->set_flags(c->db, DB_CHKSUM);
    if (code == 0)
        code = c->db->open(c->db, NULL, CATALOG_FILE, NULL, DB_BTREE,
                           DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0640);
    if (code == 0)
        return c;
    dberr_log(code, CATALOG_FILE " cannot be opened");
    catalog_close(c);
    return NULL;
}

void
catalog_close(struct catalog *c)
{
    if (c->db != NULL)
        c->db->close(c->db, 0);
    free(c);
}

static int
is_damaged(const char *what)
{
    log_line(LOG_WARNING, CATALOG_FILE " has %s that this keyvald cannot read", what);
    return -1;
}

/* A record of a size that is known, its version checked. 1; 0: there is none; -1 with the
 * reason logged. */
static int
read_fixed(struct catalog *c, char *name, char *out, uint32_t size, const char *what)
{
    DBT key = {.data = name, .size = 1};
    DBT data = {.data = out, .ulen = size, .flags = DB_DBT_USERMEM};
    int code = c->db->get(c->db, NULL, &key, &data, 0);

    if (code == DB_NOTFOUND)
        return 0;
    if (code == DB_BUFFER_SMALL
        || (code == 0 && (data.size != size || out[0] != CATALOG_VERSION)))
        return is_damaged(what);
    return code == 0 ? 1 : dberr_log(code, CATALOG_FILE " cannot be read");
}

int
catalog_read_mark(struct catalog *c, struct catalog_mark *out)
{
    char data[MARK_SIZE];
    int found = read_fixed(c, KEY_MARK, data, MARK_SIZE, "a mark");

    *out = (struct catalog_mark){.next_id = 1, .next_generation = 1};
    if (found != 1)
        return found;
    const char *at = get_u64(data + 1, &out->number);
    at = get_u32(at, &out->next_id);
    get_u64(at, &out->next_generation);
    return 0;
}

int
catalog_read_reach(struct catalog *c, uint64_t *out)
{
    char data[REACH_SIZE];
    int found = read_fixed(c, KEY_REACH, data, REACH_SIZE, "a reach");

    *out = 0;
    if (found == 1)
        get_u64(data + 1, out);
    return found < 0 ? -1 : 0;
}

static int
decode_row(struct bytes key, struct bytes data, struct catalog_row *out)
{
    uint64_t count, expires;

    if (data.len < ROW_HEAD || data.data[0] != CATALOG_VERSION
        || data.len - ROW_HEAD >= sizeof out->file)
        return -1;
    const char *at = get_u32(data.data + 1, &out->id);
    at = get_u64(at, &count);
    at = get_u64(at, &expires);
    out->count = (int64_t)count;
    out->expires = (int64_t)expires;
    out->name = bytes_of(key.data + 1, key.len - 1);
    memcpy(out->file, at, data.len - ROW_HEAD);
    out->file[data.len - ROW_HEAD] = '\0';
    return 0;
}

int
catalog_rows(struct catalog *c, catalog_row_fn *visit, void *arg)
{
    struct catalog_row row;
    DBT key = {0}, data = {0};
    DBC *cursor;
    int failed = 0;
    int code = c->db->cursor(c->db, NULL, &cursor, 0);

    if (code != 0)
        return dberr_log(code, CATALOG_FILE " cannot be read");
    while (!failed && (code = cursor->get(cursor, &key, &data, DB_NEXT)) == 0) {
        if (*(char *)key.data != KEY_STORE)
            continue;
        failed = decode_row(bytes_of(key.data, key.size), bytes_of(data.data, data.size),
                            &row);
        if (!failed)
            visit(arg, &row);
    }
    cursor->close(cursor);
    if (failed)
        return is_damaged("a store");
    return code == DB_NOTFOUND ? 0 : dberr_log(code, CATALOG_FILE " cannot be read");
}

/* The key of a store's row; the caller deinits it. */
static struct buf
row_key(struct bytes name)
{
    struct buf key = {0};

    buf_append(&key, (char[]){KEY_STORE}, 1);
    buf_append_bytes(&key, name);
    return key;
}

int
catalog_put(struct catalog *c, DB_TXN *txn, const struct catalog_row *row)
{
    char data[ROW_HEAD + FILENAME_MAX_LEN] = {CATALOG_VERSION};
    size_t file_len = strlen(row->file);
    struct buf key = row_key(row->name);

    char *at = put_u32(data + 1, row->id);
    at = put_u64(at, (uint64_t)row->count);
    at = put_u64(at, (uint64_t)row->expires);
    memcpy(at, row->file, file_len);

    DBT k = {.data = key.data, .size = (uint32_t)key.len};
    DBT d = {.data = data, .size = (uint32_t)(ROW_HEAD + file_len)};
    int code = c->db->put(c->db, txn, &k, &d, 0);
    buf_deinit(&key);
    return code;
}

int
catalog_delete(struct catalog *c, DB_TXN *txn, struct bytes name)
{
    struct buf key = row_key(name);
    DBT k = {.data = key.data, .size = (uint32_t)key.len};
    int code = c->db->del(c->db, txn, &k, 0);

    buf_deinit(&key);
    return code == DB_NOTFOUND ? 0 : code;
}

int
catalog_put_mark(struct catalog *c, DB_TXN *txn, const struct catalog_mark *mark)
{
    char data[MARK_SIZE] = {CATALOG_VERSION};
    DBT k = {.data = KEY_MARK, .size = 1};
    DBT d = {.data = data, .size = MARK_SIZE};

    char *at = put_u64(data + 1, mark->number);
    at = put_u32(at, mark->next_id);
    put_u64(at, mark->next_generation);
    return c->db->put(c->db, txn, &k, &d, 0);
}

int
catalog_put_reach(struct catalog *c, DB_TXN *txn, uint64_t number)
{
    char data[REACH_SIZE] = {CATALOG_VERSION};
    DBT k = {.data = KEY_REACH, .size = 1};
    DBT d = {.data = data, .size = REACH_SIZE};

    put_u64(data + 1, number);
    return c->db->put(c->db, txn, &k, &d, 0);
}
