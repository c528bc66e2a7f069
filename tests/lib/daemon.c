/*
 * daemon: a child process and a thread that reads what it prints. The line that says it
 * is ready holds the port; the end of the output is the end of the process.
 *
 * The child dies with us (PR_SET_PDEATHSIG), so nothing stays behind however a test ends.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "daemon.h"

#include "base/mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#define READY       "Ready to accept connections"
#define REDIS_TRIES 5  /* another process may take the port we found free */
#define WALK_FILES  16 /* descriptors that removing a directory may use */
#define PORT_TEXT   16

struct daemon {
    enum daemon_kind kind;
    char *own_dir;
    char *dir;
    char *args[DAEMON_ARGS_MAX + 1];
    unsigned long open_files;
    uid_t uid;
    int port;
    pid_t pid; /* 0: it does not run */
    int status;
    int output_fd;
    pthread_t listener;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under mutex. */
    struct buf output;
    bool ready;
    bool ended;
};

char *
directory_make(void)
{
    const char *tmp = getenv("TMPDIR");
    struct buf path = {0};

    buf_printf(&path, "%s/keyvald-test-XXXXXX",
               tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
    buf_append(&path, "", 1);
    if (mkdtemp(path.data) == NULL)
        panic("mkdtemp %s: %s", path.data, strerror(errno));
    return path.data;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

void
directory_remove(const char *path)
{
    nftw(path, remove_one, WALK_FILES, FTW_DEPTH | FTW_PHYS);
}

struct daemon *
daemon_new(enum daemon_kind kind, char *const *args)
{
    struct daemon *s = xcalloc(1, sizeof *s);
    pthread_condattr_t monotonic;

    signal(SIGPIPE, SIG_IGN); /* servers go away while they are written to */
    s->kind = kind;
    s->own_dir = directory_make();
    s->dir = bytes_dup(bytes_str(s->own_dir));
    pthread_mutex_init(&s->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    daemon_set_args(s, args);
    return s;
}

void
daemon_set_args(struct daemon *s, char *const *args)
{
    for (int i = 0; s->args[i] != NULL; i++)
        free(s->args[i]);
    memset(s->args, 0, sizeof s->args);
    for (int i = 0; args != NULL && args[i] != NULL; i++) {
        if (i == DAEMON_ARGS_MAX)
            panic("too many arguments for a server");
        s->args[i] = bytes_dup(bytes_str(args[i]));
    }
}

void
daemon_set_open_files(struct daemon *s, unsigned long limit)
{
    s->open_files = limit;
}

void
daemon_set_uid(struct daemon *s, uid_t uid)
{
    s->uid = uid;
}

void
daemon_set_dir(struct daemon *s, const char *dir)
{
    free(s->dir);
    s->dir = bytes_dup(bytes_str(dir));
}

/* Takes in what the child prints until it ends. */
static void *
listen_to_output(void *arg)
{
    struct daemon *s = arg;
    char chunk[4096];
    ssize_t got;

    while ((got = read(s->output_fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        pthread_mutex_lock(&s->mutex);
        buf_append(&s->output, chunk, got > 0 ? (size_t)got : 0);
        const char *ready = memmem(s->output.data, s->output.len, READY, strlen(READY));
        if (ready != NULL && memchr(ready, '\n', s->output.data + s->output.len - ready)) {
            s->ready = true;
            pthread_cond_broadcast(&s->changed);
        }
        pthread_mutex_unlock(&s->mutex);
    }
    pthread_mutex_lock(&s->mutex);
    s->ended = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* A port that nobody has at the moment. */
static int
free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0
        || getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        panic("no free port: %s", strerror(errno));
    close(fd);
    return ntohs(at.sin_port);
}

static const char *
program(const struct daemon *s)
{
    const char *path = s->kind == DAEMON_REDIS ? "redis-server" : getenv("KEYVALD");

    if (path == NULL)
        panic("KEYVALD must be the path of the server's program");
    return path;
}

/* In the child, between fork and exec. */
static _Noreturn void
become_daemon(const struct daemon *s, char **argv, int output)
{
    struct rlimit files = {s->open_files, s->open_files};

    signal(SIGPIPE, SIG_DFL);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (s->open_files > 0)
        setrlimit(RLIMIT_NOFILE, &files);
    if (s->uid != 0 && (setgid(s->uid) != 0 || setuid(s->uid) != 0))
        _exit(EXIT_FAILURE);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user would undo it */
    execvp(argv[0], argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_FAILURE);
}

/* The command line; port is text it may point to. */
static void
command_line(const struct daemon *s, char **argv, char *port)
{
    int argc = 0;

    snprintf(port, PORT_TEXT, "%d", s->kind == DAEMON_REDIS ? s->port : 0);
    argv[argc++] = (char *)program(s);
    argv[argc++] = "--port";
    argv[argc++] = port;
    argv[argc++] = "--dir";
    argv[argc++] = s->dir;
    if (s->kind == DAEMON_REDIS) {
        argv[argc++] = "--save";
        argv[argc++] = "";
    }
    for (int i = 0; s->args[i] != NULL; i++)
        argv[argc++] = s->args[i];
    argv[argc] = NULL;
}

void
daemon_launch(struct daemon *s)
{
    char *argv[DAEMON_ARGS_MAX + 16], port[PORT_TEXT];
    int output[2];

    if (s->pid != 0)
        panic("the server runs already");
    if (pipe2(output, O_CLOEXEC) != 0)
        panic("pipe: %s", strerror(errno));
    if (s->kind == DAEMON_REDIS)
        s->port = free_port();
    command_line(s, argv, port);
    s->output.len = 0;
    s->ready = s->ended = false;
    s->pid = fork();
    if (s->pid < 0)
        panic("fork: %s", strerror(errno));
    if (s->pid == 0)
        become_daemon(s, argv, output[1]);
    close(output[1]);
    s->output_fd = output[0];
    if (pthread_create(&s->listener, NULL, listen_to_output, s) != 0)
        panic("no thread for a server's output");
}

int
daemon_wait(struct daemon *s)
{
    if (s->pid == 0)
        return s->status;
    while (waitpid(s->pid, &s->status, 0) < 0 && errno == EINTR)
        continue;
    pthread_join(s->listener, NULL);
    close(s->output_fd);
    s->pid = 0;
    return s->status;
}

/* Waits until it is ready or has ended. */
static bool
wait_until_ready(struct daemon *s)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DAEMON_PATIENCE_S;
    pthread_mutex_lock(&s->mutex);
    while (!s->ready && !s->ended && late == 0)
        late = pthread_cond_timedwait(&s->changed, &s->mutex, &until);
    bool ready = s->ready;
    pthread_mutex_unlock(&s->mutex);
    if (!ready && late != 0)
        daemon_kill(s);
    return ready;
}

/* keyvald writes "... on 127.0.0.1:PORT". */
static void
find_port(struct daemon *s)
{
    char *output = daemon_output(s);
    char *ready = strstr(output, READY);
    char *colon = strchr(ready + strcspn(ready, ":\n"), ':');

    if (colon == NULL)
        panic("the server does not say its port: %s", ready);
    s->port = atoi(colon + 1);
    free(output);
}

bool
daemon_try_start(struct daemon *s)
{
    int tries = s->kind == DAEMON_REDIS ? REDIS_TRIES : 1;

    for (int i = 0; i < tries; i++) {
        daemon_launch(s);
        if (wait_until_ready(s)) {
            if (s->kind == DAEMON_KEYVALD)
                find_port(s);
            return true;
        }
        daemon_wait(s);
    }
    return false;
}

void
daemon_start(struct daemon *s)
{
    if (daemon_try_start(s))
        return;
    char *output = daemon_output(s);
    panic("the server did not start (status %d):\n%s", s->status, output);
}

int
daemon_stop(struct daemon *s)
{
    if (s->pid != 0)
        kill(s->pid, SIGTERM);
    return daemon_wait(s);
}

void
daemon_kill(struct daemon *s)
{
    if (s->pid != 0)
        kill(s->pid, SIGKILL);
    daemon_wait(s);
}

void
daemon_free(struct daemon *s)
{
    if (s == NULL)
        return;
    daemon_kill(s);
    directory_remove(s->own_dir);
    daemon_set_args(s, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
    buf_deinit(&s->output);
    free(s->own_dir);
    free(s->dir);
    free(s);
}

bool
daemon_is_running(const struct daemon *s)
{
    return s->pid != 0;
}

int
daemon_port(const struct daemon *s)
{
    return s->port;
}

pid_t
daemon_pid(const struct daemon *s)
{
    return s->pid;
}

const char *
daemon_dir(const struct daemon *s)
{
    return s->dir;
}

int
daemon_status(const struct daemon *s)
{
    return s->status;
}

char *
daemon_output(struct daemon *s)
{
    pthread_mutex_lock(&s->mutex);
    char *copy = bytes_dup(buf_bytes(&s->output));
    pthread_mutex_unlock(&s->mutex);
    return copy;
}

struct client *
daemon_client(const struct daemon *s)
{
    struct client *c = client_open(s->port);

    if (c == NULL)
        panic("nobody listens on port %d: %s", s->port, strerror(errno));
    return c;
}

struct redisContext *
daemon_connect(const struct daemon *s)
{
    struct redisContext *c = redisConnect("127.0.0.1", s->port);

    if (c == NULL || c->err != 0)
        panic("no connection to port %d: %s", s->port,
              c != NULL ? c->errstr : "no memory");
    return c;
}
