/* compile.c: the frame of the compiler: memory, emitting, labels, tables of a unit, and the entry for a whole tree. */
#include "core/program/compile.h"

#include <stdio.h>
#include <string.h>

/* Of one function. */
enum { MOST_INSTRUCTIONS = 1 << 22 };

/* ---- failure --------------------------------------------------------------------------------- */

bool gd_compile_fail(gd_compiler *c, gd_at at, const char *type, const char *message) {
    if (c->failed) return false;
    c->failed = true;
    *c->error = (gd_syntax_error){.type = type, .at = at};
    (void)snprintf(c->error->message, sizeof c->error->message, "%s", message);
    return false;
}

bool gd_compile_memory(gd_compiler *c) {
    c->failed = c->error->memory = true;
    return false;
}

bool gd_compile_deeper(gd_compiler *c, gd_at at) {
    if (++c->nesting <= GD_COMPILE_DEPTH) return true;
    return gd_compile_fail(c, at, "SyntaxError", "too many nested parts");
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* Room for one more of `size` bytes in a table of bytecode; index of it, or UINT32_MAX. */
static uint32_t grow(gd_compiler *c, void **table, uint32_t *n, uint32_t *room, size_t size) {
    if (c->failed) return UINT32_MAX;
    if (*n == *room) {
        uint32_t more = *room ? *room * 2 : 16;
        void *p = more > INT32_MAX / 64 ? NULL : gd_heap_resize(c->vm->env->heap, *table, *room * size, more * size);
        if (!p) {
            gd_compile_memory(c);
            return UINT32_MAX;
        }
        *table = p;
        *room = more;
    }
    return (*n)++;
}
#define GROW(c, code, table, count, room)                                                                              \
    grow((c), (void **)&(code)->table, &(code)->count, &(code)->room, sizeof *(code)->table)

static bool same_place(gd_at a, gd_at b) { return !memcmp(&a, &b, sizeof a); }

static void note_place(gd_compiler *c) {
    gd_bytecode *code = c->unit->code;
    if (code->nplaces && same_place(code->places[code->nplaces - 1].at, c->unit->at)) return;
    uint32_t i = GROW(c, code, places, nplaces, places_room);
    if (i != UINT32_MAX) code->places[i] = (gd_place){code->nins, c->unit->at};
}

uint32_t gd_emit(gd_compiler *c, gd_opcode op, uint32_t a, int64_t b, int effect) {
    gd_unit *u = c->unit;
    if (c->failed) return 0;
    if (a > UINT16_MAX || b > INT32_MAX || b < INT32_MIN) {
        gd_compile_fail(c, u->at, "SyntaxError", "too many values in one place");
        return 0;
    }
    if (u->code->nins >= MOST_INSTRUCTIONS) {
        gd_compile_fail(c, u->at, "SyntaxError", "the program is too large");
        return 0;
    }
    note_place(c);
    uint32_t i = GROW(c, u->code, ins, nins, ins_room);
    if (i == UINT32_MAX) return 0;
    u->code->ins[i] = (gd_ins){.op = (uint16_t)op, .a = (uint16_t)a, .b = (int32_t)b};
    u->depth = (uint32_t)((int64_t)u->depth + effect);
    if (u->depth > u->code->stack) u->code->stack = u->depth;
    return i;
}

void gd_emit_jump(gd_compiler *c, gd_opcode op, uint32_t a, gd_label *to, int effect) {
    uint32_t i = gd_emit(c, op, a, to->at >= 0 ? to->at : to->waits, effect);
    if (to->at < 0 && !c->failed) to->waits = (int32_t)i;
}

void gd_land(gd_compiler *c, gd_label *label) {
    if (c->failed) return;
    gd_bytecode *code = c->unit->code;
    label->at = c->unit->barrier = (int32_t)code->nins;
    for (int32_t i = label->waits; i >= 0;) {
        int32_t next = code->ins[i].b;
        code->ins[i].b = label->at;
        i = next;
    }
}

uint32_t gd_constant(gd_compiler *c, gd_any v) {
    gd_bytecode *code = c->unit->code;
    if (v.tag < GD_A_TENSOR && v.tag != GD_A_FLOAT) {
        uint32_t from = code->nconstants > 16 ? code->nconstants - 16 : 0;
        for (uint32_t i = from; i < code->nconstants; i++)
            if (code->constants[i].tag == v.tag && code->constants[i].u.i == v.u.i) return i;
    }
    uint32_t i = GROW(c, code, constants, nconstants, constants_room);
    if (i == UINT32_MAX) {
        gd_drop(c->vm->env->heap, v);
        return 0;
    }
    code->constants[i] = v;
    return i;
}

void gd_emit_constant(gd_compiler *c, gd_any v) {
    if (gd_is_nil(v)) {
        gd_compile_memory(c);
        return;
    }
    gd_emit(c, GD_OP__CONST, 0, gd_constant(c, v), 1);
}

gd_any gd_text_of(gd_compiler *c, const char *name) {
    if (c->failed) return GD_NIL;
    gd_symbol *y = gd_scope_symbol(&c->arena, &c->texts, name, true);
    if (y && gd_is_nil(y->text)) y->text = gd_str_c(c->vm, name);
    if (!y || gd_is_nil(y->text)) {
        gd_compile_memory(c);
        return GD_NIL;
    }
    return y->text;
}

uint32_t gd_new_site(gd_compiler *c, const char *attribute) {
    gd_any name = attribute ? gd_text_of(c, attribute) : GD_NIL;
    uint32_t i = GROW(c, c->unit->code, sites, nsites, sites_room);
    if (i == UINT32_MAX) return 0;
    c->unit->code->sites[i] = (gd_site){.name = gd_keep(name), .value = GD_NIL};
    return i;
}

void gd_add_guard(gd_compiler *c, gd_guard guard) {
    if (c->failed || guard.from == guard.to) return;
    gd_bytecode *code = c->unit->code;
    uint32_t i = GROW(c, code, guards, nguards, guards_room);
    if (i != UINT32_MAX) code->guards[i] = guard;
}

void gd_place_handler(gd_compiler *c, const gd_block *block) {
    if (c->failed) return;
    gd_bytecode *code = c->unit->code;
    c->unit->barrier = (int32_t)code->nins;
    for (uint32_t i = block->first_guard; i < code->nguards; i++)
        if (code->guards[i].handler == block->waits) code->guards[i].handler = code->nins;
    gd_set_depth(c, block->depth + 1);
    if (block->depth + 1 > code->stack) code->stack = block->depth + 1;
}

/* ---- units ----------------------------------------------------------------------------------- */

static void name_slots(gd_compiler *c, gd_scope *owner, gd_bytecode *code) {
    if (c->failed) return;
    uint32_t n = owner->nlocals + owner->nfree;
    code->nlocals = owner->nlocals;
    code->nfree = owner->nfree;
    gd_any *names = n ? gd_heap_array(c->vm->env->heap, n, sizeof *names) : NULL;
    if (n && !names) {
        gd_compile_memory(c);
        return;
    }
    for (uint32_t i = 0; i < n; i++) names[i] = GD_NIL;
    code->names = names;
    code->nnames = code->names_room = n;
    for (gd_free_variable *f = owner->free; f; f = f->next)
        names[owner->nlocals + f->index] = gd_keep(gd_text_of(c, f->target->name));
}

void gd_name_locals(gd_compiler *c, const gd_scope *scope) {
    gd_bytecode *code = c->unit->code;
    for (const gd_symbol *y = scope->first; y && !c->failed; y = y->next)
        if (y->placed && y->target == y && gd_is_nil(code->names[y->slot]))
            code->names[y->slot] = gd_keep(gd_text_of(c, y->name));
}

/* outer.<locals>.name */
static gd_any qualified(gd_compiler *c, const gd_unit *outer, const char *name) {
    bool nested = outer && outer->outer && outer->code && !gd_is_nil(outer->code->qualname);
    if (!nested) return gd_keep(gd_text_of(c, name));
    gd_any text = gd_str_printf(c->vm, "%s.<locals>.%s", gd_as_str(outer->code->qualname)->text, name);
    if (gd_is_nil(text)) gd_compile_memory(c);
    return text;
}

void gd_unit_begin(gd_compiler *c, gd_unit *unit, gd_scope *scope, const char *name) {
    *unit = (gd_unit){.outer = c->unit, .scope = scope};
    gd_bytecode *code = c->failed ? NULL : gd_object_new(c->vm, &gd_class_bytecode, sizeof *code);
    if (!code && !c->failed) gd_compile_memory(c);
    unit->code = code;
    if (c->unit) unit->at = c->unit->at;
    c->unit = unit;
    if (!code) return;
    code->doc = code->qualname = GD_NIL;
    code->name = gd_keep(gd_text_of(c, name));
    code->qualname = qualified(c, unit->outer, name);
    code->source = gd_keep(c->source);
    name_slots(c, scope, code);
    gd_name_locals(c, scope);
}

gd_bytecode *gd_unit_end(gd_compiler *c) {
    gd_unit *u = c->unit;
    c->unit = u->outer;
    if (!c->failed) return u->code;
    if (u->code) gd_drop(c->vm->env->heap, GD_ANY_OBJECT(u->code));
    return NULL;
}

static void drop_texts(gd_compiler *c) {
    for (gd_symbol *y = c->texts.first; y; y = y->next) gd_drop(c->vm->env->heap, y->text);
}

static void compile_body(gd_compiler *c, gd_ast *body, bool expression) {
    if (expression) {
        gd_compile_value(c, body);
    } else {
        c->last = body;
        while (c->last && c->last->next) c->last = c->last->next;
        gd_compile_statements(c, body);
        gd_emit_constant(c, GD_ANY_NONE);
    }
    gd_emit(c, GD_OP__RETURN, 0, 0, -1);
}

gd_bytecode *gd_compile_module(gd_vm *vm, const gd_tree *tree, gd_any source, bool expression, gd_syntax_error *error) {
    *error = (gd_syntax_error){.type = "SyntaxError"};
    gd_compiler c = {.vm = vm, .arena = {.heap = vm->env->heap}, .source = source, .error = error};
    gd_scopes s = {.arena = &c.arena, .error = error};
    gd_ast *body = gd_tree_body(tree);
    gd_scope *scope = gd_scopes_find(&s, body, expression);
    gd_bytecode *code = NULL;
    if (scope) {
        gd_unit unit;
        gd_unit_begin(&c, &unit, scope, "<module>");
        compile_body(&c, body, expression);
        code = gd_unit_end(&c);
    }
    drop_texts(&c);
    gd_arena_free(&c.arena);
    return code;
}

gd_at gd_bytecode_at(const gd_bytecode *code, const gd_ins *ins) {
    uint32_t at = (uint32_t)(ins - code->ins), low = 0, high = code->nplaces;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (code->places[middle].from <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? code->places[low - 1].at : (gd_at){0};
}
