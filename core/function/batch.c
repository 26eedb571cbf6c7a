/* batch.c: the points of a batch, one after the other, or shared out over threads.
 *
 * Note [Sharing]: each thread takes a run of points and does them by the plan alone. It stops at the first that the
 * plan cannot do; the calling thread, which has the evaluator, goes on from there when all have ended. So what is
 * answered, and which point is complained of, does not depend on how many threads there were, except that of several
 * failing points not always the first is named.
 */
#include "core/function/plans.h"
#include "core/function/vectors.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MOST_THREADS = 16 };
#define WORTH_A_THREAD 2e-4 /* seconds of work: several times what starting one takes */

/* Where each output of the runner goes. */
typedef struct targets {
    char *values[GD_FUNCTION_INPUTS], *results[GD_FUNCTION_INPUTS];
    size_t value_bytes[GD_FUNCTION_INPUTS], result_bytes[GD_FUNCTION_INPUTS]; /* of one */
    int nvalues, nresults;
} targets;

typedef struct batch {
    gd_runner *r;
    const gd_vectors *tangents, *cotangents;
    int64_t times;
    targets to;
} batch;

/* Points first .. end - 1; `first` moves on. */
typedef struct share {
    const batch *b;
    gd_runner twin;
    int64_t first, end;
    pthread_t thread;
    bool started;
} share;

static void aim(const gd_job *job, int64_t times, targets *t) {
    const gd_eval *e = job->e;
    t->nvalues = e->noutputs;
    t->nresults = 0;
    size_t points = job->batch > 0 ? (size_t)job->batch : 1, products = points * (size_t)(times > 0 ? times : 1);
    for (int i = 0; i < e->noutputs; i++) {
        t->values[i] = e->values[i]->data;
        t->value_bytes[i] = gd_nbytes(e->values[i]) / points;
    }
    for (int i = 0; i < e->nresults; i++) {
        if (!e->results[i]) continue;
        t->results[t->nresults] = e->results[i]->data;
        t->result_bytes[t->nresults++] = gd_nbytes(e->results[i]) / products;
    }
}

/* What one product reads and writes. */
typedef struct product {
    const void *cotangents[GD_FUNCTION_INPUTS], *tangents[GD_FUNCTION_INPUTS];
    void *values[GD_FUNCTION_INPUTS], *results[GD_FUNCTION_INPUTS];
} product;

static void point_product(const batch *b, const gd_runner *r, int64_t point, int64_t k, product *p) {
    size_t nr = (size_t)(point * b->times + k);
    gd_vectors_at(b->cotangents, r->what.cotangents, point, k, p->cotangents);
    gd_vectors_at(b->tangents, r->what.tangents, point, k, p->tangents);
    for (int i = 0; i < b->to.nvalues; i++) p->values[i] = b->to.values[i] + (size_t)point * b->to.value_bytes[i];
    for (int i = 0; i < b->to.nresults; i++) p->results[i] = b->to.results[i] + nr * b->to.result_bytes[i];
}

/* By the calling thread. */
static bool run_points(const batch *b, int64_t first, int64_t end) {
    gd_runner *r = b->r;
    product p = {0};
    for (int64_t point = first; point < end; point++) {
        if (gd_stopped(r->job) || !gd_runner_point(r, point)) return false;
        for (int64_t k = 0; k < b->times; k++) {
            point_product(b, r, point, k, &p);
            if (!gd_runner_run(r, p.cotangents, p.tangents, p.values, p.results)) return false;
        }
    }
    return true;
}

/* ---- other threads ------------------------------------------------------------------------------ */

static bool stops(const gd_job *job) {
    return job->e->stop && atomic_load_explicit(job->e->stop, memory_order_relaxed);
}

static void *run_share(void *argument) {
    share *s = argument;
    product p = {0};
    for (; s->first < s->end && !stops(s->twin.job); s->first++)
        for (int64_t k = 0; k < s->b->times; k++) {
            point_product(s->b, &s->twin, s->first, k, &p);
            if (!gd_runner_try(&s->twin, s->first, p.cotangents, p.tangents, p.values, p.results)) return NULL;
        }
    return NULL;
}

static void start_share(share *s) {
    if (!gd_runner_fork(s->b->r, &s->twin)) return;
    s->started = pthread_create(&s->thread, NULL, run_share, s) == 0;
    if (!s->started) gd_runner_join(&s->twin);
}

static void end_share(share *s) {
    if (!s->started) return;
    (void)pthread_join(s->thread, NULL);
    gd_runner_join(&s->twin);
}

/* How many threads are worth having, the calling one counted. */
static int64_t threads_for(const batch *b) {
    const gd_job *job = b->r->job;
    if (!b->r->planned || job->e->threads < 2) return 1;
    double seconds = gd_plan_cost(b->r->planned->plan) * (double)job->batch * (double)b->times;
    int64_t n = job->e->threads < MOST_THREADS ? job->e->threads : MOST_THREADS;
    if (n > job->batch) n = job->batch;
    return seconds < (double)n * WORTH_A_THREAD ? (int64_t)(seconds / WORTH_A_THREAD) : n;
}

bool gd_batch_run(gd_runner *r, const gd_vectors *v, int64_t times) {
    const gd_job *job = r->job;
    batch b = {.r = r, .tangents = v, .cotangents = job->e->kind == GD_EVAL_HVP ? v + 1 : v, .times = times};
    share shares[MOST_THREADS];
    aim(job, times, &b.to);
    int64_t n = threads_for(&b), each = n > 1 ? job->batch / n : job->batch;
    if (n < 2) return run_points(&b, 0, job->batch);
    for (int64_t i = 1; i < n; i++) {
        shares[i].b = &b;
        shares[i].first = i * each;
        shares[i].end = i == n - 1 ? job->batch : (i + 1) * each;
        shares[i].started = false;
        start_share(&shares[i]);
    }
    bool ok = run_points(&b, 0, each);
    for (int64_t i = 1; i < n; i++) end_share(&shares[i]);
    for (int64_t i = 1; ok && i < n; i++) ok = run_points(&b, shares[i].first, shares[i].end);
    return ok;
}
