/* torch_dtype.c: torch.dtype, and the small objects beside it: device, layout, finfo, iinfo and the generator. */
#include <float.h>
#include <string.h>

#include "core/program/natives.h"
#include "core/program/torch_ops.h"

/* ---- dtype --------------------------------------------------------------------------------------- */

static gd_any dtype_repr(gd_vm *vm, gd_any self) {
    return gd_str_printf(vm, "torch.%s", gd_dtype_name((gd_dtype)self.u.i));
}

static gd_any dtype_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    gd_dtype dtype = (gd_dtype)self.u.i;
    (void)vm;
    if (gd_str_is(name, "is_floating_point")) return GD_ANY_BOOL(gd_dtype_is_float(dtype));
    if (gd_str_is(name, "is_complex")) return GD_ANY_BOOL(false);
    if (gd_str_is(name, "is_signed")) return GD_ANY_BOOL(dtype != GD_BOOL && dtype != GD_UINT8);
    if (gd_str_is(name, "itemsize")) return GD_ANY_INT((int64_t)gd_dtype_bytes(dtype));
    return GD_NIL;
}

const gd_class gd_class_dtype = {.name = "torch.dtype", .repr = dtype_repr, .getattr = dtype_getattr};

bool gd_as_dtype_value(gd_any v, gd_dtype *dtype) {
    if (v.tag == GD_A_DTYPE) return *dtype = (gd_dtype)v.u.i, true;
    if (v.tag != GD_A_CLASS) return false;
    if (v.u.class == &gd_class_float) return *dtype = GD_FLOAT64, true;
    if (v.u.class == &gd_class_int) return *dtype = GD_INT64, true;
    if (v.u.class == &gd_class_bool) return *dtype = GD_BOOL, true;
    return false;
}

/* ---- device: there is one ------------------------------------------------------------------------- */

typedef struct device {
    gd_object head;
    bool indexed; /* cpu:0 */
} device;

gd_any gd_device_new(gd_vm *vm, bool indexed) {
    device *d = gd_object_new(vm, &gd_class_device, sizeof *d);
    if (!d) return GD_NIL;
    d->indexed = indexed;
    return GD_ANY_OBJECT(d);
}

static bool indexed(gd_any v) { return ((const device *)v.u.object)->indexed; }

static gd_any device_repr(gd_vm *vm, gd_any self) {
    return gd_str_c(vm, indexed(self) ? "device(type='cpu', index=0)" : "device(type='cpu')");
}

static gd_any device_str(gd_vm *vm, gd_any self) { return gd_str_c(vm, indexed(self) ? "cpu:0" : "cpu"); }

static gd_any device_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    if (gd_str_is(name, "type")) return gd_str_c(vm, "cpu");
    if (gd_str_is(name, "index")) return indexed(self) ? GD_ANY_INT(0) : GD_ANY_NONE;
    return GD_NIL;
}

static int device_equal(gd_vm *vm, gd_any self, gd_any other) {
    (void)vm;
    return gd_is(other, &gd_class_device) && indexed(self) == indexed(other);
}

static bool device_hash(gd_vm *vm, gd_any self, uint64_t *out) {
    (void)vm;
    *out = indexed(self) ? 0x6370753au : 0x637075u;
    return true;
}

/* Is the text "cuda" or "cuda:1" for this kind? */
static bool of_kind(const char *text, const char *kind) {
    size_t n = strlen(kind);
    return strncmp(text, kind, n) == 0 && (text[n] == '\0' || text[n] == ':');
}

/* Of a text: 1 cpu, -1 with PyTorch's complaint. */
static int device_text(gd_vm *vm, const char *text) {
    if (of_kind(text, "cpu")) return 1;
    if (of_kind(text, "cuda")) {
        gd_raise(vm, &gd_class_AssertionError, "Torch not compiled with CUDA enabled");
        return -1;
    }
    if (!*text)
        gd_raise(vm, &gd_class_RuntimeError, "Device string must not be empty");
    else
        gd_raise(vm, &gd_class_RuntimeError,
                 "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, ort, xla, lazy, "
                 "vulkan, mps, meta, hpu, privateuseone device type at start of device string: %.*s",
                 (int)strcspn(text, ":"), text);
    return -1;
}

int gd_as_device(gd_vm *vm, gd_any v) {
    if (gd_is(v, &gd_class_device)) return 1;
    return gd_is_str(v) ? device_text(vm, gd_as_str(v)->text) : 0;
}

static gd_any device_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    static const gd_argument wanted[] = {{"type", GD_NIL, false}, {"index", GD_ANY_NONE, false}};
    gd_any v[2];
    (void)class;
    if (!GD_BIND(vm, "device", wanted, args, v)) return GD_NIL;
    int is = gd_as_device(vm, v[0]);
    if (is < 0) return GD_NIL;
    if (!is)
        return gd_raise(vm, &gd_class_TypeError, "device(): argument 'type' (position 1) must be str, not %s",
                        gd_class_label(v[0]));
    bool text = gd_is_str(v[0]);
    return gd_device_new(vm, v[1].tag == GD_A_INT || (text ? gd_as_str(v[0])->bytes > 3 : indexed(v[0])));
}

const gd_class gd_class_device = {
    .name = "torch.device",
    .make = device_make,
    .repr = device_repr,
    .str = device_str,
    .getattr = device_getattr,
    .equal = device_equal,
    .hash = device_hash,
};

/* torch.cuda says that there is none. */
static gd_any cuda_available(gd_vm *vm, const gd_args *args) {
    (void)vm;
    (void)args;
    return GD_ANY_BOOL(false);
}

static gd_any cuda_count(gd_vm *vm, const gd_args *args) {
    (void)vm;
    (void)args;
    return GD_ANY_INT(0);
}

static const gd_native is_available = {"is_available", cuda_available, 0, 0, ""};
static const gd_native device_count = {"device_count", cuda_count, 0, 0, ""};

const gd_member gd_members_cuda[] = {
    {"is_available", GD_ANY_NATIVE(&is_available)},
    {"device_count", GD_ANY_NATIVE(&device_count)},
    {NULL, GD_NIL},
};

/* ---- layout: there is one ------------------------------------------------------------------------- */

gd_any gd_layout_new(gd_vm *vm) {
    gd_object *o = gd_object_new(vm, &gd_class_layout, sizeof *o);
    return o ? GD_ANY_OBJECT(o) : GD_NIL;
}

static gd_any layout_repr(gd_vm *vm, gd_any self) {
    (void)self;
    return gd_str_c(vm, "torch.strided");
}

static int layout_equal(gd_vm *vm, gd_any self, gd_any other) {
    (void)vm;
    (void)self;
    return gd_is(other, &gd_class_layout);
}

const gd_class gd_class_layout = {.name = "torch.layout", .repr = layout_repr, .equal = layout_equal};

/* ---- finfo, iinfo ---------------------------------------------------------------------------------- */

typedef struct info {
    gd_object head;
    gd_dtype dtype;
} info;

static gd_dtype info_dtype(gd_any v) { return ((const info *)v.u.object)->dtype; }

static gd_any info_make(gd_vm *vm, const gd_class *class, const gd_args *args) {
    bool real = class == &gd_class_finfo;
    gd_dtype dtype = GD_FLOAT32;
    if (args->nkw || args->npos > 1 || (!args->npos && !real))
        return gd_raise(vm, &gd_class_TypeError, "%s() takes one argument, a dtype", class->name);
    if (args->npos && !gd_as_dtype_value(args->v[0], &dtype))
        return gd_raise(vm, &gd_class_TypeError, "%s(): argument 'type' (position 1) must be torch.dtype, not %s",
                        class->name + strlen("torch."), gd_class_label(args->v[0]));
    if (real && !gd_dtype_is_float(dtype))
        return gd_raise(vm, &gd_class_TypeError,
                        "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'");
    if (!real && gd_dtype_is_float(dtype))
        return gd_raise(vm, &gd_class_TypeError,
                        "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'");
    if (dtype == GD_BOOL) return gd_raise(vm, &gd_class_TypeError, "torch.bool is not supported by torch.iinfo");
    info *o = gd_object_new(vm, class, sizeof *o);
    if (!o) return GD_NIL;
    o->dtype = dtype;
    return GD_ANY_OBJECT(o);
}

static const struct limits {
    int bits;
    double resolution, max, eps, tiny;
} limits[GD_DTYPE_COUNT] = {
    [GD_FLOAT16] = {16, 1e-3, 65504, 0x1p-10, 0x1p-14},
    [GD_BFLOAT16] = {16, 1e-2, 0x1.fep127, 0x1p-7, 0x1p-126},
    [GD_FLOAT32] = {32, 1e-6, (double)FLT_MAX, (double)FLT_EPSILON, (double)FLT_MIN},
    [GD_FLOAT64] = {64, 1e-15, DBL_MAX, DBL_EPSILON, DBL_MIN},
};

static gd_any finfo_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    const struct limits *l = &limits[info_dtype(self)];
    if (gd_str_is(name, "bits")) return GD_ANY_INT(l->bits);
    if (gd_str_is(name, "eps")) return GD_ANY_FLOAT(l->eps);
    if (gd_str_is(name, "max")) return GD_ANY_FLOAT(l->max);
    if (gd_str_is(name, "min")) return GD_ANY_FLOAT(-l->max);
    if (gd_str_is(name, "tiny") || gd_str_is(name, "smallest_normal")) return GD_ANY_FLOAT(l->tiny);
    if (gd_str_is(name, "resolution")) return GD_ANY_FLOAT(l->resolution);
    if (gd_str_is(name, "dtype")) return gd_str_c(vm, gd_dtype_name(info_dtype(self)));
    return GD_NIL;
}

static gd_any finfo_repr(gd_vm *vm, gd_any self) {
    const struct limits *l = &limits[info_dtype(self)];
    return gd_str_printf(vm, "finfo(resolution=%g, min=%g, max=%g, eps=%g, smallest_normal=%g, tiny=%g, dtype=%s)",
                         l->resolution, -l->max, l->max, l->eps, l->tiny, l->tiny, gd_dtype_name(info_dtype(self)));
}

/* The greatest and the least number of an integer dtype. */
static int64_t most(gd_dtype d) { return d == GD_UINT8 ? UINT8_MAX : INT64_MAX >> (64 - 8 * gd_dtype_bytes(d)); }
static int64_t least(gd_dtype d) { return d == GD_UINT8 ? 0 : -most(d) - 1; }

static gd_any iinfo_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    gd_dtype dtype = info_dtype(self);
    if (gd_str_is(name, "bits")) return GD_ANY_INT(8 * (int64_t)gd_dtype_bytes(dtype));
    if (gd_str_is(name, "max")) return GD_ANY_INT(most(dtype));
    if (gd_str_is(name, "min")) return GD_ANY_INT(least(dtype));
    if (gd_str_is(name, "dtype")) return gd_str_c(vm, gd_dtype_name(dtype));
    return GD_NIL;
}

static gd_any iinfo_repr(gd_vm *vm, gd_any self) {
    gd_dtype dtype = info_dtype(self);
    return gd_str_printf(vm, "iinfo(min=%g, max=%g, dtype=%s)", (double)least(dtype), (double)most(dtype),
                         gd_dtype_name(dtype));
}

static int info_equal(gd_vm *vm, gd_any self, gd_any other) {
    (void)vm;
    return other.tag == GD_A_OBJECT && other.u.object->class == self.u.object->class &&
           info_dtype(self) == info_dtype(other);
}

const gd_class gd_class_finfo = {
    .name = "torch.finfo", .make = info_make, .repr = finfo_repr, .getattr = finfo_getattr, .equal = info_equal};
const gd_class gd_class_iinfo = {
    .name = "torch.iinfo", .make = info_make, .repr = iinfo_repr, .getattr = iinfo_getattr, .equal = info_equal};

/* ---- the generator: each session has one ----------------------------------------------------------- */

static gd_any generator_seed(gd_vm *vm, const gd_args *args) {
    (void)args;
    return GD_ANY_INT((int64_t)vm->ctx->generator.seed);
}

static gd_any generator_manual_seed(gd_vm *vm, const gd_args *args) {
    int64_t seed;
    if (!gd_to_index(vm, args->v[1], &seed)) return GD_NIL;
    gd_ctx_manual_seed(vm->ctx, (uint64_t)seed);
    return gd_keep(args->v[0]);
}

static const gd_native generator_methods[] = {
    {"initial_seed", generator_seed, 1, 1, ""},
    {"manual_seed", generator_manual_seed, 2, 2, ""},
    {NULL, NULL, 0, 0, NULL},
};

const gd_class gd_class_random_generator = {.name = "torch._C.Generator", .methods = generator_methods};
