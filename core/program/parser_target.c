/* parser_target.c: what may be assigned to, iterated into and deleted, and how errors call what may not. */
#include "core/program/parser.h"

/* ---- parsing ----------------------------------------------------------------------------------------------------- */

gd_ast *gd_p_star_target(gd_parser *p) {
    const gd_token *from = p->t;
    if (gd_p_kind(p) == GD_T_STAR) {
        if (gd_p_follows(p, GD_T_STAR)) return NULL;
        gd_ast *node = gd_p_starred(p, gd_p_primary);
        return node && gd_p_is_target(node->u.value) ? node : NULL;
    }
    gd_ast *node = gd_p_primary(p);
    if (node && gd_p_is_target(node)) return node;
    p->t = from;
    return NULL;
}

gd_ast *gd_p_star_targets(gd_parser *p) { return gd_p_tuple_of(p, gd_p_star_target); }

/* ---- what is a target -------------------------------------------------------------------------------------------- */

bool gd_p_is_single_target(const gd_ast *node) {
    return node->kind == GD_X_NAME || node->kind == GD_X_ATTRIBUTE || node->kind == GD_X_SUBSCRIPT;
}

static bool all_targets(const gd_ast *items) {
    for (; items; items = items->next)
        if (!gd_p_is_target(items)) return false;
    return true;
}

/* Recursion is bounded by the height of the tree. */
bool gd_p_is_target(const gd_ast *node) {
    if (node->kind == GD_X_TUPLE || node->kind == GD_X_LIST) return all_targets(node->u.items);
    if (node->kind == GD_X_STARRED) return node->u.value->kind != GD_X_STARRED && gd_p_is_target(node->u.value);
    return gd_p_is_single_target(node);
}

bool gd_p_is_del_target(const gd_ast *node) {
    if (node->kind != GD_X_TUPLE && node->kind != GD_X_LIST) return gd_p_is_single_target(node);
    for (const gd_ast *item = node->u.items; item; item = item->next)
        if (!gd_p_is_del_target(item)) return false;
    return true;
}

/* ---- stars ------------------------------------------------------------------------------------------------------- */

static void check_unpacking(gd_parser *p, const gd_ast *target) {
    uint32_t stars = 0;
    for (const gd_ast *item = target->u.items; item; item = item->next) {
        stars += item->kind == GD_X_STARRED;
        const gd_ast *inner = item->kind == GD_X_STARRED ? item->u.value : item;
        if (inner->kind == GD_X_TUPLE || inner->kind == GD_X_LIST) check_unpacking(p, inner);
    }
    if (stars > 1) gd_p_late_error(p, GD_LATE_REST, target->at, "multiple starred expressions in assignment");
}

static void check_debug(gd_parser *p, const gd_ast *target) {
    static const char debug[] = "__debug__";
    const char *name = target->kind == GD_X_NAME        ? target->u.name
                       : target->kind == GD_X_ATTRIBUTE ? target->u.attribute.name
                                                        : "";
    for (size_t i = 0; i < sizeof debug; i++)
        if (name[i] != debug[i]) return;
    gd_p_late_error(p, GD_LATE_REST, target->at, "cannot assign to __debug__");
}

void gd_p_check_stars(gd_parser *p, const gd_ast *target) {
    if (target->kind == GD_X_STARRED)
        gd_p_late_error(p, GD_LATE_REST, target->at, "starred assignment target must be in a list or tuple");
    else if (target->kind == GD_X_TUPLE || target->kind == GD_X_LIST)
        check_unpacking(p, target);
    else
        check_debug(p, target);
}

void gd_p_check_value(gd_parser *p, const gd_ast *value) {
    if (value && value->kind == GD_X_STARRED)
        gd_p_late_error(p, GD_LATE_REST, value->at, "can't use starred expression here");
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static gd_ast *find_invalid(gd_ast *e, gd_p_targets type) {
    switch ((gd_ast_kind)e->kind) {
    case GD_X_TUPLE:
    case GD_X_LIST:
        for (gd_ast *item = e->u.items; item; item = item->next) {
            gd_ast *found = find_invalid(item, type);
            if (found) return found;
        }
        return NULL;
    case GD_X_STARRED: return type == GD_TARGETS_DEL ? e : find_invalid(e->u.value, type);
    case GD_X_COMPARE:
        if (type != GD_TARGETS_FOR) return e;
        return e->u.compare.items->op == GD_PY_IN ? find_invalid(e->u.compare.left, type) : NULL;
    case GD_X_NAME:
    case GD_X_ATTRIBUTE:
    case GD_X_SUBSCRIPT: return NULL;
    default: return e;
    }
}

void *gd_p_fail_target(gd_parser *p, gd_ast *e, gd_p_targets type) {
    const gd_ast *bad = e ? find_invalid(e, type) : NULL;
    if (!bad) return NULL;
    return gd_p_fail(p, bad->at, "cannot %s %s", type == GD_TARGETS_DEL ? "delete" : "assign to",
                     gd_p_expression_name(bad));
}

const char *gd_p_expression_name(const gd_ast *e) {
    switch ((gd_ast_kind)e->kind) {
    case GD_X_NONE: return "None";
    case GD_X_TRUE: return "True";
    case GD_X_FALSE: return "False";
    case GD_X_ELLIPSIS: return "ellipsis";
    case GD_X_NAME: return "name";
    case GD_X_TUPLE: return "tuple";
    case GD_X_LIST: return "list";
    case GD_X_SET: return "set display";
    case GD_X_DICT: return "dict literal";
    case GD_X_STARRED: return "starred";
    case GD_X_COMPARE: return "comparison";
    case GD_X_CALL: return "function call";
    case GD_X_ATTRIBUTE: return "attribute";
    case GD_X_SUBSCRIPT: return "subscript";
    case GD_X_IF: return "conditional expression";
    case GD_X_LAMBDA: return "lambda";
    case GD_X_LISTCOMP: return "list comprehension";
    case GD_X_SETCOMP: return "set comprehension";
    case GD_X_DICTCOMP: return "dict comprehension";
    case GD_X_GENERATOR: return "generator expression";
    case GD_X_FSTRING: return "f-string expression";
    case GD_X_WALRUS: return "named expression";
    case GD_X_INT:
    case GD_X_FLOAT:
    case GD_X_STR: return "literal";
    default: return "expression";
    }
}
