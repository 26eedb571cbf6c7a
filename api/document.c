/* document.c: see document.h. Answers are written straight into the buffer; values from tensor memory. */
#include "api/document.h"
#include "api/number.h"
#include "core/tensor/tensor.h"

#include <math.h>
#include <stdlib.h>

enum { SMALL_BYTES = 512, CHUNK = 64 };

/* More elements or brackets than an answer of GD_TEXT_LIMIT could hold. */
#define PRINTED_MAX ((int64_t)1 << 28)

/* ---- values -------------------------------------------------------------------------------- */

/* Few enough digits to tell numbers of 16 bits apart: the text of what is returned is the shortest that reads back to
 * v, as far as v is a number of the dtype. */
static float short_decimal(gd_dtype dtype, float v) {
    if (v == 0 || !isfinite(v)) return v;
    const double size = fabs((double)v);
    const int exponent = (int)floor(log10(size));
    for (int digits = 1; digits < 6; digits++) {
        const double unit = pow(10, exponent + 1 - digits); /* 1e-40 at the least */
        const float near = (float)copysign(nearbyint(size / unit) * unit, (double)v);
        char element[8];
        gd_store_f64(dtype, element, (double)near);
        if ((float)gd_load_f64(dtype, element) == v) return near;
    }
    return v;
}

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
    case GD_INT8:
    case GD_INT16: return gd_write_i64(out, gd_load_i64(dtype, p));
    case GD_FLOAT16:
    case GD_BFLOAT16: return gd_write_f32(out, short_decimal(dtype, (float)gd_load_f64(dtype, p)));
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

/* The head of a document is written through a cursor into room that was made for all of it. */
#define LIT(p, literal) ((p) = put_bytes((p), "" literal, sizeof(literal) - 1))

static inline char *put_bytes(char *p, const char *bytes, size_t n) {
    memcpy(p, bytes, n);
    return p + n;
}

static inline char *put_i64(char *p, int64_t v) {
    if (v < 0 || v > 9) return gd_write_i64(p, v);
    *p = (char)('0' + v);
    return p + 1;
}

static char *put_i64s(char *p, const int64_t *v, int n) {
    *p++ = '[';
    for (int i = 0; i < n; i++) {
        if (i) *p++ = ',';
        p = put_i64(p, v[i]);
    }
    *p++ = ']';
    return p;
}

static inline char *put_bool(char *p, bool v) { return v ? put_bytes(p, "true", 4) : put_bytes(p, "false", 5); }

static char *put_grad_fn(char *p, const gd_node *node, const char *name, size_t name_length) {
    if (!node) return put_bytes(p, "null", 4);
    LIT(p, "{\"id\":\"n");
    p = put_i64(p, (int64_t)gd_node_id(node));
    LIT(p, "\",\"name\":\"");
    p = put_bytes(p, name, name_length);
    return put_bytes(p, "\"}", 2);
}

static char *put_state(char *p, gd_ctx *ctx, gd_tensor *t) {
    uint32_t version;
    LIT(p, ",\"is_leaf\":");
    p = put_bool(p, gd_is_leaf(t));
    LIT(p, ",\"requires_grad\":");
    p = put_bool(p, gd_requires_grad(t));
    LIT(p, ",\"retains_grad\":");
    p = put_bool(p, gd_retains_grad(t));
    LIT(p, ",\"is_view\":");
    p = put_bool(p, gd_is_view(t));
    LIT(p, ",\"version\":");
    if (!gd_is_inference(t) && gd_version(ctx, t, &version) == GD_OK) return put_i64(p, version);
    return put_bytes(p, "null", 4);
}

static char *put_shape(char *p, gd_tensor *t) {
    const char *dtype = gd_dtype_name(gd_dtype_of(t));
    LIT(p, ",\"dtype\":\"");
    p = put_bytes(p, dtype, strlen(dtype));
    LIT(p, "\",\"shape\":");
    p = put_i64s(p, gd_sizes(t), gd_ndim(t));
    LIT(p, ",\"stride\":");
    p = put_i64s(p, gd_strides(t), gd_ndim(t));
    LIT(p, ",\"numel\":");
    p = put_i64(p, gd_numel(t));
    LIT(p, ",\"nbytes\":");
    return put_i64(p, (int64_t)gd_nbytes(t));
}

enum { HEAD_BYTES = 512 }; /* of the fixed texts and single numbers, with room to spare */

/* Everything up to the values. False: no room. */
static bool put_head(gd_text *out, gd_ctx *ctx, const char *name, gd_tensor *t) {
    const gd_node *node = gd_is_leaf(t) ? NULL : gd_grad_fn(ctx, t);
    const char *node_name = node ? gd_node_name(node) : "";
    size_t name_length = name ? strlen(name) : 0, node_length = strlen(node_name);
    char *p = gd_text_room(out, HEAD_BYTES + name_length + node_length + 2 * (size_t)gd_ndim(t) * GD_NUMBER_TEXT);
    if (!p) return false;
    LIT(p, "{\"name\":");
    if (name) *p++ = '"';
    p = name ? put_bytes(p, name, name_length) : put_bytes(p, "null", 4);
    if (name) *p++ = '"';
    p = put_shape(p, t);
    p = put_state(p, ctx, t);
    LIT(p, ",\"grad_fn\":");
    p = put_grad_fn(p, node, node_name, node_length);
    LIT(p, ",\"output_nr\":");
    p = put_i64(p, gd_output_nr(t));
    out->n = (size_t)(p - out->data);
    return true;
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

static void take_repr(void *user, const char *text, size_t n) { gd_text_string_n(user, text, n); }

/* PyTorch cannot print a view whose base was spoilt either: its repr is null. */
static bool put_repr(gd_text *out, gd_ctx *ctx, gd_tensor *t, gd_fault *f) {
    GD_TEXT_LIT(out, ",\"repr\":");
    gd_code code = gd_repr_pass(ctx, t, take_repr, out);
    if (code == GD_E_MEMORY) return gd_fault_engine(f, ctx);
    if (code) GD_TEXT_LIT(out, "null");
    return true;
}

bool gd_put_document(gd_text *out, gd_ctx *ctx, const char *name, gd_tensor *t, gd_data_mode mode, gd_fault *f) {
    if (!put_head(out, ctx, name, t)) return true; /* the text remembers that it failed */
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
