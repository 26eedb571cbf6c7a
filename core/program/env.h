/* env.h: what env.c offers the machine: reading and writing the globals that are tensors outside; and the pieces of a
 * run that program.c and stored.c are made of.
 */
#ifndef GD_PROGRAM_ENV_H
#define GD_PROGRAM_ENV_H

#include "core/program/code.h"

void gd_env_read(gd_env *env);  /* before a run: outside's tensors become globals; nothing counts as written */
void gd_env_write(gd_env *env); /* after it: what was written goes out */
/* The name of a global that is t, or NULL; borrowed. */
const char *gd_env_name_of(const gd_env *env, const gd_tensor *t);

/* ---- program.c ---- */
/* The code of a source, or NULL with the result filled. *text is the source as a str. */
gd_bytecode *gd_run_compile(gd_vm *vm, const char *source, size_t bytes, bool expression, gd_any *text,
                            gd_program_result *result);
gd_any gd_run_code(gd_vm *vm, gd_bytecode *code); /* GD_NIL: an exception or limit is pending */
/* What is pending, if anything, becomes the result's: an exception is no longer pending then. `source`: the text. */
void gd_run_failure(gd_vm *vm, gd_any source, gd_program_result *result);
void gd_run_end(gd_vm *vm); /* gives up what the vm still holds */

#endif
