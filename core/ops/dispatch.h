/* dispatch.h: what the files that compile the op table, look names up, bind and apply share. Rows and their
 * kernels need op.h only. */
#ifndef GD_DISPATCH_H
#define GD_DISPATCH_H

#include "core/ops/op.h"

/* Compiles the texts of one row (signature, diff, saves) into its other fields. NULL, or static text saying what
 * is wrong. Not thread safe: gd_init calls it once a row. */
const char *gd_compile_row(gd_op *op);

/* What a client's name stands for: rows first .. first + count - 1 of gd_ops. */
typedef struct gd_lookup {
    int first, count;
    bool inplace; /* `name_`: the in-place form of those rows that have one */
    bool method;  /* called as x.name(…): errors do not count self among the positions */
    bool strict;  /* numbers stand for Tensors only where PyTorch takes them, texts never for dtypes */
} gd_lookup;

/* Builds the table of names and aliases; after the rows are compiled. NULL, or static text saying what is wrong;
 * *culprit is then the name. */
const char *gd_names_build(const char **culprit);
/* Finds a name as clients write it: "mul", "mul_", "torch.mul", "multiply", "nn.functional.relu". False if unknown. */
bool gd_names_find(const char *name, gd_lookup *found);
/* Walks the plain names and aliases: i from 0 up to gd_names_slots(); false where a slot is free. */
size_t gd_names_slots(void);
bool gd_names_at(size_t i, const char **name, gd_lookup *rows);
/* Has some row an in-place form? */
bool gd_names_inplace(const gd_lookup *rows);

/* gd_call for rows that were looked up before. The context's last_op is then the row that was bound, or NULL. */
GD_MUST_CHECK gd_code gd_call_rows(gd_ctx *ctx, const gd_lookup *rows, const gd_value *args, int nargs,
                                   const gd_kwarg *kwargs, int nkwargs, const gd_resolver *resolver, gd_result *result);

#endif
