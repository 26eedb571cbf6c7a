/* tree_text.h: a program's tree as text, as tests/programs/syntax/record.py writes CPython's, and where its nodes are.
 */
#ifndef TREE_TEXT_H
#define TREE_TEXT_H

#include "core/program/ast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct dumper {
    FILE *out, *places; /* places: where the nodes are, in the order of the text */
    int quiet;          /* within f-strings */
} dumper;

static void dump(dumper *d, const gd_ast *n);

static void place(dumper *d, gd_at at) {
    if (!d->quiet) fprintf(d->places, "%u:%u-%u:%u ", at.line, at.column, at.end_line, at.end_column);
}

static void many(dumper *d, const gd_ast *list) {
    for (; list; list = list->next) {
        fputc(' ', d->out);
        dump(d, list);
    }
}

static void maybe(dumper *d, const gd_ast *n) {
    fputc(' ', d->out);
    if (n)
        dump(d, n);
    else
        fputc('_', d->out);
}

static void several(dumper *d, const char *head, const gd_ast *items) {
    fprintf(d->out, "(%s", head);
    many(d, items);
    fputc(')', d->out);
}

static void body(dumper *d, const gd_ast *list) {
    fputs(" {", d->out);
    many(d, list);
    fputs(" }", d->out);
}

static void text(dumper *d, gd_ast_text t) {
    fputc('"', d->out);
    for (size_t i = 0; i < t.bytes; i++) {
        if (t.text[i] == '\\' || t.text[i] == '"') fputc('\\', d->out);
        if (t.text[i] == '\n')
            fputs("\\n", d->out);
        else
            fputc(t.text[i], d->out);
    }
    fputc('"', d->out);
}

static const char *sign(int op) {
    static const char *const signs[] = {
        "",    "+",   "-",   "*",   "/", "//", "%",  "**", "@", "&",  "|",  "^",      "<<", ">>",
        "neg", "pos", "inv", "not", "<", "<=", "==", "!=", ">", ">=", "is", "is not", "in", "not in"};
    return signs[op];
}

static void params(dumper *d, const gd_ast_param *q) {
    static const char *const marks[] = {"", "*", "k", "**"};
    fputs(" (", d->out);
    for (const gd_ast_param *first = q; q; q = q->next) {
        place(d, q->at);
        fprintf(d->out, "%s%s%s", q == first ? "" : " ", q->positional_only ? "/" : marks[q->kind], q->name);
        if (q->annotation) fputc(':', d->out), dump(d, q->annotation);
        if (q->value) fputc('=', d->out), dump(d, q->value);
    }
    fputc(')', d->out);
}

static void comprehension(dumper *d, const char *head, const gd_ast *n) {
    fprintf(d->out, "(%s ", head);
    dump(d, n->u.comprehension.element);
    for (const gd_ast_clause *c = n->u.comprehension.clauses; c; c = c->next) {
        fputs(" (for ", d->out);
        dump(d, c->target);
        many(d, c->iterable);
        many(d, c->conditions);
        fputc(')', d->out);
    }
    fputc(')', d->out);
}

/* The text before {value=} is one text with what is before it, as in CPython's tree. */
static void fstring(dumper *d, const gd_ast *n) {
    d->quiet++;
    fputs("(f", d->out);
    for (const gd_ast *part = n->u.items; part; part = part->next) {
        bool named = part->next && part->next->kind == GD_X_FIELD && part->next->u.field.source.bytes;
        if (part->kind == GD_X_STR && named) {
            char *joined = calloc(1, part->u.text.bytes + part->next->u.field.source.bytes + 1);
            memcpy(joined, part->u.text.text, part->u.text.bytes);
            memcpy(joined + part->u.text.bytes, part->next->u.field.source.text, part->next->u.field.source.bytes);
            fputc(' ', d->out);
            text(d, (gd_ast_text){joined, part->u.text.bytes + part->next->u.field.source.bytes});
            free(joined);
            continue;
        }
        bool before = part != n->u.items;
        for (const gd_ast *p = n->u.items; before && p != part; p = p->next)
            if (p->next == part) before = p->kind == GD_X_STR;
        if (part->kind == GD_X_FIELD && part->u.field.source.bytes && !before)
            fputc(' ', d->out), text(d, part->u.field.source);
        fputc(' ', d->out);
        dump(d, part);
    }
    fputc(')', d->out);
    d->quiet--;
}

static void field(dumper *d, const gd_ast *n) {
    fputs("(field ", d->out);
    dump(d, n->u.field.value);
    if (n->u.field.conversion) fprintf(d->out, " !%c", n->u.field.conversion);
    many(d, n->u.field.spec);
    fputc(')', d->out);
}

static void pair(dumper *d, const gd_ast *n) {
    fputc('(', d->out);
    if (n->u.pair.key)
        dump(d, n->u.pair.key);
    else
        fputs("**", d->out);
    many(d, n->u.pair.value);
    fputc(')', d->out);
}

static void keyword(dumper *d, const gd_ast *n) {
    fprintf(d->out, "(%s%s", n->u.keyword.name ? n->u.keyword.name : "**", n->u.keyword.name ? "=" : "");
    many(d, n->u.keyword.value);
    fputc(')', d->out);
}

static void compare(dumper *d, const gd_ast *n) {
    fputs("(cmp", d->out);
    maybe(d, n->u.compare.left);
    for (const gd_ast *c = n->u.compare.items; c; c = c->next) {
        fprintf(d->out, " %s ", sign(c->op));
        dump(d, c->u.value);
    }
    fputc(')', d->out);
}

static void form(dumper *d, const gd_ast *const *parts, size_t n) {
    for (size_t i = 0; i < n; i++) maybe(d, parts[i]);
    fputc(')', d->out);
}

#define FORM(...)                                                                                                      \
    form(d, (const gd_ast *const[]){__VA_ARGS__}, sizeof((const gd_ast *const[]){__VA_ARGS__}) / sizeof(gd_ast *))

static void dump_literal(dumper *d, const gd_ast *n) {
    switch ((gd_ast_kind)n->kind) {
    case GD_X_NONE: fputs("None", d->out); break;
    case GD_X_TRUE: fputs("True", d->out); break;
    case GD_X_FALSE: fputs("False", d->out); break;
    case GD_X_ELLIPSIS: fputs("...", d->out); break;
    case GD_X_INT: fprintf(d->out, "%lld", (long long)n->u.integer); break;
    case GD_X_FLOAT: fprintf(d->out, "%.17g", n->u.real); break;
    case GD_X_STR: text(d, n->u.text); break;
    default: fputs(n->u.name, d->out); break;
    }
}

static void dump_operator(dumper *d, const gd_ast *n) {
    switch ((gd_ast_kind)n->kind) {
    case GD_X_UNARY: fprintf(d->out, "(%s", sign(n->op)), FORM(n->u.value); break;
    case GD_X_BINARY: fprintf(d->out, "(%s", sign(n->op)), FORM(n->u.binary.left, n->u.binary.right); break;
    case GD_X_AND: several(d, "and", n->u.items); break;
    case GD_X_OR: several(d, "or", n->u.items); break;
    case GD_X_COMPARE: compare(d, n); break;
    case GD_X_IF: fputs("(if", d->out), FORM(n->u.choice.then, n->u.choice.test, n->u.choice.orelse); break;
    case GD_X_ATTRIBUTE:
        fputs("(.", d->out), maybe(d, n->u.attribute.value), fprintf(d->out, " %s)", n->u.attribute.name);
        break;
    case GD_X_SUBSCRIPT: fputs("([]", d->out), FORM(n->u.subscript.value, n->u.subscript.index); break;
    case GD_X_SLICE: fputs("(slice", d->out), FORM(n->u.slice.start, n->u.slice.stop, n->u.slice.step); break;
    case GD_X_CALL:
        fputs("(call", d->out), maybe(d, n->u.call.function), many(d, n->u.call.items), fputc(')', d->out);
        break;
    case GD_X_KEYWORD: keyword(d, n); break;
    default: fputs("(:=", d->out), FORM(n->u.assign.targets, n->u.assign.value); break;
    }
}

static void dump_expression(dumper *d, const gd_ast *n) {
    switch ((gd_ast_kind)n->kind) {
    case GD_X_TUPLE: several(d, "tuple", n->u.items); break;
    case GD_X_LIST: several(d, "list", n->u.items); break;
    case GD_X_SET: several(d, "set", n->u.items); break;
    case GD_X_DICT: several(d, "dict", n->u.items); break;
    case GD_X_PAIR: pair(d, n); break;
    case GD_X_STARRED: fputs("(*", d->out), FORM(n->u.value); break;
    case GD_X_LAMBDA:
        fputs("(lambda", d->out), params(d, n->u.function.params), FORM(n->u.function.body->u.value);
        break;
    case GD_X_LISTCOMP: comprehension(d, "listcomp", n); break;
    case GD_X_SETCOMP: comprehension(d, "setcomp", n); break;
    case GD_X_DICTCOMP: comprehension(d, "dictcomp", n); break;
    case GD_X_GENERATOR: comprehension(d, "gen", n); break;
    case GD_X_FSTRING: fstring(d, n); break;
    case GD_X_FIELD: field(d, n); break;
    case GD_X_NONE ... GD_X_NAME: dump_literal(d, n); break;
    default: dump_operator(d, n); break;
    }
}

static void dump_def(dumper *d, const gd_ast *n) {
    fprintf(d->out, "(def %s", n->u.function.name);
    many(d, n->u.function.decorators);
    params(d, n->u.function.params);
    maybe(d, n->u.function.returns);
    if (n->u.function.doc.text) fputs(" doc ", d->out), text(d, n->u.function.doc);
    body(d, n->u.function.body);
    fputc(')', d->out);
}

static void import(dumper *d, const char *head, const gd_ast *n) {
    fprintf(d->out, "(%s%s %s)", head, n->u.import.module, n->u.import.alias ? n->u.import.alias : "_");
}

static void from(dumper *d, const gd_ast *n) {
    fprintf(d->out, "(from %s", n->u.from.module);
    for (const gd_ast *item = n->u.from.items; item; item = item->next) fputc(' ', d->out), import(d, "", item);
    fputc(')', d->out);
}

static void with(dumper *d, const gd_ast *n) {
    fputs("(with", d->out);
    for (const gd_ast *item = n->u.with.items; item; item = item->next) {
        fputs(" (", d->out);
        dump(d, item->u.with_item.context);
        FORM(item->u.with_item.target);
    }
    body(d, n->u.with.body);
    fputc(')', d->out);
}

static void try(dumper *d, const gd_ast *n) {
    fputs("(try", d->out);
    body(d, n->u.try_.body);
    many(d, n->u.try_.handlers);
    body(d, n->u.try_.orelse);
    body(d, n->u.try_.final);
    fputc(')', d->out);
}

static void branch(dumper *d, const char *head, const gd_ast *n) {
    fprintf(d->out, "(%s", head);
    maybe(d, n->u.branch.test);
    body(d, n->u.branch.body);
    body(d, n->u.branch.orelse);
    fputc(')', d->out);
}

static void loop(dumper *d, const gd_ast *n) {
    fputs("(for", d->out);
    maybe(d, n->u.loop.target);
    maybe(d, n->u.loop.iterable);
    body(d, n->u.loop.body);
    body(d, n->u.loop.orelse);
    fputc(')', d->out);
}

static void names(dumper *d, const char *head, const gd_ast *list) {
    fprintf(d->out, "(%s", head);
    for (; list; list = list->next) fprintf(d->out, " %s", list->u.name);
    fputc(')', d->out);
}

static void dump_simple(dumper *d, const gd_ast *n) {
    switch ((gd_ast_kind)n->kind) {
    case GD_S_EXPRESSION: dump(d, n->u.value); break;
    case GD_S_ASSIGN: fputs("(=", d->out), many(d, n->u.assign.targets), FORM(n->u.assign.value); break;
    case GD_S_AUGMENTED: fprintf(d->out, "(%s=", sign(n->op)), FORM(n->u.augmented.target, n->u.augmented.value); break;
    case GD_S_ANNOTATED:
        fputs("(:", d->out), FORM(n->u.annotated.target, n->u.annotated.annotation, n->u.annotated.value);
        break;
    case GD_S_RETURN: fputs("(return", d->out), FORM(n->u.value); break;
    case GD_S_RAISE: fputs("(raise", d->out), FORM(n->u.raise.exception, n->u.raise.cause); break;
    case GD_S_ASSERT: fputs("(assert", d->out), FORM(n->u.assert_.test, n->u.assert_.message); break;
    case GD_S_DEL: several(d, "del", n->u.items); break;
    case GD_S_GLOBAL: names(d, "global", n->u.items); break;
    case GD_S_NONLOCAL: names(d, "nonlocal", n->u.items); break;
    case GD_S_IMPORT: import(d, "import ", n); break;
    case GD_S_FROM: from(d, n); break;
    case GD_S_BREAK: fputs("break", d->out); break;
    case GD_S_CONTINUE: fputs("continue", d->out); break;
    default: fputs("pass", d->out); break;
    }
}

static void dump(dumper *d, const gd_ast *n) {
    gd_ast_kind kind = (gd_ast_kind)n->kind;
    if (kind != GD_X_PAIR && kind != GD_S_IMPORT && kind != GD_S_FROM) place(d, n->at);
    switch (kind) {
    case GD_S_IF: branch(d, "if", n); break;
    case GD_S_WHILE: branch(d, "while", n); break;
    case GD_S_FOR: loop(d, n); break;
    case GD_S_DEF: dump_def(d, n); break;
    case GD_S_WITH: with(d, n); break;
    case GD_S_TRY: try(d, n); break;
    case GD_S_HANDLER:
        fputs("(except", d->out), maybe(d, n->u.handler.type);
        fprintf(d->out, " %s", n->u.handler.name ? n->u.handler.name : "_");
        body(d, n->u.handler.body), fputc(')', d->out);
        break;
    default:
        if (kind < GD_S_EXPRESSION)
            dump_expression(d, n);
        else
            dump_simple(d, n);
    }
}

/* Freed by the caller. */
static char *dumped(const gd_tree *tree, char **places) {
    char *out = NULL;
    size_t bytes, place_bytes;
    dumper d = {.out = open_memstream(&out, &bytes), .places = open_memstream(places, &place_bytes)};
    for (const gd_ast *n = gd_tree_body(tree); n; n = n->next) {
        dump(&d, n);
        fputc('\n', d.out);
    }
    fclose(d.out);
    fclose(d.places);
    if (place_bytes) (*places)[place_bytes - 1] = 0;
    return out;
}

#endif
