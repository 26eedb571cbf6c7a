/* special_math.c: Bessel and error functions of one number, in double.
 *
 * Smooth factors are Chebyshev sums (special_tables.h); what is singular or grows is taken out by formula. Relations
 * are numbered as in the Digital Library of Mathematical Functions (DLMF).
 */
#include "core/kernels/special.h"
#include "core/kernels/special_tables.h"

#include <math.h>

/* Sum of c[k] T_k(t) by Clenshaw's recurrence. */
static double chebyshev(const double *c, int n, double t) {
    double b1 = 0, b2 = 0;
    for (int k = n - 1; k > 0; k--) {
        double b = 2 * t * b1 - b2 + c[k];
        b2 = b1;
        b1 = b;
    }
    return t * b1 - b2 + c[0];
}
#define SUM(table, t) chebyshev(table, (int)(sizeof(table) / sizeof(*(table))), (t))

/* ---- modified Bessel functions ------------------------------------------------------------------- */

double gd_bessel_i0e(double x) {
    double y = fabs(x);
    if (y <= 8) return SUM(i0_near, y / 4 - 1);
    return SUM(i0_far, 16 / y - 1) / sqrt(y);
}

double gd_bessel_i1e(double x) {
    double y = fabs(x);
    double r = y <= 8 ? y * SUM(i1_near, y / 4 - 1) : SUM(i1_far, 16 / y - 1) / sqrt(y);
    return x < 0 ? -r : r;
}

/* exp in two halves: e^x alone overflows sooner than the product. */
static double times_exp(double factor, double x) {
    double half = exp(x / 2);
    return factor * half * half;
}

double gd_bessel_i0(double x) { return isinf(x) ? INFINITY : times_exp(gd_bessel_i0e(x), fabs(x)); }
double gd_bessel_i1(double x) { return isinf(x) ? x : times_exp(gd_bessel_i1e(x), fabs(x)); }

double gd_bessel_k0e(double x) {
    if (x == 0) return INFINITY;
    if (!(x > 0)) return NAN;
    if (x > 2) return SUM(k0_far, 4 / x - 1) / sqrt(x);
    return (SUM(k0_near, x * x / 2 - 1) - log(x / 2) * gd_bessel_i0(x)) * exp(x);
}

double gd_bessel_k1e(double x) {
    if (x == 0) return INFINITY;
    if (!(x > 0)) return NAN;
    if (x > 2) return SUM(k1_far, 4 / x - 1) / sqrt(x);
    return (SUM(k1_near, x * x / 2 - 1) / x + log(x / 2) * gd_bessel_i1(x)) * exp(x);
}

double gd_bessel_k0(double x) { return x == INFINITY ? 0 : gd_bessel_k0e(x) * exp(-x); }
double gd_bessel_k1(double x) { return x == INFINITY ? 0 : gd_bessel_k1e(x) * exp(-x); }

/* sin(x) / x; near 0 its Taylor series. */
double gd_spherical_j0(double x) {
    if (isinf(x)) return 0;
    if (fabs(x) >= 0.5) return sin(x) / x;
    double square = x * x, term = 1, sum = 1;
    for (int k = 1; k < 8; k++) {
        term *= -square / (double)(2 * k * (2 * k + 1));
        sum += term;
    }
    return sum;
}

/* ---- error functions --------------------------------------------------------------------------------------- */

double gd_erfcx(double x) {
    if (x < 0) return x < -26.7 ? INFINITY : 2 * exp(x * x) - gd_erfcx(-x);
    if (x > 1e8) return 0.564189583547756286948 / x;
    return SUM(erfcx_all, (x - 3.75) / (x + 3.75)) / (1 + 2 * x);
}

/* y > 0 with erfc(y) = q for q in (0, 1): Halley's method on log erfc, whose slope is -h, h = 2 / (sqrt(pi) erfcx(y)),
 * and whose second derivative h (2 y - h). The start, good to 0.002, is Winitzki's: log(q (2 - q)) in place of
 * log(1 - x x). Each step cubes the error. */
static double erfc_inverse(double q) {
    const double a = 0.147, root_pi = 1.77245385090551602730, wanted = log(q);
    double l = wanted + log(2 - q), h = 4.33074675079020 + l / 2; /* 2 / (pi a) */
    double y = sqrt(sqrt(h * h - l / a) - h);
    for (int i = 0; i < 2; i++) {
        double scaled = gd_erfcx(y), slope = 2 / (root_pi * scaled), step = (log(scaled) - y * y - wanted) / slope;
        y += step / (1 - step * (y - slope / 2));
    }
    return y;
}

/* y with erf(y) = x for |x| <= 0.5: Halley's method from four terms of the series at 0. */
static double erf_inverse(double x) {
    const double root_pi = 1.77245385090551602730, z = x * x;
    double y = x * root_pi / 2 * (1 + z * (0.261799387799149 + z * (0.143931730849219 + z * 0.0976636195255)));
    for (int i = 0; i < 2; i++) {
        double step = (erf(y) - x) * exp(y * y) * root_pi / 2;
        y -= step / (1 + y * step);
    }
    return y;
}

double gd_erfinv(double x) {
    double y = fabs(x);
    if (!(y <= 1)) return NAN;
    if (y == 1) return copysign(INFINITY, x);
    return y <= 0.5 ? erf_inverse(x) : copysign(erfc_inverse(1 - y), x);
}

/* The p-quantile of the normal distribution is -sqrt(2) times the inverse of erfc at 2 p. */
double gd_ndtri(double p) {
    const double root2 = 1.41421356237309504880;
    if (p == 0) return -INFINITY;
    if (p == 1) return INFINITY;
    if (!(p > 0 && p < 1)) return NAN;
    if (p < 0.25) return -root2 * erfc_inverse(2 * p);
    if (p > 0.75) return root2 * erfc_inverse(2 * (1 - p));
    return root2 * erf_inverse(2 * p - 1);
}

double gd_log_ndtr(double x) {
    double t = x * 0.707106781186547524401;
    return x < -1 ? log(gd_erfcx(-t) / 2) - t * t : log1p(-erfc(t) / 2);
}
