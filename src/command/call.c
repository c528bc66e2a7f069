/* call: see call.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/call.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"

const char *
err_text(enum err err)
{
    static const char *const texts[] = {
        [OK] = "",
#define ERROR(code, text) [code] = text,
#include "command/errors.def"
#undef ERROR
    };

    assert(err > OK && err < ERR_COUNT);
    return texts[err];
}

enum err
fail(struct call *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);

    char *text = arena_alloc(c->scratch, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);

    while (len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n'))
        len--;
    c->failure = bytes_of(text, (size_t)len);
    return ERR_FAILED;
}

struct bytes
call_error(const struct call *c, enum err err)
{
    return c->failure.len > 0 ? c->failure : bytes_str(err_text(err));
}
