/* layout.c: how many tensors a function answers, of which dtypes and shapes, and under which names. */
#include "core/function/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool set_place(gd_place_of *p, const gd_tensor *t) {
    *p = (gd_place_of){.dtype = (gd_dtype)t->dtype, .ndim = t->ndim, .numel = t->numel, .nbytes = gd_nbytes(t)};
    p->sizes = calloc((size_t)t->ndim + 1, sizeof *p->sizes);
    if (p->sizes && t->ndim) memcpy(p->sizes, t->sizes, (size_t)t->ndim * sizeof *p->sizes);
    return p->sizes != NULL;
}

/* The name of a dict's output, or its number. */
static const char *name_of(const gd_stored_answer *answer, int i) {
    char number[16];
    (void)snprintf(number, sizeof number, "%d", i);
    return strdup(answer->names ? answer->names[i] : number);
}

gd_answer_layout *gd_answer_layout_new(const gd_stored_answer *answer) {
    size_t n = (size_t)answer->n;
    gd_answer_layout *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->refs = 1;
    l->named = answer->names != NULL;
    l->sequence = answer->sequence;
    l->names = calloc(n + 1, sizeof *l->names);
    l->places = calloc(n + 1, sizeof *l->places);
    bool ok = l->names && l->places;
    for (; ok && l->n < answer->n; l->n++) {
        l->names[l->n] = name_of(answer, l->n);
        ok = set_place(&l->places[l->n], answer->tensors[l->n]) && l->names[l->n];
    }
    if (ok) return l;
    gd_answer_layout_release(l);
    return NULL;
}

gd_answer_layout *gd_answer_layout_retain(gd_answer_layout *l) {
    atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
    return l;
}

void gd_answer_layout_release(gd_answer_layout *l) {
    if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1) return;
    for (int i = 0; l->names && l->places && i < l->n; i++) {
        free((void *)(uintptr_t)l->names[i]);
        free(l->places[i].sizes);
    }
    free(l->names);
    free(l->places);
    free(l);
}

static bool same_place(const gd_place_of *p, const gd_tensor *t) {
    return p->dtype == (gd_dtype)t->dtype && p->ndim == t->ndim &&
           (t->ndim == 0 || !memcmp(p->sizes, t->sizes, (size_t)t->ndim * sizeof *p->sizes));
}

bool gd_answer_layout_fits(const gd_answer_layout *l, const gd_stored_answer *answer) {
    if (l->n != answer->n) return false;
    for (int i = 0; i < l->n; i++)
        if (!same_place(&l->places[i], answer->tensors[i])) return false;
    return true;
}
