/* code.h: what the compiler makes and the machine runs: bytecode with its tables, function objects, frames. For the
 * files of the machine; others need vm.h only.
 *
 * A stack machine. An instruction is 8 bytes; values are pushed on the frame's stack, whose depth at each instruction
 * is known when it is compiled. A frame's slots hold its parameters and locals, then its stack. A local that a nested
 * function uses is a cell: its slot holds a cell object.
 */
#ifndef GD_PROGRAM_CODE_H
#define GD_PROGRAM_CODE_H

#include "core/program/vm.h"

/* Effects are written "before -- after". `a` and `b` are the instruction's operands; a site is an index of sites. */
#define GD_OPCODES(X)                                                                                                  \
    /* values */                                                                                                       \
    X(CONST)        /* -- constants[b] */                                                                              \
    X(LOCAL)        /* -- slots[b] */                                                                                  \
    X(SET_LOCAL)    /* v -- */                                                                                         \
    X(DELETE_LOCAL) /* -- ; UnboundLocalError if unset */                                                              \
    X(CLEAR_LOCAL)  /* -- */                                                                                           \
    X(CELL)                                                                                                            \
    X(SET_CELL)                                                                                                        \
    X(DELETE_CELL)                                                                                                     \
    X(CLEAR_CELL)                                                                                                      \
    X(FREE) /* the function's cells[b] */                                                                              \
    X(SET_FREE)                                                                                                        \
    X(DELETE_FREE)                                                                                                     \
    X(CLEAR_FREE)                                                                                                      \
    X(GLOBAL)                                                                                                          \
    X(SET_GLOBAL)                                                                                                      \
    X(DELETE_GLOBAL)                                                                                                   \
    X(CLEAR_GLOBAL)                                                                                                    \
    X(MAKE_CELL) /* slots[b] becomes a cell of what it was */                                                          \
    X(NEW_CELL)  /* slots[b] becomes an empty cell */                                                                  \
    X(PUSH_CELL) /* -- the cell in slots[b] */                                                                         \
    X(PUSH_FREE) /* -- the function's cell b */                                                                        \
    X(POP)       /* v -- */                                                                                            \
    X(POP_TO)    /* drops down to depth b */                                                                           \
    X(DUP)       /* v -- v v */                                                                                        \
    X(DUP2)      /* v w -- v w v w */                                                                                  \
    X(SWAP)      /* v w -- w v */                                                                                      \
    X(ROT3)      /* u v w -- w u v */                                                                                  \
    /* operators */                                                                                                    \
    X(ADD) /* v w -- v + w; b: in place */                                                                             \
    X(SUB)                                                                                                             \
    X(MUL)                                                                                                             \
    X(TRUEDIV)                                                                                                         \
    X(FLOORDIV)                                                                                                        \
    X(MOD)                                                                                                             \
    X(BINARY)     /* any; a: gd_ast_op, b: in place */                                                                 \
    X(ADD_INT)    /* v -- v + b */                                                                                     \
    X(SUB_INT)    /* v -- v - b */                                                                                     \
    X(BUMP_LOCAL) /* slots[b] += (int16_t)a */                                                                         \
    X(BUMP_GLOBAL)                                                                                                     \
    X(UNARY) /* a: gd_ast_op */                                                                                        \
    X(NOT)                                                                                                             \
    X(LT) /* v w -- v < w */                                                                                           \
    X(LE)                                                                                                              \
    X(EQ)                                                                                                              \
    X(NE)                                                                                                              \
    X(GT)                                                                                                              \
    X(GE)                                                                                                              \
    X(COMPARE) /* a: gd_ast_op, GD_PY_IS … GD_PY_NOT_IN */                                                           \
    /* jumps to instruction b */                                                                                       \
    X(JUMP)                                                                                                            \
    X(JUMP_BACK)  /* counts a step, as all that jump if true do */                                                     \
    X(JUMP_TRUE)  /* v -- */                                                                                           \
    X(JUMP_FALSE) /* v -- */                                                                                           \
    X(TRUE_OR_POP)                                                                                                     \
    X(FALSE_OR_POP)                                                                                                    \
    X(IF_LT) /* v w -- ; jumps if v < w */                                                                             \
    X(IF_LE)                                                                                                           \
    X(IF_EQ)                                                                                                           \
    X(IF_NE)                                                                                                           \
    X(IF_GT)                                                                                                           \
    X(IF_GE)                                                                                                           \
    X(UNLESS_LT)                                                                                                       \
    X(UNLESS_LE)                                                                                                       \
    X(UNLESS_EQ)                                                                                                       \
    X(UNLESS_NE)                                                                                                       \
    X(UNLESS_GT)                                                                                                       \
    X(UNLESS_GE)                                                                                                       \
    /* attributes, items */                                                                                            \
    X(ATTRIBUTE)     /* v -- v.name; b: site */                                                                        \
    X(SET_ATTRIBUTE) /* value v -- */                                                                                  \
    X(DELETE_ATTRIBUTE)                                                                                                \
    X(METHOD)   /* v -- method v, or NIL v.name */                                                                     \
    X(ITEM)     /* v i -- v[i] */                                                                                      \
    X(SET_ITEM) /* value v i -- */                                                                                     \
    X(DELETE_ITEM)                                                                                                     \
    X(SLICE) /* start stop step -- slice */                                                                            \
    /* calls */                                                                                                        \
    X(CALL)        /* f args… -- result; a: number of args, b: site, which names the last */                         \
    X(CALL_METHOD) /* as METHOD left it, args… -- result */                                                          \
    X(CALL_SPREAD) /* f list dict -- result */                                                                         \
    X(FUNCTION)    /* defaults? kwdefaults? cells… -- function; b: constant, a: bit 0, 1 */                          \
    X(GENERATOR)   /* iterable f -- generator */                                                                       \
    X(RETURN)      /* v -- */                                                                                          \
    X(YIELD)       /* v -- */                                                                                          \
    /* displays; those with `b` as depth act on stack[b] */                                                            \
    X(TUPLE) /* b items -- tuple */                                                                                    \
    X(LIST)                                                                                                            \
    X(SET)                                                                                                             \
    X(DICT) /* b pairs -- dict */                                                                                      \
    X(TEXT) /* b strs -- str */                                                                                        \
    X(APPEND)                                                                                                          \
    X(SET_ADD)                                                                                                         \
    X(DICT_PUT) /* key value -- */                                                                                     \
    X(EXTEND)                                                                                                          \
    X(SET_EXTEND)                                                                                                      \
    X(DICT_MERGE) /* mapping -- ; a: of keywords of a call */                                                          \
    X(TUPLE_OF)   /* list -- tuple */                                                                                  \
    X(FORMAT)     /* v spec? -- str; a: conversion, b: has a spec */                                                   \
    /* iteration: a loop has three values on the stack, see for_loop.c */                                              \
    X(ITERATE)     /* v -- loop */                                                                                     \
    X(NEXT)        /* loop -- loop item, or jumps to b with the loop gone */                                           \
    X(NEXT_LOCAL)  /* the same into slots[a] */                                                                        \
    X(UNPACK)      /* v -- items in reverse; b: how many */                                                            \
    X(UNPACK_STAR) /* a before, b after */                                                                             \
    /* exceptions, contexts, imports */                                                                                \
    X(RAISE) /* a: 0 bare, 1 exception, 2 exception cause */                                                           \
    X(RERAISE)                                                                                                         \
    X(MATCH) /* exception type -- exception bool */                                                                    \
    X(ENTER) /* context -- context value */                                                                            \
    X(LEAVE) /* the context at depth b ends, and is None there */                                                      \
    X(IMPORT)                                                                                                          \
    X(IMPORT_FROM) /* module -- module member */

typedef enum gd_opcode {
#define X(name) GD_OP__##name,
    GD_OPCODES(X)
#undef X
        GD_OPCODE_COUNT
} gd_opcode;

typedef struct gd_ins {
    uint16_t op, a;
    int32_t b;
} gd_ins;

/* What an attribute or call site knows and remembers. */
typedef struct gd_site {
    gd_any name;       /* str of the attribute; NIL at calls of no attribute */
    gd_str **keywords; /* of a call: names of its last arguments; the references are the site's */
    uint32_t nkeywords;
    const void *key; /* whose attribute `value` is: a class, a module, or gd_class_tensor */
    gd_any value;    /* immediate, or a module */
    gd_op_cache cache;
} gd_site;

/* From instruction `from` on, till the next entry, errors are at `at`. */
typedef struct gd_place {
    uint32_t from;
    gd_at at;
} gd_place;

typedef enum gd_guard_kind {
    GD_GUARD_HANDLER, /* an exception there goes to `handler` with the stack cut to `depth` and it on top */
    GD_GUARD_CONTEXT, /* stack[depth - 1] is a context to be left; then the search goes on */
    GD_GUARD_HANDLING /* stack[depth] is the exception that is being handled: what a bare raise means */
} gd_guard_kind;

/* Guards of instructions [from, to), inner ones first. */
typedef struct gd_guard {
    uint32_t from, to, handler, depth;
    gd_guard_kind kind;
} gd_guard;

typedef struct gd_bytecode {
    gd_object head;
    gd_any name, qualname, doc, source; /* strs; doc NIL without one; source: the whole program's text */
    gd_ins *ins;
    gd_any *constants;
    gd_site *sites;
    gd_place *places;
    gd_guard *guards;
    gd_any *names; /* of locals, then of free variables: strs */
    uint32_t nins, nconstants, nsites, nplaces, nguards, nnames;
    uint32_t ins_room, constants_room, sites_room, places_room, guards_room, names_room;
    uint32_t nlocals, nfree, stack; /* slots of locals; free variables; deepest stack */
    uint32_t npositional, npositional_only, nkeyword;
    bool star, dstar;
    bool plain; /* neither keyword-only, * nor **: a call by position fills the slots in order */
} gd_bytecode;

typedef struct gd_cell {
    gd_object head;
    gd_any value; /* NIL: unset */
} gd_cell;

typedef struct gd_closure {
    gd_object head;
    gd_bytecode *code; /* a reference */
    gd_any name, doc;  /* str; doc NIL: none */
    gd_any defaults;   /* tuple of the last positional parameters' or NIL */
    gd_any
        kwdefaults; /* tuple, one a keyword-only parameter; Ellipsis'es place NIL: must be given. NIL: none has one */
    gd_any attributes; /* dict or NIL: what the program set */
    uint32_t ncells;
    gd_cell *cells[]; /* references */
} gd_closure;

enum {
    GD_FRAME_ENTRY = 1, /* its return goes back to C */
    GD_FRAME_OWNED = 2  /* its memory is a generator's */
};

typedef struct gd_frame_ {
    struct gd_frame_ *back;
    gd_closure *function; /* a reference; NULL: the module's frame */
    gd_bytecode *code;    /* borrowed from the function, or a reference without one */
    const gd_ins *pc;     /* next instruction */
    gd_any *sp;           /* behind the top of its stack */
    gd_any *stack;        /* its bottom */
    size_t bytes;
    uint32_t flags;
    gd_any slots[];
} gd_frame;

typedef struct gd_generator_object {
    gd_object head;
    gd_frame *frame; /* suspended; NULL: finished */
    bool running;
} gd_generator_object;

/* ---- compile.c ---- */
/* The code of a tree's body as a module (`expression`: the tree is one expression, the module returns it); each name it
 * uses gets a global of the environment. The value of a last bare expression is what a module returns, else None. NULL
 * with *error filled. */
gd_bytecode *gd_compile_module(gd_vm *vm, const gd_tree *tree, gd_any source, bool expression, gd_syntax_error *error);
gd_at gd_bytecode_at(const gd_bytecode *code, const gd_ins *ins); /* where an instruction stands in the source */
/* env.c: index of a global, made if need be; -1: no memory. */
int64_t gd_env_global(gd_vm *vm, const char *name);

/* ---- frame.c ---- */
/* A new innermost frame with empty slots; it keeps the function (NULL: a module's frame, which keeps the code). NULL
 * with the exception or limit pending. */
gd_frame *gd_frame_new(gd_vm *vm, gd_bytecode *code, gd_closure *function);
size_t gd_frame_bytes(const gd_bytecode *code);
/* Fills in a frame in memory of gd_frame_bytes and keeps function or code. */
void gd_frame_setup(gd_frame *frame, gd_bytecode *code, gd_closure *function, size_t bytes);
void gd_frame_clear(gd_heap *heap, gd_frame *frame); /* drops its slots, its stack and what it keeps */
void gd_frame_pop(gd_vm *vm);                        /* the innermost goes; it must have nothing above its stack's sp */
void gd_frame_blocks_free(gd_vm *vm);

/* ---- vm_call.c ---- */
/* A new innermost frame for f(args…): on success the n values at v are moved into it. */
gd_frame *gd_call_moved(gd_vm *vm, gd_closure *f, gd_any *v, uint32_t n);
/* bind_call.c: the same for borrowed arguments with keywords. */
gd_frame *gd_call_bound(gd_vm *vm, gd_closure *f, const gd_args *args);
/* Anything but a program function; borrowed arguments. */
gd_any gd_call_other(gd_vm *vm, gd_any f, const gd_args *args, gd_op_cache *cache);
/* f(*list, **dict): gives the frame to run, or the result of what is no program function. False: pending. */
bool gd_call_spread(gd_vm *vm, gd_any f, gd_any list, gd_any dict, gd_frame **frame, gd_any *result);
/* function.c: a generator that runs f (of a generator expression) over iter(iterable). */
gd_any gd_generator_new(gd_vm *vm, gd_closure *f, gd_any iterable);

/* ---- vm.c ---- */
/* Runs the innermost frame, which must be marked GD_FRAME_ENTRY, till it returns or yields (*yielded), and takes it
 * away. GD_NIL: an exception or limit is pending. */
gd_any gd_vm_execute(gd_vm *vm, bool *yielded);

/* ---- vm_exceptions.c ---- */
/* An exception or limit is pending in the innermost frame: finds who handles it. True: vm->frame is ready to go on;
 * false: it left the entry frame, which is gone. `again`: it is raised again, so this frame is in its trace already. */
bool gd_vm_unwind(gd_vm *vm, bool again);

/* ---- vm_values.c, vm_exceptions.c: instructions that are more than a line. Values are borrowed. ---- */
bool gd_do_raise(gd_vm *vm, uint32_t how, const gd_any *sp); /* always false */
int gd_do_match(gd_vm *vm, gd_any exception, gd_any type);   /* 1, 0, -1 */
gd_any gd_do_enter(gd_vm *vm, gd_any context);
bool gd_do_leave(gd_vm *vm, gd_any context);
gd_any gd_do_import_from(gd_vm *vm, gd_any module, gd_any name);
gd_any gd_do_format(gd_vm *vm, gd_any v, uint32_t conversion, gd_any spec); /* spec NIL: none */
gd_any gd_do_text(gd_vm *vm, const gd_any *parts, size_t n);
gd_any gd_do_set(gd_vm *vm, const gd_any *items, size_t n);
gd_any gd_do_dict(gd_vm *vm, const gd_any *pairs, size_t n);
bool gd_do_merge(gd_vm *vm, gd_any dict, gd_any mapping, gd_any function, bool call);
bool gd_do_extend(gd_vm *vm, gd_any list, gd_any iterable, gd_any function, bool lone);
gd_any gd_do_function(gd_vm *vm, gd_bytecode *code, uint32_t what, gd_any *sp, gd_any **base); /* moves from *base on */
gd_any gd_do_attribute(gd_vm *vm, gd_any v, gd_site *site);
bool gd_do_method(gd_vm *vm, gd_any *v, gd_site *site); /* v[0] becomes method, v[1] self; or NIL and the attribute */
gd_any gd_do_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b, bool in_place);
bool gd_do_unpack(gd_vm *vm, gd_any v, size_t before, int64_t after, gd_any *out); /* reversed; after -1: no star */
bool gd_do_unbound(gd_vm *vm, const gd_frame *frame, uint32_t index, bool free);   /* raises; always false */
bool gd_do_unbound_global(gd_vm *vm, uint32_t index);
bool gd_do_loop(gd_vm *vm, gd_any *v); /* v[0] becomes the three values of a loop */

/* ---- vm_limits.c ---- */
bool gd_vm_tick(gd_vm *vm); /* the fuse has burnt down */

/* ---- trace.c ---- */
/* The text of a traceback, as Python writes it; malloc'ed, NULL if memory is out. */
char *gd_trace_text(gd_vm *vm, const gd_exception *e);
char *gd_trace_syntax(const char *source, size_t bytes, const gd_syntax_error *error);
char *gd_trace_limit(gd_vm *vm, const char *message);
/* Where in `source` (a program's str) an exception came from: the innermost place of its trace there. */
gd_at gd_traceback_at(const gd_exception *e, gd_any source);
/* Notes that the exception passed this place; a failure is forgotten. */
void gd_trace_note(gd_vm *vm, gd_exception *e, const gd_frame *frame);

#endif
