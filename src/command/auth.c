/* auth: see auth.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/auth.h"

#include "command/host.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "resp/reply.h"

bool
auth_is_open(const struct host *h)
{
    return h->config->requirepass[0] == '\0';
}

bool
auth_is_done(const struct session *s)
{
    return s->logged_in || auth_is_open(s->host);
}

/* Takes as long for a wrong password as for the right one, so that its time tells nothing
 * of how much of it was right. */
static bool
is_password(struct bytes given, struct bytes right)
{
    size_t differ = given.len ^ right.len;

    for (size_t i = 0; i < given.len; i++)
        differ |= (unsigned char)(given.data[i] ^ right.data[i % (right.len + 1)]);
    return differ == 0;
}

enum err
auth_check(const struct host *h, struct bytes user, struct bytes password)
{
    bool right =
        auth_is_open(h) || is_password(password, bytes_str(h->config->requirepass));

    return right && bytes_eq(user, bytes_str("default")) ? OK : ERR_PASSWORD;
}

/* AUTH [user] password: the connection may go on. */
enum err
cmd_auth(struct call *c)
{
    struct bytes user = bytes_str("default");

    for (int i = 1; i < c->argc; i++)
        arg_hide(c, i);
    if (c->argc > 3)
        return ERR_SYNTAX;
    if (c->argc == 2 && auth_is_open(c->host))
        return ERR_AUTH_UNASKED;
    if (c->argc == 3)
        user = c->argv[1];
    TRY(auth_check(c->host, user, c->argv[c->argc - 1]));

    c->session->logged_in = true;

    reply_ok(c->out);
    return OK;
}
