/* workers.h: a fixed pool of threads for requests that compute for long, with a bounded queue before it. Jobs that
 * would only wait for each other (those of one session) do not hold threads while they wait. */
#ifndef GD_SERVER_WORKERS_H
#define GD_SERVER_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct gd_workers gd_workers;
typedef struct gd_job gd_job;

/* Embedded in what the job works on; `run` is called once, on a worker. */
struct gd_job {
    gd_job *next;
    void (*run)(gd_job *job);
    const char *key; /* jobs of the same key run one after the other, in order; key_length bytes, 0: no key */
    size_t key_length;
};

/* `threads` workers and at most `limit` jobs waiting or running. NULL if memory or threads are out. */
gd_workers *gd_workers_new(unsigned threads, size_t limit);
/* Claims a place for one job; false if all are taken. Each claim is followed by one gd_workers_submit. */
bool gd_workers_claim(gd_workers *w);
void gd_workers_submit(gd_workers *w, gd_job *job);
/* Jobs waiting or running. */
size_t gd_workers_count(gd_workers *w);
/* Runs what is queued, then ends the threads. */
void gd_workers_free(gd_workers *w);

#endif
