/* compile_display.c: tuples, lists, sets, dicts and f-strings as they are written. */
#include "core/program/compile.h"

/* So many items are gathered on the stack; longer displays grow step by step. */
enum { GATHER = 64 };

static uint32_t plain_items(gd_ast *items) {
    uint32_t n = 0;
    for (gd_ast *x = items; x; x = x->next, n++)
        if (x->kind == GD_X_STARRED || (x->kind == GD_X_PAIR && !x->u.pair.key) || n == GATHER) return UINT32_MAX;
    return n;
}

/* The items one by one into the collection on top. */
static void grow_display(gd_compiler *c, gd_ast *node, gd_opcode put, gd_opcode extend) {
    uint32_t depth = c->unit->depth - 1;
    for (gd_ast *x = node->u.items; x && !c->failed; x = x->next) {
        bool star = x->kind == GD_X_STARRED;
        gd_compile_value(c, star ? x->u.value : x);
        c->unit->at = star ? x->at : node->at;
        gd_emit(c, star ? extend : put, 0, depth, -1);
    }
}

static void long_display(gd_compiler *c, gd_ast *node) {
    bool set = node->kind == GD_X_SET;
    gd_emit(c, set ? GD_OP__SET : GD_OP__LIST, 0, 0, 1);
    grow_display(c, node, set ? GD_OP__SET_ADD : GD_OP__APPEND, set ? GD_OP__SET_EXTEND : GD_OP__EXTEND);
    if (node->kind == GD_X_TUPLE) gd_emit(c, GD_OP__TUPLE_OF, 0, 0, 0);
}

static void compile_dict(gd_compiler *c, gd_ast *node) {
    uint32_t n = plain_items(node->u.items);
    if (n == UINT32_MAX) {
        uint32_t depth = c->unit->depth;
        gd_emit(c, GD_OP__DICT, 0, 0, 1);
        for (gd_ast *x = node->u.items; x && !c->failed; x = x->next) {
            if (x->u.pair.key) gd_compile_value(c, x->u.pair.key);
            gd_compile_value(c, x->u.pair.value);
            c->unit->at = node->at;
            gd_emit(c, x->u.pair.key ? GD_OP__DICT_PUT : GD_OP__DICT_MERGE, 0, depth, x->u.pair.key ? -2 : -1);
        }
        return;
    }
    for (gd_ast *x = node->u.items; x && !c->failed; x = x->next) {
        gd_compile_value(c, x->u.pair.key);
        gd_compile_value(c, x->u.pair.value);
    }
    c->unit->at = node->at;
    gd_emit(c, GD_OP__DICT, 0, n, 1 - 2 * (int)n);
}

static bool is_literal(const gd_ast *x) {
    if (x->kind == GD_X_UNARY && x->op != GD_PY_NOT) x = x->u.value;
    return x->kind <= GD_X_STR;
}

/* CPython keeps a set of three literals and more as a constant, which it makes anew from its items, and merges into an
 * empty set: programs see the order that this gives. */
static bool is_literal_set(const gd_ast *node, uint32_t n) {
    if (node->kind != GD_X_SET || n < 3) return false;
    for (const gd_ast *x = node->u.items; x; x = x->next)
        if (!is_literal(x)) return false;
    return true;
}

void gd_compile_display(gd_compiler *c, gd_ast *node) {
    static const gd_opcode make[] = {[GD_X_TUPLE] = GD_OP__TUPLE, [GD_X_LIST] = GD_OP__LIST, [GD_X_SET] = GD_OP__SET};
    if (node->kind == GD_X_DICT) {
        compile_dict(c, node);
        return;
    }
    uint32_t n = plain_items(node->u.items);
    if (n == UINT32_MAX) {
        long_display(c, node);
        return;
    }
    bool constant = is_literal_set(node, n);
    uint32_t depth = c->unit->depth;
    for (int i = 0; constant && i < 2; i++) gd_emit(c, GD_OP__SET, 0, 0, 1);
    for (gd_ast *x = node->u.items; x && !c->failed; x = x->next) gd_compile_value(c, x);
    c->unit->at = node->at;
    gd_emit(c, make[node->kind], 0, n, 1 - (int)n);
    if (!constant) return;
    gd_emit(c, GD_OP__TUPLE_OF, 0, 0, 0);
    gd_emit(c, GD_OP__SET_EXTEND, 0, depth + 1, -1);
    gd_emit(c, GD_OP__SET_EXTEND, 0, depth, -1);
}

/* ---- f-strings ------------------------------------------------------------------------------- */

static void emit_text(gd_compiler *c, gd_ast_text text) {
    gd_any v = gd_str_new(c->vm, text.text, text.bytes);
    gd_emit_constant(c, v);
}

/* Pushes one or two strs; answers how many. */
static uint32_t compile_field(gd_compiler *c, gd_ast *field) {
    gd_ast_text source = field->u.field.source;
    int conversion = field->u.field.conversion;
    if (source.bytes) emit_text(c, source);
    if (source.bytes && !conversion && !field->u.field.spec) conversion = 'r';
    gd_compile_value(c, field->u.field.value);
    if (field->u.field.spec) gd_compile_value(c, field->u.field.spec);
    c->unit->at = field->at;
    bool spec = field->u.field.spec;
    gd_emit(c, GD_OP__FORMAT, (uint32_t)conversion, spec, spec ? -1 : 0);
    return source.bytes ? 2 : 1;
}

void gd_compile_fstring(gd_compiler *c, gd_ast *node) {
    uint32_t n = 0;
    for (gd_ast *x = node->u.items; x && !c->failed; x = x->next) {
        if (x->kind == GD_X_FIELD) {
            n += compile_field(c, x);
        } else {
            gd_compile_value(c, x);
            n++;
        }
    }
    c->unit->at = node->at;
    bool lone = n == 1 && node->u.items->kind == GD_X_FIELD;
    if (!lone) gd_emit(c, GD_OP__TEXT, 0, n, 1 - (int)n);
}
