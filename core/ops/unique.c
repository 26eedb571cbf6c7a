/* unique.c: rows that find distinct elements or slices. Each describes its input as a list of groups: the element that
 * stands for each, the group of every element; from that all outputs are made. */
#include <string.h>

#include "core/kernels/distinct.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

/* n elements (slices) of `length` values each, and their groups. */
typedef struct groups {
    gd_ctx *ctx;
    gd_tensor *in;   /* contiguous, slices along dimension 0; owned */
    gd_tensor *room; /* int64: n of each array below; owned */
    gd_dtype dtype;
    int64_t n, length, count;
    int64_t *first; /* of each group: the element that stands for it */
    int64_t *group; /* of each element */
    gd_ranked *a, *other;
} groups;

static void close_groups(groups *g) {
    gd_release(g->in);
    gd_release(g->room);
}

/* in: new, taken; its first dimension holds the n elements. */
static gd_code open_groups(gd_ctx *ctx, gd_tensor *in, int64_t n, groups *g) {
    *g = (groups){.ctx = ctx, .in = in, .n = n};
    int64_t words;
    if (!in) return gd_failed(ctx);
    if (!gd_mul_i64(n, 6, &words)) {
        gd_release(in);
        return gd_fail_memory(ctx);
    }
    g->dtype = (gd_dtype)in->dtype;
    g->length = n ? in->numel / n : 0;
    g->room = gd_empty(ctx, GD_INT64, 1, &words);
    if (!g->room) {
        gd_release(in);
        return gd_failed(ctx);
    }
    g->a = (gd_ranked *)(void *)g->room->data;
    g->other = g->a + n;
    g->first = (int64_t *)(void *)(g->other + n);
    g->group = g->first + n;
    return GD_OK;
}

static const char *value_at(const groups *g, int64_t i, int64_t j) {
    return g->in->data + (i * g->length + j) * (int64_t)gd_dtype_bytes(g->dtype);
}

/* NaN equals nothing. */
static bool same_slice(const groups *g, int64_t i, int64_t k) {
    for (int64_t j = 0; j < g->length; j++) {
        uint64_t key = gd_order_key(g->dtype, value_at(g, i, j));
        if (key != gd_order_key(g->dtype, value_at(g, k, j))) return false;
        if (g->dtype == GD_FLOAT64 && key == UINT64_MAX) return false;
        if (g->dtype == GD_FLOAT32 && key == UINT32_MAX) return false;
    }
    return true;
}

/* Groups of equals that are neighbours in the order that a gives. */
static void group_neighbours(groups *g, const gd_ranked *a) {
    g->count = 0;
    for (int64_t i = 0; i < g->n; i++) {
        if (i == 0 || !same_slice(g, a[i - 1].index, a[i].index)) g->first[g->count++] = a[i].index;
        g->group[a[i].index] = g->count - 1;
    }
}

/* By the columns from the last to the first, each time stably: then slices are in lexicographic order. */
static const gd_ranked *sort_slices(groups *g) {
    gd_ranked *a = g->a, *other = g->other;
    for (int64_t i = 0; i < g->n; i++) a[i] = (gd_ranked){0, i};
    for (int64_t j = g->length - 1; j >= 0; j--) {
        for (int64_t i = 0; i < g->n; i++) a[i].key = gd_order_key(g->dtype, value_at(g, a[i].index, j));
        gd_ranked *sorted = gd_rank_sort(a, other, g->n);
        if (sorted == a) continue;
        other = a;
        a = sorted;
    }
    return a;
}

static void group_in_place(groups *g) {
    for (int64_t i = 0; i < g->n; i++) g->a[i] = (gd_ranked){0, i};
    group_neighbours(g, g->a);
}

/* Groups in the order of a walk through a hash table. */
static gd_code group_hashed(groups *g) {
    int64_t words = g->n + gd_distinct_buckets(g->n);
    gd_tensor *room = gd_empty(g->ctx, GD_INT64, 1, &words);
    if (!room) return gd_failed(g->ctx);
    group_neighbours(g, sort_slices(g));
    int64_t *place = (int64_t *)(void *)g->a, *order = place + g->n;
    int64_t count = gd_distinct_walk(g->dtype, g->in->data, g->n, (int64_t *)(void *)room->data, order);
    gd_release(room);
    for (int64_t k = 0; k < count; k++) place[g->group[order[k]]] = k;
    for (int64_t k = 0; k < count; k++) g->first[k] = order[k];
    for (int64_t i = 0; i < g->n; i++) g->group[i] = place[g->group[i]];
    return GD_OK;
}

/* ---- outputs ------------------------------------------------------------------------------------- */

static gd_tensor *values_of(const groups *g, int ndim, const int64_t *sizes) {
    gd_tensor *out = gd_empty(g->ctx, g->dtype, ndim, sizes);
    size_t bytes = (size_t)g->length * gd_dtype_bytes(g->dtype);
    for (int64_t k = 0; out && bytes && k < g->count; k++)
        memcpy(out->data + (size_t)k * bytes, value_at(g, g->first[k], 0), bytes);
    return out;
}

static gd_tensor *inverse_of(const groups *g, int ndim, const int64_t *sizes) {
    gd_tensor *out = gd_empty(g->ctx, GD_INT64, ndim, sizes);
    if (out && g->n) memcpy(out->data, g->group, (size_t)g->n * sizeof *g->group);
    return out;
}

static gd_tensor *counts_of(const groups *g) {
    gd_tensor *out = gd_zeros(g->ctx, GD_INT64, 1, &g->count);
    for (int64_t i = 0; out && i < g->n; i++) ((int64_t *)(void *)out->data)[g->group[i]]++;
    return out;
}

static gd_code give_next(gd_apply *a, gd_tensor *t) {
    if (!t) return gd_failed(a->ctx);
    a->out[a->nout++] = t;
    return GD_OK;
}

/* values: new, taken; then the others as argument `inverse` and the next say. Closes g. */
static gd_code give_groups(gd_apply *a, groups *g, gd_tensor *values, int inverse, int ndim, const int64_t *sizes) {
    gd_code code = give_next(a, values);
    if (!code && a->args[inverse].u.boolean) code = give_next(a, inverse_of(g, ndim, sizes));
    if (!code && a->args[inverse + 1].u.boolean) code = give_next(a, counts_of(g));
    close_groups(g);
    if (code)
        while (a->nout > 0) {
            gd_release(a->out[--a->nout]);
            a->out[a->nout] = NULL;
        }
    return code;
}

/* ---- rows ---------------------------------------------------------------------------------------- */

static gd_code run_flat(gd_apply *a, int inverse, bool consecutive, bool sorted) {
    gd_tensor *self = arg_tensor(a, 0);
    groups g;
    gd_code code = open_groups(a->ctx, gd_as_contiguous(a->ctx, self), self->numel, &g);
    if (code) return code;
    if (consecutive)
        group_in_place(&g);
    else if (sorted)
        group_neighbours(&g, sort_slices(&g));
    else
        code = group_hashed(&g);
    if (!code) return give_groups(a, &g, values_of(&g, 1, &g.count), inverse, self->ndim, self->sizes);
    close_groups(&g);
    return code;
}

static gd_code check_slices(gd_apply *a, int dim) {
    const gd_tensor *self = arg_tensor(a, 0);
    int zeros = 0;
    for (int d = 0; d < self->ndim; d++) zeros += self->sizes[d] == 0;
    if (self->ndim && zeros && self->sizes[dim] != 0)
        return gd_fail(a->ctx, GD_E_RUNTIME,
                       "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
    if (zeros > 1)
        return gd_fail(a->ctx, GD_E_RUNTIME,
                       "Number of zero sized dimensions is more than one, so unique cannot be applied ");
    return GD_OK;
}

/* New, contiguous: self with dimension dim exchanged with the first. */
static gd_tensor *turned(gd_ctx *ctx, gd_tensor *self, int dim) {
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    for (int d = 0; d < self->ndim; d++) {
        int from = d == 0 ? dim : d == dim ? 0 : d;
        sizes[d] = self->sizes[from];
        strides[d] = GD_STRIDES(self)[from];
    }
    gd_tensor *view = gd_alias(ctx, self, self->ndim, sizes, strides, gd_offset(self));
    gd_tensor *flat = view ? gd_as_contiguous(ctx, view) : NULL;
    gd_release(view);
    return flat;
}

static gd_code run_slices(gd_apply *a, int64_t at, int inverse, bool consecutive) {
    gd_tensor *self = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS];
    groups g;
    int dim;
    if (self->ndim == 0)
        return gd_fail(a->ctx, GD_E_INDEX, "Dimension specified as %lld but tensor has no dimensions", (long long)at);
    gd_code code = gd_wrap_dim(a->ctx, at, self->ndim, &dim);
    if (!code) code = check_slices(a, dim);
    if (!code) code = open_groups(a->ctx, turned(a->ctx, self, dim), self->sizes[dim], &g);
    if (code) return code;
    if (consecutive)
        group_in_place(&g);
    else
        group_neighbours(&g, sort_slices(&g));
    for (int d = 0; d < self->ndim; d++) sizes[d] = g.in->sizes[d];
    sizes[0] = g.count;
    gd_tensor *found = values_of(&g, self->ndim, sizes), *values = found ? turned(a->ctx, found, dim) : NULL;
    gd_release(found);
    return give_groups(a, &g, values, inverse, 1, &g.n);
}

gd_code gd_fw__unique2(gd_apply *a) { return run_flat(a, 2, false, a->args[1].u.boolean); }
gd_code gd_fw_unique_dim(gd_apply *a) { return run_slices(a, arg_int(a, 1), 2, false); }

gd_code gd_fw_unique_consecutive(gd_apply *a) {
    if (a->args[3].kind == GD_V_NONE) return run_flat(a, 1, true, true);
    return run_slices(a, arg_int(a, 3), 1, true);
}

gd_code gd_fw_unique(gd_apply *a) {
    bool flat = a->args[4].kind == GD_V_NONE;
    const gd_value args[] = {a->args[0], flat ? a->args[1] : a->args[4], a->args[2], a->args[3]};
    gd_result r = {0};
    gd_code code = gd_do_all(a->ctx, flat ? GD_OP__unique2 : GD_OP_unique_dim, args, 4, &r);
    for (uint32_t i = 0; !code && i < r.n; i++) a->out[a->nout++] = gd_retain(r.outputs[i]);
    gd_result_clear(&r);
    return code;
}
