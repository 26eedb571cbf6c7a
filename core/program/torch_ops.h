/* torch_ops.h: how the names of the op table become values of programs, and what the torch_*.c files share about
 * tensors: conversion of values, attributes, classes of nodes and results.
 */
#ifndef GD_TORCH_OPS_H
#define GD_TORCH_OPS_H

#include "core/ops/dispatch.h"
#include "core/program/vm.h"

/* A name of the op table as a function of torch, or as a method of tensors: static, made once. */
struct gd_opfn {
    const char *name; /* as PyTorch prints it: "add_", "softmax" */
    gd_lookup rows;
    bool views; /* answers as many tensors as the arguments say: unbind, split, chunk */
};

/* ---- torch_table.c: names; each is a hash of static text, built once ---- */
/* The op of this full wire name as a function ("add", "nn.functional.relu"); NULL: none. */
const gd_opfn *gd_op_function(const char *name, size_t bytes);
/* An attribute of tensors. `set` gets GD_NIL for del; NULL: not writable. */
typedef struct gd_tensor_attribute {
    const char *name;
    gd_any (*get)(gd_vm *vm, gd_tensor *t);
    bool (*set)(gd_vm *vm, gd_tensor *t, gd_any value);
} gd_tensor_attribute;
const gd_tensor_attribute *gd_tensor_attribute_find(const gd_str *name);
extern const gd_tensor_attribute gd_tensor_attributes[]; /* tensor_attributes.c; ends with a NULL name */
extern const gd_native gd_tensor_natives[];              /* tensor_methods.c; ends with a NULL name */
/* Every row that answers exactly one tensor. */
bool gd_row_gives_tensor(int row);
/* The class of what a row with named results answers (torch.return_types.max); NULL for others. */
const gd_class *gd_row_class(int row);

/* ---- torch_ops.c ---- */
/* A Python number as Tensor operand: 0-dim and lowest in promotion. New; NULL with the error set. */
gd_tensor *gd_wrapped_number(gd_ctx *ctx, gd_any v);

/* May n tensors be made at once? False: the limit "memory" was passed, or the steps are used up (pending). */
bool gd_room_for_tensors(gd_vm *vm, int64_t n);

/* ---- torch_convert.c ---- */
/* Memory of one conversion of arguments, charged to the program. Zero `blocks` and `used` before use. */
typedef struct gd_room_block gd_room_block;
typedef struct gd_room {
    gd_vm *vm;
    gd_room_block *blocks;
    size_t used;
    _Alignas(16) char first[768];
} gd_room;
void *gd_room_alloc(gd_room *room, size_t count, size_t size); /* NULL: pending */
void gd_room_clear(gd_room *room);
/* v as the engine takes it; texts and tensors are borrowed. False: pending. */
bool gd_to_value(gd_room *room, gd_any v, gd_value *out);
/* A plain value as a program sees it: int[] becomes a tuple. Tensors are kept. */
gd_any gd_from_plain(gd_vm *vm, const gd_value *v);
/* What row `row` answered, as PyTorch shapes it; clears the result. */
gd_any gd_from_result(gd_vm *vm, int row, gd_result *result);

/* ---- torch_tensor.c, tensor_methods.c ---- */
gd_any gd_new_tensor(gd_vm *vm, gd_tensor *t);  /* takes t; NULL: what the engine says is pending */
gd_any gd_tensor_item(gd_vm *vm, gd_tensor *t); /* item(): a number; ValueError as PyTorch */
int gd_tensor_truth(gd_vm *vm, gd_tensor *t);
gd_any gd_tensor_repr(gd_vm *vm, gd_tensor *t); /* a str */
gd_any gd_tensor_tolist(gd_vm *vm, const gd_tensor *t);

/* ---- torch_index.c ---- */
gd_any gd_tensor_get_item(gd_vm *vm, gd_tensor *t, gd_any index);
bool gd_tensor_set_item(gd_vm *vm, gd_tensor *t, gd_any index, gd_any value);

/* ---- torch_module.c, torch_new.c, torch_dtype.c ---- */
/* torch.tensor(data, dtype): a new leaf. */
gd_any gd_tensor_from(gd_vm *vm, gd_any data, const gd_dtype *dtype);
extern const gd_native gd_native_tensor, gd_native_as_tensor, gd_native_scalar_tensor;
/* v as dtype: torch.float64, or the Python type float; false without exception: it is none. */
bool gd_as_dtype_value(gd_any v, gd_dtype *dtype);
/* "cpu" or device('cpu'): true; 0: it is no device; -1: another device, pending. */
int gd_as_device(gd_vm *vm, gd_any v);
gd_any gd_device_new(gd_vm *vm, bool indexed);
gd_any gd_layout_new(gd_vm *vm);
extern const gd_class gd_class_device, gd_class_layout, gd_class_finfo, gd_class_iinfo, gd_class_random_generator;
/* The legacy types torch.FloatTensor …; gd_legacy_dtype (value.h) tells their dtypes. */
extern const gd_class gd_class_float_tensor, gd_class_double_tensor, gd_class_long_tensor, gd_class_int_tensor,
    gd_class_byte_tensor, gd_class_bool_tensor, gd_class_half_tensor, gd_class_bfloat16_tensor, gd_class_short_tensor,
    gd_class_char_tensor;
gd_any gd_legacy_make(gd_vm *vm, const gd_class *class, const gd_args *args); /* torch.Tensor(…), torch.LongTensor(…) */

#endif
