/* test_linalg.c: rows of core/ops/linalg.def and the matrix kernels below them: every layout, size around the block
 * edges, instruction set and dtype against a plain sum; empty sizes; PyTorch's texts. */
#include <stdlib.h>

#include "core/kernels/gemm.h"
#include "core/kernels/kernels.h"
#include "tests/unit/op_helpers.h"

Suite *linalg_suite(void);

/* ---- kernels ------------------------------------------------------------------------------- */

static uint64_t seed = 1;
static double small(void) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)((int64_t)(seed >> 33) % 7 - 3);
}

enum { BUFFER = 160 * 160 };
static double a64[BUFFER], b64[BUFFER], c64[BUFFER], want[BUFFER];
static float a32[BUFFER], b32[BUFFER], c32[BUFFER];

static void fill(void) {
    for (int i = 0; i < BUFFER; i++) {
        a32[i] = (float)(a64[i] = small());
        b32[i] = (float)(b64[i] = small());
        c32[i] = (float)(c64[i] = want[i] = small());
    }
}

typedef void (*gemm_f32)(int64_t, int64_t, int64_t, float, gd_matrix, gd_matrix, float, float *, int64_t);
typedef void (*gemm_f64)(int64_t, int64_t, int64_t, double, gd_matrix, gd_matrix, double, double *, int64_t);

static void expect(int64_t m, int64_t n, int64_t k, gd_matrix a, gd_matrix b, double beta) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t d = 0; d < k; d++) sum += a64[i * a.row + d * a.column] * b64[d * b.row + j * b.column];
            want[i * n + j] = 2 * sum + (beta != 0 ? beta * want[i * n + j] : 0);
        }
}

/* Whole numbers: every order of summation is exact. */
static void compare(int64_t m, int64_t n, int64_t k, bool ta, bool tb, gemm_f32 f32, gemm_f64 f64) {
    gd_matrix a = {a64, ta ? 1 : k + 1, ta ? m + 2 : 1}, b = {b64, tb ? 1 : n + 1, tb ? k + 2 : 1};
    double beta = small();
    fill();
    expect(m, n, k, a, b, beta);
    f64(m, n, k, 2, a, b, beta, c64, n);
    a.data = a32;
    b.data = b32;
    f32(m, n, k, 2, a, b, (float)beta, c32, n);
    for (int64_t i = 0; i < m * n; i++) {
        ck_assert_msg(c64[i] == want[i], "f64 %lldx%lldx%lld at %lld: %g, expected %g", (long long)m, (long long)n,
                      (long long)k, (long long)i, c64[i], want[i]);
        ck_assert_msg((double)c32[i] == want[i], "f32 %lldx%lldx%lld at %lld", (long long)m, (long long)n, (long long)k,
                      (long long)i);
    }
}

static const int64_t edges[][3] = {{1, 1, 1},   {5, 7, 3},    {6, 32, 128}, {7, 33, 129}, {13, 17, 140},
                                   {48, 64, 5}, {49, 65, 31}, {2, 140, 2},  {140, 3, 9}};

static void compare_all(gemm_f32 f32, gemm_f64 f64) {
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (int layout = 0; layout < 4; layout++)
            compare(edges[i][0], edges[i][1], edges[i][2], layout & 1, layout & 2, f32, f64);
}

static void public_f32(int64_t m, int64_t n, int64_t k, float alpha, gd_matrix a, gd_matrix b, float beta, float *c,
                       int64_t ldc) {
    gd_gemm(GD_FLOAT32, m, n, k, (double)alpha, a, b, (double)beta, c, ldc);
}
static void public_f64(int64_t m, int64_t n, int64_t k, double alpha, gd_matrix a, gd_matrix b, double beta, double *c,
                       int64_t ldc) {
    gd_gemm(GD_FLOAT64, m, n, k, alpha, a, b, beta, c, ldc);
}

START_TEST(kernels_agree) {
    compare_all(gd_gemm_f32_baseline, gd_gemm_f64_baseline);
#if defined(__x86_64__)
    if (gd_cpu_isa() >= GD_ISA_AVX2) compare_all(gd_gemm_f32_avx2, gd_gemm_f64_avx2);
    if (gd_cpu_isa() >= GD_ISA_AVX512) compare_all(gd_gemm_f32_avx512, gd_gemm_f64_avx512);
#endif
    compare_all(public_f32, public_f64);
    compare(120, 110, 100, false, true, public_f32, public_f64); /* large enough for OpenBLAS */
    compare(120, 110, 100, true, false, public_f32, public_f64);
}
END_TEST

START_TEST(beta_zero_reads_nothing) {
    for (int i = 0; i < BUFFER; i++) c64[i] = NAN;
    for (int i = 0; i < BUFFER; i++) a64[i] = b64[i] = 1;
    const int64_t sizes[][3] = {{2, 2, 2}, {30, 30, 30}, {90, 90, 90}, {40, 1, 40}, {1, 40, 40}, {3, 3, 0}};
    for (int s = 0; s < 6; s++) {
        int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
        gd_gemm(GD_FLOAT64, m, n, k, 1, (gd_matrix){a64, k, 1}, (gd_matrix){b64, n, 1}, 0, c64, n);
        for (int64_t i = 0; i < m * n; i++) ck_assert_double_eq(c64[i], (double)k);
    }
}
END_TEST

/* ---- rows ---------------------------------------------------------------------------------- */

START_TEST(integers_wrap) {
    gd_tensor *x = COUNTED(GD_INT64, 2, 2), *y = CALL("mm", T_(x), T_(x));
    HAS(y, 2, 3, 6, 11);
    gd_tensor *b = COUNTED(GD_UINT8, 20), *d = CALL("dot", T_(b), T_(b));
    HAS(d, 2470 % 256);
    gd_tensor *f = CALL("addmm", T_(x), T_(x), T_(x));
    HAS(f, 2, 4, 8, 14);
    DROP(x, y, b, d, f);
}
END_TEST

START_TEST(empty_sizes) {
    gd_tensor *a = COUNTED(GD_FLOAT32, 2, 0), *b = COUNTED(GD_FLOAT32, 0, 3), *c = CALL("mm", T_(a), T_(b)),
              *none = COUNTED(GD_FLOAT32, 0), *d = CALL("dot", T_(none), T_(none));
    HAS(c, 0, 0, 0, 0, 0, 0);
    HAS(d, 0);
    gd_tensor *v = CALL("mv", T_(a), T_(none)), *turned = CALL("t", T_(b)), *e = CALL("mm", T_(b), T_(turned));
    HAS(v, 0, 0);
    SHAPE(e, 0, 0);
    DROP(a, b, c, none, d, v, turned, e);
}
END_TEST

START_TEST(gradients_of_a_product) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 2, 3)), *w = needing_grad(COUNTED(GD_FLOAT64, 3, 2)),
              *y = CALL("matmul", T_(x), T_(w));
    gd_tensor *gx, *gw;
    has_node(y, "MmBackward0");
    HAS(y, 10, 13, 28, 40);
    gx = gradient(y, x);
    gd_release(y);
    y = CALL("mm", T_(x), T_(w));
    gw = gradient(y, w);
    HAS(gx, 2, 8, 14, 4, 18, 32);
    HAS(gw, 9, 12, 13, 18, 17, 24);
    DROP(x, w, y, gx, gw);
}
END_TEST

START_TEST(matmul_shapes) {
    gd_tensor *v = COUNTED(GD_FLOAT32, 3), *m = COUNTED(GD_FLOAT32, 3, 2),
              *b = needing_grad(COUNTED(GD_FLOAT32, 4, 2, 3)), *q = COUNTED(GD_FLOAT32, 5, 1, 3, 2);
    gd_tensor *vm = CALL("matmul", T_(v), T_(m)), *bm = CALL("matmul", T_(b), T_(m)),
              *bv = CALL("matmul", T_(b), T_(v)), *qb = CALL("matmul", T_(b), T_(q));
    SHAPE(vm, 2);
    HAS(vm, 10, 13);
    SHAPE(bm, 4, 2, 2);
    has_node(bm, "UnsafeViewBackward0");
    SHAPE(bv, 4, 2);
    SHAPE(qb, 5, 4, 2, 2);
    gd_tensor *mb = CALL("matmul", T_(m), T_(b)), *g = gradient(mb, b);
    SHAPE(mb, 4, 3, 3);
    SHAPE(g, 4, 2, 3);
    DROP(v, m, b, q, vm, bm, bv, qb, mb, g);
}
END_TEST

START_TEST(product_errors) {
    gd_tensor *m = COUNTED(GD_FLOAT32, 2, 3), *v = COUNTED(GD_FLOAT32, 3), *d = COUNTED(GD_FLOAT64, 3),
              *d2 = COUNTED(GD_FLOAT64, 3, 2), *two = COUNTED(GD_FLOAT32, 2);
    gd_tensor *batch = COUNTED(GD_FLOAT32, 2, 2, 3), *scalar = CALL("select", T_(v), I_(0), I_(0)),
              *yes = COUNTED(GD_BOOL, 2, 2), *turned = CALL("t", T_(m));
    REFUSED("mm", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", T_(m), T_(m));
    REFUSED("mm", "self must be a matrix", T_(v), T_(m));
    REFUSED("mm", "expected scalar type Float but found Double", T_(m), T_(d2));
    REFUSED("mm", "\"addmm_impl_cpu_\" not implemented for 'Bool'", T_(yes), T_(yes));
    REFUSED("dot", "dot : expected both vectors to have same dtype, but found Float and Double", T_(v), T_(d));
    REFUSED("dot", "1D tensors expected, but got 2D and 1D tensors", T_(m), T_(v));
    REFUSED("mv", "size mismatch, got 2, 2x3,2", T_(m), T_(two));
    REFUSED("bmm", "Expected size for first two dimensions of batch2 tensor to be: [2, 3] but got: [2, 2].", T_(batch),
            T_(batch));
    REFUSED("matmul", "both arguments to matmul need to be at least 1D, but they are 0D and 2D", T_(scalar), T_(m));
    REFUSED("matmul", "mat1 and mat2 shapes cannot be multiplied (4x3 and 2x3)", T_(batch), T_(m));
    REFUSED(
        "addmm",
        "The expanded size of the tensor (2) must match the existing size (3) at non-singleton dimension 1.  Target sizes: [2, 2].  "
        "Tensor sizes: [3]",
        T_(v), T_(m), T_(turned));
    REFUSED("outer", "outer: Expected 1-D argument self, but got 2-D", T_(m), T_(v));
    REFUSED("inner", "inner() the last dimension must match on both input tensors but got shapes [2, 3] and [2]", T_(m),
            T_(two));
    DROP(m, v, d, d2, two, batch, scalar, yes, turned);
}
END_TEST

Suite *linalg_suite(void) {
    Suite *s = suite_create("linalg");
    TCase *kernels = tcase_create("kernels"), *c = tcase_create("linalg");
    tcase_add_test(kernels, kernels_agree);
    tcase_add_test(kernels, beta_zero_reads_nothing);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, integers_wrap);
    tcase_add_test(c, empty_sizes);
    tcase_add_test(c, gradients_of_a_product);
    tcase_add_test(c, matmul_shapes);
    tcase_add_test(c, product_errors);
    suite_add_tcase(s, kernels);
    suite_add_tcase(s, c);
    return s;
}
