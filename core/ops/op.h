/* op.h: the op table and what an op is made of, for the inside of libgradd.
 *
 * One row of a core/ops/ *.def file is one overload of one op:
 *
 *   OP(mul, "mul(Tensor self, Tensor other) -> Tensor", pointwise, GD_K_MUL,
 *      mul, "MulBackward0", "self, other", "other, self", GD_INPLACE, "Multiplies element by element.")
 *
 *   id         names the row: GD_OP_mul. Overloads get suffixes: sum, sum_dim.
 *   signature  PyTorch's text. Types: Tensor Tensor? Tensor[] Tensor?[] Scalar Scalar? int int? float float?
 *              bool bool? str str? int[] int[]? int[N] (a single int also binds) float[] dtype dtype? Index[].
 *              After `*,` arguments are keyword only. The name before `(` is the op's name on the wire.
 *              A Python number binds to Tensor as a wrapped number (0-dim, lowest in promotion).
 *   forward    gd_fw_<forward>(gd_apply *a): computes a->out, or calls other ops (GD_COMPOSITE).
 *   param      an int for the forward function, e.g. the kernel.
 *   backward   gd_bw_<backward>(gd_bw *b): fills gradients. `none`: not differentiable; `zero`: the
 *              op is differentiable and its gradient is zero (sign, floor).
 *   node       the grad_fn's name.
 *   diff       the Tensor arguments that have an edge, in the order of next_functions. A Tensor[]
 *              argument gives one edge an entry.
 *   saves      PyTorch's names of the node's saved fields, sorted as PyTorch lists them: an argument's
 *              name saves the argument (a Tensor with a version check), `result`/`result1`… an output
 *              (`indices` etc. may be given as `indices=result1`), `self_sizes`, `self_sym_sizes`,
 *              `self_numel`, `self_dim`, `mat2_sym_strides` … a property of a Tensor argument. A field that only
 *              gradd needs is not listed here: the rule reads any non-Tensor argument with gd_bw_arg.
 *              As PyTorch does, a Tensor is saved only if some gradient needs it: `other{self}` saves
 *              `other` only if `self` needs a gradient; it is then "default constructed" otherwise.
 *   flags      below.
 *   doc        one sentence, ours.
 */
#ifndef GD_OP_H
#define GD_OP_H

#include "core/tensor/tensor.h"

enum {
    GD_INPLACE = 1u << 0,      /* `name_` exists: self is written and rebound in the graph */
    GD_INPLACE_ONLY = 1u << 1, /* the op itself writes args[0] (fill_, copy_, __setitem__): forward mutates it */
    GD_VIEW = 1u << 2,         /* outputs share args[0]'s storage */
    GD_MULTI_VIEW = 1u << 3,   /* with GD_VIEW: several outputs that may not be written (unbind, split, chunk) */
    GD_COMPOSITE = 1u << 4,    /* forward is written with other ops, which record themselves */
    GD_LIST_RESULT = 1u << 5,  /* answers a tuple/list, also with one output */
    GD_OUT_READY = 1u << 6,    /* forward can write into a given out[0] (pointwise): in-place needs no copy */
    GD_METHOD_ONLY = 1u << 7,  /* exists as Tensor method or property only (view, T): same wire name */
    GD_FACTORY = 1u << 8,      /* makes leaves; takes requires_grad as keyword; result may require grad itself */
    GD_RANDOM = 1u << 9,       /* draws from the generator */
    GD_HIDDEN = 1u << 10,      /* for derivative rules only; not listed nor callable by clients; name starts with `_` */
    GD_INPLACE_GRAD = 1u << 11, /* only the in-place form has a gradient: the result proper is bool */
    GD_VARARGS =
        1u << 12, /* the last positional argument, a Tensor[], also takes its tensors one by one: block_diag(a, b) */
    GD_ANY_DTYPE = 1u << 13 /* forward knows the narrow dtypes itself (narrow.h); composites and views do anyway */
};

/* Scratch memory of one application: bump-allocated, freed when it ends. */
typedef struct gd_scratch gd_scratch;

/* One application of one row. */
typedef struct gd_apply {
    gd_ctx *ctx;
    const gd_op *op;
    const gd_value *args; /* by position in the signature, defaults filled in, kinds as the signature says */
    int nargs;
    /* Outputs: forward sets out[0..nout). out[0] may be given (in place, GD_OUT_READY) and is then written. */
    gd_tensor **out; /* `few`, or the heap after gd_apply_reserve */
    int nout;
    gd_tensor *few[GD_INLINE_OUTPUTS];
    bool list; /* answers a tuple here, though the row has no GD_LIST_RESULT */
    bool has_value;
    gd_value value; /* plain result (item, allclose …) */
    int64_t *ints;  /* heap: backs a GD_V_INTS value; owned by the result */
} gd_apply;

/* Makes room for n outputs (NULL-initialised). */
GD_MUST_CHECK gd_code gd_apply_reserve(gd_apply *a, int n);

typedef gd_code (*gd_forward_fn)(gd_apply *a);

/* A derivative rule's view of its node. Rules are expressions over ops (core/ops/rules.h): an error
 * inside makes the helpers return NULL and is found by the engine afterwards. */
typedef struct gd_bw {
    gd_ctx *ctx;
    gd_node *node;
    gd_tensor *const *grads; /* cotangent of each output; NULL where none arrived */
    gd_tensor **out;         /* out[i]: gradient of edge i, set with gd_bw_set */
    bool create_graph;       /* the rule's ops are being recorded */
} gd_bw;

typedef void (*gd_backward_fn)(gd_bw *b);

typedef enum gd_type {
    GD_T_TENSOR,
    GD_T_TENSORS,
    GD_T_SCALAR,
    GD_T_INT,
    GD_T_FLOAT,
    GD_T_BOOL,
    GD_T_STR,
    GD_T_INTS,
    GD_T_FLOATS,
    GD_T_DTYPE,
    GD_T_INDEX
} gd_type;

typedef struct gd_param {
    char name[24];
    gd_type type;
    bool optional;         /* Type?: None is allowed */
    bool entries_optional; /* Tensor?[] */
    bool keyword_only;
    bool has_default;
    int fixed;      /* N of int[N]; 0: any length */
    gd_value value; /* the default */
} gd_param;

typedef enum gd_save_kind {
    GD_SAVE_ARG,    /* argument `index`, as it is */
    GD_SAVE_OUTPUT, /* output `index` */
    GD_SAVE_SIZES,  /* sizes of Tensor argument `index` */
    GD_SAVE_STRIDES,
    GD_SAVE_NUMEL,
    GD_SAVE_DIM /* its number of dimensions */
} gd_save_kind;

enum { GD_MAX_SAVES = 12 }; /* fields of one node: NativeGroupNormBackward0 has 9 */

typedef struct gd_save {
    char name[28];
    gd_save_kind kind;
    int index;
    uint32_t only_if; /* bit i: save only if diff argument (by argument index) i needs a gradient; 0: always */
} gd_save;

struct gd_refusal; /* narrow.c */

struct gd_op {
    int id;
    const char *signature;
    gd_forward_fn forward;
    int param;
    gd_backward_fn backward; /* NULL: not differentiable */
    const char *node;
    const char *diff_text;
    const char *saves_text;
    unsigned flags;
    const char *doc;
    /* compiled by gd_init */
    char name[48];
    int nparams;
    gd_param params[GD_MAX_ARGS];
    int ndiff;
    uint8_t diff[GD_MAX_ARGS]; /* argument indexes with an edge */
    int nsaves;
    gd_save saves[GD_MAX_SAVES];
    uint32_t places; /* arguments that say where, not what: indexes, masks (narrow.c) */
    const struct gd_refusal
        *refuses[GD_DTYPE_COUNT - GD_INT8]; /* the narrow dtypes that PyTorch's kernel lacks: narrow.c */
};

/* The ids: one enumerator a row, in the order of GD_OP_FILES in op_table.h. */
typedef enum gd_op_id {
#define OP(id, signature, forward, param, backward, node, diff, saves, flags, doc) GD_OP_##id,
#include "core/ops/all.def"
#undef OP
    GD_OP_COUNT
} gd_op_id;

extern gd_op gd_ops[GD_OP_COUNT]; /* compiled once by gd_init, constant afterwards */

/* Applies row `id` with arguments in the signature's order, already of its kinds (defaults may be left off
 * at the end). Records if grad mode and inputs ask for it. New tensor (the first output); NULL with error. */
gd_tensor *gd_do(gd_ctx *ctx, gd_op_id id, const gd_value *args, int nargs);
/* The same with all outputs: `result` is overwritten. */
GD_MUST_CHECK gd_code gd_do_all(gd_ctx *ctx, gd_op_id id, const gd_value *args, int nargs, gd_result *result);
/* In-place form of row `id` on args[0]: checks, writes, bumps the version, rebinds the graph. */
GD_MUST_CHECK gd_code gd_do_inplace(gd_ctx *ctx, gd_op_id id, const gd_value *args, int nargs);

/* bind.c: binds what a client wrote to row `op`. Fills `bound` (GD_MAX_ARGS); tensors made on the way
 * are put in the context's pool. On failure *mismatch tells whether another overload may fit. */
GD_MUST_CHECK gd_code gd_bind(gd_ctx *ctx, const gd_op *op, const gd_value *args, int nargs, const gd_kwarg *kwargs,
                              int nkwargs, const gd_resolver *resolver, gd_scratch *scratch, gd_value *bound,
                              bool *mismatch);
void *gd_scratch_alloc(gd_ctx *ctx, gd_scratch *scratch, size_t bytes); /* 16-byte aligned; NULL with error */
struct gd_scratch {
    struct gd_scratch_block *blocks;
    size_t used;
    _Alignas(16) char first[512];
};
void gd_scratch_clear(gd_scratch *scratch);

/* promote.c: PyTorch's result_type over tensors (NULLs skipped): dims > 0-dim > wrapped numbers (SEMANTICS 47). */
gd_dtype gd_result_type(gd_tensor *const *tensors, int n);
bool gd_can_cast(gd_dtype from, gd_dtype to); /* for in-place and out: float to int refused, … */

#endif
