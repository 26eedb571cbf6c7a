/* heap.c: the memory of one environment's values: cells, what they are charged to, the list of all objects, their end,
 * and the collector of cycles. */
#include "core/program/heap.h"

#include <string.h>

#include "core/program/vm.h"
#include "core/tensor/storage.h"

/* Every cell is a malloc block of a multiple of GRAIN bytes; small free ones are kept in a list for each size. Under
 * the sanitizers none is kept, so that they see each use. */
enum { GRAIN = 16, SIZES = 33, STEP = 64 * 1024, OVERDRAFT = 16 * 1024 };
/* Young objects are looked through each time that there are so many more objects: most garbage is young, and these
 * still lie in the processor's cache. All are when the old ones, or the bytes, have doubled. */
enum { YOUNG_COUNT = 4000, OLD_COUNT = 20000, FIRST_BYTES = 16 << 20 };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { KEPT_BYTES = 0 };
#else
enum { KEPT_BYTES = 1024 * 1024 };
#endif
/* Each reference that an object holds takes 16 bytes, so that within this no count of references overflows. */
#define MOST_BYTES ((size_t)48 << 30)
/* Marks: 0 outside of a collection and for what it leaves alone; REACHED for what it found in use; else 1 + references
 * that it has not yet explained. */
#define REACHED UINT32_MAX

typedef struct cell {
    struct cell *next;
} cell;

typedef enum refusal { REFUSED_NOTHING, REFUSED_LIMIT, REFUSED_BUDGET, REFUSED_SYSTEM } refusal;

struct gd_heap {
    cell *kept[SIZES];
    size_t kept_bytes;
    size_t used;    /* bytes handed out */
    size_t held;    /* the same and the kept cells */
    size_t charged; /* to the account, in steps; at least `held`, save for the overdraft */
    size_t most;    /* of `used`: the limit, at most MOST_BYTES */
    size_t limit;   /* as it was set */
    gd_ctx *ctx;
    gd_object young, old;      /* heads of the rings of objects: those since the last collection, and survivors */
    size_t count;              /* objects */
    size_t young_due, all_due; /* counts at which to collect */
    size_t bytes_due;          /* of `used`, at which to collect all */
    size_t bytes_seen;         /* `used` after the last collection of all */
    gd_object *dead;           /* objects without references that wait for their destroy, linked by `next` */
    bool draining, collecting, raising;
    refusal refusal;
    size_t refused; /* bytes */
    gd_nest *nest;
};

gd_heap *gd_heap_new(gd_ctx *ctx) {
    gd_heap *heap = calloc(1, sizeof *heap);
    if (!heap) return NULL;
    heap->ctx = ctx;
    heap->young.prev = heap->young.next = &heap->young;
    heap->old.prev = heap->old.next = &heap->old;
    heap->young_due = YOUNG_COUNT;
    heap->all_due = OLD_COUNT;
    heap->bytes_due = FIRST_BYTES;
    heap->most = MOST_BYTES;
    return heap;
}

void gd_heap_set_limit(gd_heap *heap, size_t limit_bytes) {
    heap->limit = limit_bytes;
    heap->most = limit_bytes && limit_bytes < MOST_BYTES ? limit_bytes : MOST_BYTES;
}

size_t gd_heap_used(const gd_heap *heap) { return heap->used; }
size_t gd_heap_count(const gd_heap *heap) { return heap->count; }
gd_heap *gd_vm_heap(gd_vm *vm) { return vm->env->heap; }
gd_nest **gd_heap_nest(gd_heap *heap) { return &heap->nest; }

/* ---- cells and what they are charged to ---- */

static bool refuse(gd_heap *heap, refusal why, size_t bytes) {
    heap->refusal = why;
    heap->refused = bytes;
    return false;
}

/* Free cells go back to the system. */
static void trim(gd_heap *heap) {
    for (size_t k = 0; k < SIZES; k++) {
        for (cell *next, *c = heap->kept[k]; c; c = next) {
            next = c->next;
            free(c);
        }
        heap->kept[k] = NULL;
    }
    heap->held -= heap->kept_bytes;
    heap->kept_bytes = 0;
}

/* Gives back what is charged beyond one step more than is held. */
static void refund(gd_heap *heap) {
    size_t keep = heap->held ? (heap->held / STEP + 1) * STEP : 0;
    if (heap->charged <= keep) return;
    gd_account_refund(heap->ctx->account, heap->charged - keep);
    heap->charged = keep;
}

/* Makes the charge cover `bytes` more than is held. */
static bool charge(gd_heap *heap, size_t bytes) {
    size_t want = heap->held + bytes;
    if (want <= heap->charged) return true;
    size_t step = ((want - heap->charged) / STEP + 1) * STEP;
    if (!gd_account_charge(heap->ctx->account, step)) {
        heap->charged += step;
        return true;
    }
    if (!gd_account_charge(heap->ctx->account, want - heap->charged)) {
        heap->charged = want;
        return true;
    }
    return heap->raising && want - heap->charged <= OVERDRAFT;
}

/* Garbage may be what fills the heap. A collection is worth its time only when much was made since the last. */
static bool try_collect(gd_heap *heap) {
    if (heap->collecting || heap->draining || heap->used - heap->most / 8 < heap->bytes_seen) return false;
    if (heap->used < heap->most / 8) return false;
    gd_heap_collect(heap);
    return true;
}

static bool within_limit(gd_heap *heap, size_t bytes) {
    if (bytes <= heap->most && heap->used <= heap->most - bytes) return true;
    if (bytes <= heap->most && try_collect(heap) && heap->used <= heap->most - bytes) return true;
    if (heap->raising && bytes <= OVERDRAFT) return true;
    return refuse(heap, heap->limit ? REFUSED_LIMIT : REFUSED_SYSTEM, bytes);
}

/* May `bytes` more be handed out? They are then charged. */
static bool admit(gd_heap *heap, size_t bytes) {
    if (!within_limit(heap, bytes)) return false;
    if (heap->held + bytes <= heap->charged || charge(heap, bytes)) return true;
    if (heap->kept_bytes) {
        trim(heap);
        if (charge(heap, bytes)) return true;
    }
    return refuse(heap, REFUSED_BUDGET, bytes);
}

static inline size_t rounded(size_t bytes) { return bytes ? (bytes + GRAIN - 1) & ~(size_t)(GRAIN - 1) : GRAIN; }

static __attribute__((noinline)) void *take_new(gd_heap *heap, size_t size) {
    if (!admit(heap, size)) return NULL;
    void *p = malloc(size);
    if (!p) {
        refuse(heap, REFUSED_SYSTEM, size);
        return NULL;
    }
    heap->held += size;
    heap->used += size;
    return p;
}

static inline void *take(gd_heap *heap, size_t size) {
    size_t k = size / GRAIN;
    if (k >= SIZES || !heap->kept[k] || heap->used + size > heap->most) return take_new(heap, size);
    cell *c = heap->kept[k];
    heap->kept[k] = c->next;
    heap->kept_bytes -= size;
    heap->used += size;
    return c;
}

static inline void give(gd_heap *heap, void *p, size_t size) {
    heap->used -= size;
    if (size / GRAIN < SIZES && heap->kept_bytes + size <= KEPT_BYTES) {
        cell *c = p;
        c->next = heap->kept[size / GRAIN];
        heap->kept[size / GRAIN] = c;
        heap->kept_bytes += size;
        return;
    }
    free(p);
    heap->held -= size;
    if (heap->charged > heap->held && heap->charged - heap->held > 4 * (size_t)STEP) refund(heap);
}

void *gd_heap_alloc(gd_heap *heap, size_t bytes) {
    if (bytes <= MOST_BYTES) return take(heap, rounded(bytes));
    refuse(heap, heap->limit ? REFUSED_LIMIT : REFUSED_SYSTEM, bytes);
    return NULL;
}

void *gd_heap_array(gd_heap *heap, size_t n, size_t size) {
    size_t bytes;
    return gd_heap_alloc(heap, gd_mul_size(n, size, &bytes) ? bytes : SIZE_MAX);
}

void *gd_heap_resize(gd_heap *heap, void *p, size_t old_bytes, size_t bytes) {
    if (!p) return gd_heap_alloc(heap, bytes);
    if (bytes > MOST_BYTES) return gd_heap_alloc(heap, bytes);
    size_t old = rounded(old_bytes), size = rounded(bytes);
    if (old == size) return p;
    if (size > old && !admit(heap, size - old)) return NULL;
    void *q = realloc(p, size);
    if (!q) {
        refuse(heap, REFUSED_SYSTEM, size);
        return NULL;
    }
    heap->held += size - old; /* modulo 2^n: right for both directions */
    heap->used += size - old;
    if (heap->charged > heap->held && heap->charged - heap->held > 4 * (size_t)STEP) refund(heap);
    return q;
}

void gd_heap_free(gd_heap *heap, void *p, size_t bytes) {
    if (p) give(heap, p, rounded(bytes));
}

/* The error goes through the engine's, so that its code (out of memory, or the budget) stays known. */
static gd_any raise_memory(gd_vm *vm, gd_heap *heap) {
    if (heap->refusal == REFUSED_BUDGET)
        (void)gd_fail(vm->ctx, GD_E_BUDGET, "memory budget: %zu bytes for the program's values do not fit",
                      heap->refused);
    else
        (void)gd_fail_memory(vm->ctx);
    heap->raising = true;
    gd_raise_engine(vm);
    heap->raising = false;
    return GD_NIL;
}

gd_any gd_vm_no_memory(gd_vm *vm) {
    gd_heap *heap = gd_vm_heap(vm);
    if (heap->refusal == REFUSED_LIMIT || heap->raising) return gd_vm_limit(vm, GD_LIMIT_MEMORY);
    return raise_memory(vm, heap);
}

/* ---- objects ---- */

/* An object's cell begins with its size. */
typedef struct header {
    size_t bytes;
} header;

static inline void link_last(gd_object *ring, gd_object *o) {
    o->prev = ring->prev;
    o->next = ring;
    ring->prev->next = o;
    ring->prev = o;
}

static inline void unlink_object(gd_object *o) {
    o->prev->next = o->next;
    o->next->prev = o->prev;
}

void *gd_object_new(gd_vm *vm, const gd_class *class, size_t bytes) {
    gd_heap *heap = vm->env->heap;
    size_t size = bytes <= MOST_BYTES ? rounded(bytes + sizeof(header)) : MOST_BYTES + GRAIN;
    header *h = take(heap, size);
    if (!h) {
        (void)gd_vm_no_memory(vm);
        return NULL;
    }
    h->bytes = size;
    gd_object *o = (gd_object *)(h + 1);
    memset(o, 0, bytes);
    o->refs = 1;
    o->class = class;
    link_last(&heap->young, o);
    heap->count++;
    return o;
}

static inline void free_object(gd_heap *heap, gd_object *o) {
    header *h = (header *)o - 1;
    heap->count--;
    give(heap, h, h->bytes);
}

static void destroy(gd_heap *heap, gd_object *o) {
    for (const gd_class *c = o->class; c; c = c->base)
        if (c->destroy) {
            c->destroy(heap, o);
            return;
        }
}

/* What a destroyed object held comes here again, by gd_drop; it then waits in `dead`, so that the depth of a structure
 * costs no stack. */
static void bury(gd_heap *heap, gd_object *o) {
    unlink_object(o);
    if (heap->draining) {
        o->next = heap->dead;
        heap->dead = o;
        return;
    }
    heap->draining = true;
    for (;;) {
        destroy(heap, o);
        free_object(heap, o);
        o = heap->dead;
        if (!o) break;
        heap->dead = o->next;
    }
    heap->draining = false;
}

void gd_drop_last(gd_heap *heap, gd_any v) {
    if (v.tag == GD_A_OBJECT) {
        if (--v.u.object->refs == 0) bury(heap, v.u.object);
    } else if (v.tag == GD_A_TENSOR) {
        gd_release(v.u.tensor);
    } else {
        gd_node_release(v.u.node);
    }
}

/* ---- collection ---- */

static void visit(gd_object *o, void (*see)(void *user, gd_any v), void *user) {
    for (const gd_class *c = o->class; c; c = c->base)
        if (c->visit) {
            c->visit(o, see, user);
            return;
        }
}

static inline bool is_object(gd_any v) { return v.tag == GD_A_OBJECT && v.u.object; }

static void subtract_one(void *user, gd_any v) {
    (void)user;
    if (is_object(v) && v.u.object->mark > 1) v.u.object->mark--;
}

static void reach(void *user, gd_any v) {
    if (!is_object(v) || v.u.object->mark == 0 || v.u.object->mark == REACHED) return;
    v.u.object->mark = REACHED;
    unlink_object(v.u.object);
    link_last(user, v.u.object);
}

/* Moves what is in use from `ring` to `reached`: objects with references that no object of the ring holds, and all in
 * it that these lead to. `reached` is its own list of work: what is reached joins at its end. */
static void find_reached(gd_object *ring, gd_object *reached) {
    for (gd_object *o = ring->next; o != ring; o = o->next) o->mark = o->refs + 1;
    for (gd_object *o = ring->next; o != ring; o = o->next) visit(o, subtract_one, NULL);
    for (gd_object *next, *o = ring->next; o != ring; o = next) {
        next = o->next;
        if (o->mark > 1) reach(reached, GD_ANY_OBJECT(o));
    }
    for (gd_object *o = reached->next; o != reached; o = o->next) visit(o, reach, reached);
    for (gd_object *o = reached->next; o != reached; o = o->next) o->mark = 0;
}

/* Ends all objects of a ring. Each is held until all are destroyed, so that none goes while another still drops it. */
static void end_ring(gd_heap *heap, gd_object *ring) {
    for (gd_object *o = ring->next; o != ring; o = o->next) o->refs++;
    for (gd_object *o = ring->next; o != ring; o = o->next) destroy(heap, o);
    for (gd_object *next, *o = ring->next; o != ring; o = next) {
        next = o->next;
        free_object(heap, o);
    }
    ring->prev = ring->next = ring;
}

/* All of `from` joins `to` at its end. */
static void append_ring(gd_object *to, gd_object *from) {
    if (from->next == from) return;
    to->prev->next = from->next;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev = from->prev;
    from->prev = from->next = from;
}

/* Frees what in `ring` is only kept from within it; the rest is old from now on. */
static void collect_ring(gd_heap *heap, gd_object *ring) {
    gd_object reached = {.prev = &reached, .next = &reached}, garbage = {.prev = &garbage, .next = &garbage};
    find_reached(ring, &reached);
    append_ring(&garbage, ring);
    append_ring(&heap->old, &reached);
    end_ring(heap, &garbage);
    heap->young_due = heap->count + YOUNG_COUNT;
}

void gd_heap_collect(gd_heap *heap) {
    if (heap->collecting || heap->draining) return;
    heap->collecting = true;
    append_ring(&heap->young, &heap->old);
    collect_ring(heap, &heap->young);
    trim(heap);
    refund(heap);
    heap->bytes_seen = heap->used;
    heap->all_due = heap->count * 2 > OLD_COUNT ? heap->count * 2 : OLD_COUNT;
    heap->bytes_due = heap->used > FIRST_BYTES / 2 ? heap->used * 2 : FIRST_BYTES;
    heap->collecting = false;
}

void gd_heap_tend(gd_heap *heap) {
    if (heap->count >= heap->young_due && !heap->collecting && !heap->draining) {
        heap->collecting = true;
        collect_ring(heap, &heap->young);
        heap->collecting = false;
    }
    if (heap->count >= heap->all_due || heap->used >= heap->bytes_due) gd_heap_collect(heap);
}

void gd_heap_delete(gd_heap *heap) {
    if (!heap) return;
    heap->collecting = true;
    append_ring(&heap->young, &heap->old);
    end_ring(heap, &heap->young);
    trim(heap);
    if (heap->charged) gd_account_refund(heap->ctx->account, heap->charged);
    free(heap);
}
