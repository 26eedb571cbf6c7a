/* matrices.h: what the files of the linear algebra rows share: checks, and batches of matrices as LAPACK reads them. */
#ifndef GD_OPS_MATRICES_H
#define GD_OPS_MATRICES_H

#include "core/kernels/kernels.h"
#include "core/kernels/lapack.h"
#include "core/ops/compose.h"

/* LAPACK's routines; GD_E_NOT_IMPLEMENTED where the library is missing. */
GD_MUST_CHECK gd_code gd_need_lapack(gd_ctx *c, const gd_lapack **out);
/* Index of t's type in gd_lapack. */
static inline int gd_real_of(const gd_tensor *t) { return t->dtype == GD_FLOAT64; }

/* PyTorch's checks: of a floating type; at least two dimensions; square. `what` is the op, `name` the argument. */
GD_MUST_CHECK gd_code gd_check_floating(gd_ctx *c, const gd_tensor *t, const char *what);
GD_MUST_CHECK gd_code gd_check_matrix(gd_ctx *c, const gd_tensor *t, const char *what, const char *name);
GD_MUST_CHECK gd_code gd_check_square(gd_ctx *c, const gd_tensor *t, const char *what, const char *name);
/* A floating square matrix or batch, of the argument A. */
GD_MUST_CHECK gd_code gd_check_square_float(gd_ctx *c, const gd_tensor *t, const char *what);
GD_MUST_CHECK gd_code gd_check_same_dtype(gd_ctx *c, const gd_tensor *a, const gd_tensor *b, const char *what);

static inline int64_t gd_rows(const gd_tensor *t) { return t->sizes[t->ndim - 2]; }
static inline int64_t gd_columns(const gd_tensor *t) { return t->sizes[t->ndim - 1]; }
static inline int64_t gd_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int gd_leading(int64_t n) { return n > 1 ? (int)n : 1; } /* LAPACK's leading dimension of n rows */
/* How many matrices t holds. */
int64_t gd_matrix_count(const gd_tensor *t);
/* Matrix i of a dense batch. */
static inline char *gd_matrix_at(const gd_tensor *t, int64_t i) {
    return t->data + i * gd_rows(t) * gd_columns(t) * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
}
/* Entry i of the last dimension's vectors of a contiguous t, n elements each. */
static inline char *gd_vector_at(const gd_tensor *t, int64_t i, int64_t n) {
    return t->data + i * n * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
}

/* New, uninitialised: m by n matrices in column order, with the batch dimensions of `like`. */
gd_tensor *gd_columns_new(gd_ctx *c, const gd_tensor *like, int64_t m, int64_t n);
/* New: a copy of t in column order. */
gd_tensor *gd_columns_of(gd_ctx *c, const gd_tensor *t);
/* New: a copy of t, each matrix transposed, in column order. */
gd_tensor *gd_columns_transposed(gd_ctx *c, const gd_tensor *t);
/* Turns each matrix of t in place, by its strides. */
GD_MUST_CHECK gd_code gd_turn(gd_ctx *c, gd_tensor *t);
/* New, zero: the batch dimensions of `like`, and a last one of n unless n < 0. */
gd_tensor *gd_batch_new(gd_ctx *c, gd_dtype dtype, const gd_tensor *like, int64_t n);
/* t, expanded so that its batch dimensions are those of a and t broadcast; pooled. */
gd_tensor *gd_batch_expanded(gd_ctx *c, gd_tensor *t, const gd_tensor *a);

/* Refuses sizes whose 32-bit workspace sizes would overflow. */
GD_MUST_CHECK gd_code gd_check_lapack_sizes(gd_ctx *c, int64_t m, int64_t n);
/* The routines that need quadratic workspace. */
GD_MUST_CHECK gd_code gd_check_square_work(gd_ctx *c, int64_t m, int64_t n);
/* New: n elements (at least 1) of scratch memory; pooled. */
gd_tensor *gd_workspace(gd_ctx *c, gd_dtype dtype, int64_t n);
/* The size that a routine's workspace query wrote, n given. */
int gd_queried(const gd_tensor *like, const void *answer);
bool gd_all_finite(const gd_tensor *dense);

/* Fails if an entry of info (int32) is not 0, with PyTorch's text for the op `what`. */
GD_MUST_CHECK gd_code gd_check_info(gd_ctx *c, const gd_tensor *info, const char *what);

/* Applies a row and puts its n outputs, pooled, into out. */
GD_MUST_CHECK gd_code gd_pooled_outputs(gd_ctx *c, gd_op_id id, const gd_value *args, int nargs, gd_tensor **out,
                                        int n);

/* ---- formulas ---- */
static inline gd_tensor *gx_mT(gd_ctx *c, gd_tensor *t) { return GX(c, transpose, T_(t), I_(-2), I_(-1)); }
static inline gd_tensor *gx_matmul(gd_ctx *c, gd_tensor *a, gd_tensor *b) { return GX(c, matmul, T_(a), T_(b)); }
static inline gd_tensor *gx_tril(gd_ctx *c, gd_tensor *t, int64_t k) { return GX(c, tril, T_(t), I_(k)); }
static inline gd_tensor *gx_triu(gd_ctx *c, gd_tensor *t, int64_t k) { return GX(c, triu, T_(t), I_(k)); }
static inline gd_tensor *gx_unsqueeze(gd_ctx *c, gd_tensor *t, int64_t dim) { return GX(c, unsqueeze, T_(t), I_(dim)); }
static inline gd_tensor *gx_narrow(gd_ctx *c, gd_tensor *t, int64_t dim, int64_t start, int64_t length) {
    return GX(c, narrow, T_(t), I_(dim), I_(start), I_(length));
}
static inline gd_tensor *gx_diag_embed(gd_ctx *c, gd_tensor *t) { return GX(c, diag_embed, T_(t)); }
static inline gd_tensor *gx_diagonal(gd_ctx *c, gd_tensor *t) { return GX(c, diagonal, T_(t), I_(0), I_(-2), I_(-1)); }
/* The solution of a triangular system, a X = b or X a = b. */
#define gx_triangular(c, a, b, upper, left, unit) GX((c), solve_triangular, T_(a), T_(b), B_(upper), B_(left), B_(unit))
/* matrix_rules.c: the gradient of A when g is that of its pseudo-inverse p; pooled. */
gd_tensor *gd_pinv_gradient(gd_ctx *c, gd_tensor *a, gd_tensor *p, gd_tensor *g);
/* a + b, where either may be missing. */
static inline gd_tensor *gx_plus(gd_ctx *c, gd_tensor *a, gd_tensor *b) { return !a ? b : !b ? a : gx_add(c, a, b); }
/* t in float64: rules that lose digits compute so, also for float32; the engine casts what they set. */
static inline gd_tensor *gx_precise(gd_ctx *c, gd_tensor *t) {
    return t && t->dtype != GD_FLOAT64 ? GX(c, to_dtype, T_(t), GD_DTYPE_VALUE(GD_FLOAT64)) : t;
}
/* New identity, pooled. */
static inline gd_tensor *gx_eye(gd_ctx *c, int64_t n, gd_dtype dtype) {
    return GX(c, eye, I_(n), GD_NONE_VALUE, GD_DTYPE_VALUE(dtype));
}

#endif
