/* triangle.c: rows that list the places of a matrix's triangle. */
#include <inttypes.h>

#include "core/ops/args.h"
#include "core/ops/create.h"
#include "core/ops/families.h"

typedef __int128 wide; /* sums and products of client-sized numbers that cannot overflow */

/* Row i has the columns from 0 up to i + edge, if lower; from there on, if upper. */
typedef struct triangle {
    int64_t rows, columns;
    wide edge;
    bool upper;
} triangle;

static wide within(wide v, wide low, wide high) { return v < low ? low : v > high ? high : v; }

/* Places before the edge: of rows where it is left of the matrix, in it, and right of it. */
static wide count_lower(const triangle *t) {
    wide first = within(-t->edge, 0, t->rows), full = within(t->columns - t->edge, first, t->rows), cut = full - first;
    return cut * (first + t->edge) + cut * (cut - 1) / 2 + (t->rows - full) * t->columns;
}

static wide count_places(const triangle *t) {
    return t->upper ? (wide)t->rows * t->columns - count_lower(t) : count_lower(t);
}

#define DEFINE_FILL(T)                                                                                                 \
    static void fill_##T(const triangle *t, T *rows, T *columns) {                                                     \
        wide first = t->upper ? 0 : within(-t->edge, 0, t->rows);                                                      \
        wide end = t->upper ? within(t->columns - t->edge, 0, t->rows) : t->rows;                                      \
        for (wide i = t->columns ? first : end; i < end; i++) {                                                        \
            int64_t edge = (int64_t)within(i + t->edge, 0, t->columns), last = t->upper ? t->columns : edge;           \
            for (int64_t j = t->upper ? edge : 0; j < last; j++) {                                                     \
                *rows++ = (T)i;                                                                                        \
                *columns++ = (T)j;                                                                                     \
            }                                                                                                          \
        }                                                                                                              \
    }
DEFINE_FILL(int64_t)
DEFINE_FILL(int32_t)

static gd_code check_triangle(gd_apply *a, gd_dtype dtype) {
    const char *sides[] = {"row", "col"};
    for (int i = 0; i < 2; i++)
        if (arg_int(a, i) < 0)
            return gd_fail(a->ctx, GD_E_RUNTIME, "%s must be non-negative, got%" PRId64, sides[i], arg_int(a, i));
    if (dtype == GD_INT64 || dtype == GD_INT32) return GD_OK;
    return gd_fail(a->ctx, GD_E_DTYPE, "\"%s\" not implemented for '%s'", a->op->name, gd_dtype_scalar_name(dtype));
}

/* Param 1: the upper triangle. */
gd_code gd_fw_triangle_places(gd_apply *a) {
    gd_dtype dtype = gd_dtype_or(a, 3, GD_INT64);
    gd_code code = check_triangle(a, dtype);
    if (code) return code;
    bool upper = a->op->param == 1;
    const triangle t = {arg_int(a, 0), arg_int(a, 1), (wide)arg_int(a, 2) + !upper, upper};
    wide n = count_places(&t);
    int64_t numel, sizes[] = {2, n > INT64_MAX ? INT64_MAX : (int64_t)n};
    code = gd_checked_numel(a->ctx, dtype, 2, sizes, &numel);
    gd_tensor *out = code ? NULL : gd_empty(a->ctx, dtype, 2, sizes);
    void *data = out ? out->data : NULL;
    if (out && dtype == GD_INT64) fill_int64_t(&t, data, (int64_t *)data + sizes[1]);
    if (out && dtype == GD_INT32) fill_int32_t(&t, data, (int32_t *)data + sizes[1]);
    return code ? code : gd_give_new(a, out);
}
