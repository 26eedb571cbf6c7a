/* cells.c: free lists of small cells; see cells.h. Under the sanitizers every cell is malloc's, so that they see each
 * use. */
#include "core/tensor/cells.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { STEP = 32, CLASSES = 16, KEPT_BYTES = 512 * 1024 };

typedef struct cell {
    struct cell *next;
} cell;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
void *gd_cell_new(size_t bytes) { return malloc(bytes); }
void gd_cell_free(void *p, size_t bytes) {
    (void)bytes;
    free(p);
}
#else

static _Thread_local struct lists {
    cell *head[CLASSES];
    uint32_t room[CLASSES]; /* cells that may still join */
    bool known;             /* the thread's end will be told */
} lists;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_key;

static void give_back(void *argument) {
    (void)argument;
    for (int i = 0; i < CLASSES; i++) {
        for (cell *next, *c = lists.head[i]; c; c = next) {
            next = c->next;
            free(c);
        }
        lists.head[i] = NULL;
        lists.room[i] = 0; /* what is freed later on this thread is not kept */
    }
}

static void make_key(void) { have_key = pthread_key_create(&key, give_back) == 0; }

/* First use on this thread. Without a key nothing is kept: slower, never a leak. */
static void open_lists(void) {
    lists.known = true;
    pthread_once(&once, make_key);
    if (!have_key || pthread_setspecific(key, &lists) != 0) return;
    for (uint32_t i = 0; i < CLASSES; i++) lists.room[i] = KEPT_BYTES / ((i + 1) * STEP);
}

static inline size_t class_of(size_t bytes) { return (bytes + STEP - 1) / STEP - 1; }

void *gd_cell_new(size_t bytes) {
    size_t k = class_of(bytes);
    if (k >= CLASSES) return malloc(bytes);
    cell *c = lists.head[k];
    if (!c) return malloc((k + 1) * STEP);
    lists.head[k] = c->next;
    lists.room[k]++;
    return c;
}

void gd_cell_free(void *p, size_t bytes) {
    size_t k = class_of(bytes);
    if (!p || k >= CLASSES) return free(p);
    if (!lists.known) open_lists();
    if (!lists.room[k]) return free(p);
    cell *c = p;
    c->next = lists.head[k];
    lists.head[k] = c;
    lists.room[k]--;
}
#endif
