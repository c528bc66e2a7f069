/* What the two ends of a client's connection are called. */
// SPDX-License-Identifier: BSD-3-Clause
#include "server/server_priv.h"
#include <stdio.h>

static void
describe(const struct sockaddr_storage *name, char *text)
{
    bool is_v6 = name->ss_family == AF_INET6;
    char host[INET6_ADDRSTRLEN] = "";
    int port;

    uv_ip_name((const struct sockaddr *)name, host, sizeof host);
    if (is_v6)
        port = ntohs(((const struct sockaddr_in6 *)name)->sin6_port);
    else
        port = ntohs(((const struct sockaddr_in *)name)->sin_port);
    snprintf(text, SESSION_ADDRESS_MAX, is_v6 ? "[%s]:%d" : "%s:%d", host, port);
}

void
endpoints_look_up(const uv_tcp_t *socket, struct session_peer *peer)
{
    struct sockaddr_storage name = {0};
    int len = sizeof name;

    uv_tcp_getpeername(socket, (struct sockaddr *)&name, &len);
    describe(&name, peer->address);
    len = sizeof name;
    uv_tcp_getsockname(socket, (struct sockaddr *)&name, &len);
    describe(&name, peer->local);
    if (uv_fileno((const uv_handle_t *)socket, &peer->fd) != 0)
        peer->fd = -1;
}
