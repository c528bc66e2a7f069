/* play: carrying a transcript's section out, and comparing what was answered with what it
 * says. */
// SPDX-License-Identifier: BSD-3-Clause
#include "transcript.h"

#include "base/mem.h"
#include "config/config.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define INTEGER "(integer) "
#define CLIENTS ('z' - 'a' + 1)

/* A section that is being played. */
struct player {
    const struct section *section;
    const struct way *way;
    bool is_known[CLIENTS]; /* has been met */
    long long ids[CLIENTS]; /* of those whose number is needed */
};

struct lines {
    char **at; /* NUL-terminated, in the text they were cut from */
    size_t count;
};

/* Cuts a text that ends in '\n'; blanks at the end of a line are dropped. */
static struct lines
lines_cut(struct buf *text)
{
    struct lines lines = {0};
    char *line = text->data;

    while (line < text->data + text->len) {
        char *end = strchr(line, '\n');
        char *next = end + 1;
        while (end > line && isspace((unsigned char)end[-1]))
            end--;
        *end = '\0';
        lines.at = xrealloc(lines.at, (lines.count + 1) * sizeof *lines.at);
        lines.at[lines.count++] = line;
        line = next;
    }
    return lines;
}

/* "...(integer) 95..100..." against "...(integer) 97...". */
static bool
matches_range(const char *expected, const char *received)
{
    const char *range = strstr(expected, INTEGER);
    const char *dots = range != NULL ? strstr(range, "..") : NULL;
    char *end;

    if (dots == NULL)
        return false;
    size_t before = (size_t)(range - expected) + strlen(INTEGER);
    if (strncmp(expected, received, before) != 0)
        return false;
    long long low = strtoll(expected + before, &end, 10);
    if (end != dots)
        return false;
    char *rest;
    long long high = strtoll(dots + 2, &rest, 10);
    long long number = strtoll(received + before, &end, 10);
    return strcmp(end, rest) == 0 && low <= number && number <= high;
}

static bool
line_matches(const char *expected, const char *received)
{
    return strcmp(expected, received) == 0 || matches_range(expected, received);
}

static bool
lines_match(struct lines expected, struct lines received)
{
    if (expected.count != received.count)
        return false;
    for (size_t i = 0; i < expected.count; i++) {
        if (!line_matches(expected.at[i], received.at[i]))
            return false;
    }
    return true;
}

/* How many lines from the first on belong to the first element; 0 where it is no array.
 * width is how far the numbers before the elements reach. */
static size_t
element_lines(struct lines lines, size_t width)
{
    size_t count = 1;

    if (lines.count == 0 || strlen(lines.at[0]) <= width
        || !isdigit(lines.at[0][width - 1]))
        return 0;
    while (count < lines.count && lines.at[count][0] == ' '
           && strspn(lines.at[count], " ") > width)
        count++;
    return count;
}

static struct lines
lines_from(struct lines lines, size_t start, size_t count)
{
    return (struct lines){lines.at + start, count};
}

/* Whether an element, its number left out, is among those of received; takes it out. */
static bool
take_element(struct lines element, struct lines *received, size_t width)
{
    for (size_t at = 0; at < received->count;) {
        size_t n = element_lines(lines_from(*received, at, received->count - at), width);
        bool same = n == element.count;
        for (size_t i = 0; same && i < n; i++)
            same = line_matches(element.at[i] + width, received->at[at + i] + width);
        if (same) {
            received->count -= n;
            memmove(&received->at[at], &received->at[at + n],
                    (received->count - at) * sizeof *received->at);
            return true;
        }
        if (n == 0)
            return false;
        at += n;
    }
    return false;
}

/* Empties received as elements are found in it. */
static bool
take_all(struct lines expected, struct lines *received)
{
    size_t width = strcspn(expected.at[0], ")~#");

    for (size_t at = 0; width > 0 && at < expected.count;) {
        size_t n = element_lines(lines_from(expected, at, expected.count - at), width);
        if (n == 0 || !take_element(lines_from(expected, at, n), received, width))
            return false;
        at += n;
    }
    return received->count == 0;
}

static bool
lines_match_in_any_order(struct lines expected, struct lines received)
{
    if (expected.count == 0 || expected.count != received.count)
        return false;
    struct lines rest = {xmalloc(received.count * sizeof *rest.at), received.count};
    memcpy(rest.at, received.at, received.count * sizeof *rest.at);
    bool same = take_all(expected, &rest);
    free(rest.at);
    return same;
}

static bool
step_matches(const struct step *step, struct lines expected, struct lines received)
{
    if (expected.count == 1 && strcmp(expected.at[0], "...") == 0)
        return received.count > 0;
    if (lines_match(expected, received))
        return true;
    return step->any_order && lines_match_in_any_order(expected, received);
}

static void
print_lines(const char *what, struct lines lines)
{
    print_error("  %s\n", what);
    for (size_t i = 0; i < lines.count; i++)
        print_error("    %s\n", lines.at[i]);
    if (lines.count == 0)
        print_error("    (nothing: hung up)\n");
}

static void
fail_step(const struct section *s, const struct step *step, struct lines expected,
          struct lines received)
{
    print_error("%s:%d: %s\n  > %s\n", s->file, step->line, s->title, step->text);
    print_lines("expected", expected);
    print_lines("received", received);
    _fail(s->file, step->line);
}

/* --- clients --- */

static void
ask(struct player *p, char client, struct bytes *argv, int argc, struct answer *out)
{
    assert_true(p->way->command(p->way->arg, client, argv, argc, out));
}

/* Whether {b} stands in the section, for client b. */
static bool
is_meant(const struct section *s, char client)
{
    char name[] = {'{', client, '}', '\0'};

    for (size_t i = 0; i < s->nsteps; i++) {
        const struct step *step = &s->steps[i];
        if (strstr(step->text, name) != NULL)
            return true;
        for (size_t j = 0; j < step->nexpected; j++) {
            if (strstr(step->expected[j], name) != NULL)
                return true;
        }
    }
    return false;
}

/* Before its first word a client says HELLO 3 in a section of RESP3, and is asked for its
 * number where that is needed: one that has subscribed could not tell it. */
static void
meet(struct player *p, char client)
{
    struct bytes hello[] = {bytes_str("HELLO"), bytes_str("3")};
    struct bytes id[] = {bytes_str("CLIENT"), bytes_str("ID")};
    struct answer answer;

    if (p->is_known[client - 'a'])
        return;
    p->is_known[client - 'a'] = true;
    if (p->section->resp3) {
        ask(p, client, hello, 2, &answer);
        answer_deinit(&answer);
    }
    if (is_meant(p->section, client)) {
        ask(p, client, id, 2, &answer);
        p->ids[client - 'a'] = strtoll(answer.text, NULL, 10);
        answer_deinit(&answer);
    }
}

/* Appends text, with numbers for {a} to {z}. */
static void
expand(struct player *p, const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        if (text[0] == '{' && islower((unsigned char)text[1]) && text[2] == '}') {
            meet(p, text[1]);
            buf_printf(out, "%lld", p->ids[text[1] - 'a']);
            text += 2;
        } else {
            buf_append(out, text, 1);
        }
    }
}

/* --- a section --- */

static struct lines
expected_of(struct player *p, const struct step *step, struct buf *text)
{
    for (size_t i = 0; i < step->nexpected; i++) {
        expand(p, step->expected[i], text);
        buf_append(text, "\n", 1);
    }
    return lines_cut(text);
}

static void
play_command(struct player *p, const struct step *step)
{
    static struct bytes argv[TRANSCRIPT_WORDS];
    struct buf text = {0}, words = {0}, wanted = {0}, printed = {0};
    struct answer answer;

    meet(p, step->client);
    expand(p, step->text, &text);
    int argc = config_split(buf_bytes(&text), &words, argv, TRANSCRIPT_WORDS);
    if (argc < 0) {
        print_error("%s:%d: quotes do not match\n", p->section->file, step->line);
        _fail(p->section->file, step->line);
    }
    if (p->way->command(p->way->arg, step->client, argv, argc, &answer)) {
        answer_print(&answer, &printed);
        answer_deinit(&answer);
    }
    struct lines expected = expected_of(p, step, &wanted);
    struct lines received = lines_cut(&printed);
    if (!step_matches(step, expected, received))
        fail_step(p->section, step, expected, received);
    free(expected.at);
    free(received.at);
    buf_deinit(&wanted);
    buf_deinit(&printed);
    buf_deinit(&words);
    buf_deinit(&text);
}

void
section_play(const struct section *s, const struct way *way)
{
    struct player p = {.section = s, .way = way};

    for (size_t i = 0; i < s->nsteps; i++) {
        const struct step *step = &s->steps[i];
        if (step->is_event) {
            way->event(way->arg, step->text);
            if (strncmp(step->text, "clock", strlen("clock")) != 0)
                memset(p.is_known, 0, sizeof p.is_known);
        } else {
            play_command(&p, step);
        }
    }
}
