/* session_priv: what the command room knows of a session. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_SESSION_PRIV_H
#define COMMAND_SESSION_PRIV_H

#include "command/pubsub.h"
#include "command/queue.h"
#include "command/session.h"
#include "command/tracking.h"
#include "resp/parser.h"
#include "resp/reply.h"

#define SESSION_WATCHES_MAX 10000 /* keys; each new one is compared with all before */

struct command;
struct fetch;
struct fetch_key;
struct listed;
struct migration;
struct store;
struct watch;

/* What has become of the keys of the request at the front of the input. */
enum fetched {
    FETCHED_NOTHING, /* none were asked for */
    FETCHED_KEYS,    /* they are known now */
    FETCHED_ERROR    /* the disk failed */
};

/* Which replies are not sent: any, that of this request, that of the one after it. */
enum { SILENT_ALWAYS = 1 << 0, SILENT_NOW = 1 << 1, SILENT_NEXT = 1 << 2 };

struct session {
    struct map_node node; /* in the host's sessions_by_id; must be first */
    struct host *host;
    struct store *store; /* held */
    uint64_t id;         /* told by HELLO */
    struct parser parser;
    struct buf output;
    struct reply reply; /* writes to output */
    uint64_t depends;
    size_t push_from, unasked; /* where a message begins in output; bytes of messages */
    int64_t over_soft_ms; /* since when its output is over the soft limit; 0: it is not */
    uint64_t messages;    /* so many it was told without asking */
    bool closing, killed;
    struct session_peer peer;
    struct buf name;             /* empty: it has none */
    const struct command *asked; /* its latest; NULL: none, or one that is not known */
    unsigned silence;            /* bits SILENT_... */
    bool is_answering;           /* a request is being carried out; */
    size_t silent_from; /* where its replies, which are not sent, begin in output */
    bool no_evict, logged_in;
    bool monitors; /* is in the list that begins at host->monitors */
    struct session *next_monitor, *previous_monitor;
    int64_t created_ms;
    size_t pending, request_size; /* bytes of its input, and of the request in hand; */
    size_t front_size;            /* of its input, those of the request that is parked */
    struct session *next_session, *previous_session; /* all; the list host->sessions */
    struct subscriber subscriber;
    struct tracker tracker;
    /* MULTI */
    struct queue queue;
    struct watch **watches;
    size_t nwatches;
    size_t cap_watches;
    /* Parked: at most one of fetch, a listed one or a migration that is awaited,
     * throttled, waits. */
    struct fetch *fetch;
    struct listed *listed;       /* of the request at the front of the input */
    struct migration *migration; /* of the same request */
    enum fetched fetched;
    bool throttled; /* is in the ring that begins at host->throttled */
    struct session *previous, *following; /* in that ring */
    bool waits;                           /* for time to pass (waiting.h) */
    bool is_paused;                       /* by CLIENT PAUSE; else by WAIT */
    bool has_waited;        /* the request at the front of the input need not any more */
    bool is_unblocked;      /* by CLIENT UNBLOCK ERROR */
    int64_t waits_until_us; /* the measuring clock */
    struct session *next_waiting, *previous_waiting;
    const struct session_owner *owner;
    void *owner_arg;
    /* Time, while it is being fed. */
    int64_t fed_ms;  /* wall clock when it began */
    int64_t fed_us;  /* the measuring clock then */
    int64_t last_us; /* when the last command ended */
};

/* The host's session with that id, NULL for none, or one that was killed. */
struct session *session_find(const struct host *h, uint64_t id);

/* What time it is for the next command. */
int64_t session_now(const struct session *s);

/* Whether what it is answered now is thrown away. Messages are not. */
bool session_is_muted(const struct session *s);

/* Takes a store that the caller holds for the selected one. */
void session_select(struct session *s, struct store *store);

void session_unwatch(struct session *s);

/* Begins a message the client did not ask for, and gives where it is to be written: it
 * leaves when what has been seen till now may be told. session_pushed ends it, and
 * drops it where the session closes. */
struct reply *session_push(struct session *s);
void session_pushed(struct session *s);

/* The same, for a message that tells of nothing later than this stamp. */
struct reply *session_push_after(struct session *s, uint64_t stamp);

/* Lets its owner close it, whatever has not been sent. */
void session_kill(struct session *s);

/* Parks it until the keys are known, or until writes are taken again. */
void session_fetch(struct session *s, const struct fetch_key *keys, size_t nkeys);
void session_throttle(struct session *s);

/* Ends the waiting for writes, and lets the owner feed it again. */
void session_resume(struct session *s);

#endif
