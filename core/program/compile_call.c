/* compile_call.c: calls, and the making of functions. */
#include "core/program/compile.h"

static bool spreads(const gd_ast *items, uint32_t *npos, uint32_t *nkw) {
    *npos = *nkw = 0;
    for (const gd_ast *x = items; x; x = x->next) {
        if (x->kind == GD_X_STARRED || (x->kind == GD_X_KEYWORD && !x->u.keyword.name)) return true;
        ++*(x->kind == GD_X_KEYWORD ? nkw : npos);
    }
    return *npos + *nkw > 2000;
}

static bool refuse_repeated(gd_compiler *c, gd_ast *items) {
    for (gd_ast *x = items; x && !c->failed; x = x->next) {
        if (x->kind != GD_X_KEYWORD || !x->u.keyword.name) continue;
        for (gd_ast *y = items; y != x; y = y->next) {
            if (y->kind != GD_X_KEYWORD || !y->u.keyword.name) continue;
            const char *p = x->u.keyword.name, *q = y->u.keyword.name;
            if (__builtin_strcmp(p, q)) continue;
            char text[160];
            (void)__builtin_snprintf(text, sizeof text, "keyword argument repeated: %.100s", p);
            return gd_compile_fail(c, x->at, "SyntaxError", text);
        }
    }
    return !c->failed;
}

static void name_keywords(gd_compiler *c, uint32_t site, gd_ast *items, uint32_t n) {
    gd_str **names = n && !c->failed ? gd_heap_array(c->vm->env->heap, n, sizeof *names) : NULL;
    if (!names) {
        if (n) gd_compile_memory(c);
        return;
    }
    uint32_t i = 0;
    for (gd_ast *x = items; x; x = x->next) {
        if (x->kind != GD_X_KEYWORD) continue;
        gd_any text = gd_text_of(c, x->u.keyword.name);
        if (gd_is_nil(text)) break;
        names[i++] = gd_as_str(gd_keep(text));
    }
    gd_site *s = &c->unit->code->sites[site];
    s->keywords = names;
    s->nkeywords = n;
    for (; i < n; i++) names[i] = NULL;
}

static void push_arguments(gd_compiler *c, gd_ast *items, bool keywords) {
    for (gd_ast *x = items; x && !c->failed; x = x->next)
        if ((x->kind == GD_X_KEYWORD) == keywords) gd_compile_value(c, keywords ? x->u.keyword.value : x);
}

/* f(*args, **keywords): a list and a dict are gathered. */
static void compile_spread(gd_compiler *c, gd_ast *node) {
    gd_compile_value(c, node->u.call.function);
    uint32_t list = c->unit->depth, npositional = 0;
    for (gd_ast *x = node->u.call.items; x; x = x->next) npositional += x->kind != GD_X_KEYWORD;
    bool lone = npositional == 1;
    gd_emit(c, GD_OP__LIST, 0, 0, 1);
    for (gd_ast *x = node->u.call.items; x && !c->failed; x = x->next) {
        if (x->kind == GD_X_KEYWORD) continue;
        bool star = x->kind == GD_X_STARRED;
        gd_compile_value(c, star ? x->u.value : x);
        c->unit->at = node->at;
        gd_emit(c, star ? GD_OP__EXTEND : GD_OP__APPEND, star && lone, list, -1);
    }
    gd_emit(c, GD_OP__DICT, 0, 0, 1);
    for (gd_ast *x = node->u.call.items; x && !c->failed; x = x->next) {
        if (x->kind != GD_X_KEYWORD) continue;
        if (x->u.keyword.name) gd_emit_constant(c, gd_keep(gd_text_of(c, x->u.keyword.name)));
        gd_compile_value(c, x->u.keyword.value);
        c->unit->at = node->at;
        gd_emit(c, x->u.keyword.name ? GD_OP__DICT_PUT : GD_OP__DICT_MERGE, 1, list + 1, x->u.keyword.name ? -2 : -1);
    }
    c->unit->at = node->at;
    gd_emit(c, GD_OP__CALL_SPREAD, 0, 0, -2);
}

/* Where a call of a method stands: from the method's name on if that is on a later line, as Python has it. */
static gd_at method_at(const gd_ast *node, const gd_ast *f) {
    gd_at at = node->at;
    uint32_t width = (uint32_t)__builtin_strlen(f->u.attribute.name);
    if (f->at.end_line == at.line || f->at.end_column <= width) return at;
    at.line = f->at.end_line;
    at.column = f->at.end_column - width;
    return at;
}

void gd_compile_call(gd_compiler *c, gd_ast *node) {
    uint32_t npos, nkw;
    gd_ast *f = node->u.call.function;
    if (!refuse_repeated(c, node->u.call.items)) return;
    if (spreads(node->u.call.items, &npos, &nkw)) {
        compile_spread(c, node);
        return;
    }
    bool method = f->kind == GD_X_ATTRIBUTE;
    if (method) {
        gd_compile_value(c, f->u.attribute.value);
        c->unit->at = f->at;
        gd_emit(c, GD_OP__METHOD, 0, gd_new_site(c, f->u.attribute.name), 1);
    } else {
        gd_compile_value(c, f);
    }
    push_arguments(c, node->u.call.items, false);
    if (nkw) push_arguments(c, node->u.call.items, true);
    c->unit->at = method ? method_at(node, f) : node->at;
    uint32_t site = gd_new_site(c, NULL);
    name_keywords(c, site, node->u.call.items, nkw);
    gd_opcode op = method ? GD_OP__CALL_METHOD : GD_OP__CALL;
    gd_emit(c, op, npos + nkw, site, -(int)(npos + nkw) - method);
}

/* ---- functions ------------------------------------------------------------------------------- */

static void note_params(gd_compiler *c, gd_ast *node) {
    gd_bytecode *code = c->unit->code;
    if (!code) return;
    for (gd_ast_param *p = node->u.function.params; p; p = p->next) {
        if (p->kind == GD_PARAM_PLAIN) {
            code->npositional++;
            code->npositional_only += p->positional_only;
        } else if (p->kind == GD_PARAM_KEYWORD) {
            code->nkeyword++;
        } else if (p->kind == GD_PARAM_STAR) {
            code->star = true;
        } else {
            code->dstar = true;
        }
    }
    code->plain = !code->nkeyword && !code->star && !code->dstar;
}

/* Variables that functions inside use become cells. */
static void make_cells(gd_compiler *c, const gd_scope *scope) {
    for (const gd_symbol *y = scope->first; y; y = y->next)
        if (y->captured && y->target == y) gd_emit(c, y->param ? GD_OP__MAKE_CELL : GD_OP__NEW_CELL, 0, y->slot, 0);
}

static gd_bytecode *function_code(gd_compiler *c, gd_ast *node) {
    gd_unit unit;
    gd_unit_begin(c, &unit, node->u.function.scope, node->u.function.name);
    note_params(c, node);
    if (unit.code && node->u.function.doc.text && !c->failed) {
        unit.code->doc = gd_str_new(c->vm, node->u.function.doc.text, node->u.function.doc.bytes);
        if (gd_is_nil(unit.code->doc)) gd_compile_memory(c);
    }
    make_cells(c, node->u.function.scope);
    gd_compile_statements(c, node->u.function.body);
    gd_emit_constant(c, GD_ANY_NONE);
    gd_emit(c, GD_OP__RETURN, 0, 0, -1);
    return gd_unit_end(c);
}

/* The defaults of positional parameters as a tuple; false: there are none. */
static bool push_defaults(gd_compiler *c, gd_ast *node) {
    uint32_t n = 0;
    for (gd_ast_param *p = node->u.function.params; p && !c->failed; p = p->next) {
        if (p->kind != GD_PARAM_PLAIN || !p->value) continue;
        gd_compile_value(c, p->value);
        n++;
    }
    if (n) gd_emit(c, GD_OP__TUPLE, 0, n, 1 - (int)n);
    return n;
}

static bool push_keyword_defaults(gd_compiler *c, gd_ast *node) {
    uint32_t n = 0;
    bool any = false;
    for (gd_ast_param *p = node->u.function.params; p; p = p->next) any |= p->kind == GD_PARAM_KEYWORD && p->value;
    for (gd_ast_param *p = node->u.function.params; p && any && !c->failed; p = p->next) {
        if (p->kind != GD_PARAM_KEYWORD) continue;
        if (p->value)
            gd_compile_value(c, p->value);
        else
            gd_emit(c, GD_OP__CONST, 0, gd_constant(c, GD_NIL), 1);
        n++;
    }
    if (any) gd_emit(c, GD_OP__TUPLE, 0, n, 1 - (int)n);
    return any;
}

void gd_compile_function(gd_compiler *c, gd_ast *node) {
    uint32_t ndecorators = 0, ncells;
    for (gd_ast *d = node->kind == GD_S_DEF ? node->u.function.decorators : NULL; d && !c->failed; d = d->next) {
        gd_compile_value(c, d);
        ndecorators++;
    }
    uint32_t what = push_defaults(c, node);
    what |= (uint32_t)push_keyword_defaults(c, node) << 1;
    gd_push_cells(c, node->u.function.scope, &ncells);
    gd_bytecode *code = function_code(c, node);
    c->unit->at = node->at;
    if (!code) return;
    uint32_t constant = gd_constant(c, GD_ANY_OBJECT(code));
    int taken = (int)ncells + (int)(what & 1) + (int)(what >> 1);
    gd_emit(c, GD_OP__FUNCTION, what, constant, 1 - taken);
    for (; ndecorators && !c->failed; ndecorators--) gd_emit(c, GD_OP__CALL, 1, gd_new_site(c, NULL), -1);
}
