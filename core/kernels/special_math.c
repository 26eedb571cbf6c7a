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

double gd_log_ndtr(double x) {
    double t = x * 0.707106781186547524401;
    return x < -1 ? log(gd_erfcx(-t) / 2) - t * t : log1p(-erfc(t) / 2);
}
