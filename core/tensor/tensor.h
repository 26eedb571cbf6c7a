/* tensor.h: how a tensor, its storage and its context are laid out, for the inside of libgradd.
 *
 * Shapes, views, storage and accounts. Nothing about ops or gradients beyond the fields a tensor
 * carries for them. See gradd.h for the terms and the thread rule.
 */
#ifndef GD_TENSOR_H
#define GD_TENSOR_H

#include "core/gradd.h"

#define GD_INLINE_DIMS 2
#define GD_INLINE_BYTES 16

/* Bytes shared by views. One allocation for small storages (bytes in `small` or behind the header).
 * Counted atomically: another thread may hold the bytes while a response is written. */
struct gd_storage {
    _Atomic uint32_t refs;
    uint32_t version; /* PyTorch's version counter for all that share it, unless detached by .data */
    size_t nbytes;    /* bytes a client may touch */
    size_t charged;   /* bytes charged to the account, header included */
    void *bytes;
    gd_account *account; /* alive while the charge stands */
    const char *writer;  /* node name (static text) of the last recorded in-place write; NULL: none */
    uint8_t small[GD_INLINE_BYTES];
};

/* A version counter of its own, for `.data` (SEMANTICS 26). */
typedef struct gd_version_counter {
    uint32_t refs;
    uint32_t version;
} gd_version_counter;

enum {
    GD_F_REQUIRES_GRAD = 1u << 0, /* set on leaves by the user, on non-leaves by recording */
    GD_F_RETAINS_GRAD = 1u << 1,
    GD_F_INFERENCE = 1u << 2,
    GD_F_WRAPPED_NUMBER = 1u << 3, /* a Python number that became a 0-dim tensor: lowest in promotion */
    GD_F_VIEW = 1u << 4            /* meta->base is set */
};

/* How a view came to be, for the in-place rules (SEMANTICS 24, 31). */
typedef enum gd_creation {
    GD_CREATED_DEFAULT,
    GD_CREATED_NO_GRAD,
    GD_CREATED_MULTI_OUTPUT,
    GD_CREATED_INFERENCE
} gd_creation;

typedef struct gd_hook gd_hook; /* autograd.h */

/* What only some tensors need. */
typedef struct gd_meta {
    gd_tensor *grad;       /* owned */
    gd_node *accumulator;  /* weak: the node clears it when it dies */
    gd_hook *hooks;        /* list in order of registration, owned */
    gd_tensor *base;       /* owned: root of the views, never itself a view */
    uint32_t view_version; /* storage version when grad_fn of a view was last made */
    uint8_t creation;      /* gd_creation */
} gd_meta;

struct gd_tensor {
    uint32_t refs;
    uint8_t dtype;
    uint8_t ndim;
    uint16_t flags;
    uint32_t output_nr;
    uint32_t reserved;
    gd_storage *storage; /* owned reference */
    char *data;          /* address of element [0,0,…] = storage->bytes + offset in bytes */
    int64_t numel;
    int64_t *sizes;                  /* ndim sizes, then ndim strides (elements): `dims`, or the heap */
    gd_node *grad_fn;                /* owned; NULL for leaves. Read through gd_grad_fn(): views regenerate it */
    gd_version_counter *own_version; /* NULL: the storage's */
    gd_meta *meta;                   /* NULL until needed */
    int64_t dims[2 * GD_INLINE_DIMS];
};

#define GD_STRIDES(t) ((t)->sizes + (t)->ndim)

/* Random generator: PyTorch's mt19937 with its cached normal (SEMANTICS 53-58). */
typedef struct gd_generator {
    uint32_t state[624];
    uint32_t next; /* index of the next word, 624: refill */
    uint64_t seed;
    bool has_cached_normal;
    double cached_normal;
} gd_generator;

struct gd_ctx {
    gd_account *account; /* retained */
    gd_grad_mode mode;
    uint64_t sequence; /* numbers nodes; also their ids */
    uint64_t live_nodes;
    uint64_t next_handle;
    uint64_t run;          /* numbers backward runs and graph walks */
    gd_node *accumulators; /* list of live AccumulateGrad nodes, weak */
    bool anomaly;          /* detect_anomaly */
    bool nan_allowed;      /* detect_anomaly(check_nan=False) */
    const gd_op *last_op;  /* row that gd_call bound last: tests ask which overload served */
    gd_generator generator;
    /* Temporaries of derivative rules: released in bulk, see gd_pool_mark. */
    gd_tensor **pool;
    size_t pool_n, pool_cap;
    struct gd_trace *trace; /* what is being recorded; NULL: nothing. See core/plan/trace.h */
    gd_error error;
};

/* ---- errors: set the context's error and return its code (first error is kept only by callers' care) */
gd_code gd_fail(gd_ctx *ctx, gd_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
gd_code gd_fail_memory(gd_ctx *ctx); /* GD_E_MEMORY with its text */

/* ---- overflow-checked sizes: every product or sum of client-sized numbers goes through these */
static inline bool gd_mul_size(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool gd_add_size(size_t a, size_t b, size_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool gd_mul_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool gd_add_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_add_overflow(a, b, out); }
/* numel of `sizes`; GD_E_SHAPE for a negative size ("Trying to create tensor with negative dimension -1: [-1]"),
 * GD_E_TOO_LARGE when numel or its bytes overflow or ndim > GD_MAX_DIMS. */
GD_MUST_CHECK gd_code gd_checked_numel(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, int64_t *numel);

/* ---- storage ------------------------------------------------------------------------------ */
/* New storage of `nbytes` charged to the context's account; bytes are zeroed only if `zero`. NULL with error. */
gd_storage *gd_storage_new(gd_ctx *ctx, size_t nbytes, bool zero);
gd_storage *gd_storage_retain(gd_storage *s);       /* any thread */
void gd_storage_release(gd_storage *s);             /* any thread; NULL is a no-op */
gd_account *gd_account_retain(gd_account *account); /* NULL when it has 2^18 handles already */

/* ---- tensors ------------------------------------------------------------------------------ */
/* New contiguous tensor with uninitialised values, for kernels that write every element. NULL with error. */
gd_tensor *gd_empty(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes);
/* New contiguous tensor, shape of `like`, given dtype, uninitialised. */
gd_tensor *gd_empty_like(gd_ctx *ctx, const gd_tensor *like, gd_dtype dtype);
/* New tensor over t's storage: sizes and strides in elements, `offset` in elements from t's own first
 * element's storage start (absolute in the storage). Shares t's version counter. Marks nothing of
 * autograd. Bounds must have been checked by the caller. Inference flag is inherited. */
gd_tensor *gd_alias(gd_ctx *ctx, const gd_tensor *t, int ndim, const int64_t *sizes, const int64_t *strides,
                    int64_t offset);
int64_t gd_offset(const gd_tensor *t); /* elements from the storage's start */
/* Gives t another shape over its storage, as gd_alias would make it (for in-place t_(), squeeze_() …). Sizes and
 * strides may be t's own. On GD_E_MEMORY t is unchanged. */
GD_MUST_CHECK gd_code gd_set_geometry(gd_ctx *ctx, gd_tensor *t, int ndim, const int64_t *sizes, const int64_t *strides,
                                      int64_t offset);
/* Makes t's meta if it has none; NULL with error when memory is out. */
gd_meta *gd_tensor_meta(gd_ctx *ctx, gd_tensor *t);
static inline uint32_t *gd_version_slot(const gd_tensor *t) {
    return t->own_version ? &t->own_version->version : &t->storage->version;
}
static inline void gd_bump_version(gd_tensor *t) {
    if (!(t->flags & GD_F_INFERENCE)) ++*gd_version_slot(t);
}
bool gd_strides_contiguous(int ndim, const int64_t *sizes, const int64_t *strides);
bool gd_same_shape(const gd_tensor *a, const gd_tensor *b);
void gd_contiguous_strides(int ndim, const int64_t *sizes, int64_t *strides); /* fills ndim strides (elements) */
/* Wraps dim into [0, ndim) (0-dim counts as 1); GD_E_INDEX "Dimension out of range (expected to be in range of [-2, 1],
 * but got 2)". */
GD_MUST_CHECK gd_code gd_wrap_dim(gd_ctx *ctx, int64_t dim, int ndim, int *out);
/* Broadcast shape of a and b into out (GD_MAX_DIMS) and *ndim. GD_E_SHAPE "The size of tensor a (3) must match
 * the size of tensor b (4) at non-singleton dimension 0". */
GD_MUST_CHECK gd_code gd_broadcast_shape(gd_ctx *ctx, int andim, const int64_t *a, int bndim, const int64_t *b,
                                         int64_t *out, int *ndim);
/* Text "[2, 3]" of sizes into buf (always NUL-terminated, cut with "…" if short); returns buf. */
char *gd_shape_text(char *buf, size_t bytes, int ndim, const int64_t *sizes);

static inline bool gd_dtype_is_narrow(gd_dtype dtype) { return dtype > GD_BOOL; } /* see core/ops/narrow.h */
/* Has this process made a tensor of a narrow dtype, or named one? Any thread. */
extern bool gd_narrow_was_seen;
static inline bool gd_narrow_seen(void) { return __atomic_load_n(&gd_narrow_was_seen, __ATOMIC_RELAXED); }
static inline void gd_see_dtype(gd_dtype dtype) {
    if (gd_dtype_is_narrow(dtype)) __atomic_store_n(&gd_narrow_was_seen, true, __ATOMIC_RELAXED);
}
const char *gd_dtype_c_name(gd_dtype dtype); /* "float", "c10::Half": what some of PyTorch's errors say */

/* The dtype that holds the values of both (torch.promote_types). */
gd_dtype gd_promote_dtypes(gd_dtype a, gd_dtype b);

/* Element i (row-major order over the logical shape is the caller's business: this takes an address). */
double gd_load_f64(gd_dtype dtype, const void *p);
int64_t gd_load_i64(gd_dtype dtype, const void *p);
void gd_store_f64(gd_dtype dtype, void *p, double v);
void gd_store_i64(gd_dtype dtype, void *p, int64_t v);

/* Tensor from a value as torch.tensor() reads it: number, bool or nested GD_V_LIST. dtype NULL: inferred
 * (any float: float32; else any int: int64; only bools: bool; empty list: float32). `wrapped` marks a bare
 * number as Python scalar for promotion (its dtype is then float64/int64/bool). GD_E_VALUE "expected sequence of
 * length 2 at dim 1 (got 3)" for ragged lists. New. */
gd_tensor *gd_from_value(gd_ctx *ctx, const gd_value *value, const gd_dtype *dtype, bool wrapped);

/* Gives gd_repr()'s text to `take` without a copy: n bytes, and a NUL behind them. Fails as gd_repr does. */
GD_MUST_CHECK gd_code gd_repr_pass(gd_ctx *ctx, const gd_tensor *t,
                                   void (*take)(void *user, const char *text, size_t n), void *user);

/* ---- the pool of temporaries --------------------------------------------------------------- */
/* Hands a new tensor to the pool and returns it borrowed; NULL passes through; NULL with error (and the
 * tensor released) when memory is out. */
gd_tensor *gd_pool_add(gd_ctx *ctx, gd_tensor *t);
static inline size_t gd_pool_mark(const gd_ctx *ctx) { return ctx->pool_n; }
void gd_pool_release(gd_ctx *ctx, size_t mark); /* releases all added since mark */

#endif
