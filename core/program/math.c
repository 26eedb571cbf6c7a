/* math.c: the module math: its table, and the functions of one or two floats. Any number will do as argument, also a
 * tensor of one element.
 */
#include "core/program/heap.h"
#include "core/program/math_module.h"
#include "core/program/vm.h"

#include <math.h>

gd_any gd_math_domain(gd_vm *vm) { return gd_raise(vm, &gd_class_ValueError, "math domain error"); }
gd_any gd_math_range(gd_vm *vm) { return gd_raise(vm, &gd_class_OverflowError, "math range error"); }

/* ---- one float to one ----------------------------------------------------------------------------------------------
 */

/* What may have gone wrong: a NaN from a number lies outside the domain; so does an infinity, but where the function
 * grows without bound. */
static gd_any checked(gd_vm *vm, double x, double v, bool grows) {
    if (isnan(v) && !isnan(x)) return gd_math_domain(vm);
    if (isinf(v) && isfinite(x)) return grows ? gd_math_range(vm) : gd_math_domain(vm);
    return GD_ANY_FLOAT(v);
}

/* X(Python's name, function, grows) */
#define GD_MATH_REALS(X)                                                                                               \
    X(sqrt, sqrt, false)                                                                                               \
    X(cbrt, cbrt, false)                                                                                               \
    X(exp, exp, true)                                                                                                  \
    X(exp2, exp2, true)                                                                                                \
    X(expm1, expm1, true)                                                                                              \
    X(log2, log2, false)                                                                                               \
    X(log10, log10, false)                                                                                             \
    X(log1p, log1p, false)                                                                                             \
    X(sin, sin, false)                                                                                                 \
    X(cos, cos, false)                                                                                                 \
    X(tan, tan, false)                                                                                                 \
    X(asin, asin, false)                                                                                               \
    X(acos, acos, false)                                                                                               \
    X(atan, atan, false)                                                                                               \
    X(sinh, sinh, true)                                                                                                \
    X(cosh, cosh, true)                                                                                                \
    X(tanh, tanh, false)                                                                                               \
    X(asinh, asinh, false)                                                                                             \
    X(acosh, acosh, false)                                                                                             \
    X(atanh, atanh, false)                                                                                             \
    X(fabs, fabs, false)                                                                                               \
    X(erf, erf, false)                                                                                                 \
    X(erfc, erfc, false)                                                                                               \
    X(degrees, to_degrees, true)                                                                                       \
    X(radians, to_radians, false)                                                                                      \
    X(gamma, gamma_of, true)                                                                                           \
    X(lgamma, lgamma_of, true)                                                                                         \
    X(ulp, ulp_of, false)

static double to_degrees(double x) { return x * (180 / M_PI); }
static double to_radians(double x) { return x * (M_PI / 180); }

/* At zero and the negative integers there is none. */
static double gamma_of(double x) { return x == floor(x) && x <= 0 ? (double)NAN : tgamma(x); }

static double lgamma_of(double x) {
    int sign; /* lgamma() would write a global variable */
    if (isinf(x)) return (double)INFINITY;
    return x == floor(x) && x <= 0 ? (double)NAN : lgamma_r(x, &sign);
}

static double ulp_of(double x) {
    x = fabs(x);
    if (!isfinite(x)) return x;
    double next = nextafter(x, (double)INFINITY);
    return isinf(next) ? x - nextafter(x, 0) : next - x;
}

#define X(name, function, grows)                                                                                       \
    static gd_any math_##name(gd_vm *vm, const gd_args *args) {                                                        \
        double x;                                                                                                      \
        return gd_to_real(vm, args->v[0], &x) ? checked(vm, x, function(x), grows) : GD_NIL;                           \
    }
GD_MATH_REALS(X)
#undef X

/* ---- two floats to one ---------------------------------------------------------------------------------------------
 */

static bool two(gd_vm *vm, const gd_args *args, double *x, double *y) {
    return gd_to_real(vm, args->v[0], x) && gd_to_real(vm, args->v[1], y);
}

static gd_any math_atan2(gd_vm *vm, const gd_args *args) {
    double x, y;
    return two(vm, args, &x, &y) ? GD_ANY_FLOAT(atan2(x, y)) : GD_NIL;
}

static gd_any math_copysign(gd_vm *vm, const gd_args *args) {
    double x, y;
    return two(vm, args, &x, &y) ? GD_ANY_FLOAT(copysign(x, y)) : GD_NIL;
}

static gd_any math_nextafter(gd_vm *vm, const gd_args *args) {
    double x, y;
    return two(vm, args, &x, &y) ? GD_ANY_FLOAT(nextafter(x, y)) : GD_NIL;
}

static gd_any math_fmod(gd_vm *vm, const gd_args *args) {
    double x, y;
    if (!two(vm, args, &x, &y)) return GD_NIL;
    if (isinf(y) && isfinite(x)) return GD_ANY_FLOAT(x);
    double v = fmod(x, y);
    return isnan(v) && !isnan(x) && !isnan(y) ? gd_math_domain(vm) : GD_ANY_FLOAT(v);
}

static gd_any math_remainder(gd_vm *vm, const gd_args *args) {
    double x, y;
    if (!two(vm, args, &x, &y)) return GD_NIL;
    double v = remainder(x, y);
    return isnan(v) && !isnan(x) && !isnan(y) ? gd_math_domain(vm) : GD_ANY_FLOAT(v);
}

static gd_any math_pow(gd_vm *vm, const gd_args *args) {
    double x, y;
    if (!two(vm, args, &x, &y)) return GD_NIL;
    double v = pow(x, y);
    if (!isfinite(x) || !isfinite(y) || isfinite(v)) return GD_ANY_FLOAT(v);
    return isnan(v) || x == 0 ? gd_math_domain(vm) : gd_math_range(vm);
}

/* The natural logarithm, positive arguments only; false: pending. */
static bool natural(gd_vm *vm, gd_any v, double *out) {
    double x;
    if (!gd_to_real(vm, v, &x)) return false;
    if (x <= 0) return gd_math_domain(vm), false;
    *out = log(x);
    return true;
}

static gd_any math_log(gd_vm *vm, const gd_args *args) {
    double x, base;
    if (args->npos < 1) return gd_raise(vm, &gd_class_TypeError, "math.log requires 1 to 2 arguments");
    if (!natural(vm, args->v[0], &x)) return GD_NIL;
    if (args->npos == 1) return GD_ANY_FLOAT(x);
    if (!natural(vm, args->v[1], &base)) return GD_NIL;
    return base == 0 ? gd_raise(vm, &gd_class_ZeroDivisionError, "float division by zero") : GD_ANY_FLOAT(x / base);
}

static gd_any math_ldexp(gd_vm *vm, const gd_args *args) {
    double x;
    gd_any by = args->v[1];
    if (!gd_to_real(vm, args->v[0], &x)) return GD_NIL;
    if (by.tag != GD_A_INT && by.tag != GD_A_BOOL)
        return gd_raise(vm, &gd_class_TypeError, "Expected an int as second argument to ldexp.");
    int exponent = by.u.i > 10000 ? 10000 : by.u.i < -10000 ? -10000 : (int)by.u.i;
    double v = ldexp(x, exponent);
    return isinf(v) && isfinite(x) ? gd_math_range(vm) : GD_ANY_FLOAT(v);
}

/* ---- one float to two ----------------------------------------------------------------------------------------------
 */

static gd_any math_modf(gd_vm *vm, const gd_args *args) {
    double x, whole;
    if (!gd_to_real(vm, args->v[0], &x)) return GD_NIL;
    double rest = modf(x, &whole);
    gd_any both[2] = {GD_ANY_FLOAT(rest), GD_ANY_FLOAT(whole)};
    return gd_tuple_of(vm, 2, both);
}

static gd_any math_frexp(gd_vm *vm, const gd_args *args) {
    double x;
    int exponent = 0;
    if (!gd_to_real(vm, args->v[0], &x)) return GD_NIL;
    double m = isfinite(x) ? frexp(x, &exponent) : x;
    gd_any both[2] = {GD_ANY_FLOAT(m), GD_ANY_INT(exponent)};
    return gd_tuple_of(vm, 2, both);
}

/* ---- questions -----------------------------------------------------------------------------------------------------
 */

static gd_any math_isnan(gd_vm *vm, const gd_args *args) {
    double x;
    return gd_to_real(vm, args->v[0], &x) ? GD_ANY_BOOL(isnan(x)) : GD_NIL;
}

static gd_any math_isinf(gd_vm *vm, const gd_args *args) {
    double x;
    return gd_to_real(vm, args->v[0], &x) ? GD_ANY_BOOL(isinf(x)) : GD_NIL;
}

static gd_any math_isfinite(gd_vm *vm, const gd_args *args) {
    double x;
    return gd_to_real(vm, args->v[0], &x) ? GD_ANY_BOOL(isfinite(x)) : GD_NIL;
}

static gd_any math_isclose(gd_vm *vm, const gd_args *args) {
    gd_any relative = gd_find_keyword(args, "rel_tol"), absolute = gd_find_keyword(args, "abs_tol");
    double x, y, rel = 1e-9, abs_tol = 0;
    if (!two(vm, args, &x, &y) || (!gd_is_nil(relative) && !gd_to_real(vm, relative, &rel)) ||
        (!gd_is_nil(absolute) && !gd_to_real(vm, absolute, &abs_tol)))
        return GD_NIL;
    if (rel < 0 || abs_tol < 0) return gd_raise(vm, &gd_class_ValueError, "tolerances must be non-negative");
    if (x == y) return GD_ANY_BOOL(1);
    if (isinf(x) || isinf(y)) return GD_ANY_BOOL(0);
    double apart = fabs(y - x);
    return GD_ANY_BOOL(apart <= fabs(rel * y) || apart <= fabs(rel * x) || apart <= abs_tol);
}

/* ---- the module ----------------------------------------------------------------------------------------------------
 */

/* X(Python's name, least, most positional, keywords) */
#define GD_MATH_OTHERS(X)                                                                                              \
    X(atan2, 2, 2, "")                                                                                                 \
    X(copysign, 2, 2, "")                                                                                              \
    X(nextafter, 2, 2, "")                                                                                             \
    X(fmod, 2, 2, "")                                                                                                  \
    X(remainder, 2, 2, "")                                                                                             \
    X(pow, 2, 2, "")                                                                                                   \
    X(log, 0, 2, "")                                                                                                   \
    X(ldexp, 2, 2, "")                                                                                                 \
    X(modf, 1, 1, "")                                                                                                  \
    X(frexp, 1, 1, "")                                                                                                 \
    X(isnan, 1, 1, "")                                                                                                 \
    X(isinf, 1, 1, "")                                                                                                 \
    X(isfinite, 1, 1, "")                                                                                              \
    X(isclose, 2, 2, "rel_tol abs_tol")

#define X(name, function, grows) static const gd_native native_##name = {#name, math_##name, 1, 1, ""};
GD_MATH_REALS(X)
#undef X
#define X(name, least, most, keywords)                                                                                 \
    static const gd_native native_##name = {#name, math_##name, least, most, keywords};
GD_MATH_OTHERS(X)
#undef X
#define X(name, least, most, keywords)                                                                                 \
    static const gd_native native_##name = {#name, gd_math_##name, least, most, keywords};
GD_MATH_INTEGERS(X)
#undef X

const gd_member gd_members_math[] = {
    {"pi", GD_ANY_FLOAT(M_PI)},
    {"e", GD_ANY_FLOAT(M_E)},
    {"tau", GD_ANY_FLOAT(2 * M_PI)},
    {"inf", GD_ANY_FLOAT((double)INFINITY)},
    {"nan", GD_ANY_FLOAT((double)NAN)},
#define X(name, ...) {#name, GD_ANY_NATIVE(&native_##name)},
    GD_MATH_REALS(X) GD_MATH_OTHERS(X) GD_MATH_INTEGERS(X)
#undef X
        {NULL, GD_NIL},
};
