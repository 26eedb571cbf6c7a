/* vectors.c: cotangents, tangents and vectors as a caller gives them: checked, converted, and found again by point and
 * by number of the product.
 */
#include "core/function/vectors.h"

#include "core/ops/op.h"
#include "core/program/natives.h"

/* What one vector must be like. */
typedef struct wanted {
    const char *what, *name; /* "tangent", "x" */
    gd_dtype dtype;
    int ndim;
    const int64_t *sizes;
    size_t nbytes;
} wanted;

static bool refuse_vector(const gd_job *job, const wanted *w, const gd_tensor *t) {
    char got[256], takes[256];
    gd_shape_text(got, sizeof got, t->ndim, t->sizes);
    gd_shape_text(takes, sizeof takes, w->ndim, w->sizes);
    return gd_fault_input(job->fault, w->name, "the %s of '%s' has shape %s, it takes %s%s", w->what, w->name, got,
                          takes, job->e->batched ? ", with one leading axis more for the batch" : "");
}

/* Its axes: those of the batch, perhaps one of length *stacked, and w's. */
static bool check_vector(const gd_job *job, const wanted *w, const gd_tensor *t, bool may_stack, int64_t *stacked,
                         bool *has_stack) {
    int lead = job->e->batched, extra = t->ndim - lead - w->ndim;
    *has_stack = extra == 1;
    if (extra < 0 || extra > (may_stack ? 1 : 0) || (lead && t->sizes[0] != job->batch))
        return refuse_vector(job, w, t);
    for (int d = 0; d < w->ndim; d++)
        if (t->sizes[lead + extra + d] != w->sizes[d]) return refuse_vector(job, w, t);
    if (!extra) return true;
    if (*stacked >= 0 && *stacked != t->sizes[lead])
        return gd_fault_input(job->fault, w->name, "the %s of '%s' is %lld at once, others are %lld", w->what, w->name,
                              (long long)t->sizes[lead], (long long)*stacked);
    *stacked = t->sizes[lead];
    return true;
}

static gd_tensor *as_bytes(const gd_job *job, gd_tensor *t, gd_dtype dtype) {
    gd_tensor *dense = gd_do(job->ctx, GD_OP_contiguous, GD_VALUES(GD_TENSOR_VALUE(t)));
    gd_tensor *cast = dense && (gd_dtype)dense->dtype != dtype
                          ? gd_do(job->ctx, GD_OP_to_dtype, GD_VALUES(GD_TENSOR_VALUE(dense), GD_DTYPE_VALUE(dtype)))
                          : gd_retain(dense);
    gd_release(dense);
    if (!cast) gd_fault_ctx(job->fault, job->ctx);
    return cast;
}

static bool take_vector(const gd_job *job, const wanted *w, gd_tensor *t, bool may_stack, int i, int64_t *stacked,
                        gd_vectors *v) {
    bool has_stack;
    if (!check_vector(job, w, t, may_stack, stacked, &has_stack)) return false;
    gd_grad_mode mode = job->ctx->mode;
    job->ctx->mode = GD_MODE_NO_GRAD;
    v->held[i] = as_bytes(job, t, w->dtype);
    job->ctx->mode = mode;
    if (!v->held[i]) return false;
    v->taken |= UINT64_C(1) << i;
    v->bytes[i] = v->held[i]->data;
    v->per_stack[i] = has_stack ? w->nbytes : 0;
    v->per_point[i] = job->e->batched ? (has_stack ? (size_t)*stacked : 1) * w->nbytes : 0;
    return true;
}

bool gd_vectors_by_output(gd_job *job, const gd_answer_layout *l, uint64_t set, gd_tensor *const *given,
                          int64_t *stacked, gd_vectors *v) {
    for (int i = 0; i < l->n; i++) {
        const gd_place_of *p = &l->places[i];
        const wanted w = {"cotangent", l->names[i], p->dtype, p->ndim, p->sizes, p->nbytes};
        bool vjp = job->e->kind == GD_EVAL_VJP;
        if (gd_bit(set, i) && !take_vector(job, &w, given[i], vjp, i, stacked, v)) return false;
    }
    return true;
}

bool gd_vectors_by_input(gd_job *job, uint64_t set, gd_tensor *const *given, int64_t *stacked, gd_vectors *v) {
    const char *what = job->e->kind == GD_EVAL_JVP ? "tangent" : "vector";
    for (int i = 0; i < job->f->ninputs; i++) {
        if (!gd_bit(set, i)) continue;
        const wanted w = {
            what,          job->f->inputs[i].given.name, (gd_dtype)job->x[i]->dtype, job->ndim[i], job->sizes[i],
            job->nbytes[i]};
        if (!take_vector(job, &w, given[i], true, i, stacked, v)) return false;
    }
    return true;
}

void gd_vectors_clear(gd_vectors *v) {
    for (; v->taken; v->taken &= v->taken - 1) gd_release(v->held[__builtin_ctzll(v->taken)]);
}

void gd_vectors_at(const gd_vectors *v, uint64_t set, int64_t point, int64_t nr, const void **out) {
    for (; set; set &= set - 1) {
        int i = __builtin_ctzll(set);
        out[i] = v->bytes[i] + (size_t)point * v->per_point[i] + (size_t)nr * v->per_stack[i];
    }
}
