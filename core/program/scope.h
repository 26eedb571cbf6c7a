/* scope.h: which variable each name of a program means, found before code is made: Python's rules for locals, cells,
 * free variables, global and nonlocal. For the compiler.
 *
 * A comprehension has names of its own but runs in the frame of the function around it; a generator expression is a
 * function. What is said of a name in a scope is a symbol.
 */
#ifndef GD_PROGRAM_SCOPE_H
#define GD_PROGRAM_SCOPE_H

#include "core/program/code.h"

typedef enum gd_scope_kind {
    GD_SCOPE_MODULE,
    GD_SCOPE_FUNCTION,
    GD_SCOPE_GENERATOR,
    GD_SCOPE_COMPREHENSION
} gd_scope_kind;

typedef struct gd_scope gd_scope;

typedef struct gd_symbol {
    struct gd_symbol *next; /* in the scope, in order */
    const char *name;
    uint64_t hash;
    bool used, bound, param, global, nonlocal;
    bool captured;            /* by a function inside: it is a cell */
    bool placed;              /* `slot` is set */
    uint32_t slot;            /* of a bound one, in its owner's frame */
    struct gd_symbol *target; /* the bound symbol that it means; NULL: a global */
    gd_scope *home;           /* the scope it stands in */
    int64_t index;            /* of a global; -1: not yet asked for */
    gd_at at;                 /* of nonlocal */
    gd_any text;              /* in the table of texts: the str, borrowed */
    gd_at declared;           /* where global or nonlocal says so */
} gd_symbol;

/* A variable of an outer function that a function uses, in the order of its cells. */
typedef struct gd_free_variable {
    struct gd_free_variable *next;
    gd_symbol *target;
    uint32_t index;
} gd_free_variable;

struct gd_scope {
    gd_scope_kind kind;
    gd_scope *parent;
    gd_scope *owner; /* whose frame it runs in: itself, or the function around a comprehension */
    gd_scope *next;  /* of all scopes of the program */
    gd_symbol *first, *last;
    gd_symbol **table; /* open addressing */
    uint32_t count, room;
    uint32_t nlocals; /* of an owner */
    gd_free_variable *free, *last_free;
    uint32_t nfree;
};

/* Memory of one compilation; it goes as a whole. */
typedef struct gd_arena {
    gd_heap *heap;
    struct gd_arena_block *blocks;
    bool failed; /* memory was out */
} gd_arena;
void *gd_arena_take(gd_arena *arena, size_t bytes); /* zeroed; NULL: out */
void gd_arena_free(gd_arena *arena);

typedef struct gd_scopes {
    gd_arena *arena;
    gd_scope *all, *last;
    gd_syntax_error *error;
    bool failed;
    uint32_t depth;
} gd_scopes;

/* Deepest nesting of expressions and statements that the compiler follows. */
enum { GD_COMPILE_DEPTH = 2100 };

/* The module's scope of a tree's body (an expression or a list of statements); those of functions and comprehensions
 * are noted in the tree. NULL: *error tells. */
gd_scope *gd_scopes_find(gd_scopes *s, gd_ast *body, bool expression);
/* The symbol of a name in a scope, made if `make`; NULL: there is none, or memory is out. */
gd_symbol *gd_scope_symbol(gd_arena *arena, gd_scope *scope, const char *name, bool make);
/* Which of the owner's cells a free variable is; made if need be. */
uint32_t gd_scope_free(gd_arena *arena, gd_scope *owner, gd_symbol *target);

#endif
