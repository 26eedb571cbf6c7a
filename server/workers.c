/* workers.c: the pool of threads for long computations. */
#include "server/workers.h"

#include <stdlib.h>
#include <uv.h>

enum { STACK_BYTES = 2 * 1024 * 1024 };

struct gd_workers {
    uv_mutex_t lock;
    uv_cond_t queued;
    gd_job *first, **last;
    size_t count, limit; /* claimed places */
    bool stopping;
    unsigned threads;
    uv_thread_t thread[];
};

static void worker(void *pool) {
    gd_workers *w = pool;
    uv_mutex_lock(&w->lock);
    for (;;) {
        while (!w->first && !w->stopping) uv_cond_wait(&w->queued, &w->lock);
        gd_job *job = w->first;
        if (!job) break;
        w->first = job->next;
        if (!w->first) w->last = &w->first;
        uv_mutex_unlock(&w->lock);
        job->run(job); /* the job may be gone afterwards */
        uv_mutex_lock(&w->lock);
        w->count--;
    }
    uv_mutex_unlock(&w->lock);
}

gd_workers *gd_workers_new(unsigned threads, size_t limit) {
    gd_workers *w = calloc(1, sizeof *w + threads * sizeof(uv_thread_t));
    if (!w) return NULL;
    w->last = &w->first;
    w->limit = limit;
    if (uv_mutex_init(&w->lock)) return free(w), NULL;
    if (uv_cond_init(&w->queued)) return uv_mutex_destroy(&w->lock), free(w), NULL;
    uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES};
    for (; w->threads < threads; w->threads++)
        if (uv_thread_create_ex(&w->thread[w->threads], &options, worker, w)) return gd_workers_free(w), NULL;
    return w;
}

bool gd_workers_claim(gd_workers *w) {
    uv_mutex_lock(&w->lock);
    bool room = w->count < w->limit;
    if (room) w->count++;
    uv_mutex_unlock(&w->lock);
    return room;
}

void gd_workers_submit(gd_workers *w, gd_job *job) {
    job->next = NULL;
    uv_mutex_lock(&w->lock);
    *w->last = job;
    w->last = &job->next;
    uv_mutex_unlock(&w->lock);
    uv_cond_signal(&w->queued);
}

size_t gd_workers_count(gd_workers *w) {
    uv_mutex_lock(&w->lock);
    size_t count = w->count;
    uv_mutex_unlock(&w->lock);
    return count;
}

void gd_workers_free(gd_workers *w) {
    if (!w) return;
    uv_mutex_lock(&w->lock);
    w->stopping = true;
    uv_mutex_unlock(&w->lock);
    uv_cond_broadcast(&w->queued);
    for (unsigned i = 0; i < w->threads; i++) uv_thread_join(&w->thread[i]);
    uv_cond_destroy(&w->queued);
    uv_mutex_destroy(&w->lock);
    free(w);
}
