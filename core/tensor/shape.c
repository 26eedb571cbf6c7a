/* shape.c: sizes, strides and broadcasting; numbers only, no tensors are made here. */
#include "core/tensor/tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Room that the allocator may add to a storage: header, alignment and size classes. */
#define PADDING_BYTES ((int64_t)1 << 40)

char *gd_shape_text(char *buf, size_t bytes, int ndim, const int64_t *sizes) {
    static const char ellipsis[] = "…";
    size_t used = 0;
    if (bytes == 0) return buf;
    buf[0] = '\0';
    for (int i = -1; i <= ndim; i++) {
        char part[32] = "[";
        if (i == ndim)
            strcpy(part, "]");
        else if (i >= 0)
            snprintf(part, sizeof part, "%s%" PRId64, i ? ", " : "", sizes[i]);
        size_t length = strlen(part);
        if (used + length + sizeof ellipsis > bytes) {
            if (used + sizeof ellipsis <= bytes) memcpy(buf + used, ellipsis, sizeof ellipsis);
            return buf;
        }
        memcpy(buf + used, part, length + 1);
        used += length;
    }
    return buf;
}

static gd_code fail_overflow(gd_ctx *ctx, int ndim, const int64_t *sizes) {
    char text[256];
    return gd_fail(ctx, GD_E_TOO_LARGE, "Storage size calculation overflowed with sizes=%s",
                   gd_shape_text(text, sizeof text, ndim, sizes));
}

gd_code gd_checked_numel(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, int64_t *numel) {
    char text[256];
    /* The product of the sizes with 1 in place of 0 bounds every stride too. */
    int64_t bound = 1, nbytes;
    bool empty = false, fits = true;
    if (ndim < 0 || ndim > GD_MAX_DIMS)
        return gd_fail(ctx, GD_E_TOO_LARGE, "tensors of more than %d dimensions are not supported, got %d", GD_MAX_DIMS,
                       ndim);
    for (int i = 0; i < ndim; i++) {
        if (sizes[i] < 0)
            return gd_fail(ctx, GD_E_SHAPE, "Trying to create tensor with negative dimension %" PRId64 ": %s", sizes[i],
                           gd_shape_text(text, sizeof text, ndim, sizes));
        empty |= sizes[i] == 0;
        fits = fits && gd_mul_i64(bound, sizes[i] ? sizes[i] : 1, &bound);
    }
    if (!fits || !gd_mul_i64(bound, (int64_t)gd_dtype_bytes(dtype), &nbytes) || nbytes > PTRDIFF_MAX - PADDING_BYTES)
        return fail_overflow(ctx, ndim, sizes);
    *numel = empty ? 0 : bound;
    return GD_OK;
}

bool gd_strides_contiguous(int ndim, const int64_t *sizes, const int64_t *strides) {
    int64_t expected = 1;
    bool in_order = true;
    for (int i = ndim - 1; i >= 0; i--) {
        if (sizes[i] == 0) return true;
        if (sizes[i] == 1) continue;
        in_order = in_order && strides[i] == expected;
        /* Wraps only for geometries that are out of order already. */
        expected = (int64_t)((uint64_t)expected * (uint64_t)sizes[i]);
    }
    return in_order;
}

void gd_contiguous_strides(int ndim, const int64_t *sizes, int64_t *strides) {
    uint64_t stride = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        strides[i] = (int64_t)stride;
        stride *= sizes[i] > 1 ? (uint64_t)sizes[i] : 1;
    }
}

bool gd_same_shape(const gd_tensor *a, const gd_tensor *b) {
    if (a->ndim != b->ndim) return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->sizes[i] != b->sizes[i]) return false;
    return true;
}

gd_code gd_wrap_dim(gd_ctx *ctx, int64_t dim, int ndim, int *out) {
    int range = ndim > 0 ? ndim : 1;
    if (dim < -range || dim >= range)
        return gd_fail(ctx, GD_E_INDEX,
                       "Dimension out of range (expected to be in range of [%d, %d], but got %" PRId64 ")", -range,
                       range - 1, dim);
    *out = (int)(dim < 0 ? dim + range : dim);
    return GD_OK;
}

gd_code gd_broadcast_shape(gd_ctx *ctx, int andim, const int64_t *a, int bndim, const int64_t *b, int64_t *out,
                           int *ndim) {
    int n = andim > bndim ? andim : bndim;
    for (int i = n - 1; i >= 0; i--) {
        int ai = i - (n - andim), bi = i - (n - bndim);
        int64_t x = ai >= 0 ? a[ai] : 1, y = bi >= 0 ? b[bi] : 1;
        if (x != y && x != 1 && y != 1)
            return gd_fail(ctx, GD_E_SHAPE,
                           "The size of tensor a (%" PRId64 ") must match the size of tensor b (%" PRId64
                           ") at non-singleton dimension %d",
                           x, y, i);
        out[i] = x == 1 ? y : x;
    }
    *ndim = n;
    return GD_OK;
}
