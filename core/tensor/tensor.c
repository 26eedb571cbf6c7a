/* tensor.c: tensors as such: making, sharing, reading and freeing them. */
#include "core/autograd/autograd.h"
#include "core/tensor/cells.h"

#include <stdlib.h>
#include <string.h>

/* A tensor without storage yet. Sizes are left for the caller to fill. */
static gd_tensor *new_header(gd_ctx *ctx, gd_dtype dtype, int ndim) {
    gd_tensor *t = gd_cell_new(sizeof *t);
    if (!t) return gd_fail_memory(ctx), NULL;
    gd_see_dtype(dtype);
    t->refs = 1;
    t->dtype = (uint8_t)dtype;
    t->ndim = (uint8_t)ndim;
    t->flags = 0;
    t->output_nr = 0;
    t->reserved = 0;
    t->sizes = t->dims;
    t->grad_fn = NULL;
    t->own_version = NULL;
    t->meta = NULL;
    if (ndim > GD_INLINE_DIMS) t->sizes = malloc(2 * (size_t)ndim * sizeof *t->sizes);
    if (t->sizes) return t;
    gd_cell_free(t, sizeof *t);
    return gd_fail_memory(ctx), NULL;
}

static void free_header(gd_tensor *t) {
    if (t->sizes != t->dims) free(t->sizes);
    gd_cell_free(t, sizeof *t);
}

static gd_tensor *new_contiguous(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, bool zero) {
    int64_t numel;
    if (gd_checked_numel(ctx, dtype, ndim, sizes, &numel) != GD_OK) return NULL;
    gd_tensor *t = new_header(ctx, dtype, ndim);
    if (!t) return NULL;
    t->storage = gd_storage_new(ctx, (size_t)numel * gd_dtype_bytes(dtype), zero);
    if (!t->storage) {
        free_header(t);
        return NULL;
    }
    t->data = t->storage->bytes;
    t->numel = numel;
    if (ctx->mode == GD_MODE_INFERENCE) t->flags = GD_F_INFERENCE;
    for (int i = 0; i < ndim; i++) t->sizes[i] = sizes[i];
    gd_contiguous_strides(ndim, sizes, GD_STRIDES(t));
    return t;
}

gd_tensor *gd_zeros(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes) {
    return new_contiguous(ctx, dtype, ndim, sizes, true);
}

gd_tensor *gd_empty(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes) {
    return new_contiguous(ctx, dtype, ndim, sizes, false);
}

gd_tensor *gd_empty_like(gd_ctx *ctx, const gd_tensor *like, gd_dtype dtype) {
    return new_contiguous(ctx, dtype, like->ndim, like->sizes, false);
}

gd_tensor *gd_from_bytes(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes, const void *bytes,
                         size_t nbytes) {
    char text[256];
    int64_t numel;
    if (gd_checked_numel(ctx, dtype, ndim, sizes, &numel) != GD_OK) return NULL;
    size_t needed = (size_t)numel * gd_dtype_bytes(dtype);
    if (nbytes != needed)
        return gd_fail(ctx, GD_E_VALUE, "a %s tensor of size %s takes %zu bytes, got %zu", gd_dtype_name(dtype),
                       gd_shape_text(text, sizeof text, ndim, sizes), needed, nbytes),
               NULL;
    gd_tensor *t = gd_empty(ctx, dtype, ndim, sizes);
    if (!t || nbytes == 0) return t;
    memcpy(t->data, bytes, nbytes);
    if (dtype == GD_BOOL) /* kernels rely on 0 and 1 */
        for (size_t i = 0; i < nbytes; i++) t->data[i] = t->data[i] != 0;
    return t;
}

gd_tensor *gd_scalar_f64(gd_ctx *ctx, double value, gd_dtype dtype) {
    gd_tensor *t = gd_empty(ctx, dtype, 0, NULL);
    if (t) gd_store_f64(dtype, t->data, value);
    return t;
}

gd_tensor *gd_scalar_i64(gd_ctx *ctx, int64_t value, gd_dtype dtype) {
    gd_tensor *t = gd_empty(ctx, dtype, 0, NULL);
    if (t) gd_store_i64(dtype, t->data, value);
    return t;
}

gd_tensor *gd_alias(gd_ctx *ctx, const gd_tensor *t, int ndim, const int64_t *sizes, const int64_t *strides,
                    int64_t offset) {
    gd_tensor *alias = new_header(ctx, (gd_dtype)t->dtype, ndim);
    if (!alias) return NULL;
    alias->numel = 1;
    for (int i = 0; i < ndim; i++) {
        alias->sizes[i] = sizes[i];
        alias->sizes[ndim + i] = strides[i];
        /* Zero wins; expanded sizes whose product leaves int64 are the checking caller's to refuse. */
        alias->numel = (int64_t)((uint64_t)alias->numel * (uint64_t)sizes[i]);
    }
    alias->flags = t->flags & GD_F_INFERENCE;
    alias->storage = gd_storage_retain(t->storage);
    alias->data = (char *)t->storage->bytes + offset * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    alias->own_version = t->own_version;
    if (alias->own_version) alias->own_version->refs++;
    return alias;
}

gd_code gd_set_geometry(gd_ctx *ctx, gd_tensor *t, int ndim, const int64_t *sizes, const int64_t *strides,
                        int64_t offset) {
    int64_t *dims = t->dims, copy[2 * GD_MAX_DIMS], numel = 1;
    for (int i = 0; i < ndim; i++) { /* sizes may be t's own */
        copy[i] = sizes[i];
        copy[ndim + i] = strides[i];
        numel = (int64_t)((uint64_t)numel * (uint64_t)sizes[i]);
    }
    size_t bytes = 2 * (size_t)ndim * sizeof *dims;
    if (ndim > GD_INLINE_DIMS && !(dims = malloc(bytes))) return gd_fail_memory(ctx);
    if (t->sizes != t->dims) free(t->sizes);
    if (ndim) memcpy(dims, copy, bytes);
    t->sizes = dims;
    t->ndim = (uint8_t)ndim;
    t->numel = numel;
    t->data = (char *)t->storage->bytes + offset * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    return GD_OK;
}

int64_t gd_offset(const gd_tensor *t) {
    return (t->data - (char *)t->storage->bytes) / (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
}

gd_meta *gd_tensor_meta(gd_ctx *ctx, gd_tensor *t) {
    if (!t->meta && !(t->meta = calloc(1, sizeof *t->meta))) gd_fail_memory(ctx);
    return t->meta;
}

/* ---- lifetime ------------------------------------------------------------------------------ */

static void drop_version(gd_version_counter *counter) {
    if (counter && --counter->refs == 0) free(counter);
}

static void destroy_plain(gd_tensor *t) {
    drop_version(t->own_version);
    gd_storage_release(t->storage);
    free_header(t);
}

/* Note [Dying tensors]: a tensor's gradient has a gradient, a graph holds tensors that hold graphs; freeing
 * one inside the other would nest as deep as clients make the chain. So only the outermost release on a
 * thread works; tensors that die meanwhile wait in a list, linked through `data`. */
static _Thread_local gd_tensor *dying;
static _Thread_local bool draining;

static void destroy_attached(gd_tensor *t) {
    t->data = (char *)dying;
    dying = t;
    if (draining) return;
    draining = true;
    while (dying) {
        gd_tensor *next = dying;
        dying = (gd_tensor *)(void *)next->data;
        if (next->meta) gd_meta_free(next);
        if (next->grad_fn) gd_node_release(next->grad_fn);
        destroy_plain(next);
    }
    draining = false;
}

gd_tensor *gd_retain(gd_tensor *t) {
    if (t) t->refs++;
    return t;
}

void gd_release(gd_tensor *t) {
    if (!t || --t->refs > 0) return;
    if (t->grad_fn || t->meta)
        destroy_attached(t);
    else
        destroy_plain(t);
}

/* ---- readers ------------------------------------------------------------------------------- */

gd_dtype gd_dtype_of(const gd_tensor *t) { return (gd_dtype)t->dtype; }
int gd_ndim(const gd_tensor *t) { return t->ndim; }
const int64_t *gd_sizes(const gd_tensor *t) { return t->sizes; }
const int64_t *gd_strides(const gd_tensor *t) { return GD_STRIDES(t); }
int64_t gd_numel(const gd_tensor *t) { return t->numel; }
size_t gd_nbytes(const gd_tensor *t) { return (size_t)t->numel * gd_dtype_bytes((gd_dtype)t->dtype); }
bool gd_is_contiguous(const gd_tensor *t) { return gd_strides_contiguous(t->ndim, t->sizes, GD_STRIDES(t)); }
bool gd_retains_grad(const gd_tensor *t) { return (t->flags & GD_F_RETAINS_GRAD) != 0; }
bool gd_is_view(const gd_tensor *t) { return (t->flags & GD_F_VIEW) != 0; }
bool gd_is_inference(const gd_tensor *t) { return (t->flags & GD_F_INFERENCE) != 0; }
uint32_t gd_output_nr(const gd_tensor *t) { return t->output_nr; }
gd_tensor *gd_base(const gd_tensor *t) { return t->meta ? t->meta->base : NULL; }

bool gd_requires_grad(const gd_tensor *t) {
    /* A view whose base came to require grad does so too, before its grad_fn was made again. */
    const gd_tensor *base = gd_base(t);
    return ((t->flags | (base ? base->flags : 0)) & GD_F_REQUIRES_GRAD) != 0;
}

gd_code gd_version(gd_ctx *ctx, const gd_tensor *t, uint32_t *version) {
    if (t->flags & GD_F_INFERENCE) return gd_fail(ctx, GD_E_STATE, "Inference tensors do not track version counter.");
    *version = *gd_version_slot(t);
    return GD_OK;
}

/* ---- .data --------------------------------------------------------------------------------- */

static gd_version_counter *new_version(gd_ctx *ctx, uint32_t version) {
    gd_version_counter *counter = malloc(sizeof *counter);
    if (!counter) return gd_fail_memory(ctx), NULL;
    *counter = (gd_version_counter){.refs = 1, .version = version};
    return counter;
}

gd_tensor *gd_data(gd_ctx *ctx, gd_tensor *t) {
    gd_version_counter *fresh = new_version(ctx, 0);
    if (!fresh) return NULL;
    gd_tensor *data = gd_alias(ctx, t, t->ndim, t->sizes, GD_STRIDES(t), gd_offset(t));
    if (!data) {
        drop_version(fresh);
        return NULL;
    }
    drop_version(data->own_version);
    data->own_version = fresh;
    data->flags = 0;
    return data;
}

gd_code gd_set_data(gd_ctx *ctx, gd_tensor *t, gd_tensor *source) {
    if ((t->grad_fn || gd_requires_grad(t)) && !gd_dtype_is_float((gd_dtype)source->dtype))
        return gd_fail(ctx, GD_E_DTYPE,
                       "data set to a tensor that requires gradients must be floating point or complex dtype");
    if (!t->own_version) { /* the version stays, so it leaves the old storage's counter */
        t->own_version = new_version(ctx, t->storage->version);
        if (!t->own_version) return GD_E_MEMORY;
    }
    gd_storage *old = t->storage;
    int64_t offset = gd_offset(source);
    uint8_t old_dtype = t->dtype;
    t->storage = source->storage;
    t->dtype = source->dtype;
    if (gd_set_geometry(ctx, t, source->ndim, source->sizes, GD_STRIDES(source), offset) != GD_OK) {
        t->storage = old;
        t->dtype = old_dtype;
        return GD_E_MEMORY;
    }
    gd_storage_retain(source->storage);
    gd_storage_release(old);
    return GD_OK;
}
