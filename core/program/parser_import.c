/* parser_import.c: import and from … import. Which modules there are is known when the program runs. */
#include "core/program/parser.h"

#include <string.h>

/* a.b.c, joined; "a" for one name. */
static const char *dotted_name(gd_parser *p) {
    const gd_token *from = p->t;
    size_t bytes = 0;
    if (gd_p_kind(p) != GD_T_NAME) return NULL;
    for (;;) {
        bytes += p->t->name->bytes + 1;
        gd_p_skip(p);
        if (gd_p_kind(p) != GD_T_DOT || !gd_p_follows(p, GD_T_NAME)) break;
        gd_p_skip(p);
    }
    char *text = gd_tree_alloc(p->tree, bytes), *w = text;
    if (!text) return gd_p_no_memory(p);
    for (const gd_token *t = from; t < p->t; t++) {
        if (t->kind != GD_T_NAME) continue;
        memcpy(w, t->name->text, t->name->bytes);
        w += t->name->bytes;
        *w++ = '.';
    }
    w[-1] = 0;
    return text;
}

static bool alias(gd_parser *p, const char **out) {
    if (!gd_p_accept(p, GD_T_AS)) return true;
    *out = gd_p_name(p);
    return *out != NULL;
}

static bool import_names(gd_parser *p, gd_p_list *into) {
    const gd_token *from = p->t;
    gd_p_skip(p);
    do {
        gd_ast *node = gd_p_new_from(p, GD_S_IMPORT, from->at);
        if (!node) return false;
        node->u.import.module = dotted_name(p);
        if (!node->u.import.module || !alias(p, &node->u.import.alias) || !gd_p_done(p, node)) return false;
        gd_p_list_add(into, node);
    } while (gd_p_accept(p, GD_T_COMMA));
    return true;
}

static gd_ast *member(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_S_IMPORT);
    if (!node) return NULL;
    node->u.import.module = gd_p_name(p);
    return node->u.import.module && alias(p, &node->u.import.alias) ? gd_p_done(p, node) : NULL;
}

static bool members(gd_parser *p, gd_p_list *items) {
    for (;;) {
        const gd_token *mark = p->t;
        if (items->n && !gd_p_accept(p, GD_T_COMMA)) return true;
        gd_ast *node = member(p);
        if (p->failed) return false;
        if (!node) {
            p->t = mark;
            return items->n > 0;
        }
        gd_p_list_add(items, node);
    }
}

static bool everything(gd_parser *p, gd_p_list *items) {
    gd_ast *node = gd_p_new(p, GD_S_IMPORT);
    if (!node) return false;
    gd_p_late_error(p, GD_LATE_NAMES, node->at,
                    p->body.function ? "import * only allowed at module level"
                                     : "this language has no import *: write the names that are wanted");
    gd_p_skip(p);
    node->u.import.module = "*";
    gd_p_list_add(items, node);
    return gd_p_done(p, node) != NULL;
}

static bool from_targets(gd_parser *p, gd_p_list *items) {
    if (gd_p_kind(p) == GD_T_STAR) return everything(p, items);
    if (gd_p_accept(p, GD_T_LPAR)) {
        if (!members(p, items)) return false;
        gd_p_accept(p, GD_T_COMMA);
        return gd_p_accept(p, GD_T_RPAR);
    }
    if (!members(p, items)) return false;
    if (gd_p_kind(p) != GD_T_COMMA) return true;
    gd_p_skip(p);
    if (p->diagnose && gd_p_kind(p) == GD_T_NEWLINE)
        gd_p_fail_far(p, "trailing comma not allowed without surrounding parentheses");
    return false;
}

static bool from_import(gd_parser *p, gd_p_list *into) {
    gd_p_list items = {0};
    gd_ast *node = gd_p_new(p, GD_S_FROM);
    if (!node) return false;
    const gd_token *dots = p->t + 1;
    gd_p_skip(p);
    while (gd_p_kind(p) == GD_T_DOT || gd_p_kind(p) == GD_T_ELLIPSIS) gd_p_skip(p);
    bool relative = p->t > dots;
    node->u.from.module = dotted_name(p);
    if (p->failed || (!node->u.from.module && !relative) || !gd_p_accept(p, GD_T_IMPORT)) return false;
    if (!from_targets(p, &items)) return false;
    if (relative)
        gd_p_late_error(p, GD_LATE_NAMES, dots->at,
                        "this language has no packages of its own: only torch, its parts and math can be imported");
    else if (!strcmp(node->u.from.module, "__future__"))
        gd_p_late_error(p, GD_LATE_NAMES, node->at, "this language has no __future__ features: leave the line out");
    node->u.from.items = items.first;
    gd_p_list_add(into, node);
    return gd_p_done(p, node) != NULL;
}

bool gd_p_import(gd_parser *p, gd_p_list *into) {
    return gd_p_kind(p) == GD_T_FROM ? from_import(p, into) : import_names(p, into);
}
