/* torch_optim_kinds.c: which optimizers torch.optim has, what their constructors take, and what those check. */
#include "core/program/torch_optim.h"

/* `lr` of SGD has no default, but groups may bring one. */
#define REQUIRED ((gd_any){.tag = GD_A_ELLIPSIS})
#define SELF                                                                                                           \
    {"self", GD_NIL, false}, { "params", GD_NIL, false }
#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

static const gd_argument sgd_arguments[] = {SELF,
                                            {"lr", REQUIRED, false},
                                            {"momentum", GD_ANY_INT(0), false},
                                            {"dampening", GD_ANY_INT(0), false},
                                            {"weight_decay", GD_ANY_INT(0), false},
                                            {"nesterov", GD_ANY_BOOL(false), false},
                                            {"maximize", GD_ANY_BOOL(false), true},
                                            {"foreach", GD_ANY_NONE, true},
                                            {"differentiable", GD_ANY_BOOL(false), true}};
static const char *const sgd_defaults[] = {
    "lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize", "foreach", "differentiable", NULL};
static const gd_optim_check sgd_checks[] = {{"lr", "Invalid learning rate: ", GD_OPTIM_NOT_NEGATIVE},
                                            {"momentum", "Invalid momentum value: ", GD_OPTIM_NOT_NEGATIVE},
                                            {"weight_decay", "Invalid weight_decay value: ", GD_OPTIM_NOT_NEGATIVE},
                                            {NULL, NULL, GD_OPTIM_NOT_NEGATIVE}};

/* betas: None stands for (0.9, 0.999). */
#define ADAM_ARGUMENTS(decay)                                                                                          \
    SELF, {"lr", GD_ANY_FLOAT(1e-3), false}, {"betas", GD_ANY_NONE, false}, {"eps", GD_ANY_FLOAT(1e-8), false},        \
        {"weight_decay", decay, false}, {"amsgrad", GD_ANY_BOOL(false), false}, {"foreach", GD_ANY_NONE, true},        \
        {"maximize", GD_ANY_BOOL(false), true}, {                                                                      \
        "capturable", GD_ANY_BOOL(false), true                                                                         \
    }
static const gd_argument adam_arguments[] = {
    ADAM_ARGUMENTS(GD_ANY_INT(0)), {"differentiable", GD_ANY_BOOL(false), true}, {"fused", GD_ANY_BOOL(false), true}};
static const char *const adam_defaults[] = {"lr",       "betas",   "eps",        "weight_decay",   "amsgrad",
                                            "maximize", "foreach", "capturable", "differentiable", "fused",
                                            NULL};
static const gd_argument adamw_arguments[] = {ADAM_ARGUMENTS(GD_ANY_FLOAT(1e-2))};
static const char *const adamw_defaults[] = {"lr",       "betas",      "eps", "weight_decay", "amsgrad", "foreach",
                                             "maximize", "capturable", NULL};
static const gd_optim_check adam_checks[] = {{"lr", "Invalid learning rate: ", GD_OPTIM_NOT_NEGATIVE},
                                             {"eps", "Invalid epsilon value: ", GD_OPTIM_NOT_NEGATIVE},
                                             {"betas", "Invalid beta parameter at index ", GD_OPTIM_BETAS},
                                             {"weight_decay", "Invalid weight_decay value: ", GD_OPTIM_NOT_NEGATIVE},
                                             {NULL, NULL, GD_OPTIM_NOT_NEGATIVE}};

static const gd_argument rmsprop_arguments[] = {SELF,
                                                {"lr", GD_ANY_FLOAT(1e-2), false},
                                                {"alpha", GD_ANY_FLOAT(0.99), false},
                                                {"eps", GD_ANY_FLOAT(1e-8), false},
                                                {"weight_decay", GD_ANY_INT(0), false},
                                                {"momentum", GD_ANY_INT(0), false},
                                                {"centered", GD_ANY_BOOL(false), false},
                                                {"foreach", GD_ANY_NONE, false},
                                                {"maximize", GD_ANY_BOOL(false), false},
                                                {"differentiable", GD_ANY_BOOL(false), false}};
static const char *const rmsprop_defaults[] = {
    "lr", "momentum", "alpha", "eps", "centered", "weight_decay", "foreach", "maximize", "differentiable", NULL};
static const gd_optim_check rmsprop_checks[] = {{"lr", "Invalid learning rate: ", GD_OPTIM_NOT_NEGATIVE},
                                                {"eps", "Invalid epsilon value: ", GD_OPTIM_NOT_NEGATIVE},
                                                {"momentum", "Invalid momentum value: ", GD_OPTIM_NOT_NEGATIVE},
                                                {"weight_decay", "Invalid weight_decay value: ", GD_OPTIM_NOT_NEGATIVE},
                                                {"alpha", "Invalid alpha value: ", GD_OPTIM_NOT_NEGATIVE},
                                                {NULL, NULL, GD_OPTIM_NOT_NEGATIVE}};

static const gd_argument adagrad_arguments[] = {SELF,
                                                {"lr", GD_ANY_FLOAT(1e-2), false},
                                                {"lr_decay", GD_ANY_INT(0), false},
                                                {"weight_decay", GD_ANY_INT(0), false},
                                                {"initial_accumulator_value", GD_ANY_INT(0), false},
                                                {"eps", GD_ANY_FLOAT(1e-10), false},
                                                {"foreach", GD_ANY_NONE, false},
                                                {"maximize", GD_ANY_BOOL(false), true}};
static const char *const adagrad_defaults[] = {
    "lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value", "foreach", "maximize", NULL};
static const gd_optim_check adagrad_checks[] = {
    {"lr", "Invalid learning rate: ", GD_OPTIM_NOT_NEGATIVE},
    {"lr_decay", "Invalid lr_decay value: ", GD_OPTIM_NOT_NEGATIVE},
    {"weight_decay", "Invalid weight_decay value: ", GD_OPTIM_NOT_NEGATIVE},
    {"initial_accumulator_value", "Invalid initial_accumulator_value value: ", GD_OPTIM_NOT_NEGATIVE},
    {"eps", "Invalid epsilon value: ", GD_OPTIM_NOT_NEGATIVE},
    {NULL, NULL, GD_OPTIM_NOT_NEGATIVE}};

static const char *const sgd_later[] = {"nesterov", "maximize", "foreach", "differentiable", NULL};
static const char *const adam_later[] = {"amsgrad",        "maximize", "foreach", "capturable",
                                         "differentiable", "fused",    NULL};
static const char *const adamw_later[] = {"amsgrad", "maximize", "foreach", "capturable", NULL};
static const char *const rmsprop_later[] = {"momentum", "centered", "foreach", "maximize", "differentiable", NULL};
static const char *const adagrad_later[] = {"foreach", "maximize", NULL};

static const gd_optim_kind kinds[] = {
    {&gd_class_optim_sgd, "SGD.__init__", sgd_arguments, COUNT(sgd_arguments), sgd_defaults, sgd_later, sgd_checks,
     false, NULL, gd_optim_update_sgd},
    {&gd_class_optim_adam, "Adam.__init__", adam_arguments, COUNT(adam_arguments), adam_defaults, adam_later,
     adam_checks, true, NULL, gd_optim_update_adam},
    {&gd_class_optim_adamw, "AdamW.__init__", adamw_arguments, COUNT(adamw_arguments), adamw_defaults, adamw_later,
     adam_checks, true, NULL, gd_optim_update_adamw},
    {&gd_class_optim_rmsprop, "RMSprop.__init__", rmsprop_arguments, COUNT(rmsprop_arguments), rmsprop_defaults,
     rmsprop_later, rmsprop_checks, false, NULL, gd_optim_update_rmsprop},
    {&gd_class_optim_adagrad, "Adagrad.__init__", adagrad_arguments, COUNT(adagrad_arguments), adagrad_defaults,
     adagrad_later, adagrad_checks, true, gd_optim_begin_adagrad, gd_optim_update_adagrad},
    {.class = NULL}};

const gd_optim_kind *gd_optim_kind_of_class(const gd_class *class) {
    const gd_optim_kind *kind = kinds;
    while (kind->class && kind->class != class) kind++;
    return kind;
}

const gd_optim_kind *gd_optim_kind_of(const gd_optimizer *o) { return gd_optim_kind_of_class(o->head.class); }
