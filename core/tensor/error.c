/* error.c: errors as values: the codes' names, and filling a context's error. */
#include "core/tensor/tensor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[GD_CODE_COUNT] = {
#define X(name, text, exception) [name] = text,
    GD_CODES(X)
#undef X
};

static const char *const code_exceptions[GD_CODE_COUNT] = {
#define X(name, text, exception) [name] = exception,
    GD_CODES(X)
#undef X
};

const char *gd_code_name(gd_code code) { return (unsigned)code < GD_CODE_COUNT ? code_names[code] : "unknown"; }

const char *gd_code_exception(gd_code code) {
    return (unsigned)code < GD_CODE_COUNT ? code_exceptions[code] : "RuntimeError";
}

/* A message that was cut may end inside a UTF-8 sequence: drops the incomplete character. */
static void drop_broken_tail(char *text, size_t length) {
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length - (start - 1) < need) text[start - 1] = '\0';
}

gd_code gd_fail(gd_ctx *ctx, gd_code code, const char *format, ...) {
    va_list arguments;
    ctx->error.code = code;
    ctx->error.argument = -1;
    va_start(arguments, format);
    int length = vsnprintf(ctx->error.message, GD_MESSAGE_BYTES, format, arguments);
    va_end(arguments);
    if (length < 0) ctx->error.message[0] = '\0';
    if (length >= GD_MESSAGE_BYTES) drop_broken_tail(ctx->error.message, GD_MESSAGE_BYTES - 1);
    return code;
}

gd_code gd_fail_memory(gd_ctx *ctx) { return gd_fail(ctx, GD_E_MEMORY, "out of memory"); }
