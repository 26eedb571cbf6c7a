/* tree.h: where a syntax tree lies: an arena that is freed at once, and the names of the program, each kept once.
 * For the files of the lexer and the parser.
 */
#ifndef GD_PROGRAM_TREE_H
#define GD_PROGRAM_TREE_H

#include "core/program/ast.h"

/* A name: one entry for each spelling, so that equal names are equal pointers. */
typedef struct gd_name {
    struct gd_name *next; /* in its bucket */
    uint32_t hash, bytes;
    uint32_t stamp;  /* of the call or parameter list that had it last: finds repeated ones */
    uint8_t keyword; /* the gd_token_kind of a keyword, else 0 */
    char text[];     /* NUL-terminated */
} gd_name;

typedef struct gd_tree_chunk {
    struct gd_tree_chunk *next;
    size_t bytes;
} gd_tree_chunk;

struct gd_tree {
    gd_tree_chunk *chunks;
    char *free, *end; /* room in the newest chunk */
    size_t used, limit;
    gd_name **names;
    uint32_t nbuckets, nnames;
    gd_ast *body;
};

gd_tree *gd_tree_new(size_t max_bytes);
/* Aligned for any node; not zeroed. NULL: memory is out, or the limit would be passed. */
void *gd_tree_alloc(gd_tree *tree, size_t bytes);
/* Memory that is given back before the tree goes, but counts against its limit too. */
void *gd_tree_grow(gd_tree *tree, void *p, size_t old_bytes, size_t bytes);
void gd_tree_release(gd_tree *tree, void *p, size_t bytes);
gd_name *gd_tree_name(gd_tree *tree, const char *text, size_t bytes);
const char *gd_tree_copy(gd_tree *tree, const char *text, size_t bytes); /* NUL-terminated */
static inline gd_name *gd_name_of(const char *text) { return (gd_name *)(text - offsetof(gd_name, text)); }

#endif
