/* tesseract_arrays.c: Tesseract's arrays: {"object_type":"array","shape":…,"dtype":…,"data":{"buffer":…,"encoding":…}},
 * or plain nested lists and numbers. Dtypes are cast within a kind and upwards only, dimensions of one broadcast, as
 * Tesseract does. */
#include "api/base64.h"
#include "api/tesseract.h"
#include "core/tensor/tensor.h"

#include <math.h>

/* ---- dtypes and shapes --------------------------------------------------------------------- */

/* 0 bool, 1 integers, 2 reals: a cast may only go up. */
static int kind_of(gd_dtype dtype) { return gd_dtype_is_float(dtype) ? 2 : dtype != GD_BOOL; }

static bool fits(gd_dtype from, gd_dtype to) {
    return kind_of(from) <= kind_of(to) && !(to == GD_UINT8 && from != GD_UINT8 && kind_of(from) == 1);
}

static bool refuse_dtype(gd_tess_call *c, const gd_tess_place *at, const json_t *input) {
    char names[512] = "";
    size_t n = 0;
    for (int i = 0; i < GD_DTYPE_COUNT && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s'%s'",
                              i == 0                    ? ""
                              : i == GD_DTYPE_COUNT - 1 ? " or "
                                                        : ", ",
                              gd_dtype_name((gd_dtype)i));
    return gd_tess_refuse(c, at, "literal_error", input, "Input should be %s", names);
}

static bool read_dtype(gd_tess_call *c, const gd_tess_place *array, const json_t *j, gd_dtype *dtype) {
    gd_tess_place at = gd_tess_below(array, "dtype");
    const json_t *text = json_object_get(j, "dtype");
    if (!text) return gd_tess_refuse(c, &at, "missing", j, "Field required");
    for (int i = 0; i < GD_DTYPE_COUNT; i++)
        if (json_is_string(text) && !strcmp(gd_dtype_name((gd_dtype)i), json_string_value(text))) {
            *dtype = (gd_dtype)i;
            return true;
        }
    return refuse_dtype(c, &at, text);
}

/* A shape of any length comes as a tree or, when it is a long one, as numbers; no tensor has such. */
static bool read_sizes(gd_tess_call *c, const gd_tess_place *array, const json_t *j, int *ndim, int64_t *sizes) {
    gd_tess_place at = gd_tess_below(array, "shape");
    const json_t *list = json_object_get(j, "shape");
    if (!list) return gd_tess_refuse(c, &at, "missing", j, "Field required");
    if (!json_is_array(list) || json_array_size(list) > GD_MAX_DIMS)
        return gd_tess_refuse(c, &at, "tuple_type", list, "Input should be a valid tuple");
    for (*ndim = 0; *ndim < (int)json_array_size(list); ++*ndim) {
        const json_t *size = json_array_get(list, (size_t)*ndim);
        at.index = *ndim;
        if (!json_is_integer(size)) return gd_tess_refuse(c, &at, "int_type", size, "Input should be a valid integer");
        sizes[*ndim] = (int64_t)json_integer_value(size);
        if (sizes[*ndim] < 0)
            return gd_tess_refuse(c, &at, "greater_than_equal", size, "Input should be greater than or equal to 0");
    }
    return true;
}

static bool check_keys(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const char *const *known) {
    const char *key;
    json_t *value;
    bool ok = true;
    json_object_foreach ((json_t *)(uintptr_t)j, key, value) {
        int i = 0;
        while (known[i] && strcmp(known[i], key)) i++;
        gd_tess_place below = gd_tess_below(at, key);
        if (!known[i]) ok = gd_tess_refuse(c, &below, "extra_forbidden", value, "Extra inputs are not permitted");
    }
    return ok;
}

/* The tensor (taken) as the function takes it. */
static gd_tensor *fit_shape(gd_tess_call *c, const gd_tess_place *at, const json_t *j, gd_tensor *t, int ndim,
                            const int64_t *sizes) {
    int64_t strides[GD_MAX_DIMS];
    char want[128], got[128];
    bool ok = gd_ndim(t) == ndim, same = ok;
    for (int i = 0; ok && i < ndim; i++) {
        bool equal = gd_sizes(t)[i] == sizes[i];
        strides[i] = equal ? gd_strides(t)[i] : 0;
        ok = equal || gd_sizes(t)[i] == 1;
        same = same && equal;
    }
    if (ok && same) return t;
    gd_tensor *wide = ok ? gd_alias(c->x->ctx, t, ndim, sizes, strides, gd_offset(t)) : NULL;
    if (ok && !wide) gd_refuse_engine(c->x);
    if (!ok)
        gd_tess_refuse(c, at, "value_error", j, "Value error, the shape should be %s, not %s",
                       gd_shape_text(want, sizeof want, ndim, sizes),
                       gd_shape_text(got, sizeof got, gd_ndim(t), gd_sizes(t)));
    gd_release(t);
    return wide;
}

static gd_tensor *fit_dtype(gd_tess_call *c, const gd_tess_place *at, const json_t *j, gd_tensor *t, gd_dtype dtype) {
    gd_tensor *cast = NULL;
    if (gd_dtype_of(t) == dtype) return t;
    if (fits(gd_dtype_of(t), dtype)) {
        gd_value args[] = {GD_TENSOR_VALUE(t), GD_DTYPE_VALUE(dtype)};
        if (!(cast = gd_call1(c->x->ctx, "to", args, 2))) gd_refuse_engine(c->x);
    } else
        gd_tess_refuse(c, at, "value_error", j, "Value error, the dtype should be %s, and %s is not cast to it",
                       gd_dtype_name(dtype), gd_dtype_name(gd_dtype_of(t)));
    gd_release(t);
    return cast;
}

static gd_tensor *fit(gd_tess_call *c, const gd_tess_place *at, const json_t *j, gd_tensor *t, const gd_dtype *dtype,
                      int ndim, const int64_t *sizes) {
    if (t && dtype) t = fit_dtype(c, at, j, t, *dtype);
    return t && ndim >= 0 ? fit_shape(c, at, j, t, ndim, sizes) : t;
}

/* ---- plain lists and numbers --------------------------------------------------------------- */

/* Numbers as NumPy takes them: reals are float64, where nothing else is wanted. */
static gd_tensor *read_plain(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const gd_dtype *dtype) {
    const gd_dtype real = GD_FLOAT64;
    bool wanted_real = dtype && gd_dtype_is_float(*dtype);
    gd_tensor *t = gd_read_constant(c->x, j, wanted_real ? dtype : NULL);
    if (t && !wanted_real && gd_dtype_is_float(gd_dtype_of(t))) {
        gd_release(t);
        t = gd_read_constant(c->x, j, &real);
    }
    if (!t) gd_tess_refuse_fault(c, at, j);
    return t;
}

static bool is_plain(const gd_exchange *x, const json_t *j) {
    if (json_is_string(j)) return gd_body_numbers(&x->body, j) != NULL;
    return json_is_array(j) || json_is_number(j) || json_is_boolean(j);
}

/* ---- encoded arrays ------------------------------------------------------------------------ */

static gd_tensor *read_base64(gd_tess_call *c, const gd_tess_place *at, const json_t *buffer, gd_dtype dtype, int ndim,
                              const int64_t *sizes) {
    size_t n = json_string_length(buffer);
    int64_t numel = gd_shape_numel(ndim, sizes);
    if (!json_is_string(buffer) || gd_body_numbers(&c->x->body, buffer)) {
        gd_tess_refuse(c, at, "string_type", buffer, "Input should be a valid string");
        return NULL;
    }
    /* before memory is asked for: the text must be as long as the shape says */
    if (numel < 0 || (uint64_t)numel > n || gd_base64_length((size_t)numel * gd_dtype_bytes(dtype)) != n) {
        gd_tess_refuse(c, at, "value_error", buffer, "Value error, the buffer's length does not fit shape and dtype");
        return NULL;
    }
    gd_tensor *t = gd_empty(c->x->ctx, dtype, ndim, sizes);
    if (!t) return gd_refuse_engine(c->x), NULL;
    if (gd_base64_read(t->data, gd_nbytes(t), json_string_value(buffer), n)) return t;
    gd_tess_refuse(c, at, "value_error", buffer, "Value error, the buffer is no base64");
    gd_release(t);
    return NULL;
}

/* The numbers as this dtype, which all of them must be of: no reals among integers. */
static gd_tensor *read_typed(gd_tess_call *c, const gd_tess_place *at, const json_t *buffer, gd_dtype dtype) {
    gd_tensor *t = read_plain(c, at, buffer, &dtype);
    if (!t || gd_dtype_of(t) == dtype || gd_dtype_is_float(gd_dtype_of(t)))
        return t ? fit_dtype(c, at, buffer, t, dtype) : NULL;
    gd_release(t);
    if (!(t = gd_read_constant(c->x, buffer, &dtype))) gd_tess_refuse_fault(c, at, buffer);
    return t;
}

/* Nested as the shape says, or flat. */
static gd_tensor *read_listed(gd_tess_call *c, const gd_tess_place *at, const json_t *buffer, gd_dtype dtype, int ndim,
                              const int64_t *sizes) {
    int64_t strides[GD_MAX_DIMS];
    if (!is_plain(c->x, buffer)) {
        gd_tess_refuse(c, at, "list_type", buffer, "Input should be a valid list");
        return NULL;
    }
    gd_tensor *t = read_typed(c, at, buffer, dtype);
    if (!t || gd_ndim(t) != 1 || gd_numel(t) != gd_shape_numel(ndim, sizes))
        return t ? fit_shape(c, at, buffer, t, ndim, sizes) : NULL;
    gd_contiguous_strides(ndim, sizes, strides);
    if (gd_set_geometry(c->x->ctx, t, ndim, sizes, strides, gd_offset(t)) == GD_OK) return t;
    gd_refuse_engine(c->x);
    gd_release(t);
    return NULL;
}

static gd_tensor *read_data(gd_tess_call *c, const gd_tess_place *array, const json_t *j, gd_dtype dtype, int ndim,
                            const int64_t *sizes) {
    static const char *const keys[] = {"buffer", "encoding", "compression", NULL};
    gd_tess_place at = gd_tess_below(array, "data"), buffer_at = gd_tess_below(&at, "buffer"),
                  encoding_at = gd_tess_below(&at, "encoding");
    const json_t *data = json_object_get(j, "data"), *buffer = json_object_get(data, "buffer"),
                 *compression = json_object_get(data, "compression");
    const char *encoding = json_string_value(json_object_get(data, "encoding"));
    bool ok = true;
    if (!data)
        ok = gd_tess_refuse(c, &at, "missing", j, "Field required");
    else if (!json_is_object(data))
        ok = gd_tess_refuse(c, &at, "model_attributes_type", data,
                            "Input should be a valid dictionary or object to extract fields from");
    else {
        ok = check_keys(c, &at, data, keys);
        if (!json_object_get(data, "encoding"))
            ok = gd_tess_refuse(c, &encoding_at, "missing", data, "Field required");
        else if (!encoding || (strcmp(encoding, "base64") && strcmp(encoding, "json") && strcmp(encoding, "raw")))
            ok = gd_tess_refuse(c, &encoding_at, "literal_error", json_object_get(data, "encoding"),
                                "Input should be 'base64', 'json' or 'raw'");
        if (compression && !json_is_null(compression)) {
            gd_tess_place compression_at = gd_tess_below(&at, "compression");
            ok = gd_tess_refuse(c, &compression_at, "none_required", compression, "Input should be None");
        }
        if (!buffer) ok = gd_tess_refuse(c, &buffer_at, "missing", data, "Field required");
    }
    if (!ok) return NULL;
    return !strcmp(encoding, "base64") ? read_base64(c, &buffer_at, buffer, dtype, ndim, sizes)
                                       : read_listed(c, &buffer_at, buffer, dtype, ndim, sizes);
}

static gd_tensor *read_encoded(gd_tess_call *c, const gd_tess_place *at, const json_t *j) {
    static const char *const keys[] = {"object_type", "shape", "dtype", "data", NULL};
    const json_t *type = json_object_get(j, "object_type");
    gd_dtype dtype = GD_FLOAT64;
    int ndim = 0;
    int64_t sizes[GD_MAX_DIMS];
    gd_tess_place type_at = gd_tess_below(at, "object_type");
    bool ok = check_keys(c, at, j, keys);
    if (type && (!json_is_string(type) || strcmp(json_string_value(type), "array")))
        ok = gd_tess_refuse(c, &type_at, "literal_error", type, "Input should be 'array'");
    ok &= read_sizes(c, at, j, &ndim, sizes);
    ok &= read_dtype(c, at, j, &dtype);
    return ok ? read_data(c, at, j, dtype, ndim, sizes) : NULL;
}

gd_tensor *gd_tess_read_array(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const gd_dtype *dtype,
                              int ndim, const int64_t *sizes) {
    gd_tensor *t = NULL;
    if (json_is_object(j))
        t = read_encoded(c, at, j);
    else if (is_plain(c->x, j))
        t = read_plain(c, at, j, dtype);
    else
        gd_tess_refuse(
            c, at, "value_error", j,
            "Value error, this should be an array: nested lists of numbers, or an object with shape, dtype and data");
    return fit(c, at, j, t, dtype, ndim, sizes);
}

gd_tensor *gd_tess_read_shape(gd_tess_call *c, const gd_tess_place *at, const json_t *j, const gd_dtype *wanted,
                              int wanted_ndim, const int64_t *wanted_sizes) {
    static const char *const keys[] = {"shape", "dtype", NULL};
    gd_dtype dtype = GD_FLOAT64;
    int ndim = 0;
    int64_t sizes[GD_MAX_DIMS];
    if (!json_is_object(j)) {
        gd_tess_refuse(c, at, "model_attributes_type", j,
                       "Input should be a valid dictionary or object to extract fields from");
        return NULL;
    }
    bool ok = check_keys(c, at, j, keys);
    ok &= read_sizes(c, at, j, &ndim, sizes);
    ok &= read_dtype(c, at, j, &dtype);
    if (ok && wanted && !fits(dtype, *wanted))
        ok = gd_tess_refuse(c, at, "value_error", j, "Value error, the dtype should be %s, and %s is not cast to it",
                            gd_dtype_name(*wanted), gd_dtype_name(dtype));
    gd_tensor *t = ok ? gd_abstract_tensor(c->x, wanted ? *wanted : dtype, ndim, sizes) : NULL;
    if (ok && !t) gd_tess_refuse_fault(c, at, j);
    return t && wanted_ndim >= 0 ? fit_shape(c, at, j, t, wanted_ndim, wanted_sizes) : t;
}

/* ---- arrays out ---------------------------------------------------------------------------- */

static bool put_base64(gd_tess_call *c, const gd_tensor *t) {
    gd_text *out = &c->x->out;
    size_t n = gd_nbytes(t);
    char *p = gd_text_room(out, gd_base64_length(n) + 2);
    if (!p) return true; /* the text says so itself */
    *p = '"';
    gd_base64_write(p + 1, gd_contiguous_data(t), n);
    p[gd_base64_length(n) + 1] = '"';
    out->n += gd_base64_length(n) + 2;
    return true;
}

static bool put_array(gd_tess_call *c, gd_tensor *t) {
    gd_text *out = &c->x->out;
    GD_TEXT_LIT(out, "{\"object_type\":\"array\",\"shape\":");
    gd_text_i64s(out, gd_sizes(t), gd_ndim(t));
    gd_text_f(out, ",\"dtype\":\"%s\",\"data\":{\"buffer\":", gd_dtype_name(gd_dtype_of(t)));
    if (!(c->base64 ? put_base64(c, t) : gd_put_data(out, t, &c->x->fault))) return false;
    gd_text_puts(out, c->base64 ? ",\"encoding\":\"base64\"}}" : ",\"encoding\":\"json\"}}");
    return true;
}

bool gd_tess_put_array(gd_tess_call *c, gd_tensor *t) {
    if (!c->base64 || gd_contiguous_data(t)) return put_array(c, t);
    gd_value v = GD_TENSOR_VALUE(t);
    gd_tensor *copy = gd_call1(c->x->ctx, "contiguous", &v, 1);
    if (!copy) return gd_refuse_engine(c->x);
    bool ok = put_array(c, copy);
    gd_release(copy);
    return ok;
}
