/* trace.c: tracebacks as Python 3.11 writes them, with the source's lines and what failed in them underlined. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/code.h"

#define FILE_NAME "<program>"

/* ---- noting ---------------------------------------------------------------------------------- */

/* The trace is a list of code and instruction by turns, innermost frame first. */
void gd_trace_note(gd_vm *vm, gd_exception *e, const gd_frame *frame) {
    gd_any pending = vm->exception;
    vm->exception = GD_NIL;
    if (gd_is_nil(e->trace)) e->trace = gd_list_new(vm, 4);
    if (!gd_is_nil(e->trace)) {
        gd_list *list = (gd_list *)e->trace.u.object;
        frame->code->head.refs++;
        if (gd_list_append(vm, list, GD_ANY_OBJECT(frame->code)) &&
            !gd_list_append(vm, list, GD_ANY_INT(frame->pc - 1 - frame->code->ins)))
            gd_drop(vm->env->heap, list->items[--list->n]);
    }
    if (!e->at.line) e->at = gd_bytecode_at(frame->code, frame->pc - 1);
    gd_drop(vm->env->heap, vm->exception);
    vm->exception = vm->passed ? GD_NIL : pending;
    if (vm->passed) gd_drop(vm->env->heap, pending);
}

static const gd_list *entries(const gd_exception *e) {
    return gd_is_list(e->trace) ? (const gd_list *)e->trace.u.object : NULL;
}

static const gd_bytecode *entry_code(const gd_list *list, size_t i) {
    return (const gd_bytecode *)list->items[2 * i].u.object;
}

static gd_at entry_at(const gd_list *list, size_t i) {
    const gd_bytecode *code = entry_code(list, i);
    return gd_bytecode_at(code, code->ins + list->items[2 * i + 1].u.i);
}

gd_at gd_traceback_at(const gd_exception *e, gd_any source) {
    const gd_list *list = entries(e);
    for (size_t i = 0; list && i < list->n / 2; i++)
        if (gd_same(entry_code(list, i)->source, source)) return entry_at(list, i);
    return (gd_at){0};
}

/* ---- lines ----------------------------------------------------------------------------------- */

typedef struct line_text {
    const char *text;     /* without the blanks around it */
    size_t bytes, indent; /* indent: characters cut off before it */
} line_text;

static size_t characters(const char *text, size_t bytes) {
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++) n += ((uint8_t)text[i] & 0xc0) != 0x80;
    return n;
}

/* Byte where character i begins. */
static size_t offset_of(const line_text *line, size_t i) {
    size_t at = 0;
    while (at < line->bytes && i) {
        do at++;
        while (at < line->bytes && ((uint8_t)line->text[at] & 0xc0) == 0x80);
        i--;
    }
    return at;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\r'; }

static line_text find_line(const char *source, size_t bytes, uint32_t number) {
    const char *p = source, *end = source + bytes;
    for (uint32_t i = 1; i < number && p; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p) p++;
    }
    if (!p || p >= end || number == 0) return (line_text){"", 0, 0};
    const char *stop = memchr(p, '\n', (size_t)(end - p)), *from = p;
    if (!stop) stop = end;
    while (p < stop && is_blank(*p)) p++;
    while (stop > p && is_blank(stop[-1])) stop--;
    return (line_text){p, (size_t)(stop - p), (size_t)(p - from)};
}

static void repeat(FILE *out, char c, size_t n) {
    while (n--) fputc(c, out);
}

/* ---- what is underlined ---------------------------------------------------------------------- */

/* Of a + b and a[b] the operator or bracket is pointed at; from and to are characters within the segment. */
static bool find_anchors(const char *segment, size_t bytes, size_t *from, size_t *to) {
    gd_syntax_error error;
    gd_tree *tree = gd_parse_expression(segment, bytes, 1 << 20, &error);
    if (!tree) return false;
    const gd_ast *x = gd_tree_body(tree);
    bool found = false;
    if (x->kind == GD_X_BINARY) {
        line_text all = {segment, bytes, 0};
        size_t at = x->u.binary.left->at.end_column - 1, stop = x->u.binary.right->at.column - 1;
        while (at < stop && is_blank(segment[offset_of(&all, at)])) at++;
        *from = at;
        *to = at + 1;
        if (at + 1 < stop && !is_blank(segment[offset_of(&all, at + 1)])) *to = at + 2;
        found = at < stop;
    } else if (x->kind == GD_X_SUBSCRIPT) {
        *from = x->u.subscript.value->at.end_column - 1;
        *to = x->u.subscript.index->at.end_column;
        found = true;
    }
    gd_tree_free(tree);
    return found;
}

static void underline(FILE *out, const line_text *line, gd_at at) {
    size_t length = characters(line->text, line->bytes);
    if (at.column <= line->indent || !length) return;
    size_t start = at.column - 1 - line->indent;
    size_t end = at.end_line == at.line ? at.end_column - 1 - line->indent : length;
    if (end > length) end = length;
    if (start >= end) return;
    size_t from = 0, to = 0, first = offset_of(line, start);
    bool anchors = at.end_line == at.line && find_anchors(line->text + first, offset_of(line, end) - first, &from, &to);
    if (end - start >= length && !anchors) return;
    if (anchors && (to > end - start || from >= to)) anchors = false;
    fputs("    ", out);
    repeat(out, ' ', start);
    if (anchors) {
        repeat(out, '~', from);
        repeat(out, '^', to - from);
        repeat(out, '~', end - start - to);
    } else {
        repeat(out, '^', end - start);
    }
    fputc('\n', out);
}

static void print_place(FILE *out, const gd_bytecode *code, gd_at at) {
    const gd_str *source = gd_as_str(code->source);
    fprintf(out, "  File \"" FILE_NAME "\", line %u, in %s\n", at.line, gd_as_str(code->name)->text);
    line_text line = find_line(source->text, source->bytes, at.line);
    if (!line.bytes) return;
    fputs("    ", out);
    fwrite(line.text, 1, line.bytes, out);
    fputc('\n', out);
    underline(out, &line, at);
}

/* ---- tracebacks ------------------------------------------------------------------------------ */

/* A line that repeats is printed so often at most. */
enum { REPEATS = 3, CHAIN = 16 };

static void print_entries(FILE *out, const gd_list *list) {
    const gd_bytecode *last = NULL;
    uint32_t line = 0;
    size_t same = 0;
    for (size_t i = list ? list->n / 2 : 0; i-- > 0;) {
        const gd_bytecode *code = entry_code(list, i);
        gd_at at = entry_at(list, i);
        bool again = code == last && at.line == line;
        if (!again) {
            if (same > REPEATS)
                fprintf(out, "  [Previous line repeated %zu more time%s]\n", same - REPEATS,
                        same - REPEATS == 1 ? "" : "s");
            same = 0;
        }
        last = code;
        line = at.line;
        if (++same <= REPEATS) print_place(out, code, at);
    }
    if (same > REPEATS)
        fprintf(out, "  [Previous line repeated %zu more time%s]\n", same - REPEATS, same - REPEATS == 1 ? "" : "s");
}

static void print_one(FILE *out, gd_vm *vm, const gd_exception *e) {
    const gd_list *list = entries(e);
    if (list && list->n) fputs("Traceback (most recent call last):\n", out);
    print_entries(out, list);
    fputs(e->head.class->name, out);
    gd_any text = gd_str_of(vm, GD_ANY_OBJECT((gd_object *)(uintptr_t)e));
    if (!gd_is_nil(text) && gd_as_str(text)->bytes) {
        fputs(": ", out);
        fwrite(gd_as_str(text)->text, 1, gd_as_str(text)->bytes, out);
    }
    gd_drop(vm->env->heap, text);
    gd_drop(vm->env->heap, vm->exception);
    vm->exception = GD_NIL;
}

char *gd_trace_text(gd_vm *vm, const gd_exception *e) {
    const gd_exception *chain[CHAIN];
    size_t n = 0, bytes;
    char *text = NULL;
    FILE *out = open_memstream(&text, &bytes);
    if (!out) return NULL;
    for (; e && n < CHAIN; e = gd_is_exception(e->cause) ? (const gd_exception *)e->cause.u.object : NULL)
        chain[n++] = e;
    while (n--) {
        print_one(out, vm, chain[n]);
        if (n) fputs("\n\nThe above exception was the direct cause of the following exception:\n\n", out);
    }
    if (!fclose(out)) return text;
    free(text);
    return NULL;
}

char *gd_trace_limit(gd_vm *vm, const char *message) {
    size_t bytes;
    char *text = NULL;
    FILE *out = open_memstream(&text, &bytes);
    if (!out) return NULL;
    if (vm->limit_code) print_place(out, vm->limit_code, vm->limit_at);
    fprintf(out, "program limit \"%s\": %s", gd_limit_name(vm->passed), message);
    if (!fclose(out)) return text;
    free(text);
    return NULL;
}

char *gd_trace_syntax(const char *source, size_t bytes, const gd_syntax_error *error) {
    size_t size;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    gd_at at = error->at;
    line_text line = find_line(source, bytes, at.line);
    if (at.line) fprintf(out, "  File \"" FILE_NAME "\", line %u\n", at.line);
    if (line.bytes) {
        fputs("    ", out);
        fwrite(line.text, 1, line.bytes, out);
        fputc('\n', out);
    }
    if (line.bytes && at.column > line.indent) {
        size_t length = characters(line.text, line.bytes), start = at.column - 1 - line.indent;
        size_t end = at.end_line == at.line && at.end_column > at.column ? at.end_column - 1 - line.indent : start + 1;
        if (at.end_line > at.line && length > start) end = length;
        if (end > length + 1) end = length + 1;
        fputs("    ", out);
        repeat(out, ' ', start);
        repeat(out, '^', end > start ? end - start : 1);
        fputc('\n', out);
    }
    fprintf(out, "%s: %s", error->type, error->message);
    if (!fclose(out)) return text;
    free(text);
    return NULL;
}
