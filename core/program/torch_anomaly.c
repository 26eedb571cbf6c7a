/* torch_anomaly.c: torch.autograd.detect_anomaly and set_detect_anomaly. */
#include "core/program/natives.h"

typedef struct anomaly_object {
    gd_object head;
    bool check_nan;
    bool before, nan_allowed_before;
} anomaly_object;

static void set_anomaly(gd_ctx *ctx, bool on, bool check_nan) {
    ctx->anomaly = on;
    ctx->nan_allowed = !check_nan;
}

static anomaly_object *new_anomaly(gd_vm *vm, const gd_class *class, bool check_nan) {
    anomaly_object *a = gd_object_new(vm, class, sizeof *a);
    if (!a) return NULL;
    a->check_nan = check_nan;
    a->before = vm->ctx->anomaly;
    a->nan_allowed_before = vm->ctx->nan_allowed;
    return a;
}

static bool flag(gd_vm *vm, gd_any v, bool *out) {
    int truth = gd_truth(vm, v);
    *out = truth > 0;
    return truth >= 0;
}

static gd_any detect_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    static const gd_argument wanted[] = {{"self", GD_NIL, false}, {"check_nan", GD_ANY_BOOL(true), false}};
    gd_any v[2];
    bool check_nan;
    if (!gd_bind_init(vm, "detect_anomaly.__init__", wanted, 2, args, v) || !flag(vm, v[1], &check_nan)) return GD_NIL;
    anomaly_object *a = new_anomaly(vm, class, check_nan);
    return a ? GD_ANY_OBJECT(a) : GD_NIL;
}

/* Acts at once, as a plain call; as a context it puts back what was before the call. */
static gd_any set_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    static const gd_argument wanted[] = {
        {"self", GD_NIL, false}, {"mode", GD_NIL, false}, {"check_nan", GD_ANY_BOOL(true), false}};
    gd_any v[3];
    bool on, check_nan;
    if (!gd_bind_init(vm, "set_detect_anomaly.__init__", wanted, 3, args, v) || !flag(vm, v[1], &on) ||
        !flag(vm, v[2], &check_nan))
        return GD_NIL;
    anomaly_object *a = new_anomaly(vm, class, check_nan);
    if (!a) return GD_NIL;
    set_anomaly(vm->ctx, on, check_nan);
    return GD_ANY_OBJECT(a);
}

static gd_any anomaly_enter(gd_vm *vm, gd_any self) {
    const anomaly_object *a = (const anomaly_object *)self.u.object;
    if (a->head.class == &gd_class_detect_anomaly) set_anomaly(vm->ctx, true, a->check_nan);
    return GD_ANY_NONE;
}

static bool anomaly_leave(gd_vm *vm, gd_any self) {
    const anomaly_object *a = (const anomaly_object *)self.u.object;
    set_anomaly(vm->ctx, a->before, !a->nan_allowed_before);
    return true;
}

#define ANOMALY(text, maker)                                                                                           \
    { .name = "torch.autograd.anomaly_mode." text, .make = (maker), .enter = anomaly_enter, .leave = anomaly_leave }
const gd_class gd_class_detect_anomaly = ANOMALY("detect_anomaly", detect_make);
const gd_class gd_class_set_detect_anomaly = ANOMALY("set_detect_anomaly", set_make);

static gd_any is_enabled(gd_vm *vm, const gd_args *args) {
    (void)args;
    return GD_ANY_BOOL(vm->ctx->anomaly);
}

static gd_any is_check_nan_enabled(gd_vm *vm, const gd_args *args) {
    (void)args;
    return GD_ANY_BOOL(!vm->ctx->nan_allowed);
}

const gd_native gd_native_is_anomaly_enabled = {"is_anomaly_enabled", is_enabled, 0, 0, ""};
const gd_native gd_native_is_anomaly_check_nan_enabled = {"is_anomaly_check_nan_enabled", is_check_nan_enabled, 0, 0,
                                                          ""};
