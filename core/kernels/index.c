/* index.c: loops that move whole elements by position. */
#include <string.h>

#include "core/kernels/index.h"

/* Counts through a shape, last dimension fastest, keeping an offset for up to two sets of strides. */
typedef struct odometer {
    int n;
    const int64_t *sizes, *strides[2];
    int64_t offset[2];
    int64_t at[GD_MAX_DIMS];
} odometer;

static odometer odometer_start(int n, const int64_t *sizes, const int64_t *first, const int64_t *second) {
    odometer o;
    o.n = n;
    o.sizes = sizes;
    o.strides[0] = first;
    o.strides[1] = second;
    o.offset[0] = o.offset[1] = 0;
    for (int d = 0; d < n; d++) o.at[d] = 0;
    return o;
}

/* The next position; false after the last one. */
static bool odometer_step(odometer *o) {
    for (int d = o->n - 1; d >= 0; d--) {
        bool within = ++o->at[d] < o->sizes[d];
        for (int k = 0; k < 2; k++)
            if (o->strides[k]) o->offset[k] += within ? o->strides[k][d] : -(o->sizes[d] - 1) * o->strides[k][d];
        if (within) return true;
        o->at[d] = 0;
    }
    return false;
}

static void copy_element(char *to, const char *from, size_t bytes) {
    if (bytes == 8)
        memcpy(to, from, 8);
    else if (bytes == 4)
        memcpy(to, from, 4);
    else
        *to = *from;
}

/* ---- whole tensors ------------------------------------------------------------------------- */

/* Calls for every row of `out` the offset (elements) in t of its row: `map` gives the source of coordinate i of d. */
typedef int64_t (*coordinate_map)(const void *state, int d, int64_t i);

static void map_entries(gd_tensor *out, const gd_tensor *t, const int64_t *strides, coordinate_map map,
                        const void *state) {
    size_t bytes = gd_dtype_bytes((gd_dtype)out->dtype);
    char *to = out->data;
    if (out->numel == 0) return;
    if (out->ndim == 0) {
        copy_element(to, t->data, bytes);
        return;
    }
    int last = out->ndim - 1;
    odometer o = odometer_start(last, out->sizes, NULL, NULL);
    do {
        int64_t row = 0;
        for (int d = 0; d < last; d++) row += map(state, d, o.at[d]) * strides[d];
        for (int64_t i = 0; i < out->sizes[last]; i++, to += bytes)
            copy_element(to, t->data + (row + map(state, last, i) * strides[last]) * (int64_t)bytes, bytes);
    } while (odometer_step(&o));
}

static int64_t map_repeat(const void *state, int d, int64_t i) { return i % ((const int64_t *)state)[d]; }

void gd_repeat_values(gd_tensor *out, const gd_tensor *t) {
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int lead = out->ndim - t->ndim;
    for (int d = 0; d < out->ndim; d++) {
        sizes[d] = d < lead ? 1 : t->sizes[d - lead];
        strides[d] = d < lead ? 0 : GD_STRIDES(t)[d - lead];
    }
    map_entries(out, t, strides, map_repeat, sizes);
}

typedef struct permutation {
    const int64_t *sizes, *shifts;
    const bool *flipped;
} permutation;

static int64_t map_permutation(const void *state, int d, int64_t i) {
    const permutation *p = state;
    int64_t at = p->flipped[d] ? p->sizes[d] - 1 - i : i - p->shifts[d];
    return at < 0 ? at + p->sizes[d] : at;
}

void gd_permute_entries(gd_tensor *out, const gd_tensor *t, const bool *flipped, const int64_t *shifts) {
    permutation p = {t->sizes, shifts, flipped};
    map_entries(out, t, GD_STRIDES(t), map_permutation, &p);
}

void gd_rotate_values(gd_tensor *out, const gd_tensor *t, int64_t shift) {
    size_t bytes = gd_dtype_bytes((gd_dtype)t->dtype), head = (size_t)shift * bytes, all = (size_t)t->numel * bytes;
    if (all == 0) return;
    memcpy(out->data + head, t->data, all - head);
    memcpy(out->data, t->data + (all - head), head);
}

void gd_clear_triangle(gd_tensor *out, int64_t diagonal, bool upper) {
    if (out->numel == 0) return;
    int64_t rows = out->sizes[out->ndim - 2], columns = out->sizes[out->ndim - 1];
    int64_t bytes = (int64_t)gd_dtype_bytes((gd_dtype)out->dtype), all = out->numel / columns;
    if (diagonal < -rows - 1) diagonal = -rows - 1;
    if (diagonal > columns + 1) diagonal = columns + 1;
    for (int64_t k = 0; k < all; k++) {
        int64_t cut = k % rows + diagonal + (upper ? 0 : 1);
        if (cut < 0) cut = 0;
        if (cut > columns) cut = columns;
        char *row = out->data + k * columns * bytes;
        if (upper)
            memset(row, 0, (size_t)(cut * bytes));
        else
            memset(row + cut * bytes, 0, (size_t)((columns - cut) * bytes));
    }
}

static bool geometry_empty(const gd_geometry *g) {
    for (int d = 0; d < g->ndim; d++)
        if (g->sizes[d] == 0) return true;
    return false;
}

static void count_geometry(const gd_geometry *g, double *counts) {
    if (geometry_empty(g)) return;
    odometer o = odometer_start(g->ndim, g->sizes, g->strides, NULL);
    do counts[g->offset + o.offset[0]] += 1;
    while (odometer_step(&o));
}

void gd_strided_map(gd_tensor *out, const gd_tensor *src, double *buffer, double *counts, gd_geometry from,
                    gd_geometry to, bool share_to) {
    size_t in_bytes = gd_dtype_bytes((gd_dtype)src->dtype), out_bytes = gd_dtype_bytes((gd_dtype)out->dtype);
    count_geometry(share_to ? &to : &from, counts);
    if (!geometry_empty(&from)) {
        const char *p = src->data;
        odometer o = odometer_start(from.ndim, from.sizes, from.strides, NULL);
        do {
            int64_t at = from.offset + o.offset[0];
            buffer[at] += gd_load_f64((gd_dtype)src->dtype, p) / (share_to ? 1 : counts[at]);
            p += in_bytes;
        } while (odometer_step(&o));
    }
    if (geometry_empty(&to)) return;
    char *q = out->data;
    odometer o = odometer_start(to.ndim, to.sizes, to.strides, NULL);
    do {
        int64_t at = to.offset + o.offset[0];
        gd_store_f64((gd_dtype)out->dtype, q, buffer[at] / (share_to ? counts[at] : 1));
        q += out_bytes;
    } while (odometer_step(&o));
}

/* ---- reading, writing and adding runs ------------------------------------------------------ */

#define ADD_LOOP(type, sum)                                                                                            \
    for (int64_t i = 0; i < n; i++, data += stride, values += sizeof(type)) {                                          \
        type x, y;                                                                                                     \
        memcpy(&x, data, sizeof x);                                                                                    \
        memcpy(&y, values, sizeof y);                                                                                  \
        x = (type)(sum);                                                                                               \
        memcpy(data, &x, sizeof x);                                                                                    \
    }

static void add_run(gd_dtype dtype, char *data, int64_t stride, const char *values, int64_t n) {
    switch (dtype) {
    case GD_FLOAT32: ADD_LOOP(float, x + y) break;
    case GD_FLOAT64: ADD_LOOP(double, x + y) break;
    case GD_INT64: ADD_LOOP(uint64_t, x + y) break;
    case GD_INT32: ADD_LOOP(uint32_t, x + y) break;
    case GD_BOOL: ADD_LOOP(uint8_t, x | y) break;
    default: ADD_LOOP(uint8_t, x + y) break;
    }
}

static void move_run(gd_dtype dtype, size_t bytes, char *data, int64_t stride, char *values, int64_t n,
                     gd_index_mode mode) {
    if (mode == GD_INDEX_ADD) {
        add_run(dtype, data, stride, values, n);
    } else if (stride == (int64_t)bytes) {
        memcpy(mode == GD_INDEX_READ ? values : data, mode == GD_INDEX_READ ? data : values, (size_t)n * bytes);
    } else if (mode == GD_INDEX_READ) {
        for (int64_t i = 0; i < n; i++, data += stride, values += bytes) copy_element(values, data, bytes);
    } else {
        for (int64_t i = 0; i < n; i++, data += stride, values += bytes) copy_element(data, values, bytes);
    }
}

/* Single elements at offsets: the common case of a vector, or of the last dimension. */
static void move_points(gd_dtype dtype, size_t bytes, char *data, const int64_t *offsets, char *values, int64_t n,
                        gd_index_mode mode) {
    for (int64_t i = 0; i < n; i++, values += bytes) {
        if (mode == GD_INDEX_READ)
            copy_element(values, data + offsets[i], bytes);
        else if (mode == GD_INDEX_WRITE)
            copy_element(data + offsets[i], values, bytes);
        else
            add_run(dtype, data + offsets[i], 0, values, 1);
    }
}

/* Merges dimensions that lie evenly in memory, so that the last one is as long as can be. Returns their number. */
static int merge_dims(int n, const int64_t *sizes, const int64_t *strides, int64_t *out_sizes, int64_t *out_strides) {
    int m = 0;
    for (int d = 0; d < n; d++) {
        if (sizes[d] == 1) continue;
        if (m && out_strides[m - 1] == sizes[d] * strides[d]) {
            out_sizes[m - 1] *= sizes[d];
            out_strides[m - 1] = strides[d];
        } else {
            out_sizes[m] = sizes[d];
            out_strides[m++] = strides[d];
        }
    }
    return m;
}

void gd_index_walk(const gd_index_plan *plan, gd_dtype dtype, char *data, char *values, gd_index_mode mode) {
    size_t bytes = gd_dtype_bytes(dtype);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    if (plan->count == 0) return;
    for (int d = 0; d < plan->nbefore; d++)
        if (plan->before_sizes[d] == 0) return;
    for (int d = 0; d < plan->nafter; d++)
        if (plan->after_sizes[d] == 0) return;
    int n = merge_dims(plan->nafter, plan->after_sizes, plan->after_strides, sizes, strides);
    int64_t run = n ? sizes[n - 1] : 1, stride = n ? strides[n - 1] : (int64_t)bytes;
    odometer before = odometer_start(plan->nbefore, plan->before_sizes, plan->before_strides, NULL);
    do {
        char *base = data + before.offset[0];
        if (n == 0) {
            move_points(dtype, bytes, base, plan->offsets, values, plan->count, mode);
            values += (size_t)plan->count * bytes;
            continue;
        }
        for (int64_t i = 0; i < plan->count; i++) {
            odometer after = odometer_start(n - 1, sizes, strides, NULL);
            do {
                move_run(dtype, bytes, base + plan->offsets[i] + after.offset[0], stride, values, run, mode);
                values += (size_t)run * bytes;
            } while (odometer_step(&after));
        }
    } while (odometer_step(&before));
}

/* One row of a gather: n elements of index, which steps by 1 as values do by `out_step`; all in elements. */
typedef struct gather_row {
    const int64_t *index;
    int64_t n, along, step, out_step;
} gather_row;

#define GATHER_LOOP(type)                                                                                              \
    do {                                                                                                               \
        const type *from = (const type *)(const void *)data;                                                           \
        type *to = (type *)(void *)values;                                                                             \
        if (r->out_step == 1 && r->step == 0 && r->along == 1)                                                         \
            for (int64_t i = 0; i < r->n; i++) to[i] = from[r->index[i]];                                              \
        else                                                                                                           \
            for (int64_t i = 0; i < r->n; i++) to[i * r->out_step] = from[i * r->step + r->index[i] * r->along];       \
    } while (0)

static void read_row(size_t bytes, const gather_row *r, const char *data, char *values) {
    if (bytes == 8)
        GATHER_LOOP(uint64_t);
    else if (bytes == 4)
        GATHER_LOOP(uint32_t);
    else if (bytes == 2)
        GATHER_LOOP(uint16_t);
    else
        GATHER_LOOP(uint8_t);
}

#define WRITE_LOOP(type)                                                                                               \
    do {                                                                                                               \
        const type *from = (const type *)(const void *)values;                                                         \
        type *to = (type *)(void *)data;                                                                               \
        for (int64_t i = 0; i < r->n; i++) to[i * r->step + r->index[i] * r->along] = from[i * r->out_step];           \
    } while (0)

static void write_row(size_t bytes, const gather_row *r, char *data, const char *values) {
    if (bytes == 8)
        WRITE_LOOP(uint64_t);
    else if (bytes == 4)
        WRITE_LOOP(uint32_t);
    else if (bytes == 2)
        WRITE_LOOP(uint16_t);
    else
        WRITE_LOOP(uint8_t);
}

#define ADD_ROW(type)                                                                                                  \
    do {                                                                                                               \
        const type *from = (const type *)(const void *)values;                                                         \
        type *to = (type *)(void *)data;                                                                               \
        for (int64_t i = 0; i < r->n; i++) {                                                                           \
            type *x = to + i * r->step + r->index[i] * r->along;                                                       \
            *x = *x + from[i * r->out_step];                                                                           \
        }                                                                                                              \
    } while (0)

/* False if the dtype has no loop of its own. */
static bool add_row(gd_dtype dtype, const gather_row *r, char *data, const char *values) {
    if (dtype == GD_FLOAT32)
        ADD_ROW(float);
    else if (dtype == GD_FLOAT64)
        ADD_ROW(double);
    else if (dtype == GD_INT64)
        ADD_ROW(uint64_t);
    else
        return false;
    return true;
}

static void move_row(gd_dtype dtype, const gather_row *r, char *data, char *values, gd_index_mode mode) {
    int64_t bytes = (int64_t)gd_dtype_bytes(dtype);
    if (mode == GD_INDEX_READ) {
        read_row((size_t)bytes, r, data, values);
        return;
    }
    if (mode == GD_INDEX_WRITE) {
        write_row((size_t)bytes, r, data, values);
        return;
    }
    if (add_row(dtype, r, data, values)) return;
    for (int64_t i = 0; i < r->n; i++)
        move_run(dtype, (size_t)bytes, data + (i * r->step + r->index[i] * r->along) * bytes, bytes,
                 values + i * r->out_step * bytes, 1, mode);
}

/* Has one of the n indexes its sign bit set, or is it more than `size` - 1? */
__attribute__((optimize("O3"))) /* for the vectoriser, which -O2 keeps off */
static bool
any_outside(const int64_t *index, int64_t n, int64_t size) {
    uint64_t outside = 0;
    for (int64_t i = 0; i < n; i++) outside |= (uint64_t)index[i] | ((uint64_t)size - 1 - (uint64_t)index[i]);
    return outside >> 63;
}

/* size < 0: the indexes were checked. */
static bool gather(gd_dtype dtype, int ndim, const int64_t *sizes, int dim, const int64_t *index, int64_t size,
                   char *data, const int64_t *data_strides, char *values, const int64_t *values_strides,
                   gd_index_mode mode) {
    int64_t bytes = (int64_t)gd_dtype_bytes(dtype), strides[GD_MAX_DIMS];
    int last = ndim - 1;
    for (int d = 0; d < ndim; d++) {
        if (sizes[d] == 0) return true;
        strides[d] = d == dim ? 0 : data_strides[d];
    }
    gather_row r = {index, sizes[last], data_strides[dim], strides[last], values_strides[last]};
    odometer o = odometer_start(last, sizes, strides, values_strides);
    do {
        if (size >= 0 && any_outside(r.index, r.n, size)) return false;
        move_row(dtype, &r, data + o.offset[0] * bytes, values + o.offset[1] * bytes, mode);
        r.index += r.n;
    } while (odometer_step(&o));
    return true;
}

void gd_gather_walk(gd_dtype dtype, int ndim, const int64_t *sizes, int dim, const int64_t *index, char *data,
                    const int64_t *data_strides, char *values, const int64_t *values_strides, gd_index_mode mode) {
    (void)gather(dtype, ndim, sizes, dim, index, -1, data, data_strides, values, values_strides, mode);
}

bool gd_gather_read(gd_dtype dtype, int ndim, const int64_t *sizes, int dim, const int64_t *index, int64_t size,
                    char *data, const int64_t *data_strides, char *values, const int64_t *values_strides) {
    return gather(dtype, ndim, sizes, dim, index, size, data, data_strides, values, values_strides, GD_INDEX_READ);
}

/* ---- masks --------------------------------------------------------------------------------- */

int64_t gd_mask_count(const gd_tensor *mask) {
    const uint8_t *m = (const uint8_t *)mask->data;
    int64_t count = 0;
    for (int64_t i = 0; i < mask->numel; i++) count += m[i] != 0;
    return count;
}

void gd_mask_coordinates(const gd_tensor *mask, int64_t *const *out) {
    const uint8_t *m = (const uint8_t *)mask->data;
    int64_t hits = 0;
    if (mask->numel == 0) return;
    odometer o = odometer_start(mask->ndim, mask->sizes, NULL, NULL);
    do {
        if (!*m++) continue;
        for (int d = 0; d < mask->ndim; d++) out[d][hits] = o.at[d];
        hits++;
    } while (odometer_step(&o));
}

void gd_mask_walk(gd_tensor *t, const gd_tensor *mask, char *values, gd_index_mode mode) {
    const uint8_t *m = (const uint8_t *)mask->data;
    int64_t bytes = (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    if (mask->numel == 0) return;
    odometer o = odometer_start(t->ndim, t->sizes, GD_STRIDES(t), NULL);
    do {
        if (!*m++) continue;
        move_run((gd_dtype)t->dtype, (size_t)bytes, t->data + o.offset[0] * bytes, bytes, values, 1, mode);
        values += bytes;
    } while (odometer_step(&o));
}
