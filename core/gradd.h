/* gradd.h: the public face of libgradd, a tensor and autograd engine with PyTorch's semantics.
 *
 * Everything a C program needs to make tensors, apply ops, call backward and walk the graph.
 * No HTTP, no JSON. Link with -lgradd -lm.
 *
 * Model. A gd_ctx is an execution context: grad mode, random generator, memory account, last error.
 * A context, and the tensors and nodes made in it, belong to one thread at a time (gradd gives each
 * session one context and one lock). Different contexts run in parallel and share nothing but the
 * allocator; storages are counted atomically, so the bytes of a tensor may be read by another
 * thread that holds the storage.
 *
 * Errors are values. A fallible function returns gd_code (0 is success) and fills the context's
 * error, readable with gd_ctx_error() until the next failing call. Messages are PyTorch's where
 * PyTorch has one.
 *
 * Ownership. "new" results are released by the caller with gd_release(); "borrowed" results live as
 * long as the thing they were read from; "takes" means that the callee owns the argument afterwards,
 * also when it fails. Sizes are in elements unless a name says bytes.
 */
#ifndef GRADD_H
#define GRADD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GRADD_VERSION "0.1.0"
#define GD_MUST_CHECK __attribute__((warn_unused_result))

/* ---- errors ------------------------------------------------------------------------------- */

/* X(enumerator, stable snake_case code, the Python exception PyTorch raises) */
#define GD_CODES(X)                                                                                                    \
    X(GD_OK, "ok", "")                                                                                                 \
    X(GD_E_MEMORY, "out_of_memory", "MemoryError")                                                                     \
    X(GD_E_BUDGET, "memory_budget", "MemoryError")                                                                     \
    X(GD_E_UNKNOWN_OP, "unknown_op", "AttributeError")                                                                 \
    X(GD_E_UNKNOWN_NAME, "unknown_name", "NameError")                                                                  \
    X(GD_E_ARGUMENT, "bad_argument", "TypeError")                                                                      \
    X(GD_E_MISSING, "missing_argument", "TypeError")                                                                   \
    X(GD_E_VALUE, "bad_value", "ValueError")                                                                           \
    X(GD_E_SHAPE, "shape_mismatch", "RuntimeError")                                                                    \
    X(GD_E_DTYPE, "dtype_mismatch", "RuntimeError")                                                                    \
    X(GD_E_INDEX, "index_out_of_range", "IndexError")                                                                  \
    X(GD_E_RUNTIME, "runtime_error", "RuntimeError")                                                                   \
    X(GD_E_TOO_LARGE, "too_large", "RuntimeError")                                                                     \
    X(GD_E_GRAPH_FREED, "graph_freed", "RuntimeError")                                                                 \
    X(GD_E_LEAF_INPLACE, "leaf_inplace", "RuntimeError")                                                               \
    X(GD_E_VIEW_INPLACE, "view_inplace", "RuntimeError")                                                               \
    X(GD_E_VERSION, "version_mismatch", "RuntimeError")                                                                \
    X(GD_E_NO_GRAD, "no_graph", "RuntimeError")                                                                        \
    X(GD_E_UNUSED, "unused_input", "RuntimeError")                                                                     \
    X(GD_E_STATE, "bad_state", "RuntimeError")                                                                         \
    X(GD_E_NOT_IMPLEMENTED, "not_implemented", "NotImplementedError")

typedef enum gd_code {
#define X(name, text, exception) name,
    GD_CODES(X)
#undef X
        GD_CODE_COUNT
} gd_code;

#define GD_MESSAGE_BYTES 1024

/* What went wrong: filled by the failing call; the message is UTF-8, cut to GD_MESSAGE_BYTES - 1. */
typedef struct gd_error {
    gd_code code;
    int argument; /* index of the offending argument of the op's signature, or -1 */
    char message[GD_MESSAGE_BYTES];
} gd_error;

const char *gd_code_name(gd_code code);      /* "graph_freed"; static text */
const char *gd_code_exception(gd_code code); /* "RuntimeError"; static text */

/* ---- dtypes ------------------------------------------------------------------------------- */

/* X(enumerator, PyTorch's name, C type of the bits, PyTorch's legacy class, scalar type name). The rows after bool are
 * the narrow ones: kept and converted everywhere, computed with as core/ops/narrow.h says. */
#define GD_DTYPES(X)                                                                                                   \
    X(GD_UINT8, "uint8", uint8_t, "ByteTensor", "Byte")                                                                \
    X(GD_INT32, "int32", int32_t, "IntTensor", "Int")                                                                  \
    X(GD_INT64, "int64", int64_t, "LongTensor", "Long")                                                                \
    X(GD_FLOAT32, "float32", float, "FloatTensor", "Float")                                                            \
    X(GD_FLOAT64, "float64", double, "DoubleTensor", "Double")                                                         \
    X(GD_BOOL, "bool", uint8_t, "BoolTensor", "Bool")                                                                  \
    X(GD_INT8, "int8", int8_t, "CharTensor", "Char")                                                                   \
    X(GD_INT16, "int16", int16_t, "ShortTensor", "Short")                                                              \
    X(GD_FLOAT16, "float16", uint16_t, "HalfTensor", "Half")                                                           \
    X(GD_BFLOAT16, "bfloat16", uint16_t, "BFloat16Tensor", "BFloat16")

typedef enum gd_dtype {
#define X(name, text, ctype, legacy, scalar) name,
    GD_DTYPES(X)
#undef X
        GD_DTYPE_COUNT
} gd_dtype;

const char *gd_dtype_name(gd_dtype dtype);        /* "float32" */
const char *gd_dtype_scalar_name(gd_dtype dtype); /* "Float", as in PyTorch's errors */
const char *gd_dtype_legacy_name(gd_dtype dtype); /* "FloatTensor" */
size_t gd_dtype_bytes(gd_dtype dtype);            /* bytes of one element */
bool gd_dtype_is_float(gd_dtype dtype);
/* Reads "float32", "float", "double", "half", "long", "int", "short", "torch.float32" …; false if unknown. */
bool gd_dtype_parse(const char *text, gd_dtype *dtype);

/* ---- types -------------------------------------------------------------------------------- */

typedef struct gd_account gd_account; /* a memory budget; see gd_account_new */
typedef struct gd_storage gd_storage; /* bytes shared by views */
typedef struct gd_tensor gd_tensor;
typedef struct gd_node gd_node; /* a node of the recorded graph: grad_fn */
typedef struct gd_ctx gd_ctx;
typedef struct gd_op gd_op; /* one row (overload) of the op table */

#define GD_MAX_DIMS 64 /* PyTorch's own limit */
#define GD_MAX_ARGS 16 /* arguments of one op */

typedef enum gd_grad_mode { GD_MODE_GRAD, GD_MODE_NO_GRAD, GD_MODE_INFERENCE } gd_grad_mode;

/* One argument or plain result of an op. Borrows everything it points to. */
typedef enum gd_kind {
    GD_V_NONE,
    GD_V_TENSOR,
    GD_V_BOOL,
    GD_V_INT,
    GD_V_FLOAT,
    GD_V_STR, /* UTF-8, NUL-terminated */
    GD_V_DTYPE,
    GD_V_LIST,     /* of any values: what a client wrote, before binding */
    GD_V_INTS,     /* int[] after binding */
    GD_V_FLOATS,   /* float[] after binding */
    GD_V_TENSORS,  /* Tensor[] after binding; entries may be NULL where the signature has Tensor?[] */
    GD_V_SLICE,    /* an index: start, stop, step as three values in `list`; None where left out */
    GD_V_ELLIPSIS, /* an index: ... */
    GD_V_OTHER     /* what no signature takes; str: the name of its type in Python, for errors */
} gd_kind;

typedef struct gd_value gd_value;
struct gd_value {
    gd_kind kind;
    uint32_t n; /* entries of list, ints, floats, tensors */
    union {
        gd_tensor *tensor;
        bool boolean;
        int64_t integer;
        double real;
        const char *str;
        gd_dtype dtype;
        const gd_value *list;
        const int64_t *ints;
        const double *floats;
        gd_tensor *const *tensors;
    } u;
};

typedef struct gd_kwarg {
    const char *name;
    gd_value value;
} gd_kwarg;

#define GD_NONE_VALUE ((gd_value){.kind = GD_V_NONE})
#define GD_TENSOR_VALUE(t) ((gd_value){.kind = GD_V_TENSOR, .u.tensor = (t)})
#define GD_BOOL_VALUE(b) ((gd_value){.kind = GD_V_BOOL, .u.boolean = (b)})
#define GD_INT_VALUE(i) ((gd_value){.kind = GD_V_INT, .u.integer = (i)})
#define GD_FLOAT_VALUE(f) ((gd_value){.kind = GD_V_FLOAT, .u.real = (f)})
#define GD_STR_VALUE(s) ((gd_value){.kind = GD_V_STR, .u.str = (s)})
#define GD_DTYPE_VALUE(d) ((gd_value){.kind = GD_V_DTYPE, .u.dtype = (d)})
#define GD_INTS_VALUE(p, count) ((gd_value){.kind = GD_V_INTS, .n = (uint32_t)(count), .u.ints = (p)})

/* ---- process and memory ------------------------------------------------------------------- */

/* Prepares the op table and picks the kernels for this CPU. Idempotent, any thread; every
 * gd_ctx_new calls it, a program may call it early to learn of failure: GD_OK or GD_E_MEMORY. */
GD_MUST_CHECK gd_code gd_init(void);

/* A budget of bytes for tensor storage; `limit` 0 means none but the parent's. The parent (NULL:
 * the process-wide account) is charged too. Counted: new, released with gd_account_release; lives
 * on while a storage charged to it lives. NULL when memory is out. Any thread. */
gd_account *gd_account_new(size_t limit_bytes, gd_account *parent);
void gd_account_release(gd_account *account);
size_t gd_account_used(const gd_account *account);                  /* bytes; NULL: process-wide */
void gd_account_set_limit(gd_account *account, size_t limit_bytes); /* NULL: process-wide */
/* Gives cached free blocks back to the system; returns how many bytes. Any thread. */
size_t gd_allocator_trim(void);
size_t gd_allocator_cached(void); /* bytes held for reuse */

/* A new context charged to `account` (borrowed and retained; NULL: process-wide). NULL if memory is out. */
gd_ctx *gd_ctx_new(gd_account *account);
void gd_ctx_free(gd_ctx *ctx); /* NULL is a no-op; tensors made in it may outlive it only as storages */
const gd_error *gd_ctx_error(const gd_ctx *ctx); /* the last failure; borrowed */
gd_grad_mode gd_ctx_grad_mode(const gd_ctx *ctx);
void gd_ctx_set_grad_mode(gd_ctx *ctx, gd_grad_mode mode);
void gd_ctx_manual_seed(gd_ctx *ctx, uint64_t seed); /* torch.manual_seed */
uint64_t gd_ctx_nodes(const gd_ctx *ctx);            /* live graph nodes, AccumulateGrad included */

/* ---- tensors ------------------------------------------------------------------------------ */

/* New tensor of zeros: the only way to fresh memory, so nobody reads another's bytes.
 * `sizes` has `ndim` entries >= 0. NULL with the context's error on failure (all gd_tensor*
 * functions below do so): GD_E_TOO_LARGE when the product overflows, GD_E_BUDGET, GD_E_MEMORY. */
gd_tensor *gd_zeros(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes);
/* New tensor holding a copy of `nbytes` little-endian row-major bytes; nbytes must fit exactly. */
gd_tensor *gd_from_bytes(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, const void *bytes, size_t nbytes);
/* New 0-dim tensors. */
gd_tensor *gd_scalar_f64(gd_ctx *ctx, double value, gd_dtype dtype);
gd_tensor *gd_scalar_i64(gd_ctx *ctx, int64_t value, gd_dtype dtype);

gd_tensor *gd_retain(gd_tensor *t); /* returns t; NULL is passed through */
void gd_release(gd_tensor *t);      /* NULL is a no-op; frees the graph behind it iteratively */

gd_dtype gd_dtype_of(const gd_tensor *t);
int gd_ndim(const gd_tensor *t);
const int64_t *gd_sizes(const gd_tensor *t);   /* elements per dimension; borrowed */
const int64_t *gd_strides(const gd_tensor *t); /* elements; borrowed */
int64_t gd_numel(const gd_tensor *t);
size_t gd_nbytes(const gd_tensor *t); /* numel * bytes of one element */
bool gd_is_contiguous(const gd_tensor *t);
bool gd_is_leaf(const gd_tensor *t);
bool gd_requires_grad(const gd_tensor *t);
bool gd_retains_grad(const gd_tensor *t);
bool gd_is_view(const gd_tensor *t);
bool gd_is_inference(const gd_tensor *t);
uint32_t gd_output_nr(const gd_tensor *t);
/* `_version`; inference tensors have none: GD_E_STATE. */
GD_MUST_CHECK gd_code gd_version(gd_ctx *ctx, const gd_tensor *t, uint32_t *version);
gd_tensor *gd_base(const gd_tensor *t); /* `_base`: borrowed, NULL if no view */
gd_tensor *gd_grad(const gd_tensor *t); /* `.grad`: borrowed, NULL if None */
/* `.grad = g` (g borrowed; NULL: None). GD_E_SHAPE, GD_E_DTYPE as PyTorch. */
GD_MUST_CHECK gd_code gd_set_grad(gd_ctx *ctx, gd_tensor *t, gd_tensor *g);
/* `requires_grad_(flag)`. GD_E_DTYPE for integers, GD_E_STATE for non-leaves set to false. */
GD_MUST_CHECK gd_code gd_set_requires_grad(gd_ctx *ctx, gd_tensor *t, bool flag);
GD_MUST_CHECK gd_code gd_retain_grad(gd_ctx *ctx, gd_tensor *t); /* `retain_grad()` */
/* `t.data`: new tensor, same storage, fresh version counter, outside the graph. */
gd_tensor *gd_data(gd_ctx *ctx, gd_tensor *t);
/* `t.data = source`: t takes source's storage, shape, dtype; its graph place and version stay. */
GD_MUST_CHECK gd_code gd_set_data(gd_ctx *ctx, gd_tensor *t, gd_tensor *source);
gd_tensor *gd_detach(gd_ctx *ctx, gd_tensor *t); /* new: shares storage and version counter */

/* Copies the values, row-major, into `out` of gd_nbytes(t) bytes. Cannot fail. */
void gd_read_bytes(const gd_tensor *t, void *out);
/* The value of a one-element tensor. GD_E_VALUE otherwise (PyTorch's text). */
GD_MUST_CHECK gd_code gd_item(gd_ctx *ctx, const gd_tensor *t, gd_value *value);
/* Row-major bytes when contiguous, else NULL. Valid while `t` lives. */
const void *gd_contiguous_data(const gd_tensor *t);

/* str(t) as PyTorch prints it; `tensor(..., size=(…))` where even the summary has over 100,000 elements. New text,
 * released with free(). NULL with the error set: GD_E_MEMORY, or as gd_grad_fn() says for a spoilt view. */
char *gd_repr(gd_ctx *ctx, const gd_tensor *t);

/* ---- ops ---------------------------------------------------------------------------------- */

/* Resolves what a client wrote where a signature says Tensor: a name, or a nested list as constant. */
typedef struct gd_resolver {
    /* New reference to the tensor that `name` stands for ("x", "x.grad"); NULL with the error set. */
    gd_tensor *(*tensor)(gd_ctx *ctx, void *user, const char *name);
    void *user;
} gd_resolver;

#define GD_INLINE_OUTPUTS 4

/* What an op returned. Zero-initialise; gd_result_clear releases the tensors. */
typedef struct gd_result {
    uint32_t n;          /* outputs */
    bool has_value;      /* the op answers `value` instead of tensors */
    bool is_list;        /* PyTorch returns a tuple or list, also when n is 1 */
    gd_value value;      /* strings borrow static text; lists of ints borrow `ints` */
    gd_tensor **outputs; /* points to `few` or the heap */
    gd_tensor *few[GD_INLINE_OUTPUTS];
    int64_t *ints; /* heap, owned */
} gd_result;
void gd_result_clear(gd_result *result);

/* Applies the op called `name` ("add", "mul_", "nn.functional.relu", "__getitem__") as a client
 * would: positional and keyword arguments bound by signature, overloads tried in order. `resolver`
 * may be NULL: then strings and lists stand for themselves only. `result` is overwritten. */
GD_MUST_CHECK gd_code gd_call(gd_ctx *ctx, const char *name, const gd_value *args, int nargs, const gd_kwarg *kwargs,
                              int nkwargs, const gd_resolver *resolver, gd_result *result);
/* The same for ops with one tensor as result and no keywords. New; NULL with the error set. */
gd_tensor *gd_call1(gd_ctx *ctx, const char *name, const gd_value *args, int nargs);

/* Scalar-cheap direct entries for C programs; new, NULL with the error set. */
gd_tensor *gd_add(gd_ctx *ctx, gd_tensor *a, gd_tensor *b);
gd_tensor *gd_sub(gd_ctx *ctx, gd_tensor *a, gd_tensor *b);
gd_tensor *gd_mul(gd_ctx *ctx, gd_tensor *a, gd_tensor *b);
gd_tensor *gd_div(gd_ctx *ctx, gd_tensor *a, gd_tensor *b);
gd_tensor *gd_matmul(gd_ctx *ctx, gd_tensor *a, gd_tensor *b);
gd_tensor *gd_exp(gd_ctx *ctx, gd_tensor *a);
gd_tensor *gd_sum(gd_ctx *ctx, gd_tensor *a);
gd_tensor *gd_pow_scalar(gd_ctx *ctx, gd_tensor *a, double exponent);

/* Walks the op table. Rows of one name (overloads) are adjacent; NULL past the end. */
const gd_op *gd_op_at(size_t i);
const gd_op *gd_op_find(const char *name); /* first overload, or NULL; knows in-place names and aliases */
const char *gd_op_name(const gd_op *op);
const char *gd_op_signature(const gd_op *op);
const char *gd_op_doc(const gd_op *op);
bool gd_op_differentiable(const gd_op *op);
bool gd_op_has_inplace(const gd_op *op); /* `name_` exists */

/* ---- autograd ----------------------------------------------------------------------------- */

typedef struct gd_backward_options {
    bool retain_graph;
    bool create_graph;     /* implies retain_graph */
    bool allow_unused;     /* gd_autograd_grad only */
    bool is_grads_batched; /* gd_autograd_grad only: cotangents carry a leading batch axis */
} gd_backward_options;

/* torch.autograd.backward: accumulates into the leaves behind `tensors` (or into `inputs` only,
 * when ninputs > 0). `grads` is NULL or one entry a tensor, each NULL where implicit ones do.
 * All or nothing: on failure no `.grad` has changed and no buffer is freed.
 * `on_accumulate`, if not NULL, is told of each tensor whose `.grad` was written. */
GD_MUST_CHECK gd_code gd_backward(gd_ctx *ctx, gd_tensor *const *tensors, int ntensors, gd_tensor *const *grads,
                                  gd_tensor *const *inputs, int ninputs, const gd_backward_options *options,
                                  void (*on_accumulate)(void *user, gd_tensor *t), void *user);
/* torch.autograd.grad: `out` gets ninputs new tensors, NULL for unused ones. */
GD_MUST_CHECK gd_code gd_autograd_grad(gd_ctx *ctx, gd_tensor *const *outputs, int noutputs, gd_tensor *const *grads,
                                       gd_tensor *const *inputs, int ninputs, const gd_backward_options *options,
                                       gd_tensor **out);

/* A hook sees the summed gradient of its tensor before it is used. It returns 0 and may set
 * *replacement to a new tensor; non-zero (with the context's error set) fails the backward. */
typedef gd_code (*gd_hook_fn)(gd_ctx *ctx, void *user, gd_tensor *grad, gd_tensor **replacement);
/* `free_user`, if not NULL, runs once when the hook goes. *handle is unique in the context.
 * `name` is what PyTorch would print in errors ("<lambda>"); copied. */
GD_MUST_CHECK gd_code gd_register_hook(gd_ctx *ctx, gd_tensor *t, const char *name, gd_hook_fn hook, void *user,
                                       void (*free_user)(void *user), uint64_t *handle);
bool gd_remove_hook(gd_tensor *t, uint64_t handle); /* false if it was gone; idempotent */

/* ---- walking the graph -------------------------------------------------------------------- */

gd_node *gd_grad_fn(gd_ctx *ctx, gd_tensor *t); /* borrowed; NULL for a leaf (or, with the error set, a spoilt view) */
gd_node *gd_node_retain(gd_node *node);
void gd_node_release(gd_node *node);
const char *gd_node_name(const gd_node *node);                         /* "MulBackward0" */
uint64_t gd_node_id(const gd_node *node);                              /* unique in its context, stable */
bool gd_node_freed(const gd_node *node);                               /* saved tensors were freed by a backward */
int gd_node_ninputs(const gd_node *node);                              /* next_functions */
gd_node *gd_node_next(const gd_node *node, int i, uint32_t *input_nr); /* borrowed; NULL: no gradient flows */
gd_tensor *gd_node_variable(const gd_node *node);                      /* AccumulateGrad's leaf, else NULL; borrowed */
/* The node to which a gradient of t flows: grad_fn, or the leaf's AccumulateGrad (made if need be). */
gd_node *gd_gradient_edge(gd_ctx *ctx, gd_tensor *t, uint32_t *input_nr); /* borrowed */
int gd_node_nsaved(const gd_node *node);
/* Name without `_saved_` and value of a saved field; a tensor is new (release it). GD_E_GRAPH_FREED,
 * GD_E_VERSION when it can no longer be read. */
GD_MUST_CHECK gd_code gd_node_saved(gd_ctx *ctx, gd_node *node, int i, const char **name, gd_value *value);

#ifdef __cplusplus
}
#endif
#endif
