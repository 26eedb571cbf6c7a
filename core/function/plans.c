/* plans.c: the plans of all functions, by signature: a table of chains that is read without a lock (Note [Readers]) and
 * bounded in bytes; the one that was asked for longest ago goes first.
 */
#include "core/function/plans.h"

#include <stdlib.h>
#include <string.h>

#include "core/session/hash.h"

/* ---- signatures ------------------------------------------------------------------------------ */

/* Words of a signature; the first few lie here, a long one on the heap. */
typedef struct key {
    uint64_t few[128], *words;
    size_t n, room;
    bool failed;
} key;

static void put(key *k, uint64_t word) {
    if (k->n == k->room) {
        uint64_t *p = malloc(k->room * 2 * sizeof *p);
        if (!p) {
            k->failed = true;
            return;
        }
        memcpy(p, k->words, k->n * sizeof *p);
        if (k->words != k->few) free(k->words);
        k->words = p;
        k->room *= 2;
    }
    k->words[k->n++] = word;
}

static void put_text(key *k, const char *text) {
    size_t n = strlen(text);
    put(k, n);
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, text + i, n - i < sizeof word ? n - i : sizeof word);
        put(k, word);
    }
}

static void put_static(key *k, const gd_stored_argument *a) {
    uint64_t word = 0;
    put(k, 256 + (uint64_t)a->value.kind + (a->absent ? 128 : 0));
    if (a->absent) return;
    switch (a->value.kind) {
    case GD_V_BOOL: put(k, a->value.u.boolean); break;
    case GD_V_INT: put(k, (uint64_t)a->value.u.integer); break;
    case GD_V_FLOAT:
        memcpy(&word, &a->value.u.real, sizeof word);
        put(k, word);
        break;
    case GD_V_STR: put_text(k, a->value.u.str); break;
    default: break;
    }
}

static void make_key(key *k, const gd_job *job, const gd_product *what) {
    k->words = k->few;
    k->n = 0;
    k->room = sizeof k->few / sizeof *k->few;
    k->failed = false;
    put(k, (uint64_t)what->kind);
    put(k, what->wrt);
    put(k, what->cotangents);
    put(k, what->tangents);
    put(k, what->wanted);
    for (int i = 0; i < job->f->ninputs; i++) {
        if (!gd_bit(job->tensors, i)) {
            put_static(k, &job->args[i]);
            continue;
        }
        put(k, (uint64_t)job->dtype[i] | (uint64_t)job->ndim[i] << 16);
        for (int d = 0; d < job->ndim[i]; d++) put(k, (uint64_t)job->sizes[i][d]);
    }
}

static void key_clear(key *k) {
    if (k->words != k->few) free(k->words);
}

static uint64_t hash_of(const key *k, const gd_function *f) {
    return gd_hash_bytes(k->words, k->n * sizeof *k->words) ^ (f->version * UINT64_C(0x9e3779b97f4a7c15));
}

/* ---- finding --------------------------------------------------------------------------------- */

static _Atomic(gd_planned *) *bucket(gd_functions *r, uint64_t hash) { return &r->plans[hash % GD_PLAN_BUCKETS]; }

static bool is_it(const gd_planned *p, const gd_function *f, uint64_t hash, const key *k) {
    return p->hash == hash && p->f == f && p->key_bytes == k->n * sizeof *k->words &&
           !memcmp(p->key, k->words, p->key_bytes);
}

static gd_planned *look(gd_functions *r, const gd_function *f, uint64_t hash, const key *k) {
    gd_planned *p = atomic_load(bucket(r, hash));
    while (p && !is_it(p, f, hash, k)) p = atomic_load(&p->next);
    return p;
}

static gd_planned *retained(gd_planned *p) {
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

gd_planned *gd_plans_find(gd_job *job, const gd_product *what) {
    gd_functions *r = job->registry;
    key k;
    make_key(&k, job, what);
    uint64_t hash = hash_of(&k, job->f), tick = atomic_load_explicit(&r->tick, memory_order_relaxed);
    gd_read_begin(job->thread);
    gd_planned *p = k.failed ? NULL : look(r, job->f, hash, &k);
    if (p) {
        retained(p);
        if (atomic_load_explicit(&p->used, memory_order_relaxed) != tick)
            atomic_store_explicit(&p->used, tick, memory_order_relaxed);
    }
    gd_read_end(job->thread);
    key_clear(&k);
    return p;
}

/* ---- adding and removing; under the lock ----------------------------------------------------- */

void gd_planned_release(gd_planned *p) {
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1) return;
    if (p->plan) gd_plan_release(p->plan);
    gd_answer_layout_release(p->layout);
    free(p);
}

static void release_planned(void *p) { gd_planned_release(p); }

/* `at` is what points to it. */
static void unlink_planned(gd_functions *r, _Atomic(gd_planned *) *at) {
    gd_planned *p = atomic_load(at);
    atomic_store(at, atomic_load(&p->next));
    r->plan_bytes -= p->bytes;
    p->f->nplans--;
    gd_retire(r, &p->retired, p, release_planned);
}

void gd_plans_forget(gd_functions *r, gd_function *f) {
    for (size_t i = 0; f->nplans && i < GD_PLAN_BUCKETS; i++) {
        _Atomic(gd_planned *) *at = &r->plans[i];
        for (gd_planned *p; (p = atomic_load(at));) {
            if (p->f == f)
                unlink_planned(r, at);
            else
                at = &p->next;
        }
    }
}

void gd_functions_plans(gd_functions *r, size_t *count, size_t *bytes) {
    *count = 0;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < GD_PLAN_BUCKETS; i++)
        for (gd_planned *p = atomic_load(&r->plans[i]); p; p = atomic_load(&p->next)) *count += p->plan != NULL;
    *bytes = r->plan_bytes;
    pthread_mutex_unlock(&r->lock);
}

static bool drop_oldest(gd_functions *r, const gd_planned *but) {
    _Atomic(gd_planned *) *oldest = NULL;
    uint64_t used = UINT64_MAX;
    for (size_t i = 0; i < GD_PLAN_BUCKETS; i++) {
        _Atomic(gd_planned *) *at = &r->plans[i];
        for (gd_planned *p; (p = atomic_load(at)); at = &p->next) {
            uint64_t when = atomic_load_explicit(&p->used, memory_order_relaxed);
            if (p == but || when >= used) continue;
            used = when;
            oldest = at;
        }
    }
    if (oldest) unlink_planned(r, oldest);
    return oldest != NULL;
}

static void insert(gd_functions *r, gd_planned *p) {
    _Atomic(gd_planned *) *first = bucket(r, p->hash);
    atomic_store(&p->next, atomic_load(first));
    atomic_store(&p->used, atomic_fetch_add(&r->tick, 1) + 1);
    retained(p);
    atomic_store(first, p);
    p->f->nplans++;
    r->plan_bytes += p->bytes;
    size_t most = r->options.plan_bytes;
    while (most && r->plan_bytes > most && drop_oldest(r, p)) continue;
}

static gd_planned *planned_new(const gd_job *job, const key *k, uint64_t cotangents, gd_plan *plan,
                               gd_answer_layout *layout) {
    size_t bytes = k->n * sizeof *k->words;
    gd_planned *p = k->failed ? NULL : calloc(1, sizeof *p + bytes);
    if (!p) return NULL;
    p->refs = 1;
    p->f = job->f;
    p->hash = hash_of(k, job->f);
    p->plan = plan;
    p->layout = layout;
    p->cotangents = cotangents;
    p->bytes = sizeof *p + bytes + (plan ? gd_plan_bytes(plan) : 0);
    p->key_bytes = bytes;
    memcpy(p->key, k->words, bytes);
    return p;
}

gd_planned *gd_plans_add(gd_job *job, const gd_product *what, uint64_t cotangents, gd_plan *plan,
                         gd_answer_layout *layout) {
    gd_functions *r = job->registry;
    key k;
    make_key(&k, job, what);
    gd_planned *p = planned_new(job, &k, cotangents, plan, layout);
    if (!p) {
        if (plan) gd_plan_release(plan);
        gd_answer_layout_release(layout);
    } else {
        pthread_mutex_lock(&r->lock);
        if (!job->f->gone && !look(r, job->f, p->hash, &k)) insert(r, p);
        pthread_mutex_unlock(&r->lock);
    }
    key_clear(&k);
    return p;
}

void gd_plans_close(gd_functions *r) {
    for (size_t i = 0; i < GD_PLAN_BUCKETS; i++)
        while (atomic_load(&r->plans[i])) unlink_planned(r, &r->plans[i]);
}
