/* scan.c: kernels that work along one dimension and keep it: softmax and its kin, running sums, and products
 * of all but one. Cuts the tensor into parts for the inner loops of scan_simd.c. */
#include "core/kernels/scan.h"

#include "core/kernels/pointwise.h"

static const gd_scan_table *table(void) {
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX512) return &gd_scan_table_avx512;
    if (gd_cpu_isa() == GD_ISA_AVX2) return &gd_scan_table_avx2;
#endif
    return &gd_scan_table_baseline;
}

static void cumsum_int64(const gd_scan_part *s) {
    for (int64_t j = 0; j < s->width; j++) {
        const int64_t *a = (const int64_t *)s->a + j;
        int64_t *out = (int64_t *)s->out + j;
        uint64_t sum = 0; /* wraps as PyTorch's does */
        for (int64_t i = 0; i < s->n; i++) out[i * s->stride] = (int64_t)(sum += (uint64_t)a[i * s->stride]);
    }
}

static gd_scan_loop loop_of(gd_scan scan, gd_dtype dtype, bool line) {
    if (dtype == GD_INT64) return cumsum_int64;
    return line ? table()->line[scan][dtype == GD_FLOAT64] : table()->tile[scan][dtype == GD_FLOAT64];
}

/* Lines of the last dimension: as many at a time as fit a cache's small part. */
static void scan_lines(gd_scan_loop loop, gd_scan_part *part, int64_t bytes, int64_t lines) {
    enum { ELEMENTS = 4096 };
    int64_t most = ELEMENTS / part->n < 1 ? 1 : ELEMENTS / part->n;
    if (most > GD_SCAN_WIDTH) most = GD_SCAN_WIDTH;
    char *out = part->out;
    const char *a = part->a, *b = part->b;
    for (int64_t k = 0; k < lines; k += part->width) {
        part->width = lines - k < most ? lines - k : most;
        part->out = out + k * part->n * bytes;
        part->a = a + k * part->n * bytes;
        part->b = b ? b + k * part->n * bytes : NULL;
        loop(part);
    }
}

void gd_scan_along(gd_scan scan, gd_tensor *out, const gd_tensor *a, const gd_tensor *b, int dim) {
    if (out->numel == 0) return;
    gd_dtype dtype = (gd_dtype)a->dtype;
    int64_t bytes = (int64_t)gd_dtype_bytes(dtype), n = out->ndim ? out->sizes[dim] : 1, inner = 1;
    for (int d = dim + 1; d < out->ndim; d++) inner *= out->sizes[d];
    bool line = inner == 1 && dtype != GD_INT64;
    gd_scan_loop loop = loop_of(scan, dtype, line);
    gd_scan_part part = {.out = out->data, .a = a->data, .b = b ? b->data : NULL, .n = n, .stride = inner};
    part.exp = dtype == GD_INT64 ? NULL : gd_pointwise_loop(GD_K_EXP, dtype);
    if (line) {
        scan_lines(loop, &part, bytes, out->numel / n);
        return;
    }
    for (int64_t first = 0; first < out->numel; first += n * inner)
        for (int64_t k = 0; k < inner; k += part.width) {
            int64_t at = (first + k) * bytes;
            part.width = inner - k < GD_SCAN_WIDTH ? inner - k : GD_SCAN_WIDTH;
            part.out = out->data + at;
            part.a = a->data + at;
            part.b = b ? b->data + at : NULL;
            loop(&part);
        }
}

#define DEFINE_OTHERS(T)                                                                                               \
    static void others_##T(char *out, const char *in, int64_t stride, int64_t n) {                                     \
        T left = 1, right = 1;                                                                                         \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            *(T *)(void *)(out + i * stride) = left;                                                                   \
            left *= *(const T *)(const void *)(in + i * stride);                                                       \
        }                                                                                                              \
        for (int64_t i = n - 1; i >= 0; i--) {                                                                         \
            *(T *)(void *)(out + i * stride) *= right;                                                                 \
            right *= *(const T *)(const void *)(in + i * stride);                                                      \
        }                                                                                                              \
    }
DEFINE_OTHERS(float)
DEFINE_OTHERS(double)

void gd_products_of_others(gd_dtype dtype, char *out, const char *in, int64_t stride, int64_t n) {
    if (dtype == GD_FLOAT64)
        others_double(out, in, stride, n);
    else
        others_float(out, in, stride, n);
}
