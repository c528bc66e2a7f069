/*
 * config: the directives, in redis.conf's syntax, from a file, the command line and
 * CONFIG SET. A directive is a row in options.def and a field here.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/bytes.h"
#include "config/limits.h"
#include <stdint.h>

#define CONFIG_ERROR_MAX 512           /* bytes of an error text, its NUL included */
#define CONFIG_FILE_MAX  (1024 * 1024) /* bytes in a configuration file */
#define CONFIG_LINE_ARGS 64            /* words in a line */

enum appendfsync { APPENDFSYNC_ALWAYS, APPENDFSYNC_EVERYSEC, APPENDFSYNC_NO };

/* Whom a command that can do harm is allowed to. */
enum allowed { ALLOWED_NO, ALLOWED_YES, ALLOWED_LOCAL /* clients on this machine */ };

/* Texts are owned by the config and never NULL. Numbers are bytes where it says so. */
struct config {
    /* network */
    char *bind;   /* addresses, separated by spaces */
    int64_t port; /* 0: any free one */
    int64_t tcp_backlog;
    int64_t tcp_keepalive; /* s; 0: none */
    int64_t timeout;       /* s a client may be idle; 0: for ever */
    int64_t maxclients;
    int64_t proto_max_bulk_len;        /* bytes */
    int64_t client_query_buffer_limit; /* bytes */
    struct client_limit client_output_buffer_limit[CLIENT_CLASSES];
    char *requirepass; /* "": nobody has to log in */
    /* general */
    int64_t loglevel; /* enum log_level */
    char *logfile;    /* "": standard output */
    int64_t databases;
    int64_t notify_keyspace_events;  /* enum notify_class, of events.h */
    int64_t tracking_table_max_keys; /* 0: no limit */
    int64_t enable_debug_command;    /* enum allowed */
    /* measuring */
    int64_t slowlog_log_slower_than;         /* us; -1: never */
    int64_t slowlog_max_len;                 /* requests */
    int64_t latency_monitor_threshold;       /* ms; 0: off */
    int64_t latency_tracking;                /* bool */
    char *latency_tracking_info_percentiles; /* separated by spaces */
    /* stores */
    char *dir;
    int64_t appendfsync;      /* enum appendfsync */
    int64_t maxmemory;        /* bytes; 0: no ceiling */
    int64_t maxmemory_policy; /* this one and the next eight: always the same, */
    int64_t appendonly;       /* for clients */
    char *save;
    int64_t stop_writes_on_bgsave_error;
    int64_t protected_mode;
    int64_t daemonize;
    int64_t cluster_enabled;
    int64_t io_threads;
    int64_t hz;                /* how often figures are sampled, 1/s */
    char *refused_store_names; /* separated by spaces, "" for the empty name */
    /* values */
    int64_t hll_sparse_max_bytes; /* a longer HyperLogLog is dense */
    /* Berkeley DB */
    int64_t table_cache;  /* bytes of Berkeley DB's page cache */
    int64_t log_distance; /* bytes the log may be ahead of the tables */
    int64_t apply_delay;  /* ms the tables may stay behind while little is written */
    int64_t max_open_tables;
    int64_t read_threads;
    /* The configuration's own. */
    char *file; /* absolute path of the file it came from; "" for none */
};

struct config *config_new(void); /* the defaults; freed with config_free */
void config_free(struct config *c);

/* Reads a file. 0, or -1 with error telling file, line and reason, as redis-server does;
 * the lines before the bad one then stand. */
int config_load(struct config *c, const char *path, char error[CONFIG_ERROR_MAX]);

/* Reads a command line (without the program's name): an optional file first, then
 * "--directive word ..." groups, which win over the file. 0, or -1 with error. */
int config_arguments(struct config *c, int argc, char *const *argv,
                     char error[CONFIG_ERROR_MAX]);

/* Makes dir, once it is there, a path from the root, so that it tells clients where the
 * data is. */
void config_resolve_dir(struct config *c);

/* Carries out CONFIG SET of count pairs: all of them or, with an error, none. Names are
 * compared without case. error then is what CONFIG SET answers without "-ERR ".
 * changed(arg, c) is called when all values stand in c and may refuse them by writing
 * error and giving -1: the old values come back. Pass NULL for none. */
typedef int config_changed_fn(void *arg, const struct config *c,
                              char error[CONFIG_ERROR_MAX]);
int config_set(struct config *c, const struct bytes *pairs, size_t count,
               config_changed_fn *changed, void *arg, char error[CONFIG_ERROR_MAX]);

/* Calls visit for each directive any of the patterns matches (glob, no case), each once.
 * The value is as CONFIG GET prints it: bytes as a number, lists as words. Borrowed for
 * the call. */
typedef void config_visit_fn(void *arg, const char *name, struct bytes value);
void config_get(const struct config *c, const struct bytes *patterns, size_t count,
                config_visit_fn *visit, void *arg);

/* Writes the values to the file they came from, which keeps its comments and its order:
 * the lines of a directive that has another value now become one, lines that name no
 * directive become comments, and directives that have neither a line nor their default
 * come behind the rest. 0; -1 with error, and the file as it was. */
int config_rewrite(const struct config *c, char error[CONFIG_ERROR_MAX]);

/* The name of the directive that a pair-less walk over options.def would give at index,
 * or NULL behind the last: for tests that compare lists. */
const char *config_option_name(size_t index);

/* Splits a line as redis.conf and inline requests do: blanks between words, "..." with \n
 * \r \t \b \a \xHH escapes, '...' with \' only. The words are appended NUL-terminated to
 * text, their places written to words. Gives their count, -1 for unbalanced quotes or
 * more than max. */
int config_split(struct bytes line, struct buf *text, struct bytes *words, int max);

#endif
