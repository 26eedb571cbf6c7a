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
} gd_lookup;

/* Builds the table of names and aliases; after the rows are compiled. NULL, or static text saying what is wrong;
 * *culprit is then the name. */
const char *gd_names_build(const char **culprit);
/* Finds a name as clients write it: "mul", "mul_", "torch.mul", "multiply", "nn.functional.relu". False if unknown. */
bool gd_names_find(const char *name, gd_lookup *found);

#endif
