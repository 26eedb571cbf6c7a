/* finding.c: rows that look through all elements: where those that are not zero stand, which are among others. */
#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/kernels/order.h"
#include "core/ops/args.h"
#include "core/ops/families.h"
#include "core/ops/pointwise_run.h"

/* ---- what is not zero -------------------------------------------------------------------------------------------- */

/* New: for each element 1 or 0, contiguous: is it not zero? NaN is not. */
static gd_tensor *truth_of(gd_ctx *c, gd_tensor *t) {
    gd_tensor *truth = gd_as_dtype(c, t, GD_BOOL), *flat = truth ? gd_as_contiguous(c, truth) : NULL;
    gd_release(truth);
    return flat;
}

static int64_t count_true(const gd_tensor *truth) {
    const uint8_t *p = (const uint8_t *)truth->data;
    int64_t n = 0;
    for (int64_t i = 0; i < truth->numel; i++) n += p[i];
    return n;
}

/* Writes the flat places of what is true; eight falsehoods at a time are skipped. */
static void list_true(const gd_tensor *truth, int64_t *out) {
    const uint8_t *p = (const uint8_t *)truth->data;
    int64_t i = 0;
    for (; i + 8 <= truth->numel; i += 8) {
        uint64_t eight;
        memcpy(&eight, p + i, 8);
        for (int64_t k = i; eight && k < i + 8; k++)
            if (p[k]) *out++ = k;
    }
    for (; i < truth->numel; i++)
        if (p[i]) *out++ = i;
}

/* places: `dims` rows of n, the last one with flat places: each row gets its dimension's. */
static void take_places_apart(const gd_tensor *t, int64_t *places, int64_t n) {
    int64_t *flat = places + (t->ndim - 1) * n;
    for (int d = t->ndim - 1; d > 0; d--) {
        int64_t *above = places + (d - 1) * n, size = t->sizes[d], quotient = 0, start = 0;
        for (int64_t i = 0; i < n; i++) {
            if (flat[i] - start >= size) { /* places ascend: most are in the row of the one before */
                quotient = flat[i] / size;
                start = quotient * size;
            }
            flat[i] -= start;
            above[i] = quotient;
        }
        flat = above;
    }
}

/* New: the places, a row for each dimension of t (at least one). */
static gd_tensor *places_of(gd_ctx *c, gd_tensor *t, bool at_least_one) {
    gd_tensor *truth = truth_of(c, t);
    if (!truth) return NULL;
    int64_t rows = t->ndim || !at_least_one ? t->ndim : 1, sizes[] = {rows, count_true(truth)};
    gd_tensor *out = gd_empty(c, GD_INT64, 2, sizes);
    if (out && rows) list_true(truth, (int64_t *)(void *)out->data + (rows - 1) * sizes[1]);
    gd_release(truth);
    if (out && t->ndim) take_places_apart(t, (int64_t *)(void *)out->data, sizes[1]);
    return out;
}

/* A row for each place: the places of places_of (taken), seen the other way round. */
static gd_code give_rows(gd_apply *a, gd_tensor *places) {
    if (!places) return gd_failed(a->ctx);
    const int64_t sizes[] = {places->sizes[1], places->sizes[0]};
    const int64_t strides[] = {1, places->sizes[1] > 1 ? places->sizes[1] : 1};
    gd_code code = gd_set_geometry(a->ctx, places, 2, sizes, strides, 0);
    if (!code) return give(a, places);
    gd_release(places);
    return code;
}

static gd_code give_tuple(gd_apply *a, gd_tensor *places) {
    if (!places) return gd_failed(a->ctx);
    int n = (int)places->sizes[0];
    gd_code code = gd_apply_reserve(a, n);
    for (int i = 0; i < n && !code; i++) {
        a->out[i] = gd_alias(a->ctx, places, 1, &places->sizes[1], (const int64_t[]){1}, i * places->sizes[1]);
        if (!a->out[i]) code = gd_failed(a->ctx);
    }
    a->list = true;
    gd_release(places);
    return code;
}

gd_code gd_fw_nonzero(gd_apply *a) {
    bool tuple = a->args[1].u.boolean;
    gd_tensor *places = places_of(a->ctx, arg_tensor(a, 0), tuple);
    return tuple ? give_tuple(a, places) : give_rows(a, places);
}

/* A number that is zero has no places in no dimension: as PyTorch gives it, 0 by 0. */
gd_code gd_fw_argwhere(gd_apply *a) { return give_rows(a, places_of(a->ctx, arg_tensor(a, 0), false)); }

/* ---- what is among others ---------------------------------------------------------------------------------------- */

typedef struct crowd {
    gd_tensor *elements, *others; /* contiguous, of one dtype; owned */
    gd_tensor *room;              /* owned */
    gd_ranked *sorted;            /* the others that are not NaN */
    int64_t n;
} crowd;

static void leave(crowd *w) {
    gd_release(w->elements);
    gd_release(w->others);
    gd_release(w->room);
}

static gd_tensor *prepared(gd_ctx *c, gd_tensor *t, gd_dtype dtype) {
    gd_tensor *cast = gd_as_dtype(c, t, dtype), *flat = cast ? gd_as_contiguous(c, cast) : NULL;
    gd_release(cast);
    return flat;
}

static gd_code sort_others(gd_ctx *c, crowd *w) {
    gd_dtype dtype = (gd_dtype)w->others->dtype;
    int64_t words, step = (int64_t)gd_dtype_bytes(dtype);
    if (!gd_mul_i64(w->others->numel, 4, &words)) return gd_fail_memory(c);
    w->room = gd_empty(c, GD_INT64, 1, &words);
    if (!w->room) return gd_failed(c);
    w->sorted = (gd_ranked *)(void *)w->room->data;
    for (int64_t i = 0; i < w->others->numel; i++) {
        const char *p = w->others->data + i * step;
        if (!isnan(gd_load_f64(dtype, p))) w->sorted[w->n++] = (gd_ranked){gd_order_key(dtype, p), i};
    }
    w->sorted = gd_rank_sort(w->sorted, w->sorted + w->others->numel, w->n);
    return GD_OK;
}

/* Halves what is left without a branch on the keys. */
static bool is_among(const crowd *w, uint64_t key) {
    const gd_ranked *at = w->sorted;
    for (int64_t n = w->n; n > 1; n -= n / 2) at += at[n / 2].key <= key ? n / 2 : 0;
    return w->n && at->key == key;
}

static gd_tensor *answers(gd_ctx *c, const crowd *w, bool inverted) {
    gd_tensor *out = gd_empty_like(c, w->elements, GD_BOOL);
    gd_dtype dtype = (gd_dtype)w->elements->dtype;
    int64_t step = (int64_t)gd_dtype_bytes(dtype);
    for (int64_t i = 0; out && i < out->numel; i++) {
        const char *p = w->elements->data + i * step;
        ((uint8_t *)out->data)[i] = is_among(w, gd_order_key(dtype, p)) != inverted;
    }
    return out;
}

gd_code gd_fw_isin(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_number number;
    gd_tensor *in[2];
    for (int i = 0; i < 2; i++) {
        in[i] = a->args[i].kind == GD_V_TENSOR ? arg_tensor(a, i) : gd_number_of(&number, &a->args[i]);
        if (in[i]->dtype == GD_BOOL)
            return gd_fail(c, GD_E_DTYPE, "Unsupported input type encountered for isin(): Bool");
    }
    gd_dtype dtype = gd_result_type(in, 2);
    crowd w = {.elements = prepared(c, in[0], dtype)};
    w.others = w.elements ? prepared(c, in[1], dtype) : NULL;
    gd_code code = w.others ? sort_others(c, &w) : gd_failed(c);
    gd_tensor *out = code ? NULL : answers(c, &w, a->args[3].u.boolean);
    leave(&w);
    return code ? code : give(a, out);
}
