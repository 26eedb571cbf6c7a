/* matrices.c: whole Jacobians and Hessians: a product with each unit vector in turn. A Jacobian is made by rows (vjp)
 * or by columns (jvp), whichever are fewer; a Hessian by rows of the gradient's derivative (hvp).
 */
#include <stdlib.h>
#include <string.h>

#include "core/function/vectors.h"

/* One matrix of blocks being filled. */
typedef struct matrix {
    gd_job *job;
    gd_runner r;
    gd_answer_layout *layout; /* r's */
    int nwrt, wrt[GD_FUNCTION_INPUTS];
    char *unit[GD_FUNCTION_INPUTS]; /* vectors of zeros, of outputs or inputs: the unit vector is made in them */
    const void *vectors[GD_FUNCTION_INPUTS], *cotangents[GD_FUNCTION_INPUTS];
    void *values[GD_FUNCTION_INPUTS];
    bool valued;        /* the point's values are there */
    gd_vectors weights; /* HVP: the cotangents that were given */
    char *column[GD_FUNCTION_INPUTS];
} matrix;

static gd_dtype dtype_of(const matrix *m, int input) { return (gd_dtype)m->job->x[input]->dtype; }
static gd_shape_of input_shape(const matrix *m, int i) { return (gd_shape_of){m->job->ndim[i], m->job->sizes[i]}; }

static bool wanted(const matrix *m, int output) {
    uint64_t set = m->job->e->outputs_wanted;
    return !set || gd_bit(set, output);
}
static bool floats(const matrix *m, int output) { return gd_dtype_is_float(m->layout->places[output].dtype); }

static void set_one(char *bytes, gd_dtype dtype, int64_t i, double v) {
    gd_store_f64(dtype, bytes + (size_t)i * gd_dtype_bytes(dtype), v);
}

static void begin_point(matrix *m, int64_t point) {
    const gd_eval *e = m->job->e;
    size_t points = (size_t)m->job->batch;
    m->valued = false;
    if (m->r.what.kind == GD_EVAL_HVP) gd_vectors_at(&m->weights, m->r.what.cotangents, point, 0, m->cotangents);
    for (int i = 0; i < e->noutputs; i++)
        m->values[i] = e->values[i]->data + (size_t)point * (gd_nbytes(e->values[i]) / points);
}

static bool run(matrix *m, void *const *results) {
    const void *const *c = m->r.what.kind == GD_EVAL_VJP ? m->vectors : m->cotangents;
    if (gd_stopped(m->job) || !gd_runner_run(&m->r, c, m->vectors, m->valued ? NULL : m->values, results)) return false;
    m->valued = true;
    return true;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Row `row` of the blocks of `outer`, at the point. */
static void aim_row(const matrix *m, int outer, int64_t point, int64_t rows, int64_t row, void **results) {
    for (int j = 0; j < m->nwrt; j++)
        results[j] =
            m->job->e->results[outer * m->nwrt + j]->data + (size_t)(point * rows + row) * m->job->nbytes[m->wrt[j]];
}

/* All rows of one output (VJP) or input (HVP), whose unit vectors are made in unit[index]. */
static bool rows_of(matrix *m, int outer, int index, gd_dtype dtype, int64_t rows, int64_t point) {
    void *results[GD_FUNCTION_INPUTS];
    for (int64_t row = 0; row < rows; row++) {
        aim_row(m, outer, point, rows, row, results);
        set_one(m->unit[index], dtype, row, 1);
        bool ok = run(m, results);
        set_one(m->unit[index], dtype, row, 0);
        if (!ok) return false;
    }
    return true;
}

/* A matrix without rows still has values. */
static bool values_alone(matrix *m) {
    void *results[GD_FUNCTION_INPUTS] = {0};
    return m->valued || run(m, results);
}

static bool fill_rows(matrix *m) {
    bool hessian = m->job->e->kind == GD_EVAL_HESSIAN;
    int outer = hessian ? m->nwrt : m->layout->n;
    for (int64_t b = 0; b < m->job->batch; b++) {
        if (!gd_runner_point(&m->r, b)) return false;
        begin_point(m, b);
        for (int i = 0; i < outer; i++) {
            int index = hessian ? m->wrt[i] : i;
            if (!hessian && !gd_bit(m->r.what.cotangents, i)) continue;
            gd_dtype dtype = hessian ? dtype_of(m, index) : m->layout->places[i].dtype;
            int64_t rows = hessian ? m->job->numel[index] : m->layout->places[i].numel;
            if (!rows_of(m, i, index, dtype, rows, b)) return false;
        }
        if (!values_alone(m)) return false;
    }
    return true;
}

/* ---- columns --------------------------------------------------------------------------------- */

static void scatter(const matrix *m, int output, int j, int64_t point, int64_t col) {
    const gd_tensor *t = m->job->e->results[output * m->nwrt + j];
    int64_t rows = m->layout->places[output].numel, cols = m->job->numel[m->wrt[j]];
    size_t size = gd_dtype_bytes((gd_dtype)t->dtype);
    char *to = t->data + (size_t)(point * rows * cols + col) * size;
    const char *from = m->column[output];
    for (int64_t i = 0; i < rows; i++, to += (size_t)cols * size, from += size) memcpy(to, from, size);
}

static bool column(matrix *m, int j, int64_t point, int64_t col) {
    void *results[GD_FUNCTION_INPUTS];
    int n = 0, index = m->wrt[j];
    for (int i = 0; i < m->layout->n; i++)
        if (gd_bit(m->r.what.wanted, i)) results[n++] = m->column[i];
    set_one(m->unit[index], dtype_of(m, index), col, 1);
    bool ok = run(m, results);
    set_one(m->unit[index], dtype_of(m, index), col, 0);
    for (int i = 0; ok && i < m->layout->n; i++)
        if (gd_bit(m->r.what.wanted, i)) scatter(m, i, j, point, col);
    return ok;
}

static bool fill_columns(matrix *m) {
    for (int64_t b = 0; b < m->job->batch; b++) {
        if (!gd_runner_point(&m->r, b)) return false;
        begin_point(m, b);
        for (int j = 0; j < m->nwrt; j++)
            for (int64_t col = 0; col < m->job->numel[m->wrt[j]]; col++)
                if (!column(m, j, b, col)) return false;
        if (!values_alone(m)) return false;
    }
    return true;
}

/* ---- which way ------------------------------------------------------------------------------- */

/* Columns are fewer than rows, and of one dtype with them. */
static bool columns_are_fewer(const matrix *m) {
    double rows = 0, columns = 0;
    for (int i = 0; i < m->layout->n; i++) {
        if (!gd_bit(m->r.what.cotangents, i)) continue;
        rows += (double)m->layout->places[i].numel;
        if (m->layout->places[i].dtype != dtype_of(m, m->wrt[0])) return false;
    }
    for (int j = 0; j < m->nwrt; j++) {
        columns += (double)m->job->numel[m->wrt[j]];
        if (dtype_of(m, m->wrt[j]) != dtype_of(m, m->wrt[0])) return false;
    }
    return columns < rows;
}

static uint64_t floating_wanted(const matrix *m) {
    uint64_t set = 0;
    for (int i = 0; i < m->layout->n; i++)
        if (wanted(m, i) && floats(m, i)) set |= UINT64_C(1) << i;
    return set;
}

static bool open_jacobian(matrix *m, bool evaluate) {
    gd_job *job = m->job;
    gd_product what;
    if (!gd_product_of(job, &what) || !gd_runner_open(&m->r, job, &what, evaluate)) return false;
    m->layout = m->r.layout;
    if (!columns_are_fewer(m)) return true;
    what = (gd_product){.kind = GD_EVAL_JVP, .tangents = job->wrt, .wanted = floating_wanted(m)};
    m->layout = NULL;
    gd_runner_close(&m->r);
    if (!gd_runner_open(&m->r, job, &what, evaluate)) return false;
    m->layout = m->r.layout;
    return true;
}

static bool open_hessian(matrix *m, bool evaluate) {
    gd_job *job = m->job;
    gd_product what;
    if (!gd_product_of(job, &what) || !gd_runner_open(&m->r, job, &what, evaluate)) return false;
    m->layout = m->r.layout;
    return true;
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* A block of the Jacobian that nothing fills: the output is of integers. */
static void zero(gd_tensor *t) { memset(t->data, 0, gd_nbytes(t)); }

static bool make_blocks(matrix *m) {
    bool hessian = m->job->e->kind == GD_EVAL_HESSIAN;
    int outer = hessian ? m->nwrt : m->layout->n;
    if (!gd_held_open(m->job, m->layout, outer * m->nwrt)) return false;
    gd_tensor **block = m->job->e->results;
    for (int i = 0; i < outer; i++)
        for (int j = 0; j < m->nwrt; j++, block++) {
            if (!hessian && !wanted(m, i)) continue;
            *block = gd_result_new(m->job, dtype_of(m, m->wrt[j]), -1,
                                   hessian ? input_shape(m, m->wrt[i]) : gd_shape_of_output(m->layout, i),
                                   input_shape(m, m->wrt[j]));
            if (!*block) return false;
            if (!hessian && !floats(m, i) && (*block)->numel) zero(*block);
        }
    return true;
}

static bool make_units(matrix *m) {
    bool by_output = m->r.what.kind == GD_EVAL_VJP;
    int n = by_output ? m->layout->n : m->job->f->ninputs;
    for (int i = 0; i < n; i++) {
        if (!gd_bit(by_output ? m->r.what.cotangents : m->r.what.tangents, i)) continue;
        m->unit[i] = calloc(1, (by_output ? m->layout->places[i].nbytes : m->job->nbytes[i]) + 1);
        if (!m->unit[i]) return gd_fault_memory(m->job->fault);
        m->vectors[i] = m->unit[i];
    }
    for (int i = 0; i < m->layout->n; i++) {
        if (!gd_bit(m->r.what.wanted, i)) continue;
        m->column[i] = malloc(m->layout->places[i].nbytes + 1);
        if (!m->column[i]) return gd_fault_memory(m->job->fault);
    }
    return true;
}

static void matrix_close(matrix *m) {
    for (int i = 0; i < GD_FUNCTION_INPUTS; i++) {
        free(m->unit[i]);
        free(m->column[i]);
    }
    gd_vectors_clear(&m->weights);
    gd_runner_close(&m->r);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool fill(matrix *m) {
    int64_t stacked = -1;
    if (!make_blocks(m) || !make_units(m)) return false;
    if (m->r.what.kind == GD_EVAL_JVP) return fill_columns(m);
    if (m->r.what.kind == GD_EVAL_HVP &&
        !gd_vectors_by_output(m->job, m->layout, m->r.what.cotangents, m->job->e->cotangents, &stacked, &m->weights))
        return false;
    return fill_rows(m);
}

bool gd_eval_matrix(gd_job *job) {
    for (int evaluate = 0;; evaluate++) {
        matrix m = {.job = job};
        for (int i = 0; i < job->f->ninputs; i++)
            if (gd_bit(job->wrt, i)) m.wrt[m.nwrt++] = i;
        bool ok = job->e->kind == GD_EVAL_HESSIAN ? open_hessian(&m, evaluate) : open_jacobian(&m, evaluate);
        if (!ok) return false;
        ok = fill(&m);
        matrix_close(&m);
        if (ok || !m.r.mismatch) return ok;
    }
}
