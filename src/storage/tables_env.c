/* See tables_env.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/tables_env.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "storage/catalog.h"
#include "storage/dberr.h"
#include "storage/disk.h"
#include "storage/filename.h"
#include "storage/home.h"
#include "storage/torn.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOG_BUFFER    (1024 * 1024)
#define LOG_FILE_SIZE (32 * 1024 * 1024)
#define MAGIC_AT                                                                         \
    12 /* in a btree's first page, behind its place in the log and its number */

/* Says so where a file does not begin as a btree does. */
static void
look_at(const char *dir, const char *file)
{
    uint32_t magic = 0;
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (pread(fd, &magic, sizeof magic, MAGIC_AT) != sizeof magic
        || magic != DB_BTREEMAGIC)
        log_line(LOG_WARNING, "%s is damaged: it does not begin as a btree does", file);
    close(fd);
}

static DIR *
open_stores(const char *dir)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/" FILENAME_DIR, dir);
    return opendir(path);
}

/* Berkeley DB does not say which file made its recovery fail. */
static void
name_damaged_files(const char *dir)
{
    char file[sizeof FILENAME_DIR + 256];
    DIR *stores = open_stores(dir);
    struct dirent *entry;

    look_at(dir, CATALOG_FILE);
    while (stores != NULL && (entry = readdir(stores)) != NULL) {
        snprintf(file, sizeof file, FILENAME_DIR "/%s", entry->d_name);
        if (filename_is_table(entry->d_name))
            look_at(dir, file);
    }
    if (stores != NULL)
        closedir(stores);
}

/* Berkeley DB wants the reason itself. */
static int
flush(int fd)
{
    return disk_flush(fd) == 0 ? 0 : errno;
}

int
tables_env_open(const char *dir, int64_t cache, DB_ENV **out)
{
    DB_ENV *env;

    db_env_set_func_fsync(flush);
    int code = db_env_create(&env, 0);

    if (code != 0)
        return code;
    dberr_attach(env);
    torn_guard();
    env->set_data_dir(env, ".");
    env->set_lg_dir(env, HOME_TXN);
    env->set_lg_bsize(env, LOG_BUFFER);
    env->set_lg_max(env, LOG_FILE_SIZE);
    env->set_cachesize(env, (uint32_t)(cache >> 30), (uint32_t)(cache & ((1 << 30) - 1)),
                       1);
    env->set_mp_max_openfd(env, TABLES_ENV_FILES);
    env->set_flags(env, DB_TXN_NOSYNC, 1);
    env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1);
    code = env->open(env, dir,
                     DB_CREATE | DB_RECOVER | DB_INIT_TXN | DB_INIT_LOG | DB_INIT_MPOOL
                         | DB_PRIVATE | DB_THREAD,
                     0640);
    if (code != 0) {
        env->close(env, 0);
        name_damaged_files(dir);
        return code;
    }
    *out = env;
    return 0;
}

/* A file some store has. */
struct known {
    struct map_node node;
    char file[FILENAME_MAX_LEN];
};

static bool
has_name(const struct map_node *node, struct bytes key)
{
    return bytes_eq(bytes_str(((const struct known *)node)->file), key);
}

static void
add_known(void *arg, const struct catalog_row *row)
{
    struct known *k = xcalloc(1, sizeof *k);

    memcpy(k->file, row->file, sizeof k->file);
    map_insert(arg, &k->node, map_hash(bytes_str(k->file)));
}

static void
free_known(struct map_node *node, void *arg)
{
    map_remove(arg, node);
    free(node);
}

static bool
is_stray(const struct map *known, const char *file, const char *entry)
{
    struct bytes name = bytes_str(file);

    return filename_is_table(entry)
           && map_find(known, map_hash(name), name, has_name) == NULL;
}

/* Recovery has ended with a checkpoint, so no log speaks of the file any more, and it can go
 * without one: there may be thousands, and the log would have to be flushed for each. */
static void
remove_stray(const char *dir, const char *file)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, file);
    if (unlink(path) != 0)
        dberr_log(errno, file);
}

/* What recovery has left in memory of strays has to be written before they go: no checkpoint
 * could write it afterwards. */
static int
write_back(DB_ENV *env)
{
    int code = env->memp_sync(env, NULL);

    if (code != 0)
        dberr_log(code, "The tables cannot be written back");
    return code;
}

int
tables_env_remove_strays(DB_ENV *env, const char *dir, struct catalog *catalog)
{
    char file[sizeof FILENAME_DIR + 256];
    struct map known = {0};
    struct dirent *entry;
    int failed = catalog_rows(catalog, add_known, &known), count = 0;

    DIR *stores = failed ? NULL : open_stores(dir);
    while (stores != NULL && !failed && (entry = readdir(stores)) != NULL) {
        snprintf(file, sizeof file, FILENAME_DIR "/%s", entry->d_name);
        if (!is_stray(&known, file, entry->d_name))
            continue;
        failed = count++ == 0 && write_back(env) != 0;
        if (!failed)
            remove_stray(dir, file);
    }
    if (stores != NULL)
        closedir(stores);
    if (count > 0 && !failed)
        log_line(LOG_NOTICE, "Removed %d files of stores/ that no store owns", count);
    map_each(&known, free_known, &known);
    return failed;
}

int
tables_env_end(DB_TXN *txn, int code)
{
    if (code == 0)
        return txn->commit(txn, DB_TXN_NOSYNC);
    txn->abort(txn);
    return code;
}
