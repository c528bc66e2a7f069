/*
 * client_run: runs one of the checks in clients/ against a server of its own.
 *
 * usage: client_run keyvald|redis check
 *
 * A check is an executable written in its client's language. It finds HOST, PORT and SERVER
 * (keyvald or redis) in its environment, begins with an empty server and an empty working
 * directory, and exits with 0 where every answer was right. As a service manager would, this
 * starts the server again, on the same port, whenever it ends properly: a check that sends
 * SHUTDOWN SAVE sees a restart. What is true of redis-server must be true of keyvald, so each
 * check is run against both.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "lib/daemon.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_PATIENCE_S 150
#define PORT_TEXT        16

struct trial {
    const char *kind;
    char *check;
    char port[PORT_TEXT];
    char *dir; /* the check's */
    struct daemon *server;
    pid_t pid; /* the check's, and of the group of all that it starts */
    int status;
};

static volatile sig_atomic_t group;
static volatile sig_atomic_t given_up;

/* Too late, or we are asked to end: so does the check, with all it started. */
static void
give_up(int signal_number)
{
    given_up = signal_number;
    kill(-group, SIGKILL);
}

/* In the child, between fork and exec. */
static _Noreturn void
become_check(const struct trial *t)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    setenv("HOST", "127.0.0.1", 1);
    setenv("PORT", t->port, 1);
    setenv("SERVER", t->kind, 1);
    setenv("HOME", t->dir, 1);
    setenv("TMPDIR", t->dir, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    if (chdir(t->dir) == 0)
        execl(t->check, t->check, NULL);
    fprintf(stderr, "%s: %s (script/install-deps clients brings what it needs)\n",
            t->check, strerror(errno));
    _exit(EXIT_FAILURE);
}

static void
start_check(struct trial *t)
{
    struct sigaction end = {.sa_handler = give_up};

    t->pid = fork();
    if (t->pid < 0)
        panic("fork: %s", strerror(errno));
    if (t->pid == 0)
        become_check(t);
    setpgid(t->pid, t->pid); /* whoever of the two is first */
    group = t->pid;
    sigaction(SIGALRM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    alarm(CHECK_PATIENCE_S);
}

/* A server that ended badly ends the check too. */
static void
restart_server(struct trial *t)
{
    char *args[] = {"--port", t->port, NULL}; /* where the check looks for it */

    if (daemon_wait(t->server) == 0) {
        daemon_set_args(t->server, args);
        daemon_start(t->server);
    } else {
        kill(-t->pid, SIGKILL);
    }
}

/* Serves until the check has ended. */
static void
wait_for_check(struct trial *t)
{
    siginfo_t ended;

    do {
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) != 0) {
            if (errno != EINTR)
                panic("waitid: %s", strerror(errno));
            ended.si_pid = 0;
        } else if (ended.si_pid != t->pid) {
            restart_server(t);
        }
    } while (ended.si_pid != t->pid);
    alarm(0);
    kill(-t->pid, SIGKILL); /* what it left behind */
    waitpid(t->pid, &t->status, 0);
}

static bool
is_good(struct trial *t)
{
    int server_status = daemon_stop(t->server);

    if (server_status != 0)
        fprintf(stderr, "%s ended with status %d\n", t->kind, server_status);
    if (given_up == SIGALRM)
        fprintf(stderr, "%s did not end within %d s\n", t->check, CHECK_PATIENCE_S);
    else if (t->status != 0)
        fprintf(stderr, "%s failed with status %d\n", t->check, t->status);
    return server_status == 0 && t->status == 0;
}

int
main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "keyvald") != 0 && strcmp(argv[1], "redis") != 0)) {
        fprintf(stderr, "usage: client_run keyvald|redis check\n");
        return EXIT_FAILURE;
    }
    bool is_redis = strcmp(argv[1], "redis") == 0;
    struct trial t = {
        .kind = argv[1],
        .check = realpath(argv[2], NULL),
        .dir = directory_make(),
        .server = daemon_new(is_redis ? DAEMON_REDIS : DAEMON_KEYVALD, NULL),
    };
    if (t.check == NULL)
        panic("%s: %s", argv[2], strerror(errno));

    daemon_start(t.server);
    snprintf(t.port, sizeof t.port, "%d", daemon_port(t.server));
    start_check(&t);
    wait_for_check(&t);
    bool good = is_good(&t);
    if (!good) {
        char *output = daemon_output(t.server);
        fprintf(stderr, "--- the server's output\n%s", output);
        free(output);
    }

    daemon_free(t.server);
    directory_remove(t.dir);
    free(t.dir);
    free(t.check);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
