/* lolwut: LOLWUT, which is of no use. It draws a maze that is another each time. */
// SPDX-License-Identifier: BSD-3-Clause
#include <sys/random.h>

#include "base/buf.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/table.h"
#include "resp/reply.h"

#define MAZE_ROWS    8
#define MAZE_COLUMNS 48

static void
draw_maze(struct buf *out)
{
    unsigned char walls[MAZE_ROWS * MAZE_COLUMNS / 8] = {0};

    if (getrandom(walls, sizeof walls, 0) != sizeof walls)
        walls[0] = 1;
    for (int row = 0; row < MAZE_ROWS; row++) {
        for (int column = 0; column < MAZE_COLUMNS; column++) {
            int at = row * MAZE_COLUMNS + column;
            buf_printf(out, "%s", walls[at / 8] >> at % 8 & 1 ? "╱" : "╲");
        }
        buf_append(out, "\n", 1);
    }
}

/* LOLWUT [VERSION version] [argument ...]: a drawing, and the version. */
enum err
cmd_lolwut(struct call *c)
{
    struct buf text = {0};
    int64_t version;
    if (c->argc > 2 && arg_is(c, 1, "VERSION"))
        TRY(arg_int(c, 2, &version));

    draw_maze(&text);
    buf_printf(&text, "\nkeyvald %s, Redis ver. %s\n", KEYVALD_VERSION, REDIS_VERSION);
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    return OK;
}
