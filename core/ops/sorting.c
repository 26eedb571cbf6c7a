/* sorting.c: rows that order the elements of a dimension or pick by their place in the order. What orders them is in
 * core/kernels/order.c; ties go to the element that comes first. */
#include <math.h>
#include <string.h>

#include "core/kernels/order.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

/* The lines of a contiguous tensor along one dimension. */
typedef struct lines {
    gd_tensor *in;   /* contiguous; owned */
    gd_tensor *room; /* scratch for two arrays of n ranked elements; owned */
    gd_ranked *a, *other;
    gd_dtype dtype;
    int dim;
    int64_t n, inner, count, width;
} lines;

static void close_lines(lines *l) {
    gd_release(l->in);
    gd_release(l->room);
}

static gd_code open_lines(gd_ctx *ctx, gd_tensor *self, int dim, lines *l) {
    *l = (lines){.dim = dim, .dtype = (gd_dtype)self->dtype, .inner = 1, .n = self->ndim ? self->sizes[dim] : 1};
    int64_t words;
    for (int d = dim + 1; d < self->ndim; d++) l->inner *= self->sizes[d];
    l->count = self->numel ? self->numel / l->n : 0;
    l->width = (int64_t)gd_dtype_bytes(l->dtype);
    if (!gd_mul_i64(l->n, 4, &words)) return gd_fail_memory(ctx);
    l->in = gd_as_contiguous(ctx, self);
    l->room = l->in ? gd_empty(ctx, GD_INT64, 1, &words) : NULL;
    if (!l->room) {
        close_lines(l);
        return gd_failed(ctx);
    }
    l->a = (gd_ranked *)(void *)l->room->data;
    l->other = l->a + l->n;
    return GD_OK;
}

/* Place of element i of line k, for lines of n elements. */
static int64_t place(const lines *l, int64_t k, int64_t i, int64_t n) {
    return (k / l->inner * n + i) * l->inner + k % l->inner;
}

static const char *line_at(const lines *l, int64_t k) { return l->in->data + place(l, k, 0, l->n) * l->width; }

static void rank(const lines *l, int64_t k, bool descending) {
    gd_rank_line(l->dtype, line_at(l, k), l->inner * l->width, l->n, descending, l->a);
}

/* out[to] = the element of line k that stood at `from`; likewise its place in indices. Either may be NULL. */
static void put(const lines *l, int64_t k, int64_t from, gd_tensor *values, gd_tensor *indices, int64_t to) {
    if (values) memcpy(values->data + to * l->width, line_at(l, k) + from * l->inner * l->width, (size_t)l->width);
    if (indices) ((int64_t *)(void *)indices->data)[to] = from;
}

/* ---- sorting ------------------------------------------------------------------------------------- */

#define SPREAD(T)                                                                                                      \
    for (int64_t i = 0; i < l->n; i++) ((T *)(void *)out)[i] = ((const T *)(const void *)in)[a[i].index]

/* Adjacent lines need no multiplications. */
static void put_line(const lines *l, int64_t k, const gd_ranked *a, gd_tensor *values, gd_tensor *indices) {
    const char *in = line_at(l, k);
    if (l->inner != 1) {
        for (int64_t i = 0; i < l->n; i++) put(l, k, a[i].index, values, indices, place(l, k, i, l->n));
        return;
    }
    if (values) {
        char *out = values->data + k * l->n * l->width;
        if (l->width == 8)
            SPREAD(uint64_t);
        else if (l->width == 4)
            SPREAD(uint32_t);
        else
            SPREAD(uint8_t);
    }
    int64_t *to = indices ? (int64_t *)(void *)indices->data + k * l->n : NULL;
    for (int64_t i = 0; to && i < l->n; i++) to[i] = a[i].index;
}

static void sort_lines(const lines *l, bool descending, gd_tensor *values, gd_tensor *indices) {
    for (int64_t k = 0; k < l->count; k++) {
        rank(l, k, descending);
        put_line(l, k, gd_rank_sort(l->a, l->other, l->n), values, indices);
    }
}

static gd_code give_two(gd_apply *a, gd_tensor *values, gd_tensor *indices) {
    if (!values || !indices) {
        gd_release(values);
        gd_release(indices);
        return gd_failed(a->ctx);
    }
    a->out[0] = values;
    a->out[1] = indices;
    a->nout = 2;
    return GD_OK;
}

gd_code gd_fw_sort(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    lines l;
    int dim, at = 1 + a->op->param;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, at), self->ndim, &dim);
    if (!code) code = open_lines(a->ctx, self, dim, &l);
    if (code) return code;
    gd_tensor *values = gd_empty_like(a->ctx, self, l.dtype);
    gd_tensor *indices = values ? gd_empty_like(a->ctx, self, GD_INT64) : NULL;
    if (indices) sort_lines(&l, a->args[at + 1].u.boolean, values, indices);
    close_lines(&l);
    return give_two(a, values, indices);
}

gd_code gd_fw_argsort(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    lines l;
    int dim, at = 1 + a->op->param;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, at), self->ndim, &dim);
    if (!code) code = open_lines(a->ctx, self, dim, &l);
    if (code) return code;
    gd_tensor *indices = gd_empty_like(a->ctx, self, GD_INT64);
    if (indices) sort_lines(&l, a->args[at + 1].u.boolean, NULL, indices);
    close_lines(&l);
    return give(a, indices);
}

gd_code gd_fw_msort(gd_apply *a) {
    gd_result r = {0};
    const gd_value args[] = {a->args[0], GD_INT_VALUE(0), GD_BOOL_VALUE(false)};
    gd_code code = gd_do_all(a->ctx, GD_OP_sort, args, 3, &r);
    gd_tensor *values = code ? NULL : gd_retain(r.outputs[0]);
    gd_result_clear(&r);
    return code ? code : give(a, values);
}

/* ---- the first of the order ---------------------------------------------------------------------- */

static void top_lines(const lines *l, int64_t k, bool largest, gd_tensor *values, gd_tensor *indices) {
    for (int64_t line = 0; line < l->count && k > 0; line++) {
        const gd_ranked *top = l->a;
        if (k <= GD_RANK_FEW && k * 16 <= l->n) {
            gd_rank_few(l->dtype, line_at(l, line), l->inner * l->width, l->n, largest, k, l->a);
        } else {
            rank(l, line, largest);
            gd_rank_front(l->a, l->other, l->n, k);
            top = gd_rank_sort(l->a, l->other, k);
        }
        for (int64_t i = 0; i < k; i++) put(l, line, top[i].index, values, indices, place(l, line, i, k));
    }
}

static gd_code not_for_bool(gd_apply *a, const char *name) {
    if (arg_tensor(a, 0)->dtype != GD_BOOL) return GD_OK;
    return gd_fail(a->ctx, GD_E_DTYPE, "\"%s\" not implemented for 'Bool'", name);
}

gd_code gd_fw_topk(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    int64_t k = arg_int(a, 1), sizes[GD_MAX_DIMS];
    lines l;
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 2), self->ndim, &dim);
    if (!code && (k < 0 || k > (self->ndim ? self->sizes[dim] : 1)))
        code = gd_fail(a->ctx, GD_E_RUNTIME, "selected index k out of range");
    if (!code && self->ndim) code = not_for_bool(a, "topk_cpu");
    if (!code) code = open_lines(a->ctx, self, dim, &l);
    if (code) return code;
    for (int d = 0; d < self->ndim; d++) sizes[d] = d == dim ? k : self->sizes[d];
    gd_tensor *values = gd_empty(a->ctx, l.dtype, self->ndim, sizes);
    gd_tensor *indices = values ? gd_empty(a->ctx, GD_INT64, self->ndim, sizes) : NULL;
    if (indices) top_lines(&l, k, a->args[3].u.boolean, values, indices);
    close_lines(&l);
    return give_two(a, values, indices);
}

/* ---- one element of each line -------------------------------------------------------------------- */

/* Which place of the order is wanted of line k, whose elements are ranked. */
typedef int64_t (*chooser)(const lines *l, int64_t k, int64_t wanted);

static int64_t as_given(const lines *l, int64_t k, int64_t wanted) {
    (void)l;
    (void)k;
    return wanted;
}

static int64_t count_nan(const lines *l, int64_t k) {
    const char *p = line_at(l, k);
    int64_t nans = 0, step = l->inner * l->width;
    for (int64_t i = 0; i < l->n; i++, p += step) {
        if (l->dtype == GD_FLOAT64)
            nans += *(const double *)(const void *)p != *(const double *)(const void *)p;
        else if (l->dtype == GD_FLOAT32)
            nans += *(const float *)(const void *)p != *(const float *)(const void *)p;
    }
    return nans;
}

/* A NaN if there is one: it stands last in the order. */
static int64_t median_place(const lines *l, int64_t k, int64_t wanted) {
    (void)wanted;
    int64_t nans = count_nan(l, k);
    return nans ? l->n - nans : (l->n - 1) / 2;
}

static int64_t nanmedian_place(const lines *l, int64_t k, int64_t wanted) {
    (void)wanted;
    int64_t left = l->n - count_nan(l, k);
    return left ? (left - 1) / 2 : 0;
}

static int64_t selected(const lines *l, int64_t k, chooser choose, int64_t wanted) {
    rank(l, k, false);
    return gd_rank_select(l->a, l->n, choose(l, k, wanted)).index;
}

/* Shape of the result of reducing dimension dim; its sizes go to `sizes`. */
static int reduced_shape(const gd_tensor *self, int dim, bool keepdim, int64_t *sizes) {
    int n = 0;
    for (int d = 0; d < self->ndim; d++) {
        if (d != dim)
            sizes[n++] = self->sizes[d];
        else if (keepdim)
            sizes[n++] = 1;
    }
    return n;
}

static gd_code check_line(gd_apply *a, const char *name, int dim) {
    const gd_tensor *self = arg_tensor(a, 0);
    if (self->numel || !self->ndim || self->sizes[dim]) return GD_OK;
    return gd_fail(a->ctx, GD_E_INDEX, "%s(): Expected reduction dim %d to have non-zero size.", name, dim);
}

/* One element of each line of dim, and its place in the line. */
static gd_code pick(gd_apply *a, int dim, bool keepdim, chooser choose, int64_t wanted) {
    gd_tensor *self = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS];
    lines l;
    gd_code code = open_lines(a->ctx, self, dim, &l);
    if (code) return code;
    int ndim = reduced_shape(self, dim, keepdim, sizes);
    gd_tensor *values = gd_empty(a->ctx, l.dtype, ndim, sizes);
    gd_tensor *indices = values ? gd_empty(a->ctx, GD_INT64, ndim, sizes) : NULL;
    for (int64_t k = 0; indices && k < l.count; k++) put(&l, k, selected(&l, k, choose, wanted), values, indices, k);
    close_lines(&l);
    return give_two(a, values, indices);
}

gd_code gd_fw_kthvalue(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    int64_t k = arg_int(a, 1);
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 2), self->ndim, &dim);
    if (!code) code = check_line(a, "kthvalue", dim);
    if (!code && (k < 1 || k > (self->ndim ? self->sizes[dim] : 1)))
        code = gd_fail(a->ctx, GD_E_RUNTIME, "kthvalue(): selected number k out of range for dimension %d", dim);
    if (!code) code = not_for_bool(a, "kthvalue_cpu");
    return code ? code : pick(a, dim, a->args[3].u.boolean, as_given, k - 1);
}

gd_code gd_fw_median_dim(gd_apply *a) {
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), arg_tensor(a, 0)->ndim, &dim);
    if (!code) code = check_line(a, "median", dim);
    if (!code) code = not_for_bool(a, "median_out");
    return code ? code : pick(a, dim, a->args[2].u.boolean, a->op->param ? nanmedian_place : median_place, 0);
}

/* All elements as one line; of none the result is NaN, or the smallest integer. */
gd_code gd_fw_median(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    gd_code code = not_for_bool(a, "median_cpu");
    gd_tensor *out = code ? NULL : gd_empty(a->ctx, (gd_dtype)self->dtype, 0, NULL);
    if (!out) return code ? code : gd_failed(a->ctx);
    if (!self->numel) {
        gd_store_f64((gd_dtype)self->dtype, out->data, NAN);
        return give(a, out);
    }
    gd_tensor *flat = gd_as_contiguous(a->ctx, self);
    const int64_t one = 1;
    gd_tensor *line = flat ? gd_alias(a->ctx, flat, 1, &flat->numel, &one, gd_offset(flat)) : NULL;
    lines l;
    code = line ? open_lines(a->ctx, line, 0, &l) : gd_failed(a->ctx);
    if (!code) {
        put(&l, 0, selected(&l, 0, a->op->param ? nanmedian_place : median_place, 0), out, NULL, 0);
        close_lines(&l);
    }
    gd_release(line);
    gd_release(flat);
    if (!code) return give(a, out);
    gd_release(out);
    return code;
}

/* Of the longest run of equals in sorted order (the first such), the last. NaN equals nothing. */
static int64_t most_frequent(const lines *l, const gd_ranked *a) {
    const uint64_t nan = l->dtype == GD_FLOAT64 ? UINT64_MAX : l->dtype == GD_FLOAT32 ? UINT32_MAX : 0;
    int64_t best = 0, where = 0, run = 0;
    for (int64_t i = 0; i < l->n; i++) {
        bool equal = i > 0 && a[i].key == a[i - 1].key && (a[i].key != nan || !nan);
        run = equal ? run + 1 : 1;
        if (run > best) {
            best = run;
            where = a[i].index;
        }
    }
    return where;
}

gd_code gd_fw_mode(gd_apply *a) {
    gd_tensor *self = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS];
    lines l;
    int dim;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), self->ndim, &dim);
    if (!code) code = check_line(a, "mode", dim);
    if (!code) code = open_lines(a->ctx, self, dim, &l);
    if (code) return code;
    int ndim = reduced_shape(self, dim, a->args[2].u.boolean, sizes);
    gd_tensor *values = gd_empty(a->ctx, l.dtype, ndim, sizes);
    gd_tensor *indices = values ? gd_empty(a->ctx, GD_INT64, ndim, sizes) : NULL;
    for (int64_t k = 0; indices && k < l.count; k++) {
        rank(&l, k, false);
        put(&l, k, most_frequent(&l, gd_rank_sort(l.a, l.other, l.n)), values, indices, k);
    }
    close_lines(&l);
    return give_two(a, values, indices);
}
