/* safetensors.h: the safetensors format: named tensors behind a header in JSON. Reading trusts nothing: the tensors
 * must cover the data exactly, in order, without holes and overlaps, each as long as its dtype and shape say. */
#ifndef GD_API_SAFETENSORS_H
#define GD_API_SAFETENSORS_H

#include "api/problem.h"

enum {
    GD_SAFETENSORS_HEADER_MAX = 100 * 1000 * 1000, /* bytes, as other readers have it */
    GD_SAFETENSORS_COUNT_MAX = 1000 * 1000
};

/* One tensor of a file. */
typedef struct gd_safetensor {
    const char *name; /* decoded; UTF-8 without NUL; may be empty */
    gd_dtype dtype;
    int ndim;
    size_t shape;      /* where its sizes begin in the file's */
    size_t begin, end; /* of its bytes in the file's data */
} gd_safetensor;

/* A file that was read. Zero-initialise. */
typedef struct gd_safetensors {
    gd_safetensor *tensors; /* in the order of their data; owned */
    size_t count, capacity;
    gd_safetensor **by_name; /* sorted; owned */
    int64_t *sizes;          /* of all tensors; owned */
    size_t nsizes, sizes_capacity;
    const char **metadata; /* of "__metadata__": key, value, key, value …; owned */
    size_t nmetadata, metadata_capacity;
    char *names; /* what names and metadata point into; owned */
    size_t names_used;
    const char *data; /* borrowed from what was read */
    size_t data_bytes;
} gd_safetensors;

/* Reads the file of n bytes, which must outlive *s. False with the fault set (bad_safetensors, dtype_mismatch,
 * out_of_memory), naming the tensor that is wrong. To be freed in any case. */
bool gd_safetensors_read(gd_safetensors *s, const char *bytes, size_t n, gd_fault *f);
void gd_safetensors_free(gd_safetensors *s);
const gd_safetensor *gd_safetensors_find(const gd_safetensors *s, const char *name); /* NULL: none */
const char *gd_safetensors_metadata(const gd_safetensors *s, const char *key);       /* NULL: none */
/* A new tensor with the values of one. NULL with the fault set. */
gd_tensor *gd_safetensors_tensor(gd_ctx *ctx, const gd_safetensors *s, const gd_safetensor *one, gd_fault *f);

/* A tensor to be written, any strides; both borrowed. */
typedef struct gd_named_tensor {
    const char *name;
    const gd_tensor *tensor;
} gd_named_tensor;

/* Writes the eight bytes of length and the header for these tensors, which are put in the order in which their values
 * must follow, without gaps: wide elements first, so that all are aligned. `metadata`: pairs of texts. */
void gd_safetensors_header(gd_text *out, gd_named_tensor *tensors, size_t count, const char *const *metadata,
                           size_t npairs);
const char *gd_safetensors_dtype(gd_dtype dtype); /* "F32"; NULL if the format has none for it */

#endif
