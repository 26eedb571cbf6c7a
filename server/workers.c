/* workers.c: the pool of threads for long computations. */
#include "server/workers.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { STACK_BYTES = 2 * 1024 * 1024, KEY_BYTES = 128 };

typedef struct gd_worker {
    gd_workers *pool;
    uv_thread_t thread;
    size_t key_length; /* of the key of the job that it runs, a copy; 0: none */
    char key[KEY_BYTES];
} gd_worker;

struct gd_workers {
    uv_mutex_t lock;
    uv_cond_t queued; /* something was queued, or what is queued may now run */
    gd_job *first, **last;
    size_t count, limit; /* claimed places */
    bool stopping;
    unsigned threads;
    gd_worker worker[];
};

static bool is_running(const gd_workers *w, const gd_job *job) {
    if (job->key_length == 0 || job->key_length > KEY_BYTES) return false;
    for (unsigned i = 0; i < w->threads; i++)
        if (w->worker[i].key_length == job->key_length && !memcmp(w->worker[i].key, job->key, job->key_length))
            return true;
    return false;
}

/* Takes the first job whose key no running job has, with the lock held; NULL if there is none. */
static gd_job *take(gd_workers *w) {
    for (gd_job **at = &w->first; *at; at = &(*at)->next) {
        gd_job *job = *at;
        if (is_running(w, job)) continue;
        *at = job->next;
        if (!*at) w->last = at;
        return job;
    }
    return NULL;
}

static void run(gd_worker *self, gd_job *job) {
    gd_workers *w = self->pool;
    self->key_length = job->key_length <= KEY_BYTES ? job->key_length : 0;
    if (self->key_length > 0) memcpy(self->key, job->key, self->key_length);
    uv_mutex_unlock(&w->lock);
    job->run(job); /* the job may be gone afterwards */
    uv_mutex_lock(&w->lock);
    self->key_length = 0;
    w->count--;
    if (w->first || w->stopping) uv_cond_broadcast(&w->queued);
}

static void worker(void *argument) {
    gd_worker *self = argument;
    gd_workers *w = self->pool;
    uv_mutex_lock(&w->lock);
    while (w->first || !w->stopping) {
        gd_job *job = take(w);
        if (job)
            run(self, job);
        else
            uv_cond_wait(&w->queued, &w->lock);
    }
    uv_mutex_unlock(&w->lock);
}

gd_workers *gd_workers_new(unsigned threads, size_t limit) {
    gd_workers *w = calloc(1, sizeof *w + threads * sizeof(gd_worker));
    if (!w) return NULL;
    w->last = &w->first;
    w->limit = limit;
    if (uv_mutex_init(&w->lock)) return free(w), NULL;
    if (uv_cond_init(&w->queued)) return uv_mutex_destroy(&w->lock), free(w), NULL;
    uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES};
    for (unsigned i = 0; i < threads; i++) {
        w->worker[i].pool = w;
        if (uv_thread_create_ex(&w->worker[i].thread, &options, worker, &w->worker[i])) return gd_workers_free(w), NULL;
        uv_mutex_lock(&w->lock);
        w->threads++;
        uv_mutex_unlock(&w->lock);
    }
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
    for (unsigned i = 0; i < w->threads; i++) uv_thread_join(&w->worker[i].thread);
    uv_cond_destroy(&w->queued);
    uv_mutex_destroy(&w->lock);
    free(w);
}
