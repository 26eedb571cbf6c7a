/* plan.c: what is known of a plan without running it, and its life. How plans are made is in compile.c. */
#include <stdlib.h>

#include "core/plan/plan_inside.h"

gd_plan *gd_plan_retain(gd_plan *plan) {
    atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
    return plan;
}

static void plan_free(gd_plan *plan) {
    for (int i = 0; i < GD_SPARE_FRAMES; i++) {
        gd_plan_frame *frame = atomic_load_explicit(&plan->spare[i].frame, memory_order_acquire);
        if (frame) gd_frame_free(frame);
    }
    for (int32_t i = 0; i < plan->nconstants; i++) gd_storage_release(plan->constants[i]);
    gd_plan_memory_free(&plan->arena);
    free(plan);
}

void gd_plan_release(gd_plan *plan) {
    if (plan && atomic_fetch_sub_explicit(&plan->refs, 1, memory_order_acq_rel) == 1) plan_free(plan);
}

int gd_plan_ninputs(const gd_plan *plan) { return plan->ninputs; }
int gd_plan_noutputs(const gd_plan *plan) { return plan->noutputs; }
const gd_plan_place *gd_plan_input(const gd_plan *plan, int i) { return &plan->inputs[i]; }
const gd_plan_place *gd_plan_output(const gd_plan *plan, int i) { return &plan->outputs[i]; }
double gd_plan_cost(const gd_plan *plan) { return plan->cost; }

size_t gd_plan_bytes(const gd_plan *plan) {
    size_t bytes = sizeof *plan + plan->arena.bytes + plan->constant_bytes + plan->frame_bytes;
    bytes += sizeof(gd_plan_frame) + sizeof(gd_ctx);
    bytes += (size_t)plan->nbuffers * (sizeof(gd_storage) + sizeof(char *));
    bytes += (size_t)plan->nheaders * sizeof(gd_tensor);
    for (int i = 0; i < plan->noutputs; i++) bytes += plan->outputs[i].nbytes;
    return bytes;
}
