/* stored_inside.h: what stored.c and stored_check.c share. */
#ifndef GD_PROGRAM_STORED_INSIDE_H
#define GD_PROGRAM_STORED_INSIDE_H

#include "core/program/env.h"
#include "core/program/natives.h"
#include "core/program/stored.h"

struct gd_stored_run {
    gd_vm vm;
    gd_program_options options;
    gd_any text; /* the program's source as str, once it is compiled */
    gd_program_result result;
    gd_generator generator; /* as the program left it: where each call of the function begins */
};

bool gd_stored_failed(gd_stored_run *run);          /* fills the result from what is pending; always false */
gd_any gd_stored_any(gd_vm *vm, const gd_value *v); /* new */
/* The arguments of a call, kept by hold. False: pending. */
bool gd_stored_arguments(gd_hold *hold, const gd_stored_argument *args, int nargs, gd_args *out);
gd_any gd_stored_global(gd_vm *vm, const char *name); /* new; GD_NIL: pending */
/* Reads what the function returned. False: answer->wrong tells, or an exception is pending. */
bool gd_stored_read(gd_vm *vm, gd_any v, gd_stored_answer *answer);

#endif
