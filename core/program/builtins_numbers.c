/* builtins_numbers.c: the built-in functions of one or two numbers or characters: abs, round, divmod, pow, bin, chr. */
#include "core/program/builtins.h"
#include "core/program/format.h"
#include "core/program/heap.h"
#include "core/program/unicode.h"
#include "core/program/vm.h"

#include <math.h>
#include <string.h>

gd_any gd_builtin_abs(gd_vm *vm, const gd_args *args) {
    gd_any v = args->v[0];
    if (v.tag == GD_A_FLOAT) return GD_ANY_FLOAT(fabs(v.u.f));
    if (v.tag == GD_A_INT || v.tag == GD_A_BOOL)
        return v.u.i == INT64_MIN ? gd_overflow(vm) : GD_ANY_INT(v.u.i < 0 ? -v.u.i : v.u.i);
    if (v.tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "bad operand type for abs(): '%s'", gd_class_label(v));
    gd_tensor *t = gd_do(vm->ctx, GD_OP_abs, &GD_TENSOR_VALUE(v.u.tensor), 1);
    return t ? GD_ANY_TENSOR(t) : gd_raise_engine(vm);
}

static gd_any missing(gd_vm *vm, const char *function, const char *name, int position) {
    return gd_raise(vm, &gd_class_TypeError, "%s() missing required argument '%s' (pos %d)", function, name, position);
}

gd_any gd_builtin_round(gd_vm *vm, const gd_args *args) {
    gd_any v = gd_arg(args, 0, "number");
    if (gd_is_nil(v)) return missing(vm, "round", "number", 1);
    if (gd_is_number(v)) return gd_number_round(vm, v, gd_arg(args, 1, "ndigits"));
    return gd_raise(vm, &gd_class_TypeError, "type %s doesn't define __round__ method", gd_class_label(v));
}

gd_any gd_builtin_divmod(gd_vm *vm, const gd_args *args) {
    if (gd_is_number(args->v[0]) && gd_is_number(args->v[1])) return gd_number_divmod(vm, args->v[0], args->v[1]);
    return gd_raise(vm, &gd_class_TypeError, "unsupported operand type(s) for divmod(): '%s' and '%s'",
                    gd_class_label(args->v[0]), gd_class_label(args->v[1]));
}

gd_any gd_builtin_pow(gd_vm *vm, const gd_args *args) {
    gd_any base = gd_arg(args, 0, "base"), exponent = gd_arg(args, 1, "exp"), modulus = gd_arg(args, 2, "mod");
    if (gd_is_nil(base)) return missing(vm, "pow", "base", 1);
    if (gd_is_nil(exponent)) return missing(vm, "pow", "exp", 2);
    if (gd_is_nil(modulus) || gd_is_none(modulus)) return gd_binary(vm, GD_PY_POWER, base, exponent, false);
    if (gd_is_number(base) && gd_is_number(exponent)) return gd_number_power(vm, base, exponent, modulus);
    return gd_raise(vm, &gd_class_TypeError, "unsupported operand type(s) for ** or pow(): '%s', '%s', '%s'",
                    gd_class_label(base), gd_class_label(exponent), gd_class_label(modulus));
}

/* ---- in other bases ------------------------------------------------------------------------------------------------
 */

static gd_any in_base(gd_vm *vm, gd_any v, char type) {
    int64_t number;
    gd_spec spec = {.fill = " ", .align = '>', .alternate = true, .width = -1, .precision = -1, .type = (uint32_t)type};
    return gd_to_index(vm, v, &number) ? gd_format_int(vm, number, &spec, "int") : GD_NIL;
}

gd_any gd_builtin_bin(gd_vm *vm, const gd_args *args) { return in_base(vm, args->v[0], 'b'); }
gd_any gd_builtin_oct(gd_vm *vm, const gd_args *args) { return in_base(vm, args->v[0], 'o'); }
gd_any gd_builtin_hex(gd_vm *vm, const gd_args *args) { return in_base(vm, args->v[0], 'x'); }

/* ---- characters ----------------------------------------------------------------------------------------------------
 */

gd_any gd_builtin_chr(gd_vm *vm, const gd_args *args) {
    int64_t c;
    char text[4];
    if (!gd_to_index(vm, args->v[0], &c)) return GD_NIL;
    if (c < 0 || c > 0x10FFFF) return gd_raise(vm, &gd_class_ValueError, "chr() arg not in range(0x110000)");
    if (c >= 0xD800 && c < 0xE000)
        return gd_raise(vm, &gd_class_ValueError, "chr() arg is a surrogate, which is no character by itself");
    return gd_str_new(vm, text, gd_utf8_put(text, (uint32_t)c));
}

gd_any gd_builtin_ord(gd_vm *vm, const gd_args *args) {
    gd_any v = args->v[0];
    if (!gd_is_str(v))
        return gd_raise(vm, &gd_class_TypeError, "ord() expected string of length 1, but %s found", gd_class_label(v));
    if (gd_as_str(v)->length != 1)
        return gd_raise(vm, &gd_class_TypeError, "ord() expected a character, but string of length %zu found",
                        gd_as_str(v)->length);
    const char *p = gd_as_str(v)->text;
    return GD_ANY_INT(gd_utf8_next(&p));
}
