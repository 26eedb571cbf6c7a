/* env.h: what env.c offers the machine: reading and writing the globals that are tensors outside. */
#ifndef GD_PROGRAM_ENV_H
#define GD_PROGRAM_ENV_H

#include "core/program/code.h"

void gd_env_read(gd_env *env);  /* before a run: outside's tensors become globals; nothing counts as written */
void gd_env_write(gd_env *env); /* after it: what was written goes out */
/* The name of a global that is t, or NULL; borrowed. */
const char *gd_env_name_of(const gd_env *env, const gd_tensor *t);

#endif
