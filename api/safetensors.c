/* safetensors.c: see safetensors.h. A file is the length of its header (eight bytes, little-endian), the header
 * {"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…,"__metadata__":{"key":"value"}}, and the data. */
#include "api/safetensors.h"
#include "api/json_pull.h"
#include "core/tensor/tensor.h"

#include <stdlib.h>

enum { LENGTH_BYTES = 8, HEADER_ALIGNMENT = 8, SHOWN_NAME = 100 };

/* The engine's dtypes by their names there. */
static const char *const dtypes[][2] = {
    {"F64", "float64"}, {"F32", "float32"}, {"F16", "float16"}, {"BF16", "bfloat16"}, {"I64", "int64"},
    {"I32", "int32"},   {"I16", "int16"},   {"I8", "int8"},     {"U8", "uint8"},      {"BOOL", "bool"},
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

const char *gd_safetensors_dtype(gd_dtype dtype) {
    for (size_t i = 0; i < DTYPES; i++)
        if (!strcmp(dtypes[i][1], gd_dtype_name(dtype))) return dtypes[i][0];
    return NULL;
}

/* ---- reading the header -------------------------------------------------------------------- */

typedef struct reader {
    gd_safetensors *s;
    gd_pull pull;
    gd_body body;
    gd_fault *f;
    size_t names_bytes; /* of s->names */
} reader;

static bool refuse(reader *r, const gd_safetensor *t, const char *what) {
    return gd_fault_set(r->f, "bad_safetensors", "Tensor %.*s: %s", SHOWN_NAME, t->name, what);
}

static bool refuse_memory(gd_fault *f) {
    return gd_fault_set(f, "out_of_memory", "The server has no memory left for the header of this file.");
}

/* Room for one more in an array of *capacity entries of `size` bytes; NULL with the fault set. */
static void *grow(reader *r, void *array, size_t count, size_t *capacity, size_t size) {
    size_t more = *capacity ? 2 * *capacity : 16, bytes;
    if (count < *capacity) return array;
    void *p = gd_mul_size(more, size, &bytes) ? realloc(array, bytes) : NULL;
    if (!p) return refuse_memory(r->f), NULL;
    *capacity = more;
    return p;
}

/* A string into the file's names: decoded it is never longer than it was written. */
static const char *keep_string(reader *r) {
    gd_safetensors *s = r->s;
    char *at = s->names + s->names_used;
    size_t n;
    if (!gd_pull_string(&r->pull, at, r->names_bytes - s->names_used, &n)) return NULL;
    s->names_used += n + 1;
    return at;
}

static const char *keep_key(reader *r, bool *first) {
    gd_safetensors *s = r->s;
    char *at = s->names + s->names_used;
    if (!gd_pull_key(&r->pull, first, at, r->names_bytes - s->names_used)) return NULL;
    s->names_used += strlen(at) + 1;
    return at;
}

static bool read_metadata(reader *r) {
    gd_safetensors *s = r->s;
    const char *key;
    bool first = true;
    if (!gd_pull_open(&r->pull, '{', "__metadata__")) return false;
    while ((key = keep_key(r, &first))) {
        const char **p = grow(r, s->metadata, s->nmetadata + 1, &s->metadata_capacity, sizeof *p);
        if (!p) return false;
        s->metadata = p;
        p[s->nmetadata] = key;
        if (!(p[s->nmetadata + 1] = keep_string(r))) return false;
        s->nmetadata += 2;
    }
    return !r->f->code;
}

static bool read_dtype(reader *r, gd_safetensor *t) {
    char text[16];
    if (!gd_pull_string(&r->pull, text, sizeof text, NULL)) return false;
    for (size_t i = 0; i < DTYPES; i++)
        if (!strcmp(dtypes[i][0], text) && gd_dtype_parse(dtypes[i][1], &t->dtype)) return true;
    return gd_fault_set(r->f, "dtype_mismatch", "Tensor %.*s has dtype %s, which is not among those known here.",
                        SHOWN_NAME, t->name, text);
}

static bool read_shape(reader *r, gd_safetensor *t) {
    gd_safetensors *s = r->s;
    bool first = true;
    t->shape = s->nsizes;
    t->ndim = 0;
    if (!gd_pull_open(&r->pull, '[', "shape")) return false;
    while (gd_pull_item(&r->pull, &first)) {
        int64_t *p = grow(r, s->sizes, s->nsizes, &s->sizes_capacity, sizeof *p);
        if (!p) return false;
        s->sizes = p;
        if (!gd_pull_integer(&r->pull, &p[s->nsizes])) return false;
        if (p[s->nsizes++] < 0) return refuse(r, t, "a size is negative.");
        if (t->ndim++ == GD_MAX_DIMS) return refuse(r, t, "it has more than 64 dimensions.");
    }
    return !r->f->code;
}

static bool read_offsets(reader *r, gd_safetensor *t) {
    int64_t offset[2];
    bool first = true;
    if (!gd_pull_open(&r->pull, '[', "data_offsets")) return false;
    for (int i = 0; i < 2; i++) {
        if (!gd_pull_item(&r->pull, &first)) return refuse(r, t, "data_offsets should be two numbers.");
        if (!gd_pull_integer(&r->pull, &offset[i])) return false;
    }
    if (gd_pull_item(&r->pull, &first)) return refuse(r, t, "data_offsets should be two numbers.");
    if (offset[0] < 0 || offset[1] < offset[0]) return refuse(r, t, "its data ends before it begins.");
    t->begin = (size_t)offset[0];
    t->end = (size_t)offset[1];
    return !r->f->code;
}

static bool read_tensor(reader *r, gd_safetensor *t) {
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    static bool (*const read[])(reader *, gd_safetensor *) = {read_dtype, read_shape, read_offsets};
    char key[32];
    unsigned seen = 0;
    bool first = true;
    if (!gd_pull_open(&r->pull, '{', t->name)) return false;
    while (gd_pull_key(&r->pull, &first, key, sizeof key)) {
        unsigned i = 0;
        while (i < 3 && strcmp(keys[i], key)) i++;
        if (i < 3 && (seen >> i & 1)) return refuse(r, t, "a key comes twice.");
        if (!(i < 3 ? read[i](r, t) : gd_pull_skip(&r->pull))) return false;
        if (i < 3) seen |= 1U << i;
    }
    if (r->f->code) return false;
    return seen == 7 || refuse(r, t, "dtype, shape or data_offsets is missing.");
}

static bool read_header(reader *r) {
    gd_safetensors *s = r->s;
    const char *name;
    bool first = true, had_metadata = false;
    if (!gd_pull_open(&r->pull, '{', "The header")) return false;
    while ((name = keep_key(r, &first))) {
        if (!strcmp(name, "__metadata__")) {
            if (had_metadata || !read_metadata(r))
                return gd_pull_fail(&r->pull, "bad_safetensors", "A key comes twice.");
            had_metadata = true;
            continue;
        }
        gd_safetensor *p = grow(r, s->tensors, s->count, &s->capacity, sizeof *p);
        if (!p) return false;
        s->tensors = p;
        p[s->count] = (gd_safetensor){.name = name};
        if (s->count == GD_SAFETENSORS_COUNT_MAX)
            return refuse(r, &p[s->count], "there are more than a million tensors.");
        if (!read_tensor(r, &p[s->count++])) return false;
    }
    return gd_pull_finish(&r->pull);
}

/* ---- checking ------------------------------------------------------------------------------ */

static int by_place(const void *a, const void *b) {
    const gd_safetensor *s = a, *t = b;
    if (s->begin != t->begin) return s->begin < t->begin ? -1 : 1;
    return s->end == t->end ? strcmp(s->name, t->name) : s->end < t->end ? -1 : 1;
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(gd_safetensor *const *)a)->name, (*(gd_safetensor *const *)b)->name);
}

/* Is each tensor where the one before it ends, and as long as it should be? */
static bool check_places(reader *r) {
    gd_safetensors *s = r->s;
    size_t at = 0;
    if (s->count > 0) qsort(s->tensors, s->count, sizeof *s->tensors, by_place);
    for (size_t i = 0; i < s->count; at = s->tensors[i++].end) {
        const gd_safetensor *t = &s->tensors[i];
        size_t bytes = gd_dtype_bytes(t->dtype);
        bool ok = true, empty = false;
        for (int d = 0; d < t->ndim; d++) empty |= s->sizes[t->shape + (size_t)d] == 0;
        for (int d = 0; d < t->ndim && !empty; d++)
            ok &= gd_mul_size(bytes, (size_t)s->sizes[t->shape + (size_t)d], &bytes);
        if (t->end > s->data_bytes) return refuse(r, t, "its data ends behind the end of the file.");
        if (!ok || t->end - t->begin != (empty ? 0 : bytes))
            return refuse(r, t, "its data is not as long as dtype and shape ask for.");
        if (t->begin < at) return refuse(r, t, "its data overlaps another's.");
        if (t->begin > at) return refuse(r, t, "there is a hole before its data.");
    }
    if (at == s->data_bytes) return true;
    return gd_fault_set(r->f, "bad_safetensors", "%zu bytes at the end of the file belong to no tensor.",
                        s->data_bytes - at);
}

static bool index_names(reader *r) {
    gd_safetensors *s = r->s;
    if (!(s->by_name = malloc((s->count + 1) * sizeof *s->by_name))) return refuse_memory(r->f);
    for (size_t i = 0; i < s->count; i++) s->by_name[i] = &s->tensors[i];
    qsort(s->by_name, s->count, sizeof *s->by_name, by_name);
    for (size_t i = 1; i < s->count; i++)
        if (!strcmp(s->by_name[i - 1]->name, s->by_name[i]->name))
            return refuse(r, s->by_name[i], "its name comes twice.");
    return true;
}

/* The header's text is JSON of a document of its own: what is wrong with it is wrong with the file. */
static void rename_fault(gd_fault *f) {
    if (!f->code || !strcmp(f->code, "out_of_memory") || !strcmp(f->code, "dtype_mismatch")) return;
    f->code = "bad_safetensors";
    f->line = f->column = 0;
}

bool gd_safetensors_read(gd_safetensors *s, const char *bytes, size_t n, gd_fault *f) {
    uint64_t length = 0;
    reader r = {.s = s, .f = f};
    for (int i = 0; i < LENGTH_BYTES && n >= LENGTH_BYTES; i++) length |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    if (n < LENGTH_BYTES) return gd_fault_set(f, "bad_safetensors", "The file ends within its first eight bytes.");
    if (length > GD_SAFETENSORS_HEADER_MAX || length > n - LENGTH_BYTES)
        return gd_fault_set(f, "bad_safetensors", "The header should have %llu bytes, which is more than %s.",
                            (unsigned long long)length,
                            length > GD_SAFETENSORS_HEADER_MAX ? "any header may have" : "the file has");
    s->data = bytes + LENGTH_BYTES + length;
    s->data_bytes = n - LENGTH_BYTES - (size_t)length;
    r.names_bytes = (size_t)length + LENGTH_BYTES;
    if (!(s->names = malloc(r.names_bytes))) return refuse_memory(f);
    if (length == 0 || bytes[LENGTH_BYTES] != '{')
        return gd_fault_set(f, "bad_safetensors", "The header does not begin with a {.");
    gd_pull_begin(&r.pull, &r.body, bytes + LENGTH_BYTES, (size_t)length, f);
    bool ok = read_header(&r);
    if (!ok) rename_fault(f);
    return ok && check_places(&r) && index_names(&r);
}

void gd_safetensors_free(gd_safetensors *s) {
    free(s->tensors);
    free(s->by_name);
    free(s->sizes);
    free(s->metadata);
    free(s->names);
    *s = (gd_safetensors){0};
}

const gd_safetensor *gd_safetensors_find(const gd_safetensors *s, const char *name) {
    gd_safetensor wanted = {.name = name}, *key = &wanted;
    gd_safetensor **at = s->count ? bsearch(&key, s->by_name, s->count, sizeof *s->by_name, by_name) : NULL;
    return at ? *at : NULL;
}

const char *gd_safetensors_metadata(const gd_safetensors *s, const char *key) {
    for (size_t i = 0; i < s->nmetadata; i += 2)
        if (!strcmp(s->metadata[i], key)) return s->metadata[i + 1];
    return NULL;
}

gd_tensor *gd_safetensors_tensor(gd_ctx *ctx, const gd_safetensors *s, const gd_safetensor *one, gd_fault *f) {
    gd_tensor *t = gd_empty(ctx, one->dtype, one->ndim, one->ndim ? s->sizes + one->shape : NULL);
    if (!t) return gd_fault_engine(f, ctx), NULL;
    if (one->end > one->begin) memcpy(t->data, s->data + one->begin, one->end - one->begin);
    if (one->dtype == GD_BOOL) /* kernels rely on 0 and 1 */
        for (size_t i = 0; i < one->end - one->begin; i++) t->data[i] = t->data[i] != 0;
    return t;
}

/* ---- writing ------------------------------------------------------------------------------- */

static int by_width(const void *a, const void *b) {
    const gd_named_tensor *s = a, *t = b;
    size_t m = gd_dtype_bytes(gd_dtype_of(s->tensor)), n = gd_dtype_bytes(gd_dtype_of(t->tensor));
    return m == n ? strcmp(s->name, t->name) : m > n ? -1 : 1;
}

static void put_metadata(gd_text *out, const char *const *metadata, size_t npairs) {
    GD_TEXT_LIT(out, "\"__metadata__\":{");
    for (size_t i = 0; i < 2 * npairs; i++) {
        if (i) gd_text_puts(out, i % 2 ? ":" : ",");
        gd_text_string(out, metadata[i]);
    }
    GD_TEXT_LIT(out, "}");
}

void gd_safetensors_header(gd_text *out, gd_named_tensor *tensors, size_t count, const char *const *metadata,
                           size_t npairs) {
    size_t start = out->n, at = 0;
    if (count > 0) qsort(tensors, count, sizeof *tensors, by_width);
    GD_TEXT_LIT(out, "\0\0\0\0\0\0\0\0{");
    if (npairs > 0) put_metadata(out, metadata, npairs);
    for (size_t i = 0; i < count; i++) {
        const gd_tensor *t = tensors[i].tensor;
        const char *dtype = gd_safetensors_dtype(gd_dtype_of(t));
        if (i > 0 || npairs > 0) GD_TEXT_LIT(out, ",");
        gd_text_string(out, tensors[i].name);
        gd_text_f(out, ":{\"dtype\":\"%s\",\"shape\":", dtype ? dtype : "U8");
        gd_text_i64s(out, gd_sizes(t), gd_ndim(t));
        gd_text_f(out, ",\"data_offsets\":[%zu,%zu]}", at, at + gd_nbytes(t));
        at += gd_nbytes(t);
    }
    GD_TEXT_LIT(out, "}");
    while (!out->failed && (out->n - start) % HEADER_ALIGNMENT) GD_TEXT_LIT(out, " ");
    for (int i = 0; i < LENGTH_BYTES && !out->failed; i++)
        out->data[start + (size_t)i] = (char)((uint64_t)(out->n - start - LENGTH_BYTES) >> (8 * i) & 255);
}
