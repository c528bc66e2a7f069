/*
 * load: the configuration file and the command line. A command line is turned into the
 * text of a file and read as one, as redis-server does, so that both have the same rules.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/load_priv.h"

#include "base/version.h"
#include "config/option_priv.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What is shown of a long path and line, so that an error fits CONFIG_ERROR_MAX. */
#define SHOWN_PATH 120
#define SHOWN_LINE 100

static bool
is_trimmed(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes
trim(struct bytes line)
{
    while (line.len > 0 && is_trimmed(line.data[0]))
        line = bytes_of(line.data + 1, line.len - 1);
    while (line.len > 0 && is_trimmed(line.data[line.len - 1]))
        line.len--;
    return line;
}

static int
set_words(struct config *c, const struct bytes *words, int count, char *reason)
{
    const struct option *o = option_find(words[0]);

    if (o == NULL) {
        snprintf(
            reason, OPTION_REASON_MAX,
            "Bad directive or wrong number of arguments: keyvald has no directive '%.*s'",
            OPTION_NAME_MAX, words[0].data);
        return -1;
    }
    return option_set(c, o, words + 1, count - 1, reason);
}

/* One trimmed line that is neither empty nor a comment, but may be blanks trim leaves. */
static int
load_line(struct config *c, struct bytes line, char *reason)
{
    struct bytes words[CONFIG_LINE_ARGS];
    struct buf text = {0};
    int count, failed = -1;

    if (memchr(line.data, '\0', line.len) != NULL) {
        snprintf(reason, OPTION_REASON_MAX, "a zero byte in configuration line");
        return -1;
    }
    count = config_split(line, &text, words, CONFIG_LINE_ARGS);
    if (count < 0)
        snprintf(reason, OPTION_REASON_MAX,
                 "Unbalanced quotes in configuration line, or more than %d words",
                 CONFIG_LINE_ARGS);
    else
        failed = count > 0 ? set_words(c, words, count, reason) : 0;
    buf_deinit(&text);
    return failed;
}

static void
describe(char *error, const char *path, int number, struct bytes line, const char *reason)
{
    char where[SHOWN_PATH + 80];
    size_t skipped;

    if (path == NULL) {
        snprintf(where, sizeof(where), "Reading the command line");
    } else {
        skipped = strlen(path) > SHOWN_PATH ? strlen(path) - SHOWN_PATH : 0;
        snprintf(where, sizeof(where), "Reading the configuration file %s%s, at line %d",
                 skipped > 0 ? "..." : "", path + skipped, number);
    }
    snprintf(error, CONFIG_ERROR_MAX,
             "*** FATAL CONFIG FILE ERROR (keyvald " KEYVALD_VERSION ") ***\n"
             "%s\n>>> '%.*s%s'\n%s",
             where, line.len > SHOWN_LINE ? SHOWN_LINE : (int)line.len, line.data,
             line.len > SHOWN_LINE ? "..." : "", reason);
}

bool
load_next_line(struct bytes *text, struct bytes *line)
{
    if (text->len == 0)
        return false;
    const char *end = memchr(text->data, '\n', text->len);
    size_t len = end != NULL ? (size_t)(end - text->data) : text->len;
    size_t used = end != NULL ? len + 1 : len;

    *line = bytes_of(text->data, len);
    *text = bytes_of(text->data + used, text->len - used);
    return true;
}

bool
load_is_comment(struct bytes line)
{
    line = trim(line);
    return line.len == 0 || line.data[0] == '#';
}

const struct option *
load_option(struct bytes line)
{
    struct bytes words[CONFIG_LINE_ARGS];
    struct buf text = {0};
    const struct option *found = NULL;

    if (!load_is_comment(line)
        && config_split(trim(line), &text, words, CONFIG_LINE_ARGS) > 0)
        found = option_find(words[0]);
    buf_deinit(&text);
    return found;
}

int
load_text(struct config *c, struct bytes text, const char *path,
          char error[CONFIG_ERROR_MAX])
{
    char reason[OPTION_REASON_MAX];
    struct bytes line;

    for (int number = 1; load_next_line(&text, &line); number++) {
        line = trim(line);
        if (load_is_comment(line))
            continue;
        if (load_line(c, line, reason) != 0) {
            describe(error, path, number, line, reason);
            return -1;
        }
    }
    return 0;
}

int
load_file(const char *path, struct buf *text)
{
    FILE *file = fopen(path, "re");
    int failed = 0;

    if (file == NULL)
        return errno;
    buf_reserve(text, CONFIG_FILE_MAX + 1);
    text->len = fread(text->data, 1, CONFIG_FILE_MAX + 1, file);
    if (ferror(file))
        failed = errno;
    else if (text->len > CONFIG_FILE_MAX)
        failed = EFBIG;
    fclose(file);
    return failed;
}

static void
remember_file(struct config *c, const char *path)
{
    char *absolute = realpath(path, NULL);

    free(c->file);
    c->file = absolute != NULL ? absolute : bytes_dup(bytes_str(path));
}

int
config_load(struct config *c, const char *path, char error[CONFIG_ERROR_MAX])
{
    struct buf text = {0};
    int failed = load_file(path, &text);

    if (failed != 0) {
        snprintf(error, CONFIG_ERROR_MAX,
                 "Fatal error, can't open config file '%.*s': %s", SHOWN_PATH, path,
                 strerror(failed));
        failed = -1;
    } else {
        remember_file(c, path);
        failed = load_text(c, buf_bytes(&text), path, error);
    }
    buf_deinit(&text);
    return failed;
}

/* "--port 7000 --bind a b" to two lines. As in redis-server, the first word behind a name
 * may begin with "--" itself, and "--port 7000" may be one argument. */
static void
write_arguments(int argc, char *const *argv, struct buf *text)
{
    bool awaits_word = false;

    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && !awaits_word) {
            buf_printf(text, "\n%s", argv[i] + 2);
            awaits_word = strchr(argv[i], ' ') == NULL;
        } else {
            buf_append(text, " ", 1);
            option_quote(text, bytes_str(argv[i]));
            awaits_word = false;
        }
    }
}

int
config_arguments(struct config *c, int argc, char *const *argv,
                 char error[CONFIG_ERROR_MAX])
{
    struct buf text = {0};
    int failed;

    if (argc > 0 && strcmp(argv[0], "-") == 0) {
        snprintf(error, CONFIG_ERROR_MAX,
                 "Fatal error, the configuration is not read from standard input: name a "
                 "file");
        return -1;
    }
    if (argc > 0 && argv[0][0] != '-') {
        if (config_load(c, argv[0], error) != 0)
            return -1;
        argc--;
        argv++;
    }
    write_arguments(argc, argv, &text);
    failed = load_text(c, buf_bytes(&text), NULL, error);
    buf_deinit(&text);
    return failed;
}
