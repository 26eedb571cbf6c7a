/* number.c: arithmetic and comparison of bool, int and float with Python's meaning. Ints have 64 bits: what does not
 * fit is an OverflowError. The classes and their methods are in number_class.c.
 */
#include "core/program/heap.h"
#include "core/program/vm.h"

#include <math.h>
#include <string.h>

gd_any gd_overflow(gd_vm *vm) {
    return gd_raise(vm, &gd_class_OverflowError, "integer overflow: this language has 64-bit integers");
}

static gd_any zero_division(gd_vm *vm, const char *text) {
    return gd_raise(vm, &gd_class_ZeroDivisionError, "%s", text);
}

static bool whole(gd_any v) { return v.tag != GD_A_FLOAT; }

static double real(gd_any v) { return v.tag == GD_A_FLOAT ? v.u.f : (double)v.u.i; }

static gd_any unsupported(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    return gd_raise(vm, &gd_class_TypeError, "unsupported operand type(s) for %s: '%s' and '%s'",
                    gd_operator_text(op, false), gd_class_label(a), gd_class_label(b));
}

/* ---- int -----------------------------------------------------------------------------------------------------------
 */

/* b is not zero, and the quotient fits. */
static void floor_divide(int64_t a, int64_t b, int64_t *quotient, int64_t *rest) {
    int64_t q = a / b, r = a % b;
    if (r != 0 && (r < 0) != (b < 0)) q--, r += b;
    *quotient = q;
    *rest = r;
}

static gd_any int_floor(gd_vm *vm, gd_ast_op op, int64_t a, int64_t b) {
    int64_t quotient, rest;
    if (b == 0)
        return zero_division(vm, op == GD_PY_MOD ? "integer modulo by zero" : "integer division or modulo by zero");
    if (b == -1) return op == GD_PY_MOD ? GD_ANY_INT(0) : a == INT64_MIN ? gd_overflow(vm) : GD_ANY_INT(-a);
    floor_divide(a, b, &quotient, &rest);
    return GD_ANY_INT(op == GD_PY_MOD ? rest : quotient);
}

static int bits(uint64_t v) { return v ? 64 - __builtin_clzll(v) : 0; }
static uint64_t magnitude(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

/* a / b correctly rounded: doubles do it up to 2**53, above it a quotient of at least 56 bits whose last bit says
 * whether there was more. */
static gd_any true_divide(gd_vm *vm, int64_t a, int64_t b) {
    if (b == 0) return zero_division(vm, "division by zero");
    uint64_t x = magnitude(a), y = magnitude(b);
    if (x <= (uint64_t)1 << 53 && y <= (uint64_t)1 << 53) return GD_ANY_FLOAT((double)a / (double)b);
    int shift = 56 + bits(y) - bits(x);
    if (shift < 0) shift = 0;
    unsigned __int128 scaled = (unsigned __int128)x << shift, quotient = scaled / y;
    if (scaled % y) quotient |= 1;
    double v = ldexp((double)(uint64_t)quotient, -shift);
    return GD_ANY_FLOAT((a < 0) != (b < 0) ? -v : v);
}

static gd_any shift_left(gd_vm *vm, int64_t a, int64_t by) {
    if (by < 0) return gd_raise(vm, &gd_class_ValueError, "negative shift count");
    if (a == 0) return GD_ANY_INT(0);
    if (by > 62) return by == 63 && a == -1 ? GD_ANY_INT(INT64_MIN) : gd_overflow(vm);
    int64_t result;
    return __builtin_mul_overflow(a, (int64_t)1 << by, &result) ? gd_overflow(vm) : GD_ANY_INT(result);
}

static gd_any shift_right(gd_vm *vm, int64_t a, int64_t by) {
    if (by < 0) return gd_raise(vm, &gd_class_ValueError, "negative shift count");
    return GD_ANY_INT(by > 62 ? (a < 0 ? -1 : 0) : a >> by);
}

static gd_any float_power(gd_vm *vm, double a, double b);

static gd_any int_power(gd_vm *vm, int64_t base, int64_t exponent) {
    if (exponent < 0) return float_power(vm, (double)base, (double)exponent);
    if (base == 0 || base == 1) return GD_ANY_INT(exponent == 0 ? 1 : base);
    if (base == -1) return GD_ANY_INT(exponent & 1 ? -1 : 1);
    if (exponent > 63) return gd_overflow(vm);
    int64_t result = 1;
    for (bool over = false; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) && (over || __builtin_mul_overflow(result, base, &result))) return gd_overflow(vm);
        over = __builtin_mul_overflow(base, base, &base);
    }
    return GD_ANY_INT(result);
}

static gd_any int_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    int64_t x = a.u.i, y = b.u.i, result;
    switch (op) {
    case GD_PY_ADD: return __builtin_add_overflow(x, y, &result) ? gd_overflow(vm) : GD_ANY_INT(result);
    case GD_PY_SUB: return __builtin_sub_overflow(x, y, &result) ? gd_overflow(vm) : GD_ANY_INT(result);
    case GD_PY_MUL: return __builtin_mul_overflow(x, y, &result) ? gd_overflow(vm) : GD_ANY_INT(result);
    case GD_PY_TRUEDIV: return true_divide(vm, x, y);
    case GD_PY_FLOORDIV:
    case GD_PY_MOD: return int_floor(vm, op, x, y);
    case GD_PY_POWER: return int_power(vm, x, y);
    case GD_PY_LSHIFT: return shift_left(vm, x, y);
    case GD_PY_RSHIFT: return shift_right(vm, x, y);
    case GD_PY_AND: result = x & y; break;
    case GD_PY_OR: result = x | y; break;
    case GD_PY_XOR: result = x ^ y; break;
    default: return unsupported(vm, op, a, b);
    }
    return a.tag == GD_A_BOOL && b.tag == GD_A_BOOL ? GD_ANY_BOOL(result) : GD_ANY_INT(result);
}

/* ---- float ---------------------------------------------------------------------------------------------------------
 */

/* a // b and a % b as Python defines them: the rest has the sign of b, and quotient * b + rest is near a. */
static void float_floor(double a, double b, double *quotient, double *rest) {
    double r = fmod(a, b), q = (a - r) / b;
    if (r != 0) {
        if ((b < 0) != (r < 0)) r += b, q -= 1;
    } else {
        r = copysign(0, b);
    }
    if (q != 0) {
        double down = floor(q);
        q = q - down > 0.5 ? down + 1 : down;
    } else {
        q = copysign(0, a / b);
    }
    *quotient = q;
    *rest = r;
}

static bool odd(double v) { return fabs(fmod(v, 2)) == 1; }

static gd_any float_power(gd_vm *vm, double a, double b) {
    if (a == 0 && b < 0) return zero_division(vm, "0.0 cannot be raised to a negative power");
    if (isfinite(a) && a < 0 && isfinite(b) && b != floor(b))
        return gd_raise(vm, &gd_class_ValueError,
                        "a negative number to a fractional power is complex: this language has no complex numbers");
    double v = pow(a, b);
    if (isinf(v) && isfinite(a) && isfinite(b)) {
        gd_any text = gd_str_c(vm, "Numerical result out of range"), both[2] = {GD_ANY_INT(34), text};
        if (gd_is_nil(text)) return GD_NIL;
        gd_any e = gd_call_any(vm, GD_ANY_CLASS(&gd_class_OverflowError), &(gd_args){.v = both, .npos = 2});
        gd_drop(gd_vm_heap(vm), text);
        if (gd_is_nil(e)) return GD_NIL;
        gd_raise_value(vm, e);
        gd_drop(gd_vm_heap(vm), e);
        return GD_NIL;
    }
    if (v == 0 && a < 0 && odd(b)) v = -0.0;
    return GD_ANY_FLOAT(v);
}

static gd_any float_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    double x = real(a), y = real(b), quotient, rest;
    switch (op) {
    case GD_PY_ADD: return GD_ANY_FLOAT(x + y);
    case GD_PY_SUB: return GD_ANY_FLOAT(x - y);
    case GD_PY_MUL: return GD_ANY_FLOAT(x * y);
    case GD_PY_TRUEDIV: return y == 0 ? zero_division(vm, "float division by zero") : GD_ANY_FLOAT(x / y);
    case GD_PY_FLOORDIV:
        if (y == 0) return zero_division(vm, "float floor division by zero");
        float_floor(x, y, &quotient, &rest);
        return GD_ANY_FLOAT(quotient);
    case GD_PY_MOD:
        if (y == 0) return zero_division(vm, "float modulo");
        float_floor(x, y, &quotient, &rest);
        return GD_ANY_FLOAT(rest);
    case GD_PY_POWER: return float_power(vm, x, y);
    default: return unsupported(vm, op, a, b);
    }
}

gd_any gd_number_binary(gd_vm *vm, gd_ast_op op, gd_any a, gd_any b) {
    return whole(a) && whole(b) ? int_binary(vm, op, a, b) : float_binary(vm, op, a, b);
}

gd_any gd_number_divmod(gd_vm *vm, gd_any a, gd_any b) {
    gd_any both[2];
    if (whole(a) && whole(b)) {
        both[0] = int_floor(vm, GD_PY_FLOORDIV, a.u.i, b.u.i);
        if (gd_is_nil(both[0])) return GD_NIL;
        both[1] = int_floor(vm, GD_PY_MOD, a.u.i, b.u.i);
    } else {
        double quotient, rest;
        if (real(b) == 0) return zero_division(vm, "float divmod()");
        float_floor(real(a), real(b), &quotient, &rest);
        both[0] = GD_ANY_FLOAT(quotient);
        both[1] = GD_ANY_FLOAT(rest);
    }
    return gd_tuple_of(vm, 2, both);
}

/* ---- pow(a, b, modulus) --------------------------------------------------------------------------------------------
 */

static uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t m) { return (uint64_t)((unsigned __int128)a * b % m); }

/* x with a * x = 1 modulo m, by Euclid; false: there is none. 0 <= a < m. */
static bool invert_modulo(uint64_t a, uint64_t m, uint64_t *out) {
    __int128 r0 = m, r1 = a, t0 = 0, t1 = 1;
    while (r1 != 0) {
        __int128 q = r0 / r1, r = r0 - q * r1, t = t0 - q * t1;
        r0 = r1, r1 = r;
        t0 = t1, t1 = t;
    }
    if (r0 != 1) return false;
    *out = (uint64_t)(t0 < 0 ? t0 + (__int128)m : t0);
    return true;
}

static gd_any power_modulo(gd_vm *vm, int64_t base, int64_t exponent, int64_t modulus) {
    if (modulus == 0) return gd_raise(vm, &gd_class_ValueError, "pow() 3rd argument cannot be 0");
    uint64_t m = magnitude(modulus), b = magnitude(base) % m, e = magnitude(exponent), result = 1 % m;
    if (base < 0 && b) b = m - b;
    if (exponent < 0 && !invert_modulo(b, m, &b))
        return gd_raise(vm, &gd_class_ValueError, "base is not invertible for the given modulus");
    for (; e; e >>= 1) {
        if (e & 1) result = multiply_modulo(result, b, m);
        b = multiply_modulo(b, b, m);
    }
    if (modulus < 0 && result) return GD_ANY_INT((int64_t)(result - m));
    return GD_ANY_INT((int64_t)result);
}

gd_any gd_number_power(gd_vm *vm, gd_any a, gd_any b, gd_any modulus) {
    if (gd_is_nil(modulus) || gd_is_none(modulus)) return gd_number_binary(vm, GD_PY_POWER, a, b);
    if (!gd_is_number(modulus) || !whole(a) || !whole(b) || !whole(modulus))
        return gd_raise(vm, &gd_class_TypeError, "pow() 3rd argument not allowed unless all arguments are integers");
    return power_modulo(vm, a.u.i, b.u.i, modulus.u.i);
}

/* ---- comparing -----------------------------------------------------------------------------------------------------
 */

/* An int and a float exactly: -1, 0, 1; 2 for NaN. */
static int compare_mixed(int64_t a, double b) {
    if (isnan(b)) return 2;
    if (b >= 0x1p63) return -1;
    if (b < -0x1p63) return 1;
    int64_t whole_part = (int64_t)b;
    if (a != whole_part) return a < whole_part ? -1 : 1;
    double rest = b - (double)whole_part;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

static int compare_any(gd_any a, gd_any b) {
    if (whole(a) && whole(b)) return (a.u.i > b.u.i) - (a.u.i < b.u.i);
    if (!whole(a) && !whole(b)) return isnan(a.u.f) || isnan(b.u.f) ? 2 : (a.u.f > b.u.f) - (a.u.f < b.u.f);
    if (whole(a)) return compare_mixed(a.u.i, b.u.f);
    int other = compare_mixed(b.u.i, a.u.f);
    return other == 2 ? 2 : -other;
}

gd_any gd_number_compare(gd_ast_op op, gd_any a, gd_any b) {
    int order = compare_any(a, b);
    if (order == 2) return GD_ANY_BOOL(op == GD_PY_NE);
    switch (op) {
    case GD_PY_LT: return GD_ANY_BOOL(order < 0);
    case GD_PY_LE: return GD_ANY_BOOL(order <= 0);
    case GD_PY_EQ: return GD_ANY_BOOL(order == 0);
    case GD_PY_NE: return GD_ANY_BOOL(order != 0);
    case GD_PY_GT: return GD_ANY_BOOL(order > 0);
    default: return GD_ANY_BOOL(order >= 0);
    }
}
