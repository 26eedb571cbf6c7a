/* npy.c: see npy.h. The header is the text of a Python dict: {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3),
 * } */
#include "api/npy.h"

#include <stdio.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC = 6 };

typedef struct reader {
    const char *p, *end;
    const char *why;
} reader;

static bool bad(reader *r, const char *why) {
    if (!r->why) r->why = why;
    return false;
}

static void skip_space(reader *r) {
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r')) r->p++;
}

static bool take(reader *r, char c) {
    skip_space(r);
    if (r->p == r->end || *r->p != c) return false;
    r->p++;
    return true;
}

/* A quoted string without escapes into buf. */
static bool read_string(reader *r, char *buf, size_t size) {
    skip_space(r);
    char quote = r->p < r->end ? *r->p : 0;
    if (quote != '\'' && quote != '"') return bad(r, "The .npy header is no dict of strings.");
    const char *close = memchr(r->p + 1, quote, (size_t)(r->end - r->p - 1));
    size_t n = close ? (size_t)(close - r->p - 1) : size;
    if (n >= size) return bad(r, "The .npy header has a string that is too long.");
    memcpy(buf, r->p + 1, n);
    buf[n] = 0;
    r->p = close + 1;
    return true;
}

static bool read_descr(reader *r, gd_npy *out) {
    static const struct {
        char text[4];
        gd_dtype dtype;
    } known[] = {{"f4", GD_FLOAT32}, {"f8", GD_FLOAT64}, {"i4", GD_INT32}, {"i8", GD_INT64}, {"u1", GD_UINT8},
                 {"b1", GD_BOOL},    {"f2", GD_FLOAT16}, {"i2", GD_INT16}, {"i1", GD_INT8}};
    char text[8];
    skip_space(r);
    if (r->p < r->end && *r->p == '[') return bad(r, "Structured .npy arrays are not supported.");
    if (!read_string(r, text, sizeof text)) return false;
    if (strchr("<>|=", text[0]) == NULL || !text[0]) return bad(r, "The dtype of the .npy file is not supported.");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(text + 1, known[i].text)) {
            out->dtype = known[i].dtype;
            out->swapped = text[0] == '>' && gd_dtype_bytes(out->dtype) > 1;
            return true;
        }
    return bad(r, "The dtype of the .npy file is not supported.");
}

static bool read_bool(reader *r, bool *v) {
    skip_space(r);
    size_t left = (size_t)(r->end - r->p);
    *v = left >= 4 && !memcmp(r->p, "True", 4);
    if (!*v && !(left >= 5 && !memcmp(r->p, "False", 5))) return bad(r, "fortran_order in the .npy header is no bool.");
    r->p += *v ? 4 : 5;
    return true;
}

static bool read_size(reader *r, int64_t *v) {
    const char *start = r->p;
    *v = 0;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
        if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, *r->p - '0', v))
            return bad(r, "The shape in the .npy header is too large.");
    return r->p > start || bad(r, "The shape in the .npy header is no tuple of sizes.");
}

static bool read_shape(reader *r, gd_npy *out) {
    if (!take(r, '(')) return bad(r, "The shape in the .npy header is no tuple.");
    for (out->ndim = 0; !take(r, ')');) {
        if (out->ndim == GD_MAX_DIMS) return bad(r, "The .npy file has more than 64 dimensions.");
        skip_space(r);
        if (!read_size(r, &out->sizes[out->ndim++])) return false;
        if (take(r, ',')) continue;
        if (take(r, ')')) return true;
        return bad(r, "The shape in the .npy header is no tuple of sizes.");
    }
    return true;
}

static bool read_entry(reader *r, gd_npy *out, unsigned *seen) {
    char key[32];
    if (!read_string(r, key, sizeof key)) return false;
    if (!take(r, ':')) return bad(r, "The .npy header is no dict.");
    unsigned which = !strcmp(key, "descr") ? 1 : !strcmp(key, "fortran_order") ? 2 : !strcmp(key, "shape") ? 4 : 0;
    if (which == 0 || (*seen & which)) return bad(r, "The .npy header has an unknown or doubled key.");
    *seen |= which;
    return which == 1 ? read_descr(r, out) : which == 2 ? read_bool(r, &out->fortran) : read_shape(r, out);
}

static bool read_dict(reader *r, gd_npy *out) {
    unsigned seen = 0;
    if (!take(r, '{')) return bad(r, "The .npy header is no dict.");
    while (!take(r, '}')) {
        if (!read_entry(r, out, &seen)) return false;
        if (take(r, ',')) continue;
        if (take(r, '}')) break;
        return bad(r, "The .npy header is no dict.");
    }
    skip_space(r);
    if (r->p != r->end) return bad(r, "The .npy header has text behind its dict.");
    return seen == 7 || bad(r, "The .npy header lacks descr, fortran_order or shape.");
}

gd_npy_status gd_npy_read(const char *bytes, size_t n, gd_npy *out, const char **why) {
    const unsigned char *u = (const unsigned char *)bytes;
    *why = "The body does not begin as .npy files do.";
    if (memcmp(bytes, magic, n < MAGIC ? n : MAGIC)) return GD_NPY_BAD;
    if (n < MAGIC + 2) return GD_NPY_MORE;
    *why = "Only versions 1 to 3 of the .npy format are known.";
    if (u[MAGIC] < 1 || u[MAGIC] > 3) return GD_NPY_BAD;
    size_t wide = u[MAGIC] == 1 ? 2 : 4, start = MAGIC + 2 + wide, length = 0;
    if (n < start) return GD_NPY_MORE;
    for (size_t i = 0; i < wide; i++) length |= (size_t)u[MAGIC + 2 + i] << (8 * i);
    *why = "The .npy header is too long.";
    if (length > GD_NPY_HEADER_MAX - start) return GD_NPY_BAD;
    if (n < start + length) return GD_NPY_MORE;
    reader r = {bytes + start, bytes + start + length, NULL};
    *out = (gd_npy){.header_bytes = start + length};
    if (read_dict(&r, out)) return GD_NPY_OK;
    *why = r.why;
    return GD_NPY_BAD;
}

/* How files name the dtypes; there is no name for bfloat16. */
static const char *const descr[GD_DTYPE_COUNT] = {
    [GD_UINT8] = "|u1",   [GD_INT8] = "|i1",    [GD_INT16] = "<i2",   [GD_INT32] = "<i4", [GD_INT64] = "<i8",
    [GD_FLOAT16] = "<f2", [GD_FLOAT32] = "<f4", [GD_FLOAT64] = "<f8", [GD_BOOL] = "|b1"};

bool gd_npy_knows(gd_dtype dtype) { return descr[dtype] != NULL; }

size_t gd_npy_write(char out[GD_NPY_WRITE_MAX], gd_dtype dtype, int ndim, const int64_t *sizes) {
    size_t n = MAGIC + 4, size = GD_NPY_WRITE_MAX;
    memcpy(out, magic, MAGIC);
    n += (size_t)snprintf(out + n, size - n, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr[dtype]);
    for (int i = 0; i < ndim; i++)
        n += (size_t)snprintf(out + n, size - n, "%lld%s", (long long)sizes[i],
                              i + 1 < ndim ? ", "
                              : ndim == 1  ? ","
                                           : "");
    n += (size_t)snprintf(out + n, size - n, "), }");
    size_t total = (n + 1 + 63) / 64 * 64, length = total - MAGIC - 4;
    memset(out + n, ' ', total - n);
    out[total - 1] = '\n';
    out[MAGIC] = 1;
    out[MAGIC + 1] = 0;
    out[MAGIC + 2] = (char)(length & 255);
    out[MAGIC + 3] = (char)(length >> 8);
    return total;
}

void gd_npy_swap(void *values, size_t n, size_t width) {
    for (char *p = values, *end = p + n * width; p < end; p += width)
        for (size_t i = 0; i < width / 2; i++) {
            char c = p[i];
            p[i] = p[width - 1 - i];
            p[width - 1 - i] = c;
        }
}
