/* client: a socket, and the bytes that were received beyond the last answer. */
// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "base/mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CLIENT_CHUNK (256 * 1024) /* bytes asked for at once */
#define CLIENT_WORDS 64           /* in a line of client_ask */

struct client {
    int fd;
    struct buf in;
    struct buf out;
    struct buf said; /* what client_ask gave last */
};

static int
connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = CLIENT_PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

struct client *
client_open(int port)
{
    int fd = connect_to(port);

    if (fd < 0)
        return NULL;
    struct client *c = xcalloc(1, sizeof *c);
    c->fd = fd;
    return c;
}

void
client_close(struct client *c)
{
    if (c == NULL)
        return;
    close(c->fd);
    buf_deinit(&c->in);
    buf_deinit(&c->out);
    buf_deinit(&c->said);
    free(c);
}

int
client_fd(const struct client *c)
{
    return c->fd;
}

int
client_send(struct client *c, struct bytes data)
{
    while (data.len > 0) {
        ssize_t sent = send(c->fd, data.data, data.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return -1;
        data = bytes_of(data.data + sent, data.len - (size_t)sent);
    }
    return 0;
}

/* As recv. */
static ssize_t
receive(struct client *c, char *to, size_t len)
{
    ssize_t got;

    do {
        got = recv(c->fd, to, len, 0);
    } while (got < 0 && errno == EINTR);
    return got;
}

size_t
client_receive(struct client *c, char *to, size_t len)
{
    ssize_t got = receive(c, to, len);

    if (got < 0 && errno == EAGAIN)
        panic("the server said nothing for %d s", CLIENT_PATIENCE_S);
    return got > 0 ? (size_t)got : 0;
}

/* Takes in what has come, if anything has. */
static void
take_in(struct client *c)
{
    char *to = buf_reserve(&c->in, CLIENT_CHUNK);
    ssize_t got = recv(c->fd, to, CLIENT_CHUNK, MSG_DONTWAIT);

    c->in.len += got > 0 ? (size_t)got : 0;
}

int
client_exchange(struct client *c, struct bytes data)
{
    struct pollfd ready = {.fd = c->fd, .events = POLLIN | POLLOUT};

    while (data.len > 0) {
        ssize_t sent = send(c->fd, data.data, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        if (sent > 0)
            data = bytes_of(data.data + sent, data.len - (size_t)sent);
        else if (poll(&ready, 1, CLIENT_PATIENCE_S * 1000) == 0)
            return -1;
        if (data.len > 0)
            take_in(c);
    }
    return 0;
}

bool
client_answer(struct client *c, struct answer *out)
{
    for (;;) {
        ssize_t used = answer_read(buf_bytes(&c->in), out);
        if (used < 0)
            panic("the server sent what is no answer: %.*s", (int)c->in.len, c->in.data);
        if (used > 0) {
            buf_consume(&c->in, (size_t)used);
            return true;
        }
        char *to = buf_reserve(&c->in, CLIENT_CHUNK);
        ssize_t got = receive(c, to, CLIENT_CHUNK);
        if (got <= 0)
            return false;
        c->in.len += (size_t)got;
    }
}

bool
client_command(struct client *c, const struct bytes *argv, int argc, struct answer *out)
{
    c->out.len = 0;
    request_encode(&c->out, argv, argc);
    return client_send(c, buf_bytes(&c->out)) == 0 && client_answer(c, out);
}

const char *
client_ask(struct client *c, const char *line)
{
    struct bytes argv[CLIENT_WORDS];
    struct answer answer;
    int argc = 0;

    for (const char *at = line; *at != '\0' && argc < CLIENT_WORDS; argc++) {
        size_t len = strcspn(at, " ");
        argv[argc] = bytes_of(at, len);
        at += len + (at[len] == ' ');
    }
    if (!client_command(c, argv, argc, &answer))
        return "(hung up)";
    c->said.len = 0;
    answer_print(&answer, &c->said);
    c->said.data[c->said.len - 1] = '\0';
    answer_deinit(&answer);
    return c->said.data;
}
