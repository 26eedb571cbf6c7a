/* torch_optim.h: an optimizer of torch.optim, as its files share it: torch_optim.c makes them from what
 * torch_optim_kinds.c says, torch_optim_step.c has their rules, torch_optim_state.c saves and loads.
 */
#ifndef GD_TORCH_OPTIM_H
#define GD_TORCH_OPTIM_H

#include "core/program/natives.h"

typedef struct gd_optimizer {
    gd_object head;
    gd_any defaults;     /* dict */
    gd_any state;        /* dict: parameter -> dict */
    gd_any param_groups; /* list of dicts */
    gd_any others;       /* dict of attributes that the program gave it, or NIL */
} gd_optimizer;

/* One parameter with its gradient, for a rule. */
typedef struct gd_update {
    gd_hold hold;
    gd_optimizer *optimizer;
    gd_any group; /* dict */
    gd_tensor *param, *grad;
    gd_any state; /* dict: the parameter's */
} gd_update;

typedef enum gd_optim_test { GD_OPTIM_NOT_NEGATIVE, GD_OPTIM_BETAS } gd_optim_test;
typedef struct gd_optim_check {
    const char *argument, *text; /* "Invalid learning rate: " */
    gd_optim_test test;
} gd_optim_check;

/* One kind of optimizer; static. */
typedef struct gd_optim_kind {
    const gd_class *class;
    const char *init; /* "SGD.__init__" */
    const gd_argument *arguments;
    int narguments;
    const char *const *defaults;               /* names in PyTorch's order, NULL at the end */
    const char *const *later;                  /* those that groups saved by older versions may lack */
    const gd_optim_check *checks;              /* NULL argument at the end */
    bool step_is_tensor;                       /* state['step'] is one */
    bool (*begin)(gd_vm *vm, gd_optimizer *o); /* after construction; NULL: nothing */
    bool (*update)(gd_update *u);
} gd_optim_kind;

extern const gd_class gd_class_optim_sgd, gd_class_optim_adam, gd_class_optim_adamw, gd_class_optim_rmsprop,
    gd_class_optim_adagrad;
const gd_optim_kind *gd_optim_kind_of_class(const gd_class *class);
const gd_optim_kind *gd_optim_kind_of(const gd_optimizer *o);

/* ---- dicts with str keys ---- */
/* The value, borrowed; GD_NIL with KeyError. */
gd_any gd_optim_get(gd_vm *vm, gd_any dict, const char *key);
int gd_optim_find(gd_vm *vm, gd_any dict, const char *key, gd_any *out);  /* 1, 0, -1 */
bool gd_optim_set(gd_vm *vm, gd_any dict, const char *key, gd_any value); /* takes value; GD_NIL fails */
bool gd_optim_number(gd_vm *vm, gd_any dict, const char *key, double *out);
bool gd_optim_flag(gd_vm *vm, gd_any dict, const char *key, bool *out);
/* The dict of a parameter's state, made if need be; borrowed. */
gd_any gd_optim_state_of(gd_vm *vm, gd_optimizer *o, gd_any param);
gd_any gd_optim_params(gd_vm *vm, gd_any group); /* group['params'], borrowed: a list or tuple */

/* ---- torch_optim_step.c, torch_optim_state.c ---- */
bool gd_optim_update_sgd(gd_update *u);
bool gd_optim_update_adam(gd_update *u);
bool gd_optim_update_adamw(gd_update *u);
bool gd_optim_update_rmsprop(gd_update *u);
bool gd_optim_update_adagrad(gd_update *u);
bool gd_optim_begin_adagrad(gd_vm *vm, gd_optimizer *o);
gd_any gd_optim_step(gd_vm *vm, const gd_args *args);
gd_any gd_optim_state_dict(gd_vm *vm, const gd_args *args);
gd_any gd_optim_load_state_dict(gd_vm *vm, const gd_args *args);

#endif
