/* reduce.c: the loop nests of reductions: which order the dimensions are walked in, and what runs inside. */
#include "core/kernels/columns.h"

#include <math.h>
#include <string.h>

static const gd_reduce_table *table(void) {
#if defined(__x86_64__)
    if (gd_cpu_isa() == GD_ISA_AVX512) return &gd_reduce_table_avx512;
    if (gd_cpu_isa() == GD_ISA_AVX2) return &gd_reduce_table_avx2;
#endif
    return &gd_reduce_table_baseline;
}

/* ---- planning ---------------------------------------------------------------------------------- */

/* > 0 if x must stand outside y: reduced dimensions innermost, then small strides. */
static int compare_dims(const gd_reduce_dim *x, const gd_reduce_dim *y, bool in_order) {
    if ((x->out == 0) != (y->out == 0)) return y->out == 0 ? 1 : -1;
    if (in_order) return -1; /* they come innermost first */
    const int64_t strides[2][2] = {{x->out, y->out}, {x->in, y->in}};
    for (int k = 0; k < 2; k++) {
        int64_t a = strides[k][0], b = strides[k][1];
        if (a == 0 || b == 0) continue;
        if (a != b) return a < b ? -1 : 1;
        if (x->size > y->size) return 1;
    }
    return 0;
}

static void sort_dims(gd_reduce_plan *p, bool in_order) {
    for (int i = 1; i < p->ndim; i++) {
        int at = i;
        for (int j = i - 1; j >= 0; j--) {
            int order = compare_dims(&p->dims[j], &p->dims[at], in_order);
            if (order < 0) break;
            if (order == 0) continue;
            gd_reduce_dim kept = p->dims[j];
            p->dims[j] = p->dims[at];
            p->dims[at] = kept;
            at = j;
        }
    }
}

static void merge_dims(gd_reduce_plan *p) {
    int last = 0;
    for (int i = 1; i < p->ndim; i++) {
        gd_reduce_dim *a = &p->dims[last], b = p->dims[i];
        if (a->size == 1) {
            *a = b;
        } else if (b.size != 1) {
            if (a->size * a->in == b.in && a->size * a->out == b.out && (a->out == 0) == (b.out == 0))
                a->size *= b.size;
            else
                p->dims[++last] = b;
        }
    }
    p->ndim = last + 1;
}

void gd_reduce_plan_make(gd_reduce_plan *p, const gd_tensor *in, uint64_t mask, size_t out_bytes, bool in_order) {
    int64_t width = (int64_t)gd_dtype_bytes((gd_dtype)in->dtype), out = (int64_t)out_bytes;
    p->ndim = 0;
    for (int d = in->ndim - 1; d >= 0; d--) {
        bool reduced = mask >> d & 1;
        p->dims[p->ndim++] = (gd_reduce_dim){in->sizes[d], GD_STRIDES(in)[d] * width, reduced ? 0 : out};
        if (!reduced) out *= in->sizes[d] > 1 ? in->sizes[d] : 1;
    }
    if (p->ndim == 0) p->dims[p->ndim++] = (gd_reduce_dim){1, width, 0};
    sort_dims(p, in_order);
    merge_dims(p);
    p->nreduced = 0;
    while (p->nreduced < p->ndim && p->dims[p->nreduced].out == 0) p->nreduced++;
}

/* Steps the odometer over dims first … end - 1; false when it has gone round. */
static bool advance(const gd_reduce_plan *p, int first, int end, int64_t *index, const char **in, int64_t *out) {
    for (int d = first; d < end; d++) {
        *in += p->dims[d].in;
        *out += p->dims[d].out;
        if (++index[d] < p->dims[d].size) return true;
        *in -= p->dims[d].in * p->dims[d].size;
        *out -= p->dims[d].out * p->dims[d].size;
        index[d] = 0;
    }
    return false;
}

/* ---- sums -------------------------------------------------------------------------------------- */

/* Integers add up the same in any order; they wrap as PyTorch's do. */
static void sum_int64(char *out, const char *in, const gd_reduce_dim *a, const gd_reduce_dim *b) {
    for (int64_t j = 0; j < b->size; j++) {
        uint64_t *to = (uint64_t *)(void *)(out + j * b->out), total = *to;
        const char *p = in + j * b->in;
        for (int64_t i = 0; i < a->size; i++) total += *(const uint64_t *)(const void *)(p + i * a->in);
        *to = total;
    }
}

gd_sum2d gd_reduce_sum_loop(gd_dtype dtype) {
    return dtype == GD_INT64 ? sum_int64 : table()->sum[0][dtype == GD_FLOAT64];
}

void gd_reduce_sum(gd_tensor *out, const gd_tensor *in, uint64_t mask, bool squares) {
    memset(out->data, 0, gd_nbytes(out));
    if (in->numel == 0) return;
    gd_reduce_plan p;
    gd_dtype dtype = (gd_dtype)in->dtype;
    gd_reduce_plan_make(&p, in, mask, gd_dtype_bytes(dtype), false);
    gd_sum2d sum = dtype == GD_INT64 ? sum_int64 : table()->sum[squares][dtype == GD_FLOAT64];
    gd_reduce_dim one = {1, 0, 0}, inner = p.dims[0], outer = p.ndim > 1 ? p.dims[1] : one;
    if (inner.out != 0) { /* nothing is reduced: each element is a sum of one */
        outer = inner;
        inner = one;
    }
    int first = p.dims[0].out != 0 ? 1 : 2;
    int64_t index[GD_MAX_DIMS] = {0}, offset = 0;
    const char *from = in->data;
    do sum(out->data + offset, from, &inner, &outer);
    while (advance(&p, first, p.ndim, index, &from, &offset));
}

/* ---- one output at a time ---------------------------------------------------------------------- */

static void run_reduced(const gd_reduce_plan *p, gd_reduce_run run, gd_accumulator *acc, const char *in) {
    int64_t index[GD_MAX_DIMS] = {0}, unused = 0;
    if (p->nreduced == 0) {
        run(acc, in, 0, 1);
        return;
    }
    do run(acc, in, p->dims[0].in, p->dims[0].size);
    while (advance(p, 1, p->nreduced, index, &in, &unused));
}

static void start(gd_accumulator *acc, gd_reducer reducer, double p, int64_t n) {
    *acc = (gd_accumulator){.p = p};
    if (reducer == GD_R_PROD) acc->f = 1;
    if (reducer == GD_R_PROD || reducer == GD_R_ALL) acc->i = 1;
    if (reducer == GD_R_NORM && p == -INFINITY && n > 0) acc->f = INFINITY;
}

/* Between two passes: what the second one subtracts. */
static void shift(gd_accumulator *acc, gd_reducer reducer, int64_t n) {
    acc->shift = reducer == GD_R_LSE ? acc->f : acc->f / (double)n;
    if (reducer == GD_R_LSE && isinf(acc->shift)) acc->shift = 0;
    acc->f = 0;
    acc->pass = 1;
}

static double finished(const gd_accumulator *acc, gd_reducer reducer, int64_t n) {
    double left = (double)n - acc->p;
    switch (reducer) {
    case GD_R_VAR: return acc->f / (left > 0 ? left : 0);
    case GD_R_STD: return sqrt(acc->f / (left > 0 ? left : 0));
    case GD_R_LSE: return log(acc->f) + acc->shift;
    case GD_R_NORM: return acc->p == 0 || acc->p == 1 || isinf(acc->p) ? acc->f : pow(acc->f, 1 / acc->p);
    default: return acc->f;
    }
}

static void store(gd_tensor *out, int64_t k, const gd_accumulator *acc, gd_reducer reducer, int64_t n, bool real) {
    gd_dtype dtype = (gd_dtype)out->dtype;
    char *to = out->data + k * (int64_t)gd_dtype_bytes(dtype);
    if (real && reducer != GD_R_ALL && reducer != GD_R_ANY)
        gd_store_f64(dtype, to, finished(acc, reducer, n));
    else
        gd_store_i64(dtype, to, acc->i);
}

static int64_t reduced_count(const gd_tensor *in, uint64_t mask) {
    int64_t n = 1;
    for (int d = 0; d < in->ndim; d++)
        if (mask >> d & 1) n *= in->sizes[d];
    return n;
}

void gd_reduce(gd_reducer reducer, gd_tensor *out, gd_tensor *index, const gd_tensor *in, uint64_t mask, double p) {
    gd_reduce_plan plan;
    gd_accumulator acc;
    bool real = gd_dtype_is_float((gd_dtype)in->dtype), indexed = reducer == GD_R_ARGMAX || reducer == GD_R_ARGMIN;
    bool twice = reducer == GD_R_VAR || reducer == GD_R_STD || reducer == GD_R_LSE;
    int64_t places[GD_MAX_DIMS] = {0}, at = 0, n = reduced_count(in, mask), count = out ? out->numel : index->numel;
    gd_reduce_run run = table()->runs[reducer][in->dtype];
    const char *from = in->data;
    if (count == 0) return;
    gd_reduce_plan_make(&plan, in, mask, 1, indexed);
    if (gd_reduce_columns(reducer, out, index, in, &plan, p)) return;
    do {
        start(&acc, reducer, p, n);
        if (n > 0) run_reduced(&plan, run, &acc, from);
        if (twice) shift(&acc, reducer, n);
        if (twice && n > 0) run_reduced(&plan, run, &acc, from);
        if (out) store(out, at, &acc, reducer, n, real);
        if (index) ((int64_t *)(void *)index->data)[at] = acc.index;
        if (n == 0) at++; /* the plan's kept dimensions cannot be walked through no elements: all outputs are alike */
    } while (n == 0 ? at < count : advance(&plan, plan.nreduced, plan.ndim, places, &from, &at));
}
