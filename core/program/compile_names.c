/* compile_names.c: instructions that read, set and unset variables, by what a name means in its scope. */
#include "core/program/compile.h"

/* Where a name lives. */
typedef enum home { HOME_GLOBAL, HOME_LOCAL, HOME_CELL, HOME_FREE } home;

static home find(gd_compiler *c, const char *name, int64_t *index) {
    gd_unit *u = c->unit;
    *index = 0;
    if (c->failed) return HOME_LOCAL;
    gd_symbol *y = gd_scope_symbol(&c->arena, u->scope, name, true);
    if (!y) return gd_compile_memory(c), HOME_LOCAL;
    if (!y->target) {
        if (y->index < 0) y->index = gd_env_global(c->vm, name);
        if (y->index < 0) gd_compile_memory(c);
        *index = y->index;
        return HOME_GLOBAL;
    }
    if (y->target->home->owner == u->scope->owner) {
        *index = y->target->slot;
        return y->target->captured ? HOME_CELL : HOME_LOCAL;
    }
    *index = gd_scope_free(&c->arena, u->scope->owner, y->target);
    return HOME_FREE;
}

void gd_compile_name(gd_compiler *c, const char *name, gd_name_use use) {
    static const gd_opcode ops[4][4] = {
        [HOME_GLOBAL] = {GD_OP__GLOBAL, GD_OP__SET_GLOBAL, GD_OP__DELETE_GLOBAL, GD_OP__CLEAR_GLOBAL},
        [HOME_LOCAL] = {GD_OP__LOCAL, GD_OP__SET_LOCAL, GD_OP__DELETE_LOCAL, GD_OP__CLEAR_LOCAL},
        [HOME_CELL] = {GD_OP__CELL, GD_OP__SET_CELL, GD_OP__DELETE_CELL, GD_OP__CLEAR_CELL},
        [HOME_FREE] = {GD_OP__FREE, GD_OP__SET_FREE, GD_OP__DELETE_FREE, GD_OP__CLEAR_FREE},
    };
    static const int effects[4] = {1, -1, 0, 0};
    int64_t index;
    home at = find(c, name, &index);
    gd_emit(c, ops[at][use], 0, index, effects[use]);
}

bool gd_compile_bump(gd_compiler *c, const char *name, int64_t by) {
    int64_t index;
    if (by < INT16_MIN || by > INT16_MAX) return false;
    home at = find(c, name, &index);
    if (at != HOME_GLOBAL && at != HOME_LOCAL) return false;
    gd_opcode op = at == HOME_GLOBAL ? GD_OP__BUMP_GLOBAL : GD_OP__BUMP_LOCAL;
    gd_emit(c, op, (uint16_t)(int16_t)by, index, 1); /* its slow way needs the stack */
    gd_set_depth(c, c->unit->depth - 1);
    return true;
}

int64_t gd_plain_local(gd_compiler *c, const char *name) {
    int64_t index;
    return find(c, name, &index) == HOME_LOCAL && index <= UINT16_MAX ? index : -1;
}

void gd_push_cells(gd_compiler *c, const gd_scope *function, uint32_t *count) {
    gd_scope *owner = c->unit->scope->owner;
    *count = 0;
    for (gd_free_variable *f = function->free; f && !c->failed; f = f->next, ++*count) {
        if (f->target->home->owner == owner)
            gd_emit(c, GD_OP__PUSH_CELL, 0, f->target->slot, 1);
        else
            gd_emit(c, GD_OP__PUSH_FREE, 0, gd_scope_free(&c->arena, owner, f->target), 1);
    }
}
