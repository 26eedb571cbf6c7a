/* matrix_exp.c: the exponential of matrices, by the Taylor polynomials of P. Bader, S. Blanes, F. Casas, "Computing the
 * matrix exponential with an optimized Taylor polynomial approximation", Mathematics 7 (2019) 1174: the degree follows
 * from the norm, and a matrix beyond the last bound is scaled and its exponential squared. Every step rounds as
 * PyTorch's does: the exponentials of large matrices double its errors with every squaring, and so do derivatives.
 */
#include <math.h>
#include <string.h>

#include "core/kernels/gemm.h"
#include "core/ops/families.h"
#include "core/ops/matrices.h"

/* Up to which norm a degree is exact, by type. */
enum { T1, T2, T4, T8, T12, T18, DEGREES };
static const double bounds[2][DEGREES] = {
    {1.192092800768788e-07, 5.978858893805233e-04, 5.116619363445086e-02, 5.800524627688768e-01, 1.461661507209034e+00,
     3.010066362817634e+00},
    {2.220446049250313e-16, 2.580956802971767e-08, 3.397168839976962e-04, 4.991228871115323e-02, 2.996158913811580e-01,
     1.090863719290036e+00},
};

enum { ROOM = 10 }; /* matrices that a polynomial works with */

typedef struct job {
    gd_dtype dtype;
    int64_t n, count; /* rows; elements */
    gd_tensor *room[ROOM];
} job;

/* ---- arithmetic, rounded as PyTorch's -------------------------------------------------------------------------- */

enum { FEW_PRODUCTS = 400 }; /* below, PyTorch multiplies batches by a loop of its own, and above by BLAS */

#define DEFINE_ARITHMETIC(T, FMA, tag)                                                                                 \
    /* out = x y, each product rounded before it is added */                                                           \
    static void separate_##tag(int64_t n, const T *x, const T *y, T *out) {                                            \
        for (int64_t i = 0; i < n; i++)                                                                                \
            for (int64_t j = 0; j < n; j++) {                                                                          \
                T sum = 0;                                                                                             \
                for (int64_t k = 0; k < n; k++) sum += x[i * n + k] * y[k * n + j];                                    \
                out[i * n + j] = sum;                                                                                  \
            }                                                                                                          \
    }                                                                                                                  \
    /* the same with one rounding for both, as BLAS has it */                                                          \
    static void fused_##tag(int64_t n, const T *x, const T *y, T *out) {                                               \
        for (int64_t i = 0; i < n; i++)                                                                                \
            for (int64_t j = 0; j < n; j++) {                                                                          \
                T sum = 0;                                                                                             \
                for (int64_t k = 0; k < n; k++) sum = FMA(x[i * n + k], y[k * n + j], sum);                            \
                out[i * n + j] = sum;                                                                                  \
            }                                                                                                          \
    }                                                                                                                  \
    /* out = the sum of factors[i] in[i] */                                                                            \
    static void combine_##tag(int64_t count, int terms, const T *const *in, const double *factors, T *out) {           \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            T sum = 0;                                                                                                 \
            for (int k = 0; k < terms; k++) sum = FMA(in[k][i], (T)factors[k], sum);                                   \
            out[i] = sum;                                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void add_##tag(int64_t count, T *to, const T *x) {                                                          \
        for (int64_t i = 0; i < count; i++) to[i] += x[i];                                                             \
    }                                                                                                                  \
    static T norm_##tag(int64_t n, const T *x) {                                                                       \
        T most = 0;                                                                                                    \
        for (int64_t j = 0; j < n; j++) {                                                                              \
            T sum = 0;                                                                                                 \
            for (int64_t i = 0; i < n; i++) sum += (T)fabs((double)x[i * n + j]);                                      \
            if (!(sum <= most)) most = sum; /* NaN too */                                                              \
            if (most != most) break;                                                                                   \
        }                                                                                                              \
        return most;                                                                                                   \
    }
DEFINE_ARITHMETIC(float, fmaf, f32)
DEFINE_ARITHMETIC(double, fma, f64)

/* The matrices of the job by number. */
static void *at(const job *j, int i) { return j->room[i]->data; }

static void large_product(const job *j, const void *x, const void *y, void *out) {
    gd_gemm(j->dtype, j->n, j->n, j->n, 1, (gd_matrix){x, j->n, 1}, (gd_matrix){y, j->n, 1}, 0, out, j->n);
}

/* room[out] = room[x] room[y]: as in a batch, or (alone) as two matrices by themselves. */
static void multiply(const job *j, int x, int y, int out, bool alone) {
    const bool few = j->n < 64 && j->n * j->n * j->n < FEW_PRODUCTS, single = j->dtype == GD_FLOAT32;
    if (!few)
        large_product(j, at(j, x), at(j, y), at(j, out));
    else if (few && !alone && single)
        separate_f32(j->n, at(j, x), at(j, y), at(j, out));
    else if (few && !alone)
        separate_f64(j->n, at(j, x), at(j, y), at(j, out));
    else if (single)
        fused_f32(j->n, at(j, x), at(j, y), at(j, out));
    else
        fused_f64(j->n, at(j, x), at(j, y), at(j, out));
}

/* room[out] = the sum of factors[k] room[first + k]. */
static void combine(const job *j, int first, int terms, const double *factors, int out) {
    const void *in[ROOM];
    for (int k = 0; k < terms; k++) in[k] = at(j, first + k);
    if (j->dtype == GD_FLOAT32)
        combine_f32(j->count, terms, (const float *const *)in, factors, at(j, out));
    else
        combine_f64(j->count, terms, (const double *const *)in, factors, at(j, out));
}
#define COMBINE(j, first, out, ...)                                                                                    \
    combine((j), (first), (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)),                               \
            (const double[]){__VA_ARGS__}, (out))

/* room[to] += room[x]. */
static void add(const job *j, int to, int x) {
    if (j->dtype == GD_FLOAT32)
        add_f32(j->count, at(j, to), at(j, x));
    else
        add_f64(j->count, at(j, to), at(j, x));
}

/* ---- the polynomials: room[0] is I, room[1] the matrix A; answers the number of the result ------------------------
 */

static int polynomial_1(const job *j) {
    COMBINE(j, 0, 2, 1, 1);
    return 2;
}

static int polynomial_2(const job *j) {
    multiply(j, 1, 1, 2, false);
    COMBINE(j, 0, 3, 1, 1, 0.5);
    return 3;
}

/* I + A + A^2 (I/2 + A/6 + A^2/24) */
static int polynomial_4(const job *j) {
    multiply(j, 1, 1, 2, false);
    COMBINE(j, 0, 4, 1 / 2.0, 1 / 6.0, 1 / 24.0);
    multiply(j, 2, 4, 3, false);
    COMBINE(j, 0, 4, 1, 1, 0, 1);
    return 4;
}

/* x7 is the paper's; PyTorch 1.13 divides by x3 once less, which costs it some of the digits.
 * A4 = A^2 (x1 A + x2 A^2), A8 = (x3 A^2 + A4) (x4 I + x5 A + x6 A^2 + x7 A4); I + A + y2 A^2 + A8 */
static int polynomial_8(const job *j) {
    const double root = 13.30413469565007, x3 = 2 / 3.0;
    const double x1 = x3 * ((1 + root) / 88), x2 = x3 * ((1 + root) / 352);
    const double x4 = (-271 + 29 * root) / (315 * x3), x5 = (11 * (-1 + root)) / (1260 * x3);
    const double x6 = (11 * (-9 + root)) / (5040 * x3), x7 = (89 - root) / (5040 * x3 * x3);
    const double y2 = (857 - 58 * root) / 630;
    multiply(j, 1, 1, 2, false);
    COMBINE(j, 1, 5, x1, x2);
    multiply(j, 2, 5, 3, false);
    COMBINE(j, 2, 5, x3, 1);
    COMBINE(j, 0, 6, x4, x5, x6, x7);
    multiply(j, 5, 6, 4, false);
    COMBINE(j, 0, 5, 1, 1, y2, 0, 1);
    return 5;
}

static void combine_rows(const job *j, int terms, const double (*rows)[5], int n, int out) {
    for (int i = 0; i < n; i++) combine(j, 0, terms, rows[i], out + i);
}

/* A6 = B2 + B3 B3; B0 + (B1 + A6) A6, where the B combine I, A, A^2 and A^3. */
static int polynomial_12(const job *j) {
    static const double b[4][5] = {
        {9.0198e-16, 0.46932117595418237389, -0.20099424927047284052, -0.04623946134063071740},
        {5.31597895759871264183, 1.19926790417132231573, 0.01179296240992997031, 0.01108844528519167989},
        {0.18188869982170434744, 0.05502798439925399070, 0.09351590770535414968, 0.00610700528898058230},
        {-2.0861320e-13, -0.13181061013830184015, -0.02027855540589259079, -0.00675951846863086359},
    };
    multiply(j, 1, 1, 2, false);
    multiply(j, 1, 2, 3, false);
    combine_rows(j, 4, b, 4, 4);
    multiply(j, 7, 7, 0, false);
    add(j, 6, 0);
    add(j, 5, 6);
    multiply(j, 5, 6, 0, false);
    add(j, 4, 0);
    return 4;
}

/* A9 = B0 B4 + B3; B1 + (B2 + A9) A9, where the B combine I, A, A^2, A^3 and A^6. */
static int polynomial_18(const job *j) {
    static const double b[5][5] = {
        {0, -1.00365581030144618291e-01, -8.02924648241156932449e-03, -8.92138498045729985177e-04, 0},
        {0, 3.97849749499645077844e-01, 1.36783778460411720168e+00, 4.98289622525382669416e-01,
         -6.37898194594723280150e-04},
        {-1.09676396052962061844e+01, 1.68015813878906206114e+00, 5.71779846478865511061e-02,
         -6.98210122488052056106e-03, 3.34975017086070470649e-05},
        {-9.04316832390810593223e-02, -6.76404519071381882256e-02, 6.75961301770459654925e-02,
         2.95552570429315521194e-02, -1.39180257516060693404e-05},
        {0, 0, -9.23364619367118555360e-02, -1.69364939002081722752e-02, -1.40086798182036094347e-05},
    };
    multiply(j, 1, 1, 2, false);
    multiply(j, 1, 2, 3, false);
    multiply(j, 3, 3, 4, false);
    combine_rows(j, 5, b, 5, 5);
    multiply(j, 5, 9, 0, false);
    add(j, 8, 0);
    add(j, 7, 8);
    multiply(j, 7, 8, 0, false);
    add(j, 6, 0);
    return 6;
}

static double element(const job *j, const void *p, int64_t i) {
    return gd_load_f64(j->dtype, (const char *)p + i * (int64_t)gd_dtype_bytes(j->dtype));
}
static void set_element(const job *j, void *p, int64_t i, double v) {
    gd_store_f64(j->dtype, (char *)p + i * (int64_t)gd_dtype_bytes(j->dtype), v);
}

/* Halves the matrix until its norm is at most the last bound: how often. */
static int scale(const job *j, double norm) {
    double bound = bounds[j->dtype == GD_FLOAT64][T18], ratio = norm / bound;
    if (j->dtype == GD_FLOAT32) ratio = (double)((float)norm / (float)bound);
    int times = ratio > 1 ? (int)ceil(log2(ratio)) : 0;
    for (int64_t i = 0; times && i < j->count; i++) set_element(j, at(j, 1), i, ldexp(element(j, at(j, 1), i), -times));
    return times;
}

/* The number of the result for the matrix in room[1]. */
static int exponential(const job *j) {
    static int (*const polynomials[])(const job *) = {polynomial_1, polynomial_2,  polynomial_4,
                                                      polynomial_8, polynomial_12, polynomial_18};
    const bool single = j->dtype == GD_FLOAT32;
    double norm = single ? (double)norm_f32(j->n, at(j, 1)) : norm_f64(j->n, at(j, 1));
    int degree = T1, times = 0;
    while (degree < T18 && !(norm <= (single ? (double)(float)bounds[0][degree] : bounds[1][degree]))) degree++;
    for (int64_t i = 0; i < j->count; i++) set_element(j, at(j, 0), i, i % (j->n + 1) == 0);
    if (degree == T18 && isfinite(norm)) times = scale(j, norm);
    int result = polynomials[degree](j);
    for (int k = 0, other = 2; k < times; k++) {
        multiply(j, result, result, other, true);
        int kept = result;
        result = other;
        other = kept;
    }
    return result;
}

static gd_code make_room(gd_ctx *c, job *j) {
    const int64_t sizes[] = {j->n, j->n};
    for (int i = 0; i < ROOM; i++) {
        j->room[i] = gd_pool_add(c, gd_empty(c, j->dtype, 2, sizes));
        if (!j->room[i]) return gd_failed(c);
    }
    return GD_OK;
}

gd_code gd_fw_matrix_exp(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = gd_check_square(c, t, "linalg.matrix_exp", "A");
    if (!code) code = gd_check_floating(c, t, "matrix_exp");
    if (code) return code;
    gd_dtype dtype = (gd_dtype)t->dtype;
    gd_tensor *x = gd_pool_add(c, gd_as_contiguous(c, t)), *out = x ? gd_empty_like(c, t, dtype) : NULL;
    if (!out || t->numel == 0) return give(a, out);
    job j = {dtype, gd_rows(t), gd_rows(t) * gd_rows(t), {NULL}};
    size_t bytes = (size_t)j.count * gd_dtype_bytes(dtype);
    code = j.n > 1 ? make_room(c, &j) : GD_OK;
    for (int64_t i = 0; i < gd_matrix_count(t) && !code; i++) {
        if (j.n == 1) {
            set_element(&j, gd_matrix_at(out, i), 0, exp(element(&j, gd_matrix_at(x, i), 0)));
            continue;
        }
        memcpy(at(&j, 1), gd_matrix_at(x, i), bytes);
        memcpy(gd_matrix_at(out, i), at(&j, exponential(&j)), bytes);
    }
    if (!code) return give(a, out);
    gd_release(out);
    return code;
}

/* The corner of exp([[A^T, G], [0, A^T]]) (R. Mathias, SIAM J. Matrix Anal. Appl. 17, 1996). */
void gd_bw_matrix_exp(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *at = gx_mT(c, gd_bw_tensor(b, 0)), *g = b->grads[0];
    if (!at || !g) return;
    int64_t n = gd_rows(at);
    gd_tensor *const top[] = {at, g}, *const bottom[] = {GX(c, zeros_like, T_(at)), at};
    if (!bottom[0]) return;
    gd_tensor *const rows[] = {GX(c, cat, TS_(top, 2), I_(-1)), GX(c, cat, TS_(bottom, 2), I_(-1))};
    if (!rows[0] || !rows[1]) return;
    gd_tensor *whole = GX(c, matrix_exp, T_(GX(c, cat, TS_(rows, 2), I_(-2))));
    gd_bw_set(b, 0, gx_narrow(c, gx_narrow(c, whole, -2, 0, n), -1, n, n));
}
