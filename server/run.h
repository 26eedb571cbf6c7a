/* run.h: `gradd run`: a program without a server; and what the settings say of programs. */
#ifndef GD_SERVER_RUN_H
#define GD_SERVER_RUN_H

#include "core/program/program.h"
#include "server/options.h"

enum { GD_EXIT_NO_INPUT = 66 };

/* What programs of a server may use. */
gd_program_limits gd_run_limits(const gd_options *o);
/* Budget of all tensors in bytes; 0: none. */
size_t gd_run_memory(const gd_options *o);
/* Runs o->program (`-`: standard input); prints what it prints. The exit code: 0, 1 when it fails (its trace is on
 * standard error), 66 when there is no such file. */
int gd_run(const gd_options *o);
void gd_run_print_help(FILE *out);

#endif
