/* document.c: see document.h. Answers are written straight into the buffer; values from tensor memory. */
#include "api/document.h"
#include "api/number.h"
#include "core/tensor/tensor.h"

#include <stdlib.h>

enum { SMALL_BYTES = 512, CHUNK = 64 };

/* More elements or brackets than an answer of GD_TEXT_LIMIT could hold. */
#define PRINTED_MAX ((int64_t)1 << 28)

/* ---- values -------------------------------------------------------------------------------- */

static char *put_element(char *out, gd_dtype dtype, const char *p) {
    union {
        float f32;
        double f64;
        int32_t i32;
        int64_t i64;
    } v;
    switch (dtype) {
    case GD_FLOAT32: memcpy(&v.f32, p, sizeof v.f32); return gd_write_f32(out, v.f32);
    case GD_FLOAT64: memcpy(&v.f64, p, sizeof v.f64); return gd_write_f64(out, v.f64);
    case GD_INT64: memcpy(&v.i64, p, sizeof v.i64); return gd_write_i64(out, v.i64);
    case GD_INT32: memcpy(&v.i32, p, sizeof v.i32); return gd_write_i64(out, v.i32);
    case GD_UINT8: return gd_write_i64(out, *(const unsigned char *)p);
    default: memcpy(out, *p ? "true," : "false", 5); return out + (*p ? 4 : 5);
    }
}

/* n elements and the commas between them. */
static bool put_row(gd_text *t, gd_dtype dtype, const char *p, int64_t n) {
    size_t width = gd_dtype_bytes(dtype);
    for (int64_t i = 0; i < n;) {
        int64_t stop = n - i > CHUNK ? i + CHUNK : n;
        char *out = gd_text_room(t, (size_t)(stop - i) * (GD_NUMBER_TEXT + 1));
        if (!out) return false;
        for (; i < stop; i++, p += width) {
            if (i) *out++ = ',';
            out = put_element(out, dtype, p);
        }
        t->n = (size_t)(out - t->data);
    }
    return true;
}

static void put_repeated(gd_text *t, char c, int n) {
    char *p = gd_text_room(t, (size_t)n);
    if (!p) return;
    memset(p, c, (size_t)n);
    t->n += (size_t)n;
}

/* Row-major values at p as nested arrays: one pass, with a counter a dimension. */
static void put_nested(gd_text *t, gd_dtype dtype, int ndim, const int64_t *sizes, const char *p) {
    int64_t at[GD_MAX_DIMS];
    int depth = 0;
    do at[depth] = 0;
    while (sizes[depth++] != 0 && depth < ndim); /* nothing shows below an empty dimension */
    int64_t row = sizes[depth - 1];
    size_t row_bytes = (size_t)row * gd_dtype_bytes(dtype);
    put_repeated(t, '[', depth);
    for (;;) {
        if (!put_row(t, dtype, p, row)) return;
        p += row_bytes;
        int level = depth - 2;
        put_repeated(t, ']', 1);
        for (; level >= 0 && ++at[level] == sizes[level]; level--) {
            at[level] = 0;
            put_repeated(t, ']', 1);
        }
        if (level < 0) return;
        put_repeated(t, ',', 1);
        put_repeated(t, '[', depth - 1 - level);
    }
}

/* How many elements or innermost brackets t's value prints as. */
static int64_t printed(const gd_tensor *t) {
    int64_t n = 1;
    for (int i = 0; i < gd_ndim(t) && gd_sizes(t)[i] > 0; i++)
        if (__builtin_mul_overflow(n, gd_sizes(t)[i], &n)) return INT64_MAX;
    return n;
}

static bool put_data(gd_text *out, const gd_tensor *t, gd_fault *f) {
    char small[SMALL_BYTES], *copy = NULL;
    const char *p = gd_contiguous_data(t);
    if (!p) {
        size_t bytes = gd_nbytes(t);
        if (bytes > sizeof small && !(copy = malloc(bytes)))
            return gd_fault_set(f, "out_of_memory", "%zu bytes are needed to write the tensor in order.", bytes);
        gd_read_bytes(t, copy ? copy : small);
        p = copy ? copy : small;
    }
    if (gd_ndim(t) > 0)
        put_nested(out, gd_dtype_of(t), gd_ndim(t), gd_sizes(t), p);
    else
        put_row(out, gd_dtype_of(t), p, 1);
    free(copy);
    return true;
}

bool gd_put_data(gd_text *out, const gd_tensor *t, gd_fault *f) {
    if (printed(t) > PRINTED_MAX)
        return gd_fault_set(f, "answer_too_large", "The tensor has too many elements for an answer in JSON.");
    return put_data(out, t, f);
}

/* ---- documents ----------------------------------------------------------------------------- */

static bool shown(const gd_tensor *t, gd_data_mode mode) {
    return mode == GD_DATA_FULL || (mode == GD_DATA_AUTO && printed(t) <= GD_DATA_AUTO_MAX);
}

void gd_put_node_id(gd_text *out, const gd_node *node) {
    GD_TEXT_LIT(out, "\"n");
    gd_text_u64(out, gd_node_id(node));
    GD_TEXT_LIT(out, "\"");
}

static void put_grad_fn(gd_text *out, gd_ctx *ctx, gd_tensor *t) {
    gd_node *node = gd_is_leaf(t) ? NULL : gd_grad_fn(ctx, t);
    if (!node) {
        GD_TEXT_LIT(out, ",\"grad_fn\":null");
        return;
    }
    GD_TEXT_LIT(out, ",\"grad_fn\":{\"id\":");
    gd_put_node_id(out, node);
    GD_TEXT_LIT(out, ",\"name\":");
    gd_text_name(out, gd_node_name(node));
    GD_TEXT_LIT(out, "}");
}

static void put_flag(gd_text *out, const char *key, size_t n, bool v) {
    gd_text_put(out, key, n);
    gd_text_bool(out, v);
}
#define FLAG(out, key, v) put_flag((out), ",\"" key "\":", sizeof(key) + 3, (v))

static void put_state(gd_text *out, gd_ctx *ctx, gd_tensor *t) {
    uint32_t version;
    FLAG(out, "is_leaf", gd_is_leaf(t));
    FLAG(out, "requires_grad", gd_requires_grad(t));
    FLAG(out, "retains_grad", gd_retains_grad(t));
    FLAG(out, "is_view", gd_is_view(t));
    GD_TEXT_LIT(out, ",\"version\":");
    if (!gd_is_inference(t) && gd_version(ctx, t, &version) == GD_OK)
        gd_text_i64(out, version);
    else
        GD_TEXT_LIT(out, "null");
    put_grad_fn(out, ctx, t);
    GD_TEXT_LIT(out, ",\"output_nr\":");
    gd_text_i64(out, gd_output_nr(t));
}

static void put_shape(gd_text *out, gd_tensor *t) {
    GD_TEXT_LIT(out, ",\"dtype\":\"");
    gd_text_puts(out, gd_dtype_name(gd_dtype_of(t)));
    GD_TEXT_LIT(out, "\",\"shape\":");
    gd_text_i64s(out, gd_sizes(t), gd_ndim(t));
}

static bool put_grad(gd_text *out, const gd_tensor *t, gd_data_mode mode, gd_fault *f) {
    gd_tensor *grad = gd_grad(t);
    if (!grad) {
        GD_TEXT_LIT(out, ",\"grad\":null");
        return true;
    }
    GD_TEXT_LIT(out, ",\"grad\":{\"dtype\":\"");
    gd_text_puts(out, gd_dtype_name(gd_dtype_of(grad)));
    GD_TEXT_LIT(out, "\",\"shape\":");
    gd_text_i64s(out, gd_sizes(grad), gd_ndim(grad));
    if (shown(grad, mode)) {
        GD_TEXT_LIT(out, ",\"data\":");
        if (!gd_put_data(out, grad, f)) return false;
    }
    GD_TEXT_LIT(out, "}");
    return true;
}

/* PyTorch cannot print a view whose base was spoilt either: its repr is null. */
static bool put_repr(gd_text *out, gd_ctx *ctx, gd_tensor *t, gd_fault *f) {
    char *repr = gd_repr(ctx, t);
    if (!repr && gd_ctx_error(ctx)->code == GD_E_MEMORY) return gd_fault_engine(f, ctx);
    GD_TEXT_LIT(out, ",\"repr\":");
    gd_text_string(out, repr);
    free(repr);
    return true;
}

bool gd_put_document(gd_text *out, gd_ctx *ctx, const char *name, gd_tensor *t, gd_data_mode mode, gd_fault *f) {
    GD_TEXT_LIT(out, "{\"name\":");
    gd_text_name(out, name);
    put_shape(out, t);
    GD_TEXT_LIT(out, ",\"stride\":");
    gd_text_i64s(out, gd_strides(t), gd_ndim(t));
    GD_TEXT_LIT(out, ",\"numel\":");
    gd_text_i64(out, gd_numel(t));
    GD_TEXT_LIT(out, ",\"nbytes\":");
    gd_text_u64(out, gd_nbytes(t));
    put_state(out, ctx, t);
    if (shown(t, mode)) {
        GD_TEXT_LIT(out, ",\"data\":");
        if (!gd_put_data(out, t, f)) return false;
    }
    if (mode != GD_DATA_NONE && !put_grad(out, t, mode, f)) return false;
    if (!put_repr(out, ctx, t, f)) return false;
    GD_TEXT_LIT(out, "}");
    return true;
}

void gd_put_value(gd_text *out, const gd_value *v) {
    switch (v->kind) {
    case GD_V_BOOL: gd_text_bool(out, v->u.boolean); break;
    case GD_V_INT: gd_text_i64(out, v->u.integer); break;
    case GD_V_FLOAT: gd_text_f64(out, v->u.real); break;
    case GD_V_STR: gd_text_string(out, v->u.str); break;
    case GD_V_DTYPE: gd_text_string(out, gd_dtype_name(v->u.dtype)); break;
    case GD_V_INTS: gd_text_i64s(out, v->u.ints, (int)v->n); break;
    case GD_V_LIST: /* flat: what ops answer */
        for (uint32_t i = 0; i < v->n; i++) {
            gd_text_puts(out, i ? "," : "[");
            gd_put_value(out, &v->u.list[i]);
        }
        gd_text_puts(out, v->n ? "]" : "[]");
        break;
    default: GD_TEXT_LIT(out, "null");
    }
}
