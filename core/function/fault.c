/* fault.c: what a caller is told when a function cannot be stored or evaluated. */
#include "core/function/inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void tell(gd_function_fault *fault, gd_code code, const char *kind, const char *format, va_list args) {
    *fault = (gd_function_fault){.code = code, .kind = kind};
    (void)vsnprintf(fault->message, sizeof fault->message, format, args);
}

bool gd_fault(gd_function_fault *fault, gd_code code, const char *kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(fault, code, kind, format, args);
    va_end(args);
    return false;
}

bool gd_fault_input(gd_function_fault *fault, const char *input, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(fault, GD_E_VALUE, "bad_input", format, args);
    va_end(args);
    (void)snprintf(fault->input, sizeof fault->input, "%s", input);
    return false;
}

bool gd_fault_ctx(gd_function_fault *fault, const gd_ctx *ctx) {
    return gd_fault(fault, ctx->error.code, NULL, "%s", ctx->error.message);
}

bool gd_fault_memory(gd_function_fault *fault) { return gd_fault(fault, GD_E_MEMORY, NULL, "out of memory"); }

bool gd_fault_program(gd_function_fault *fault, const gd_program_result *result) {
    const char *message = result->message ? result->message : "";
    if (result->status == GD_PROGRAM_SYNTAX)
        gd_fault(fault, GD_E_VALUE, "syntax_error", "%s: %s", result->exception, message);
    else if (result->status == GD_PROGRAM_LIMIT)
        gd_fault(fault, GD_E_VALUE, "program_limit", "%s", message);
    else if (result->code != GD_OK)
        gd_fault(fault, result->code, NULL, "%s", message);
    else
        gd_fault(fault, GD_E_VALUE, "program_error", message[0] ? "%s: %s" : "%s%s", result->exception, message);
    fault->line = result->line;
    fault->column = result->column;
    return false;
}
