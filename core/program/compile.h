/* compile.h: what the files of the compiler share: the unit being made, emitting, labels, blocks.
 *
 * A unit is one piece of bytecode: the module's, a function's, a generator expression's. Every emit tells how it
 * changes the depth of the stack. After a failure (unit memory out, syntax error) emits do nothing and the compilation
 * ends in failure; so callers need not check.
 */
#ifndef GD_PROGRAM_COMPILE_H
#define GD_PROGRAM_COMPILE_H

#include "core/program/scope.h"

/* What a break, return or exception must pass on its way out, innermost first. */
typedef enum gd_block_kind {
    GD_BLOCK_LOOP,
    GD_BLOCK_HANDLER, /* body of a try with handlers */
    GD_BLOCK_FINALLY, /* all of a try but its finally */
    GD_BLOCK_CONTEXT, /* body of a with */
    GD_BLOCK_NAMED    /* body of `except … as name`: the name goes */
} gd_block_kind;

typedef struct gd_label {
    int32_t at;    /* instruction, or -1: not yet placed */
    int32_t waits; /* last jump that waits for it, a chain through `b`; -1: none */
} gd_label;
#define GD_LABEL ((gd_label){.at = -1, .waits = -1})

typedef struct gd_block {
    gd_block_kind kind;
    struct gd_block *outer;
    uint32_t start;       /* of the guarded instructions */
    uint32_t first_guard; /* guards of this block come from here on */
    uint32_t waits;       /* what their `handler` is till it is placed */
    uint32_t depth;       /* of the stack outside the block */
    uint32_t inside;      /* of a loop: in its body */
    gd_label *on_break, *on_continue;
    gd_ast *final; /* the finally's body */
    const char *name;
} gd_block;

typedef struct gd_unit {
    struct gd_unit *outer;
    gd_bytecode *code; /* a reference */
    gd_scope *scope;   /* the innermost, maybe a comprehension's */
    gd_block *blocks;
    uint32_t depth;
    gd_at at;
    int32_t barrier; /* instructions before it are jumped to from elsewhere: not to be merged with what follows */
} gd_unit;

typedef struct gd_compiler {
    gd_vm *vm;
    gd_arena arena;
    gd_any source; /* str */
    gd_unit *unit;
    gd_scope texts; /* table of names that have their str */
    gd_syntax_error *error;
    uint32_t nesting;
    uint32_t handlers; /* that were begun */
    bool failed;
    const gd_ast *last; /* the module's last statement: a bare expression there is what it returns */
} gd_compiler;

/* ---- compile.c ---- */
bool gd_compile_fail(gd_compiler *c, gd_at at, const char *type, const char *message); /* always false */
bool gd_compile_memory(gd_compiler *c);                                                /* always false */
bool gd_compile_deeper(gd_compiler *c, gd_at at);                                      /* then c->nesting-- */
/* One instruction; `effect` is added to the depth. Its index. */
uint32_t gd_emit(gd_compiler *c, gd_opcode op, uint32_t a, int64_t b, int effect);
void gd_emit_jump(gd_compiler *c, gd_opcode op, uint32_t a, gd_label *to, int effect);
void gd_land(gd_compiler *c, gd_label *label);
void gd_emit_constant(gd_compiler *c, gd_any v);             /* takes v */
uint32_t gd_constant(gd_compiler *c, gd_any v);              /* takes v; index */
gd_any gd_text_of(gd_compiler *c, const char *name);         /* the str of a name, borrowed */
uint32_t gd_new_site(gd_compiler *c, const char *attribute); /* or NULL */
void gd_add_guard(gd_compiler *c, gd_guard guard);
/* The handler of a block begins here: the stack has the exception above the block's depth. */
void gd_place_handler(gd_compiler *c, const gd_block *block);
void gd_name_locals(gd_compiler *c, const gd_scope *scope);
void gd_unit_begin(gd_compiler *c, gd_unit *unit, gd_scope *scope, const char *name);
gd_bytecode *gd_unit_end(gd_compiler *c); /* a reference, or NULL */
static inline void gd_set_depth(gd_compiler *c, uint32_t depth) { c->unit->depth = depth; }

/* ---- compile_names.c ---- */
typedef enum gd_name_use { GD_NAME_LOAD, GD_NAME_STORE, GD_NAME_DELETE, GD_NAME_CLEAR } gd_name_use;
void gd_compile_name(gd_compiler *c, const char *name, gd_name_use use);
/* `name += by` as one instruction where that can be. */
bool gd_compile_bump(gd_compiler *c, const char *name, int64_t by);
/* The slot of a name that is a plain local; -1: it is not. */
int64_t gd_plain_local(gd_compiler *c, const char *name);
void gd_push_cells(gd_compiler *c, const gd_scope *function, uint32_t *count);

/* ---- compile_expression.c, compile_display.c, compile_call.c, compile_comprehension.c ---- */
void gd_compile_value(gd_compiler *c, gd_ast *node); /* pushes its value */
/* Jumps to `to` if the node's truth is `when`, else goes on. */
void gd_compile_jump(gd_compiler *c, gd_ast *node, bool when, gd_label *to);
void gd_compile_binary_op(gd_compiler *c, gd_ast_op op, bool in_place);
void gd_compile_target(gd_compiler *c, gd_ast *target); /* pops the value on top into it */
void gd_compile_index(gd_compiler *c, gd_ast *index);
bool gd_compile_constant(gd_compiler *c, gd_ast *node, gd_any *v); /* a new value, if the node is constant */
void gd_compile_display(gd_compiler *c, gd_ast *node);
void gd_compile_fstring(gd_compiler *c, gd_ast *node);
void gd_compile_call(gd_compiler *c, gd_ast *node);
void gd_compile_comprehension(gd_compiler *c, gd_ast *node);
void gd_compile_function(gd_compiler *c, gd_ast *node); /* pushes the function, decorated */

/* ---- compile_statement.c, compile_try.c ---- */
void gd_compile_statements(gd_compiler *c, gd_ast *list);
void gd_compile_try(gd_compiler *c, gd_ast *node);
void gd_compile_with(gd_compiler *c, gd_ast *node);
/* Passes the blocks inside `to` (NULL: all) on the way out: contexts end, finallys run; `value`: one lies on top. */
void gd_leave_blocks(gd_compiler *c, const gd_block *to);
void gd_block_begin(gd_compiler *c, gd_block *block, gd_block_kind kind);
void gd_block_end(gd_compiler *c); /* the innermost ends here */

#endif
