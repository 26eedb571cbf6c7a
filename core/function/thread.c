/* thread.c: each thread's record: its context, and the epoch in which it reads. See Note [Readers] in inside.h. */
#include "core/function/inside.h"

#include <stdlib.h>

static void thread_free(gd_thread *t) {
    gd_ctx_free(t->ctx);
    free(t);
}

/* A thread that has a record ends. */
static void thread_ends(void *p) {
    gd_thread *t = p;
    gd_functions *r = t->registry;
    pthread_mutex_lock(&r->lock);
    if (t->prev)
        t->prev->next = t->next;
    else
        r->threads = t->next;
    if (t->next) t->next->prev = t->prev;
    pthread_mutex_unlock(&r->lock);
    thread_free(t);
}

bool gd_threads_open(gd_functions *r) { return pthread_key_create(&r->key, thread_ends) == 0; }

static gd_thread *thread_new(gd_functions *r) {
    gd_thread *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->registry = r;
    t->ctx = gd_ctx_new(r->account);
    if (!t->ctx || pthread_setspecific(r->key, t)) {
        thread_free(t);
        return NULL;
    }
    pthread_mutex_lock(&r->lock);
    t->next = r->threads;
    if (t->next) t->next->prev = t;
    r->threads = t;
    pthread_mutex_unlock(&r->lock);
    return t;
}

gd_thread *gd_thread_of(gd_functions *r) {
    gd_thread *t = pthread_getspecific(r->key);
    return t ? t : thread_new(r);
}

gd_ctx *gd_functions_ctx(gd_functions *r) {
    gd_thread *t = gd_thread_of(r);
    return t ? t->ctx : NULL;
}

/* The order of these two and of gd_retire's is what makes it right, so all are sequentially consistent. */
void gd_read_begin(gd_thread *t) { atomic_store(&t->epoch, atomic_load(&t->registry->epoch)); }
void gd_read_end(gd_thread *t) { atomic_store_explicit(&t->epoch, 0, memory_order_release); }

/* Everybody who reads began after this epoch had ended. */
static bool passed(const gd_functions *r, uint64_t epoch) {
    for (gd_thread *t = r->threads; t; t = t->next) {
        uint64_t at = atomic_load(&t->epoch);
        if (at && at <= epoch) return false;
    }
    return true;
}

void gd_retire(gd_functions *r, gd_retired *node, void *p, void (*free_it)(void *p)) {
    *node = (gd_retired){.next = r->retired, .epoch = atomic_fetch_add(&r->epoch, 1), .free_it = free_it, .p = p};
    r->retired = node;
    for (gd_retired **at = &r->retired; *at;) {
        gd_retired *n = *at;
        if (!passed(r, n->epoch)) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        n->free_it(n->p);
    }
}

void gd_threads_close(gd_functions *r) {
    pthread_key_delete(r->key);
    while (r->retired) {
        gd_retired *n = r->retired;
        r->retired = n->next;
        n->free_it(n->p);
    }
    while (r->threads) {
        gd_thread *t = r->threads;
        r->threads = t->next;
        thread_free(t);
    }
}
