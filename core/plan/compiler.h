/* compiler.h: what a trace becomes on its way to a plan: values and nodes in single-assignment form, then units.
 *
 * Note [Layout]: a value that a node computes is laid out in memory as it was in the traced run, if it was dense there,
 * else row-major; inputs are row-major. A view is a geometry within its root's memory: the view's row itself is
 * applied once more to a tensor of the root's layout, so that no view needs to be known here. Rows that name strides
 * get their input in the traced layout.
 */
#ifndef GD_PLAN_COMPILER_H
#define GD_PLAN_COMPILER_H

#include "core/plan/plan_inside.h"

typedef enum gd_cvalue_kind { GD_C_INPUT, GD_C_CONSTANT, GD_C_RESULT, GD_C_VIEW } gd_cvalue_kind;

typedef struct gd_cvalue {
    gd_cvalue_kind kind;
    gd_dtype dtype;
    int ndim;
    bool wrapped;   /* a Python number */
    bool absent;    /* the op left it out */
    bool uniform;   /* a constant of equal elements */
    bool stored;    /* a root that lies in memory, not only in a register */
    int32_t root;   /* whose memory it lies in: itself unless it is a view */
    int64_t offset; /* bytes from the root's first element */
    int64_t numel;
    const int64_t *sizes;   /* ndim sizes, ndim strides, in elements */
    int32_t source;         /* INPUT: its number; RESULT: its node */
    char *bytes;            /* CONSTANT: its first element, */
    gd_storage *storage;    /* borrowed; NULL: in the plan's arena */
    int32_t unit;           /* roots: where it is computed, -1: before all; */
    int32_t last;           /* the last unit that reads it */
    int32_t buffer, header; /* -1: none yet */
    int32_t slot, uses;     /* fuse_code.c */
} gd_cvalue;

typedef enum gd_cnode_kind {
    GD_N_POINTWISE, /* one loop over in[…] */
    GD_N_SUM,       /* of all elements of in[0] */
    GD_N_REDUCE,    /* sums over the dimensions in mask */
    GD_N_FILL,      /* in[i] is copied to the part parts[i] of the output */
    GD_N_STEP
} gd_cnode_kind;

typedef struct gd_cnode {
    gd_cnode_kind kind;
    bool alive;
    const gd_step *step; /* STEP; lives as long as the trace */
    gd_loop loop;        /* POINTWISE */
    int kernel;          /* gd_kernel, or -1 */
    gd_dtype compute;
    size_t extra_bytes;
    const void *extra; /* in the plan's arena */
    uint64_t mask;
    bool zero; /* FILL: with zeros first */
    int nin;
    const int32_t *in; /* -1: absent */
    const int32_t *parts;
    int32_t out, nout;  /* values */
    int32_t unit, next; /* next member of the unit, or -1 */
} gd_cnode;

enum { GD_C_CAST = -2 }; /* among kernels: a conversion */

/* What a pointwise node is made of before it is one. */
typedef struct gd_pointwise_recipe {
    gd_loop loop;
    int kernel; /* gd_kernel, -1: a loop of its own, GD_C_CAST */
    gd_dtype compute, result;
    bool condition; /* in[0] is read as it is */
    int nin;
    int32_t in[3];
    size_t extra_bytes;
    const void *extra;
    int ndim;             /* of the output */
    const int64_t *sizes; /* and strides */
} gd_pointwise_recipe;

typedef struct gd_known {
    uint64_t hash;
    const int64_t *key;
    int32_t words, value; /* value < 0: free */
} gd_known;

/* A unit being filled. */
typedef struct gd_cunit {
    bool fused;
    int32_t first, last, members; /* nodes */
    int nsinks;
    int64_t numel;
    int ndim;             /* -1: any shape of numel elements */
    const int64_t *sizes; /* innermost first */
    int32_t before;       /* the previous fused unit of as many elements, or -1 */
} gd_cunit;

typedef struct gd_compiler {
    gd_ctx *ctx;
    const gd_trace *trace;
    gd_plan *plan;
    gd_plan_memory scratch;
    gd_cvalue *values;
    int32_t nvalues, values_cap;
    gd_cnode *nodes;
    int32_t nnodes, nodes_cap;
    gd_cunit *units;
    int32_t nunits, units_cap;
    int32_t *map;       /* by traced value: ours, or -1 */
    const bool *wanted; /* by step of the trace */
    gd_known *known;    /* common subexpressions */
    uint32_t known_cap, known_used;
    int64_t *key; /* under construction */
    size_t key_words, key_cap;
    int32_t *outputs;  /* values; by output */
    gd_storage **kept; /* constants; owned, and the plan's in the end */
    int32_t nkept, kept_cap;
    gd_plan_buffer *buffers; /* these two become the plan's */
    int32_t nbuffers, buffers_cap;
    gd_plan_header *headers;
    int32_t nheaders, headers_cap;
    const int32_t *deaths_first, *deaths_next; /* by unit, by value: what is read there for the last time */
    bool failed;                               /* the context's error is set */
} gd_compiler;

/* ---- compile_values.c ---- */
void *gd_c_new(gd_compiler *c, size_t n, size_t size);  /* scratch; NULL: failed */
void *gd_c_keep(gd_compiler *c, size_t n, size_t size); /* of the plan */
void gd_c_fail(gd_compiler *c);                         /* memory is out */
bool gd_c_grow(gd_compiler *c, void **array, int32_t n, int32_t *cap, size_t size);
/* New values; -1: failed. Sizes and strides are copied. */
int32_t gd_c_value(gd_compiler *c, const gd_cvalue *value, const int64_t *sizes, const int64_t *strides);
int32_t gd_c_view(gd_compiler *c, int32_t of, int ndim, const int64_t *sizes, const int64_t *strides, int64_t offset);
/* A constant that is t's values; its storage is not kept. */
int32_t gd_c_constant(gd_compiler *c, gd_tensor *t);
bool gd_c_keep_storage(gd_compiler *c, gd_storage *storage); /* false: failed */
int32_t gd_c_scalar_constant(gd_compiler *c, gd_dtype dtype, const void *element);
/* The layout of a result of the traced shape: see Note [Layout]. */
void gd_c_layout(const gd_tensor *traced, int64_t *strides);
static inline const int64_t *gd_c_strides(const gd_cvalue *v) { return v->sizes + v->ndim; }
bool gd_c_same_geometry(const gd_cvalue *v, int ndim, const int64_t *sizes, const int64_t *strides);
bool gd_c_is_scalar(const gd_cvalue *v);                    /* one element, seen any number of times */
bool gd_c_covers(const gd_compiler *c, const gd_cvalue *v); /* all of its root's elements, once */
bool gd_c_is_dense(int ndim, const int64_t *sizes, const int64_t *strides);
/* A tensor of v's geometry over memory that must not be touched, for rows that only compute shapes. */
typedef struct gd_phantom {
    gd_tensor tensor;
    gd_storage storage;
} gd_phantom;
void gd_c_phantom(const gd_compiler *c, int32_t value, gd_phantom *phantom);
/* The value of the same expression made earlier, or -1. The key is built by gd_c_key calls. */
void gd_c_key_start(gd_compiler *c, int64_t what);
void gd_c_key(gd_compiler *c, int64_t word);
void gd_c_key_bytes(gd_compiler *c, const void *bytes, size_t n);
int32_t gd_c_known(gd_compiler *c);
void gd_c_remember(gd_compiler *c, int32_t value); /* under the key that gd_c_known did not find */

/* ---- compile_pointwise.c ---- */
/* The value of a pointwise expression: simplified, found or made. -1: failed. */
int32_t gd_c_pointwise(gd_compiler *c, const gd_pointwise_recipe *recipe);
int32_t gd_c_cast(gd_compiler *c, int32_t value, gd_dtype dtype);

/* ---- compile_rows.c ---- */
/* Makes nodes of a step that is a sum, a join or an undone view, and maps its output; false if it is none of them. */
bool gd_c_row(gd_compiler *c, const gd_step *step);
/* compile_views.c: a view's row, applied to values of our layout. */
void gd_c_view_step(gd_compiler *c, const gd_step *step);
/* What a view's row makes of the value `of`: the new view, or -1: failed. args[0] is filled in. */
int32_t gd_c_apply_view(gd_compiler *c, gd_op_id id, int32_t of, gd_value *args, int nargs);
int32_t gd_c_node(gd_compiler *c, const gd_cnode *node); /* appends; -1: failed */
/* Appends a node's only output. */
int32_t gd_c_result(gd_compiler *c, int32_t node, gd_dtype dtype, int ndim, const int64_t *sizes,
                    const int64_t *strides);

/* ---- compile_import.c ---- */
void gd_c_import(gd_compiler *c, const int32_t *outputs, int noutputs);
int32_t gd_c_value_of(gd_compiler *c, int32_t traced); /* -1: failed */

/* ---- fuse.c ---- */
void gd_c_units(gd_compiler *c); /* which node belongs to which unit, which values are stored */
/* What an operand is to a fused pass over `out`. */
typedef enum gd_operand_kind { GD_OPERAND_FLAT, GD_OPERAND_SCALAR, GD_OPERAND_STRIDED } gd_operand_kind;
gd_operand_kind gd_c_operand(const gd_cvalue *out, const gd_cvalue *v);
/* Is v read from the register that its root was computed in, by a pass of the same unit? */
bool gd_c_in_register(const gd_compiler *c, const gd_cvalue *out, const gd_cvalue *v);
/* The dimensions of out larger than 1, innermost in memory first; their number. */
int gd_c_order(const gd_cvalue *out, int *order);
/* Byte stride of operand v along dimension d of out. */
int64_t gd_c_stride(const gd_cvalue *out, const gd_cvalue *v, int d);

/* ---- fuse_code.c ---- */
const gd_fused *gd_c_fuse(gd_compiler *c, int32_t unit);

/* ---- compile_memory.c ---- */
void gd_c_buffers(gd_compiler *c);                  /* a buffer for each root that lies in memory */
int32_t gd_c_buffer(gd_compiler *c, int32_t root);  /* the buffer of a stored root or constant; -1: failed */
int32_t gd_c_header(gd_compiler *c, int32_t value); /* -1: failed */
/* The same geometry in another buffer. */
int32_t gd_c_header_at(gd_compiler *c, int32_t value, int32_t buffer);

/* ---- compile_text.c: what gd_plan_describe says of a unit; in the plan's arena ---- */
const char *gd_c_text(gd_compiler *c, int32_t unit, const gd_unit *made);

#endif
