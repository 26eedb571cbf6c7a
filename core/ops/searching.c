/* searching.c: rows that look for places in ascending sequences. */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

/* One search: `n` boundaries, and in which order to read them. */
typedef struct sequence {
    const void *data;
    const int64_t *sorter; /* or NULL */
    int64_t n;
    bool right;
} sequence;

#define DEFINE_SEARCH(tag, T)                                                                                          \
    static int64_t search_##tag(const sequence *s, T x) {                                                              \
        int64_t low = 0, high = s->n;                                                                                  \
        while (low < high) {                                                                                           \
            int64_t middle = low + (high - low) / 2;                                                                   \
            T y = ((const T *)s->data)[s->sorter ? s->sorter[middle] : middle];                                        \
            if (s->right ? !(y > x) : !(y >= x))                                                                       \
                low = middle + 1;                                                                                      \
            else                                                                                                       \
                high = middle;                                                                                         \
        }                                                                                                              \
        return low;                                                                                                    \
    }
DEFINE_SEARCH(f64, double)
DEFINE_SEARCH(f32, float)
DEFINE_SEARCH(i64, int64_t)
DEFINE_SEARCH(i32, int32_t)
DEFINE_SEARCH(u8, uint8_t)

static int64_t search(gd_dtype dtype, const sequence *s, const char *value) {
    const void *p = value;
    switch (dtype) {
    case GD_FLOAT64: return search_f64(s, *(const double *)p);
    case GD_FLOAT32: return search_f32(s, *(const float *)p);
    case GD_INT64: return search_i64(s, *(const int64_t *)p);
    case GD_INT32: return search_i32(s, *(const int32_t *)p);
    default: return search_u8(s, *(const uint8_t *)p);
    }
}

/* ---- checks -------------------------------------------------------------------------------------- */

static bool shapes_fit(const gd_tensor *boundaries, const gd_tensor *values) {
    if (boundaries->ndim == 1) return true;
    if (boundaries->ndim != values->ndim) return false;
    return !memcmp(boundaries->sizes, values->sizes, (size_t)(boundaries->ndim - 1) * sizeof(int64_t));
}

static gd_code check_sorter(gd_ctx *c, const gd_tensor *boundaries, const gd_tensor *sorter) {
    char have[256], want[256];
    if (!gd_same_shape(boundaries, sorter))
        return gd_fail(c, GD_E_SHAPE,
                       "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor %s"
                       "and got sorter tensor %s",
                       gd_shape_text(want, sizeof want, boundaries->ndim, boundaries->sizes),
                       gd_shape_text(have, sizeof have, sorter->ndim, sorter->sizes));
    if (sorter->dtype != GD_INT64)
        return gd_fail(c, GD_E_DTYPE, "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype %s",
                       gd_dtype_scalar_name((gd_dtype)sorter->dtype));
    return GD_OK;
}

static gd_code check_shapes(gd_ctx *c, const gd_tensor *boundaries, const gd_tensor *values) {
    char have[256], want[256];
    if (boundaries->ndim == 0)
        return gd_fail(c, GD_E_SHAPE,
                       "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension");
    if (values->ndim == 0 && boundaries->ndim != 1)
        return gd_fail(
            c, GD_E_SHAPE,
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but "
            "we got boundaries tensor dim(%d) and input value's dim(0) numel(1)",
            boundaries->ndim);
    if (!shapes_fit(boundaries, values))
        return gd_fail(c, GD_E_SHAPE,
                       "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
                       "boundaries tensor and input value tensor must match, but we got boundaries tensor %s and input "
                       "value tensor %s",
                       gd_shape_text(want, sizeof want, boundaries->ndim, boundaries->sizes),
                       gd_shape_text(have, sizeof have, values->ndim, values->sizes));
    return GD_OK;
}

/* ---- the search ---------------------------------------------------------------------------------- */

typedef struct hunt {
    gd_tensor *boundaries, *values, *sorter; /* contiguous, of one dtype; owned */
    bool right, narrow;
} hunt;

static gd_tensor *prepared(gd_ctx *c, gd_tensor *t, gd_dtype dtype) {
    gd_tensor *cast = gd_as_dtype(c, t, dtype), *flat = cast ? gd_as_contiguous(c, cast) : NULL;
    gd_release(cast);
    return flat;
}

static gd_code check_places(gd_ctx *c, const hunt *h) {
    const int64_t *p = h->sorter ? (const int64_t *)(const void *)h->sorter->data : NULL;
    int64_t n = h->boundaries->sizes[h->boundaries->ndim - 1];
    for (int64_t i = 0; p && i < h->sorter->numel; i++)
        if (p[i] < 0 || p[i] >= n) return gd_fail(c, GD_E_INDEX, "torch.searchsorted(): sorter index out of range");
    return GD_OK;
}

static void search_all(const hunt *h, gd_tensor *out) {
    gd_dtype dtype = (gd_dtype)h->values->dtype;
    int64_t width = (int64_t)gd_dtype_bytes(dtype), n = h->boundaries->sizes[h->boundaries->ndim - 1];
    bool rows = h->boundaries->ndim > 1;
    int64_t each = rows ? h->values->sizes[h->values->ndim - 1] : 0;
    for (int64_t i = 0; i < out->numel; i++) {
        int64_t at = rows ? i / each * n : 0;
        sequence s = {h->boundaries->data + at * width,
                      h->sorter ? (const int64_t *)(const void *)h->sorter->data + at : NULL, n, h->right};
        int64_t found = search(dtype, &s, h->values->data + i * width);
        if (h->narrow)
            ((int32_t *)(void *)out->data)[i] = (int32_t)found;
        else
            ((int64_t *)(void *)out->data)[i] = found;
    }
}

static gd_code hunt_down(gd_apply *a, gd_tensor *boundaries, gd_tensor *values, gd_tensor *sorter, bool right,
                         bool narrow) {
    gd_ctx *c = a->ctx;
    gd_dtype dtype = gd_result_type((gd_tensor *const[]){boundaries, values}, 2);
    gd_code code = check_shapes(c, boundaries, values);
    if (!code && sorter) code = check_sorter(c, boundaries, sorter);
    if (!code && narrow && boundaries->sizes[boundaries->ndim - 1] >= INT32_MAX)
        code =
            gd_fail(c, GD_E_TOO_LARGE,
                    "torch.searchsorted(): the size of boundaries' last dimension should be less than %d, but we got "
                    "%lld",
                    INT32_MAX, (long long)boundaries->sizes[boundaries->ndim - 1]);
    if (!code && dtype == GD_BOOL) code = gd_fail(c, GD_E_DTYPE, "\"searchsorted_out_cpu\" not implemented for 'Bool'");
    if (code) return code;
    hunt h = {.right = right, .narrow = narrow};
    h.boundaries = prepared(c, boundaries, dtype);
    h.values = h.boundaries ? prepared(c, values, dtype) : NULL;
    h.sorter = h.values && sorter ? gd_as_contiguous(c, sorter) : NULL;
    gd_tensor *out = NULL;
    bool ready = h.values && (!sorter || h.sorter);
    if (ready && !check_places(c, &h)) out = gd_empty_like(c, h.values, narrow ? GD_INT32 : GD_INT64);
    if (out) search_all(&h, out);
    gd_release(h.boundaries);
    gd_release(h.values);
    gd_release(h.sorter);
    return give(a, out);
}

gd_code gd_fw_searchsorted(gd_apply *a) {
    const char *side = a->args[4].kind == GD_V_STR ? a->args[4].u.str : NULL;
    bool right = a->args[3].u.boolean;
    gd_tensor *sorter = a->args[5].kind == GD_V_TENSOR ? arg_tensor(a, 5) : NULL;
    if (side && strcmp(side, "left") != 0 && strcmp(side, "right") != 0)
        return gd_fail(a->ctx, GD_E_RUNTIME, "torch.searchsorted(): side can only be 'left' or 'right' but got %s",
                       side);
    if (side && right && !strcmp(side, "left"))
        return gd_fail(
            a->ctx, GD_E_RUNTIME,
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was "
            "True");
    if (side) right = !strcmp(side, "right");
    return hunt_down(a, arg_tensor(a, 0), arg_tensor(a, 1), sorter, right, a->args[2].u.boolean);
}

gd_code gd_fw_bucketize(gd_apply *a) {
    gd_tensor *boundaries = arg_tensor(a, 1);
    if (boundaries->ndim != 1)
        return gd_fail(a->ctx, GD_E_SHAPE, "boundaries tensor must be 1 dimension, but got dim(%d)", boundaries->ndim);
    return hunt_down(a, boundaries, arg_tensor(a, 0), NULL, a->args[3].u.boolean, a->args[2].u.boolean);
}
