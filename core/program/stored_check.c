/* stored_check.c: gradcheck and gradgradcheck of a stored function: what torch_gradcheck.c checks is a callable that
 * takes the function's tensors alone, puts the plain arguments beside them, and returns its outputs as a tuple.
 */
#include <stdio.h>
#include <string.h>

#include "core/program/stored_inside.h"
#include "core/program/torch_gradcheck.h"

typedef struct partial {
    gd_object head;
    gd_any f;
    const gd_args *all;       /* with the tensors of the point; alive while the check is */
    const gd_stored_run *run; /* its; alive too */
} partial;

static void partial_destroy(gd_heap *heap, gd_object *self) { gd_drop(heap, ((partial *)self)->f); }
static void partial_visit(gd_object *self, void (*see)(void *user, gd_any v), void *user) {
    see(user, ((partial *)self)->f);
}

static gd_any answer_tuple(gd_vm *vm, gd_any v) {
    gd_stored_answer answer = {0};
    gd_any result = GD_NIL;
    if (gd_stored_read(vm, v, &answer)) {
        result = gd_tensor_tuple(vm, answer.tensors, (size_t)answer.n);
        answer.n = 0; /* the tuple took them */
    } else if (answer.wrong[0]) {
        gd_raise(vm, &gd_class_TypeError, "%s", answer.wrong);
    }
    gd_stored_answer_clear(&answer);
    return result;
}

static gd_any partial_call(gd_vm *vm, gd_any self, const gd_args *args) {
    const partial *p = (const partial *)self.u.object;
    gd_args whole = *p->all;
    gd_hold hold = {.vm = vm};
    gd_any *v = gd_hold_bytes(&hold, whole.npos + whole.nkw + 1, sizeof *v), result = GD_NIL;
    uint32_t next = 0;
    for (uint32_t i = 0; v && i < whole.npos + whole.nkw; i++)
        v[i] = gd_is_tensor(whole.v[i]) && next < args->npos ? args->v[next++] : whole.v[i];
    whole.v = v;
    vm->ctx->generator = p->run->generator;
    gd_any answer = v ? gd_hold_any(&hold, gd_call_any(vm, p->f, &whole)) : GD_NIL;
    if (!gd_is_nil(answer)) result = answer_tuple(vm, answer);
    gd_hold_end(&hold);
    return result;
}

static const gd_class gd_class_partial = {
    .name = "function", .destroy = partial_destroy, .visit = partial_visit, .call = partial_call};

static gd_any partial_new(gd_stored_run *run, const char *name, const gd_args *all) {
    gd_vm *vm = &run->vm;
    gd_any f = gd_stored_global(vm, name);
    partial *p = gd_is_nil(f) ? NULL : gd_object_new(vm, &gd_class_partial, sizeof *p);
    if (!p) {
        gd_drop(gd_vm_heap(vm), f);
        return GD_NIL;
    }
    p->f = f;
    p->all = all;
    p->run = run;
    return GD_ANY_OBJECT(p);
}

static gd_any tensors_of(gd_vm *vm, const gd_args *all) {
    size_t n = 0, at = 0;
    for (uint32_t i = 0; i < all->npos + all->nkw; i++) n += gd_is_tensor(all->v[i]);
    gd_any tuple = gd_tuple_new(vm, &gd_class_tuple, n);
    for (uint32_t i = 0; !gd_is_nil(tuple) && i < all->npos + all->nkw; i++)
        if (gd_is_tensor(all->v[i])) ((gd_tuple *)tuple.u.object)->items[at++] = gd_keep(all->v[i]);
    return tuple;
}

/* A check that failed is an answer; whatever else was raised is a failure. */
static bool outcome(gd_stored_run *run, bool passed, gd_stored_check *check) {
    check->ok = passed;
    if (passed) return true;
    gd_stored_failed(run);
    const gd_program_result *r = &run->result;
    if (r->status != GD_PROGRAM_RAISED || strcmp(r->exception, "GradcheckError") != 0) return false;
    (void)snprintf(check->text, sizeof check->text, "%s", r->message ? r->message : "");
    return true;
}

bool gd_stored_gradcheck(gd_stored_run *run, const char *name, const gd_stored_argument *args, int nargs, bool second,
                         const gd_stored_tolerance *tolerance, gd_stored_check *check) {
    gd_vm *vm = &run->vm;
    gd_hold hold = {.vm = vm};
    gd_args all;
    *check = (gd_stored_check){0};
    gd_check c = {.eps = tolerance->eps,
                  .atol = tolerance->atol,
                  .rtol = tolerance->rtol,
                  .undefined_grad = true,
                  .worst = &check->worst};
    bool passed = false;
    if (gd_stored_arguments(&hold, args, nargs, &all)) {
        gd_any f = gd_hold_any(&hold, partial_new(run, name, &all));
        gd_any inputs = gd_is_nil(f) ? f : gd_hold_any(&hold, tensors_of(vm, &all));
        passed = !gd_is_nil(inputs) && !gd_is_nil(gd_check_function(vm, f, inputs, second, &c));
    }
    gd_hold_end(&hold);
    return outcome(run, passed, check);
}
