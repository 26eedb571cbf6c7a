/* bind.h: one attempt to bind what a client wrote to one row; shared by the files that walk the arguments
 * (bind.c), convert them (bind_types.c) and try the overloads (call.c). */
#ifndef GD_BIND_H
#define GD_BIND_H

#include "core/ops/op.h"

typedef struct gd_binder {
    gd_ctx *ctx;
    const gd_op *op;
    const gd_value *args;
    int nargs;
    const gd_kwarg *kwargs;
    int nkwargs;
    const gd_resolver *resolver; /* or NULL */
    gd_scratch *scratch;
    gd_value *bound;
    bool inplace; /* the call names the in-place form */
    bool method;  /* self is no argument for whoever wrote the call */
    bool strict;  /* as in gd_lookup */
    bool lenient; /* 0-dim tensors also bind to numbers: tried when no overload takes them as tensors */
    bool quiet;   /* no texts: this overload may not be the last that is tried */
    /* How far it came when it failed, to tell which overload's complaint helps most. */
    int progress;
    bool mismatch; /* the call does not fit this row: another may. False: the failure is final */
} gd_binder;

GD_MUST_CHECK gd_code gd_bind_row(gd_binder *b);

/* Is the number of arguments one that the row could take? */
bool gd_bind_plausible(const gd_binder *b);

/* Where a value came from, for texts: argument `index` of the signature, by position or by keyword. */
typedef struct gd_bind_place {
    int index;
    int position; /* from 1, as PyTorch counts; 0: keyword */
} gd_bind_place;

/* Converts v to the type of parameter place.index into *out. */
GD_MUST_CHECK gd_code gd_bind_value(gd_binder *b, gd_bind_place place, const gd_value *v, gd_value *out);
/* int[] or Tensor[] from n single values: view(2, 3), block_diag(a, b). */
GD_MUST_CHECK gd_code gd_bind_varargs(gd_binder *b, gd_bind_place place, const gd_value *v, int n, gd_value *out);

/* Marks a mismatch at argument `index` and returns `code`, with the text unless quiet. */
gd_code gd_bind_fail(gd_binder *b, gd_code code, int index, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* "mul(): argument 'other' (position 2) must be Tensor, not str". */
gd_code gd_bind_fail_type(gd_binder *b, gd_bind_place place, const gd_value *v);
/* The name of the op as called ("add_"), in static or scratch-free memory: printf("%s%s", name, suffix). */
static inline const char *gd_bind_suffix(const gd_binder *b) { return b->inplace ? "_" : ""; }
/* The op as PyTorch names it in errors: nn.functional.linear is linear. */
const char *gd_bind_op_name(const gd_op *op);
/* PyTorch shows a Tensor `self` as `input`. */
const char *gd_bind_param_name(const gd_op *op, int index);
const char *gd_python_type(const gd_value *v);

#endif
