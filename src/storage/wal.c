/* See wal.h. The list of files is under the mutex; all else is the loop's or Berkeley
 * DB's. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/wal.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/dberr.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAL_RECTYPE (DB_user_BEGIN + 1)
#define WAL_VERSION 1
#define WAL_FIRST   1
#define WAL_LAST    2
#define WAL_BUFFER                                                                       \
    (1024 * 1024) /* bytes Berkeley DB gathers before it writes by itself */

struct wal_head {
    uint32_t type;
    uint8_t version;
    uint8_t flags;
    uint16_t zero;
    uint64_t number;
};

struct wal_file {
    uint32_t file;
    uint64_t first; /* the number of the first batch that begins in it */
};

struct wal {
    DB_ENV *env;
    char *home;
    struct buf record;            /* loop only: what is being appended */
    bool failing;                 /* loop only */
    uint32_t old_first, old_last; /* files of an earlier process; set by the replay */
    _Atomic bool has_old;         /* they have not been flushed yet */
    pthread_mutex_t mutex;
    struct wal_file *files;
    size_t nfiles;
};

struct wal *
wal_open(const char *home)
{
    struct wal *w = xcalloc(1, sizeof *w);
    int code = db_env_create(&w->env, 0);

    assert(code == 0);
    pthread_mutex_init(&w->mutex, NULL);
    w->home = bytes_dup(bytes_str(home));
    dberr_attach(w->env);
    w->env->set_lg_dir(w->env, WAL_DIR);
    w->env->set_lg_bsize(w->env, WAL_BUFFER);
    w->env->set_lg_max(w->env, WAL_FILE_SIZE);
    code = w->env->open(w->env, home, DB_CREATE | DB_INIT_LOG | DB_PRIVATE | DB_THREAD,
                        0640);
    if (code == 0)
        return w;
    dberr_log(code, "The log cannot be opened");
    wal_close(w);
    return NULL;
}

void
wal_close(struct wal *w)
{
    w->env->close(w->env, 0);
    pthread_mutex_destroy(&w->mutex);
    buf_deinit(&w->record);
    free(w->files);
    free(w->home);
    free(w);
}

/* Notes where a batch begins, so that wal_remove knows what a file still holds. */
static void
note_place(struct wal *w, uint32_t file, uint64_t number)
{
    pthread_mutex_lock(&w->mutex);
    if (w->nfiles == 0 || w->files[w->nfiles - 1].file < file) {
        w->files = xrealloc(w->files, (w->nfiles + 1) * sizeof *w->files);
        w->files[w->nfiles++] = (struct wal_file){file, number};
    }
    pthread_mutex_unlock(&w->mutex);
}

/* What wal_replay knows while it reads. */
struct replay {
    struct wal *wal;
    uint64_t last; /* the last batch that is whole */
    struct buf chain;
    uint64_t chain_number;
    struct wal_place place; /* where the chain began */
    bool in_chain;
    wal_batch_fn *visit;
    void *arg;
};

static int
replay_batch(struct replay *r, struct bytes effects)
{
    if (r->chain_number <= r->last)
        return 0;
    if (r->chain_number != r->last + 1) {
        log_line(LOG_WARNING, "The log is damaged: after batch %llu comes %llu",
                 (unsigned long long)r->last, (unsigned long long)r->chain_number);
        return -1;
    }
    r->last = r->chain_number;
    note_place(r->wal, r->place.file, r->last);
    return r->visit(r->arg, r->last, r->place, effects);
}

static int
replay_record(struct replay *r, const DB_LSN *lsn, struct bytes record)
{
    struct wal_head head;

    if (record.len < sizeof head)
        return 0;
    memcpy(&head, record.data, sizeof head);
    if (head.type != WAL_RECTYPE)
        return 0;
    if (head.version != WAL_VERSION) {
        log_line(LOG_WARNING, "The log has a record of version %d; this keyvald reads %d",
                 head.version, WAL_VERSION);
        return -1;
    }

    struct bytes piece = bytes_of(record.data + sizeof head, record.len - sizeof head);
    if (head.flags & WAL_FIRST) {
        r->in_chain = true;
        r->chain_number = head.number;
        r->place = (struct wal_place){lsn->file, lsn->offset};
        buf_clear(&r->chain, WAL_PIECE);
    }
    if (!r->in_chain || head.number != r->chain_number)
        return 0;
    if ((head.flags & (WAL_FIRST | WAL_LAST)) == (WAL_FIRST | WAL_LAST))
        return replay_batch(r, piece);
    buf_append_bytes(&r->chain, piece);
    if (!(head.flags & WAL_LAST))
        return 0;
    r->in_chain = false;
    return replay_batch(r, buf_bytes(&r->chain));
}

/* To where the replay begins. Files before it are noted, so that they can be removed. */
static int
seek(struct wal *w, DB_LOGC *cursor, uint64_t after, struct wal_place place, DB_LSN *lsn,
     DBT *record)
{
    int code = cursor->get(cursor, lsn, record, DB_FIRST);

    if (code != 0 || place.file == 0)
        return code;
    note_place(w, lsn->file, 0);
    note_place(w, place.file, after);
    *lsn = (DB_LSN){place.file, place.offset};
    return cursor->get(cursor, lsn, record, DB_SET);
}

/* last: the file in which the log ends. */
static void
note_old_files(struct wal *w, uint32_t last)
{
    if (w->old_last != 0 || w->nfiles == 0)
        return;
    w->old_first = w->files[0].file;
    w->old_last = last;
    atomic_store(&w->has_old, true);
}

int
wal_replay(struct wal *w, uint64_t after, struct wal_place place, wal_batch_fn *visit,
           void *arg)
{
    struct replay r = {.wal = w, .last = after, .visit = visit, .arg = arg};
    DB_LSN lsn;
    DB_LOGC *cursor;
    DBT record = {0};
    int failed = 0;
    uint32_t last_file = 0;
    int code = w->env->log_cursor(w->env, &cursor, 0);

    if (code != 0)
        return dberr_log(code, "The log cannot be read");
    code = seek(w, cursor, after, place, &lsn, &record);
    if (code != 0 && place.file != 0) {
        cursor->close(cursor, 0);
        return dberr_log(code, "The log does not reach as far as the tables");
    }
    while (code == 0 && !failed) {
        last_file = lsn.file;
        failed = replay_record(&r, &lsn, bytes_of(record.data, record.size));
        code = cursor->get(cursor, &lsn, &record, DB_NEXT);
    }
    cursor->close(cursor, 0);
    buf_deinit(&r.chain);
    note_old_files(w, last_file);
    if (code != 0 && code != DB_NOTFOUND)
        return dberr_log(code, "The log is damaged");
    return failed;
}

static void
file_path(const struct wal *w, uint32_t file, char *path, size_t size)
{
    snprintf(path, size, "%s/" WAL_DIR "/log.%010u", w->home, file);
}

/* Flushes the files an earlier process wrote, for Berkeley DB flushes only what it wrote
 * itself. */
static int
flush_old_files(struct wal *w)
{
    char path[4096];

    for (uint32_t file = w->old_first; file <= w->old_last; file++) {
        file_path(w, file, path, sizeof path);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        int failed = fdatasync(fd);
        close(fd);
        if (failed)
            return dberr_log(errno, path);
    }
    return 0;
}

static int
append_piece(struct wal *w, struct wal_head head, struct bytes piece, uint32_t how,
             DB_LSN *lsn)
{
    DBT record = {0};

    w->record.len = 0;
    buf_append(&w->record, &head, sizeof head);
    buf_append_bytes(&w->record, piece);
    record.data = w->record.data;
    record.size = (uint32_t)w->record.len;
    return w->env->log_put(w->env, lsn, &record, how);
}

int
wal_append(struct wal *w, uint64_t number, struct bytes effects, bool flush,
           struct wal_place *place)
{
    struct wal_head head = {WAL_RECTYPE, WAL_VERSION, WAL_FIRST, 0, number};
    DB_LSN lsn;

    do {
        size_t len = effects.len < WAL_PIECE ? effects.len : WAL_PIECE;
        bool last = len == effects.len;
        uint32_t how = !last ? 0 : flush ? DB_FLUSH : DB_LOG_WRNOSYNC;

        if (last)
            head.flags |= WAL_LAST;
        int code = append_piece(w, head, bytes_of(effects.data, len), how, &lsn);
        if (code != 0) {
            if (!w->failing)
                dberr_log(code, "The log cannot be written");
            w->failing = true;
            return -1;
        }
        if (head.flags & WAL_FIRST)
            *place = (struct wal_place){lsn.file, lsn.offset};
        head.flags = 0;
        effects = bytes_of(effects.data + len, effects.len - len);
    } while (effects.len > 0);

    if (w->failing)
        log_line(LOG_WARNING, "The log can be written again");
    w->failing = false;
    note_place(w, place->file, number);
    buf_clear(&w->record, WAL_PIECE);
    return 0;
}

int
wal_flush(struct wal *w)
{
    if (atomic_load(&w->has_old) && flush_old_files(w) != 0)
        return -1;
    atomic_store(&w->has_old, false);

    int code = w->env->log_flush(w->env, NULL);

    return code == 0 ? 0 : dberr_log(code, "The log cannot be flushed");
}

void
wal_remove(struct wal *w, uint64_t number)
{
    char path[4096];
    size_t gone = 0;

    pthread_mutex_lock(&w->mutex);
    while (gone + 1 < w->nfiles && w->files[gone + 1].first <= number) {
        for (uint32_t file = w->files[gone].file; file < w->files[gone + 1].file; file++) {
            file_path(w, file, path, sizeof path);
            unlink(path);
        }
        gone++;
    }
    w->nfiles -= gone;
    if (gone > 0)
        memmove(w->files, w->files + gone, w->nfiles * sizeof *w->files);
    pthread_mutex_unlock(&w->mutex);
}

int64_t
wal_size(struct wal *w)
{
    char path[4096];
    struct dirent *entry;
    struct stat file;
    int64_t bytes = 0;

    snprintf(path, sizeof path, "%s/" WAL_DIR, w->home);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        if (fstatat(dirfd(dir), entry->d_name, &file, 0) == 0 && S_ISREG(file.st_mode))
            bytes += file.st_blocks * 512;
    }
    closedir(dir);
    return bytes;
}
