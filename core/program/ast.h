/* ast.h: the syntax tree of a program, as the parser makes it and the compiler reads it. One node type with one
 * variant a kind, after the constructs of Python that programs may use. Everything lies in the tree's arena and goes
 * with it; texts are UTF-8.
 */
#ifndef GD_PROGRAM_AST_H
#define GD_PROGRAM_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where something stands in the source: lines and columns from 1, columns in characters. */
typedef struct gd_at {
    uint32_t line, column;
    uint32_t end_line, end_column; /* the first column behind it */
} gd_at;

typedef enum gd_ast_kind {
    /* expressions */
    GD_X_NONE,
    GD_X_TRUE,
    GD_X_FALSE,
    GD_X_ELLIPSIS,
    GD_X_INT,       /* integer */
    GD_X_FLOAT,     /* real */
    GD_X_STR,       /* text; adjacent literals are joined */
    GD_X_NAME,      /* name */
    GD_X_TUPLE,     /* items */
    GD_X_LIST,      /* items */
    GD_X_SET,       /* items */
    GD_X_DICT,      /* items: GD_X_PAIR (a NULL key: **value) */
    GD_X_PAIR,      /* pair */
    GD_X_STARRED,   /* value: *value in a display, a call or a target */
    GD_X_UNARY,     /* op: GD_PY_NEG, POS, INVERT, NOT; value */
    GD_X_BINARY,    /* op; binary */
    GD_X_AND,       /* items: a and b and c */
    GD_X_OR,        /* items */
    GD_X_COMPARE,   /* compare: left, then items of GD_X_COMPARED */
    GD_X_COMPARED,  /* op (a comparison); value: the right side */
    GD_X_CALL,      /* call: function, items: plain, GD_X_STARRED, GD_X_KEYWORD (NULL name: **value) */
    GD_X_KEYWORD,   /* keyword */
    GD_X_ATTRIBUTE, /* attribute */
    GD_X_SUBSCRIPT, /* subscript: value, index (GD_X_SLICE, or a tuple that may hold slices) */
    GD_X_SLICE,     /* slice */
    GD_X_IF,        /* choice: then if test else orelse */
    GD_X_LAMBDA,    /* function; body is one GD_S_RETURN */
    GD_X_LISTCOMP,  /* comprehension */
    GD_X_SETCOMP,
    GD_X_DICTCOMP,  /* element is a GD_X_PAIR */
    GD_X_GENERATOR, /* (x for x in y) */
    GD_X_FSTRING,   /* items: GD_X_STR and GD_X_FIELD */
    GD_X_FIELD,     /* field: {value!r:spec} */
    GD_X_WALRUS,    /* assign: one GD_X_NAME target, value */
    /* statements */
    GD_S_EXPRESSION, /* value */
    GD_S_ASSIGN,     /* assign: targets in order (a = b = value), value */
    GD_S_AUGMENTED,  /* augmented: op; target, value */
    GD_S_ANNOTATED,  /* annotated: target: annotation [= value] */
    GD_S_IF,         /* branch: test, body, orelse (elif is an orelse of one GD_S_IF) */
    GD_S_WHILE,      /* branch: orelse runs when the test fails */
    GD_S_FOR,        /* loop */
    GD_S_DEF,        /* function */
    GD_S_RETURN,     /* value or NULL */
    GD_S_BREAK,
    GD_S_CONTINUE,
    GD_S_PASS,
    GD_S_WITH,      /* with: items of GD_S_WITH_ITEM, body */
    GD_S_WITH_ITEM, /* with_item */
    GD_S_TRY,       /* try_ */
    GD_S_HANDLER,   /* handler: except type as name: body */
    GD_S_RAISE,     /* raise */
    GD_S_ASSERT,    /* assert_ */
    GD_S_DEL,       /* items: targets */
    GD_S_GLOBAL,    /* names: GD_X_NAME each */
    GD_S_NONLOCAL,
    GD_S_IMPORT, /* import: module "torch.nn.functional", alias or NULL; several are several statements */
    GD_S_FROM    /* from: module, items of GD_S_IMPORT with module = the member's name ("*" for all) */
} gd_ast_kind;

typedef enum gd_ast_op {
    GD_PY_NO,
    /* binary, also of augmented assignments */
    GD_PY_ADD,
    GD_PY_SUB,
    GD_PY_MUL,
    GD_PY_TRUEDIV,
    GD_PY_FLOORDIV,
    GD_PY_MOD,
    GD_PY_POWER,
    GD_PY_MATMUL,
    GD_PY_AND,
    GD_PY_OR,
    GD_PY_XOR,
    GD_PY_LSHIFT,
    GD_PY_RSHIFT,
    /* unary */
    GD_PY_NEG,
    GD_PY_POS,
    GD_PY_INVERT,
    GD_PY_NOT,
    /* comparisons */
    GD_PY_LT,
    GD_PY_LE,
    GD_PY_EQ,
    GD_PY_NE,
    GD_PY_GT,
    GD_PY_GE,
    GD_PY_IS,
    GD_PY_IS_NOT,
    GD_PY_IN,
    GD_PY_NOT_IN
} gd_ast_op;

typedef struct gd_ast gd_ast;

/* No tree is deeper than this, from the outermost statement to the innermost name: the parser refuses what is. So
 * whoever walks it may recurse with up to half a KiB of stack a level. Lists (`next`) are no depth, branches of elif
 * are, and so are the operators of 1 + 1 + 1 + … */
enum { GD_AST_MAX_DEPTH = 1000 };
struct gd_scope; /* scope.h: the compiler's notes on a function's or comprehension's names */

/* UTF-8 of `bytes` bytes, NUL-terminated besides; may hold NULs of its own. */
typedef struct gd_ast_text {
    const char *text;
    size_t bytes;
} gd_ast_text;

typedef enum gd_ast_param_kind {
    GD_PARAM_PLAIN,   /* by position or keyword */
    GD_PARAM_STAR,    /* *args */
    GD_PARAM_KEYWORD, /* after * or *args */
    GD_PARAM_DSTAR    /* **kwargs */
} gd_ast_param_kind;

typedef struct gd_ast_param {
    struct gd_ast_param *next;
    const char *name;
    gd_ast_param_kind kind;
    bool positional_only; /* before a / */
    gd_ast *value;        /* default, or NULL */
    gd_ast *annotation;   /* or NULL */
    gd_at at;
} gd_ast_param;

/* for target in iterable if condition if condition … */
typedef struct gd_ast_clause {
    struct gd_ast_clause *next;
    gd_ast *target, *iterable;
    gd_ast *conditions; /* list */
} gd_ast_clause;

struct gd_ast {
    uint8_t kind;   /* gd_ast_kind */
    uint8_t op;     /* gd_ast_op */
    bool bracketed; /* written in parentheses of its own */
    gd_at at;
    uint16_t height; /* levels of nodes from here down, at most GD_AST_MAX_DEPTH */
    gd_ast *next;    /* in the list that it is an item of */
    union {
        int64_t integer;
        double real;
        gd_ast_text text;
        const char *name;
        gd_ast *items; /* first of the list, or NULL */
        gd_ast *value;
        struct {
            gd_ast *key, *value;
        } pair;
        struct {
            gd_ast *left, *right;
        } binary;
        struct {
            gd_ast *left, *items;
        } compare;
        struct {
            gd_ast *function, *items;
        } call;
        struct {
            const char *name;
            gd_ast *value;
        } keyword;
        struct {
            gd_ast *value;
            const char *name;
        } attribute;
        struct {
            gd_ast *value, *index;
        } subscript;
        struct {
            gd_ast *start, *stop, *step;
        } slice; /* NULL where left out */
        struct {
            gd_ast *test, *then, *orelse;
        } choice;
        struct {
            gd_ast *element;
            gd_ast_clause *clauses;
            struct gd_scope *scope;
        } comprehension;
        struct {
            gd_ast *value;
            char conversion;    /* 'r', 's', 'a' or 0 */
            gd_ast *spec;       /* GD_X_FSTRING or NULL */
            gd_ast_text source; /* of {value=}: the text before the value, else bytes 0 */
        } field;
        struct {
            gd_ast *targets, *value;
        } assign;
        struct {
            gd_ast *target, *value;
        } augmented;
        struct {
            gd_ast *target, *annotation, *value;
        } annotated; /* value may be NULL */
        struct {
            gd_ast *test, *body, *orelse;
        } branch;
        struct {
            gd_ast *target, *iterable, *body, *orelse;
        } loop;
        struct {
            const char *name; /* "<lambda>" */
            gd_ast_param *params;
            gd_ast *body, *returns, *decorators;
            gd_ast_text doc; /* docstring; text NULL without one */
            struct gd_scope *scope;
        } function;
        struct {
            gd_ast *items, *body;
        } with;
        struct {
            gd_ast *context, *target; /* or NULL */
        } with_item;
        struct {
            gd_ast *body, *handlers, *orelse, *final;
            bool has_final;
        } try_;
        struct {
            gd_ast *type;     /* NULL: bare */
            const char *name; /* or NULL */
            gd_ast *body;
        } handler;
        struct {
            gd_ast *exception, *cause;
        } raise; /* both may be NULL */
        struct {
            gd_ast *test, *message;
        } assert_; /* message may be NULL */
        struct {
            const char *module, *alias;
        } import;
        struct {
            const char *module;
            gd_ast *items;
        } from;
    } u;
};

/* What is wrong with a source text. */
typedef struct gd_syntax_error {
    const char *type;  /* "SyntaxError", "IndentationError", "TabError"; static */
    bool memory;       /* memory was out, or the limit of the tree's bytes passed */
    char message[256]; /* Python's text where Python has one */
    gd_at at;
} gd_syntax_error;

typedef struct gd_tree gd_tree;

/* Parses `bytes` bytes of UTF-8 source. New; NULL with *error filled. At most `max_bytes` of memory are taken (0: no
 * limit). Nesting deeper than Python's own limits is a syntax error, so no stack is at risk. */
gd_tree *gd_parse(const char *source, size_t bytes, size_t max_bytes, gd_syntax_error *error);
/* The same for one expression, as in hooks ("lambda grad: grad * 2"). */
gd_tree *gd_parse_expression(const char *source, size_t bytes, size_t max_bytes, gd_syntax_error *error);
gd_ast *gd_tree_body(const gd_tree *tree); /* list of statements, or the expression; borrowed */
void gd_tree_free(gd_tree *tree);          /* NULL is a no-op */

#endif
