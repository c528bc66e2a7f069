/* syntax: the rows, and what they say of keys. See syntax.def for the notation. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/syntax.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "command/table.h"

static const struct syntax rows[] = {
#define SYNTAX(...) {__VA_ARGS__},
#include "command/syntax.def"
#undef SYNTAX
};

const struct syntax *
syntax_of(const struct command *cmd)
{
    static const struct syntax nothing = {"", "", "", ""};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, cmd->name) == 0)
            return &rows[i];
    }
    return &nothing;
}

bool
syntax_next_word(struct bytes *words, struct bytes *word)
{
    size_t start = 0, end;

    while (start < words->len && words->data[start] == ' ')
        start++;
    for (end = start; end < words->len && words->data[end] != ' ';)
        end++;
    *word = bytes_of(words->data + start, end - start);
    *words = bytes_of(words->data + end, words->len - end);
    return word->len > 0;
}

size_t
syntax_count_words(struct bytes words)
{
    struct bytes word;
    size_t count = 0;

    while (syntax_next_word(&words, &word))
        count++;
    return count;
}

/* Behind a '?': "KEYS -2", or nothing. */
static void
read_word(const char *text, struct key_kind *out)
{
    size_t len = 0;

    while (isupper((unsigned char)text[len]))
        len++;
    out->word = bytes_of(text, len);
    if (len > 0)
        out->word_from = atoi(text + len);
}

/* "RO access 3 -1" or a part of it, up to the end or a ';'. */
static void
read_kind(const char *text, size_t len, const struct command *cmd, struct key_kind *out)
{
    size_t flags = 0;

    *out = (struct key_kind){.is_placed = memchr(text, '?', len) == NULL,
                             .first = cmd->first,
                             .last = cmd->last,
                             .step = cmd->step};
    while (flags < len && !isdigit((unsigned char)text[flags]) && text[flags] != '?')
        flags++;
    char *rest = (char *)text + flags;
    if (!out->is_placed)
        read_word(rest + 1, out);
    if (flags < len && out->is_placed) {
        out->first = out->last = (int)strtol(rest, &rest, 10);
        out->step = 1;
    }
    if (rest < text + len && *rest == ' ')
        out->last = (int)strtol(rest, &rest, 10);
    if (rest < text + len && *rest == ' ')
        out->step = (int)strtol(rest, &rest, 10);
    while (flags > 0 && text[flags - 1] == ' ')
        flags--;
    out->flags = bytes_of(text, flags);
}

size_t
syntax_key_kinds(const struct command *cmd, struct key_kind kinds[KEY_KINDS_MAX])
{
    const char *text = syntax_of(cmd)->keys;
    size_t count = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, ";");
        assert(count < KEY_KINDS_MAX);
        read_kind(text, len, cmd, &kinds[count++]);
        text += len + strspn(text + len, "; ");
    }
    return count;
}

bool
key_kind_is(const struct key_kind *kind, const char *flag)
{
    struct bytes rest = kind->flags, word;

    while (syntax_next_word(&rest, &word)) {
        if (bytes_eq(word, bytes_str(flag)))
            return true;
    }
    return false;
}
