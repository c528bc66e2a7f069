/*
 * host: what commands may ask of the server they run in, and what they may tell it. One
 * a process (or a test); whoever runs sessions makes it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_HOST_H
#define COMMAND_HOST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/version.h"
#include "command/pubsub.h"
#include "command/rate.h"
#include "command/tracking.h"
#include "command/unsent.h"
#include "config/config.h"
#include <stdbool.h>
#include <stdint.h>

#define REDIS_VERSION "7.0.15" /* whose behaviour is kept; told by INFO and HELLO */

struct command_table;
struct histogram;
struct keyspace;
struct latency;
struct peer_calls;
struct session;
struct slowlog;

struct command_stats {
    uint64_t calls, usec, rejected, failed;
    struct histogram *times; /* ns of the calls; NULL while there were none */
};

struct host {
    struct config *config;
    struct keyspace *keyspace;
    char run_id[41];
    int64_t started_ms;  /* wall clock */
    int64_t port;        /* really listened on; 0 in a test */
    bool shutdown_asked; /* SHUTDOWN was called: stop after this iteration */
    int shutdown_fd;     /* the connection of who called it; -1: has none */
    /* Takes new values of directives into use, for CONFIG SET; as config_changed_fn. */
    config_changed_fn *reconfigure;
    void *reconfigure_arg;
    /* How to talk to other servers; NULL where there are no sockets. */
    const struct peer_calls *peer_calls;
    void *sockets;
    struct session *sessions; /* all */
    struct map sessions_by_id;
    struct session *monitors; /* those that said MONITOR */
    struct session *tended;   /* unsent_tick goes on with it; NULL: with the first */
    /* Sessions that wait until writes are taken again; the host's owner calls
     * host_retry_writes when that may be. */
    struct session *throttled;
    int64_t nthrottled;
    /* Sessions that wait for time to pass, those that came first in front; the host's
     * owner calls host_end_waiting every few milliseconds while there are some. */
    struct session *first_waiting, *last_waiting;
    int64_t nblocked;        /* how many they are */
    int64_t paused_until_us; /* the measuring clock; by CLIENT PAUSE */
    bool pauses_all;         /* not only what writes */
    /* Figures. The server fills the first group, commands the second. */
    int64_t clients;
    int64_t kept_peers; /* other servers that can be talked to without connecting */
    uint64_t connections, refused_connections, bytes_in, bytes_out;
    uint64_t reads, writes; /* of sockets */
    uint64_t commands, hits, misses, errors;
    struct command_stats *by_command; /* one for each row of commands.def */
    uint64_t *by_error;               /* one for each row of errors.def, and one before */
    uint64_t next_client_id;
    struct slowlog *slowlog;
    struct latency *latency;
    struct rate command_rate, input_rate, output_rate;
    struct unsent_peak peaks[UNSENT_SECONDS]; /* of the last seconds, */
    int64_t peak_at_s;      /* the latest of which this is, of the measuring clock */
    int64_t sampled_us;     /* when they were sampled last */
    int64_t startup_memory; /* bytes of heap before there was data; the owner sets it */
    int64_t peak_memory;
    uint64_t saves;   /* SAVE and BGSAVE that were done */
    int64_t saved_ms; /* wall clock of the last SAVE or BGSAVE that was done */
    uint64_t saving;  /* the batch that BGSAVE waits for, */
    bool is_saving;   /* where it does, */
    int64_t saving_since_ms;
    int64_t save_s; /* and how long the last one took; -1: there was none */
    /* The commands' own. */
    struct pubsub pubsub;
    struct tracking tracking;
    struct command_table *table;
    struct arena scratch; /* of the request being carried out */
    struct buf spare;     /* for long replies and requests (buf.h) */
    int64_t spared_us;    /* when it was put there, of the measuring clock */
};

/* Zeroes it, draws the run id, allocates what is its own. */
void host_init(struct host *h, struct config *config, struct keyspace *ks);
void host_deinit(struct host *h);

/* Lets the figures that only grow begin at zero again. */
void host_reset_stats(struct host *h);

/* Samples figures, and sees what is done meanwhile; to be called ten times a second. */
void host_tick(struct host *h);

/* As buf_clear_to; the spare is kept for as long as it is used each second. */
void host_clear(struct host *h, struct buf *b, size_t keep);

/* Tells clients what was gathered for them in a turn of the loop; to be called before its
 * changes are committed. */
void host_end_turn(struct host *h);

/* Resumes sessions that wait to write while keyspace_may_write, those that wait longest
 * first. */
void host_retry_writes(struct host *h);

/* Resumes the sessions that have waited long enough. */
void host_end_waiting(struct host *h);

#endif
