/* layout.c: new tensors laid out in memory like another one; see create.h. */
#include "core/ops/create.h"

#include <string.h>

/* > 0 if dimension x must lie outside y; 0 where strides do not say. */
static int compare_dims(const gd_tensor *t, int x, int y) {
    int64_t a = GD_STRIDES(t)[x], b = GD_STRIDES(t)[y];
    if (a == 0 || b == 0) return 0;
    if (a != b) return a < b ? -1 : 1;
    return t->sizes[x] > t->sizes[y] ? 1 : 0;
}

bool gd_layout_strides(const gd_tensor *t, int64_t *strides) {
    int order[GD_MAX_DIMS];
    int64_t stride = 1;
    bool same = true;
    for (int i = 0; i < t->ndim; i++) order[i] = t->ndim - 1 - i;
    for (int i = 1; i < t->ndim; i++) {
        int at = i;
        for (int j = i - 1; j >= 0; j--) {
            int c = compare_dims(t, order[j], order[at]);
            if (c < 0) break;
            if (c == 0) continue;
            int kept = order[j];
            order[j] = order[at];
            order[at] = kept;
            at = j;
        }
    }
    for (int i = 0; i < t->ndim; i++) {
        int d = order[i];
        strides[d] = stride;
        if (t->sizes[d] != 1 && GD_STRIDES(t)[d] != stride) same = false;
        if (t->sizes[d] > 1) stride *= t->sizes[d];
    }
    return same;
}

gd_tensor *gd_empty_layout(gd_ctx *ctx, const gd_tensor *t, gd_dtype dtype) {
    int64_t strides[GD_MAX_DIMS];
    gd_tensor *out = gd_empty_like(ctx, t, dtype);
    if (!out || t->numel == 0 || gd_is_contiguous(t)) return out;
    gd_layout_strides(t, strides);
    if (memcmp(strides, GD_STRIDES(out), (size_t)t->ndim * sizeof *strides) == 0) return out;
    if (gd_set_geometry(ctx, out, t->ndim, t->sizes, strides, 0)) {
        gd_release(out);
        return NULL;
    }
    return out;
}
