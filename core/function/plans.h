/* plans.h: compiled functions: which plan serves a kind of evaluation of inputs of these dtypes and shapes. */
#ifndef GD_FUNCTION_PLANS_H
#define GD_FUNCTION_PLANS_H

#include "core/function/inside.h"
#include "core/plan/plan.h"

/* A plan under its signature, or the knowledge that there can be none. Immutable but for its counts. */
struct gd_planned {
    _Atomic uint32_t refs;
    _Atomic(gd_planned *) next; /* of its bucket */
    _Atomic uint64_t used;      /* the registry's tick when it was last asked for */
    gd_function *f;             /* not counted: its plans go before it does; compared, not read */
    uint64_t hash;
    size_t bytes;
    gd_plan *plan;            /* NULL: the trace was dynamic */
    gd_answer_layout *layout; /* of the values; NULL without a plan */
    uint64_t cotangents;      /* outputs that have one */
    gd_retired retired;
    size_t key_bytes;
    uint64_t key[];
};

/* plans.c */
/* The entry for the job's signature, counted; NULL: not yet made. No lock. */
gd_planned *gd_plans_find(gd_job *job, const gd_product *what);
/* Makes one for the job's signature and keeps it in the table unless the function is gone. Takes the references to plan
 * and layout, which may be NULL. Counted; NULL: no memory. */
gd_planned *gd_plans_add(gd_job *job, const gd_product *what, uint64_t cotangents, gd_plan *plan,
                         gd_answer_layout *layout);
void gd_planned_release(gd_planned *p);
void gd_plans_forget(gd_functions *r, gd_function *f); /* under the lock: all plans of f */
void gd_plans_close(gd_functions *r);

#endif
