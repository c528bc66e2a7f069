/*
 * transcript: reading the notation. Each line is one of: a title, a prompt, an event, a
 * line of the reply that is awaited, or an empty line, which ends a reply.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "transcript.h"

#include "base/mem.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
    struct transcript *t;
    int line;
    bool in_reply;
    const char *error;
};

static struct section *
section_add(struct transcript *t, int line)
{
    size_t size = (t->nsections + 1) * sizeof *t->sections;

    t->sections = xrealloc(t->sections, size);
    struct section *s = &t->sections[t->nsections++];
    *s = (struct section){.file = t->file, .line = line};
    return s;
}

static struct step *
step_add(struct section *s, int line)
{
    s->steps = xrealloc(s->steps, (s->nsteps + 1) * sizeof *s->steps);
    struct step *step = &s->steps[s->nsteps++];
    *step = (struct step){.line = line};
    return step;
}

/* What stands in one pair of brackets. False: it is part of the title. */
static bool
take_bracket(struct section *s, const char *text, size_t len)
{
    const char *blank = memchr(text, ' ', len);

    if (len == strlen("keyvald") && memcmp(text, "keyvald", len) == 0) {
        s->only_keyvald = true;
        return true;
    }
    if (len == strlen("resp3") && memcmp(text, "resp3", len) == 0) {
        s->resp3 = true;
        return true;
    }
    if (blank == NULL || blank == text || s->ndirectives == TRANSCRIPT_DIRECTIVES * 2)
        return false;

    size_t name_len = (size_t)(blank - text);
    char *name = xmalloc(name_len + sizeof "--");
    memcpy(name, "--", 2);
    memcpy(name + 2, text, name_len);
    name[name_len + 2] = '\0';
    s->directives[s->ndirectives++] = name;
    s->directives[s->ndirectives++] = bytes_dup(bytes_of(blank + 1, len - name_len - 1));
    return true;
}

static void
read_title(struct section *s, const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == ']') {
        size_t open = len - 1;
        while (open > 0 && text[open] != '[')
            open--;
        if (open == 0 || text[open - 1] != ' ')
            break;
        if (!take_bracket(s, text + open + 1, len - open - 2))
            break;
        len = open;
        while (len > 0 && text[len - 1] == ' ')
            len--;
    }
    s->title = bytes_dup(bytes_of(text, len));
}

/* Where the command begins in "> x", ">~ x", "b> x" and "b>~ x", the end of "b<"; NULL: it is no
 * prompt. */
static const char *
after_prompt(const char *line)
{
    if (islower((unsigned char)line[0]) && strcmp(line + 1, "<") == 0)
        return line + 2;
    if (islower((unsigned char)line[0]) && line[1] == '>')
        line++;
    if (line[0] != '>')
        return NULL;
    line++;
    if (line[0] == '~')
        line++;
    return line[0] == ' ' ? line + 1 : NULL;
}

static void
read_command(struct section *s, const char *line, const char *command, int number)
{
    struct step *step = step_add(s, number);

    step->client = line[0] == '>' ? TRANSCRIPT_CLIENT : line[0];
    step->any_order = command[-2] == '~';
    step->text = bytes_dup(bytes_str(command));
    if (strncasecmp(command, "CONFIG", strlen("CONFIG")) == 0
        || strncasecmp(command, "SHUTDOWN", strlen("SHUTDOWN")) == 0)
        s->soils = true;
}

static const char *
read_event(struct section *s, const char *text, int number)
{
    bool is_clock = strncmp(text, "clock +", strlen("clock +")) == 0;

    if (!is_clock && strcmp(text, "start") != 0 && strcmp(text, "stop") != 0
        && strcmp(text, "kill") != 0)
        return "an event is start, stop, kill or clock +N";
    struct step *step = step_add(s, number);
    step->is_event = true;
    step->text = bytes_dup(bytes_str(text));
    s->has_events = true;
    s->has_clock |= is_clock;
    s->has_kill |= strcmp(text, "kill") == 0;
    return NULL;
}

static void
read_reply_line(struct step *step, const char *line)
{
    step->expected = xrealloc(step->expected, (step->nexpected + 1) * sizeof(char *));
    step->expected[step->nexpected++] = bytes_dup(bytes_str(line));
}

static void
read_line(struct reader *r, const char *line)
{
    struct transcript *t = r->t;
    const char *command = after_prompt(line);

    if (strncmp(line, "== ", 3) == 0) {
        read_title(section_add(t, r->line), line + 3);
        r->in_reply = false;
        return;
    }
    if (t->nsections == 0)
        return;

    struct section *s = &t->sections[t->nsections - 1];
    if (command != NULL) {
        read_command(s, line, command, r->line);
        r->in_reply = true;
    } else if (line[0] == '!' && line[1] == ' ') {
        r->error = read_event(s, line + 2, r->line);
        r->in_reply = false;
    } else if (line[0] == '\0') {
        r->in_reply = false;
    } else if (r->in_reply) {
        read_reply_line(&s->steps[s->nsteps - 1], line);
    } else {
        r->error = "a line that is no title, prompt, event or reply";
    }
}

/* Blanks at the end of a line are not part of it: redis-cli prints one behind "=>". */
static void
trim(char *line)
{
    size_t len = strlen(line);

    while (len > 0 && isspace((unsigned char)line[len - 1]))
        len--;
    line[len] = '\0';
}

static void
read_lines(struct reader *r, FILE *f)
{
    char *line = NULL;
    size_t cap = 0;

    while (r->error == NULL && getline(&line, &cap, f) >= 0) {
        r->line++;
        trim(line);
        read_line(r, line);
    }
    free(line);
    if (r->error == NULL && r->t->nsections == 0)
        r->error = "there is no section";
}

struct transcript *
transcript_load(const char *path)
{
    FILE *f = fopen(path, "r");

    if (f == NULL) {
        perror(path);
        return NULL;
    }
    struct reader r = {.t = xcalloc(1, sizeof *r.t)};
    r.t->file = bytes_dup(bytes_str(path));
    read_lines(&r, f);
    fclose(f);
    if (r.error == NULL)
        return r.t;
    fprintf(stderr, "%s:%d: %s\n", path, r.line, r.error);
    transcript_free(r.t);
    return NULL;
}

static void
section_deinit(struct section *s)
{
    for (size_t i = 0; i < s->nsteps; i++) {
        for (size_t j = 0; j < s->steps[i].nexpected; j++)
            free(s->steps[i].expected[j]);
        free(s->steps[i].expected);
        free(s->steps[i].text);
    }
    for (int i = 0; i < s->ndirectives; i++)
        free(s->directives[i]);
    free(s->steps);
    free(s->title);
}

void
transcript_free(struct transcript *t)
{
    for (size_t i = 0; i < t->nsections; i++)
        section_deinit(&t->sections[i]);
    free(t->sections);
    free(t->file);
    free(t);
}
