/* special_gamma.c: functions of the gamma family of one or two numbers, in double: digamma, polygamma, zeta, igamma.
 *
 * Relations are numbered as in the Digital Library of Mathematical Functions (DLMF).
 */
#include "core/kernels/special.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* B_2k / (2k), the coefficients of digamma's expansion, DLMF 5.11.2. */
static const double bernoulli_over[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                        1.0 / 132, -691.0 / 32760, 1.0 / 12,  -3617.0 / 8160};

/* Upwards to 10 by the recurrence 5.5.2, then the expansion; below 0 by the reflection 5.5.4. */
double gd_digamma(double x) {
    if (x == 0) return copysign(INFINITY, -x);
    if (x < 0) {
        if (x == trunc(x)) return NAN;
        return gd_digamma(1 - x) - pi / tan(pi * (x - trunc(x)));
    }
    if (x == INFINITY) return x;
    double sum = 0, series = 0;
    for (; x < 10; x += 1) sum -= 1 / x;
    double square = 1 / (x * x);
    for (int k = 7; k >= 0; k--) series = (series + bernoulli_over[k]) * square;
    return sum + log(x) - 0.5 / x - series;
}

/* B_2k, for the derivative of the same expansion, DLMF 5.15.8. */
static const double bernoulli[] = {1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
                                   5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510};

double gd_trigamma(double x) {
    double sign = 1, sum = 0, series = 0;
    if (x < 0.5) {
        double s = sin(pi * (x - 2 * floor(x / 2)));
        sign = -1;
        sum = -(pi * pi) / (s * s);
        x = 1 - x;
    }
    if (x == INFINITY) return sign * sum;
    for (; x < 10; x += 1) sum += 1 / (x * x);
    double square = 1 / (x * x);
    for (int k = 7; k >= 0; k--) series = (series + bernoulli[k]) * square;
    return sign * (sum + 1 / x + square / 2 + series / x);
}

/* The sum of (q + k)^-s over k >= 0 by Euler's and Maclaurin's formula, DLMF 25.11.28, from a term beyond 9 on. */
static double zeta_sum(double s, double q) {
    /* B_2k / (2k)! */
    static const double weights[] = {1.0 / 12,
                                     -1.0 / 720,
                                     1.0 / 30240,
                                     -1.0 / 1209600,
                                     1.0 / 47900160,
                                     -691.0 / 1307674368000.0,
                                     1.0 / 74724249600.0,
                                     -3617.0 / 10670622842880000.0,
                                     43867.0 / 5109094217170944000.0};
    double sum = 0, a = q;
    int terms = 0;
    for (; terms < 9 || a <= 9; terms++, a += 1) {
        double term = pow(a, -s);
        sum += term;
        if (a > 0 && fabs(term) < 1e-17 * fabs(sum)) return sum;
    }
    double power = pow(a, -s), rising = s * power / a;
    sum += a * power / (s - 1) + power / 2;
    for (int k = 0; k < 9; k++) {
        double term = weights[k] * rising;
        sum += term;
        if (fabs(term) < 1e-17 * fabs(sum)) break;
        rising *= (s + 2 * k + 1) * (s + 2 * k + 2) / (a * a);
    }
    return sum;
}

/* Far below zero: the terms before zero are a difference of two sums upwards, with (-1)^s for their sign. */
static double zeta_far_below(double s, double q) {
    double above = q - floor(q), sign = fmod(s, 2) == 0 ? 1 : -1;
    return zeta_sum(s, above) + sign * (zeta_sum(s, 1 - above) - zeta_sum(s, 1 - q));
}

double gd_zeta(double s, double q) {
    if (s == 1) return INFINITY;
    if (!(s > 1)) return NAN;
    if (q <= 0 && q == floor(q)) return INFINITY;
    if (q <= 0 && s != floor(s)) return NAN; /* (q + k)^-s is not real */
    if (isnan(q) || s == INFINITY) return isnan(q) ? q : q > 1 ? 0 : q == 1 ? 1 : INFINITY;
    return q < -50 ? zeta_far_below(s, q) : zeta_sum(s, q);
}

/* (-1)^(n+1) n! zeta(n + 1, x), DLMF 25.11.12. */
double gd_polygamma(int64_t n, double x) {
    if (n == 0) return gd_digamma(x);
    if (n == 1) return gd_trigamma(x);
    double size = exp(lgamma((double)n + 1)) * gd_zeta((double)n + 1, x);
    return n % 2 ? size : -size;
}

/* ---- the incomplete gamma functions ------------------------------------------------------------------------ */

/* x^a exp(-x) / gamma(a + 1). For large a by Stirling's formula around x = a, so that nothing cancels. */
static double igamma_factor(double a, double x) {
    if (a < 100) return exp(a * log(x) - x - lgamma(a + 1));
    double u = (x - a) / a, stirling = 1 / (12 * a) - 1 / (360 * a * a * a);
    double distance = fabs(u) < 0.4 ? log1p(u) - u : log(x / a) - u;
    return exp(a * distance - stirling) / sqrt(2 * pi * a);
}

/* The lower one as a series, DLMF 8.11.4. */
static double igamma_series(double a, double x) {
    double term = 1, sum = 1;
    for (double n = a + 1; term > 1e-17 * sum && n < a + 4000; n += 1) {
        term *= x / n;
        sum += term;
    }
    return igamma_factor(a, x) * sum;
}

/* The upper one as a continued fraction, DLMF 8.9.2, by Lentz's method. */
static double igammac_fraction(double a, double x) {
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 4000; i++) {
        double step = -i * ((double)i - a);
        b += 2;
        d = 1 / (step * d + b);
        c = b + step / c;
        double factor = c * d;
        h *= factor;
        if (fabs(factor - 1) < 1e-16) break;
    }
    return igamma_factor(a, x) * a * h;
}

/* Temme's uniform expansion, DLMF 8.12: for a so large that three terms do. The upper one. */
static double igammac_uniform(double a, double x) {
    double mu = (x - a) / a, distance = log1p(mu) - mu; /* -eta^2 / 2 */
    double eta = copysign(sqrt(-2 * distance), mu), c0, c1;
    if (fabs(eta) < 0.05) {
        c0 = -1.0 / 3 + eta * (1.0 / 12 + eta * (-2.0 / 135 + eta * (1.0 / 864 + eta / 2835)));
        c1 = -1.0 / 540 + eta * (-1.0 / 288 + eta * (25.0 / 12096));
    } else {
        c0 = 1 / mu - 1 / eta;
        c1 = 1 / (eta * eta * eta) - 1 / (mu * mu * mu) - 1 / (mu * mu) - 1 / (12 * mu);
    }
    return 0.5 * erfc(eta * sqrt(a / 2)) + exp(a * distance) / sqrt(2 * pi * a) * (c0 + c1 / a);
}

/* Both from whichever is small or quickly had; `upper` is wanted. */
static double igamma_either(double a, double x, bool upper) {
    if (a > 2e4) {
        /* far from a the answer is 0 or 1 */
        if (x < 0.2 * a) return upper;
        if (x > 5 * a) return !upper;
        double q = igammac_uniform(a, x);
        return upper ? q : 1 - q;
    }
    bool series = x <= 1.1 || x < a;
    double r = series ? igamma_series(a, x) : igammac_fraction(a, x);
    return series == upper ? 1 - r : r;
}

static double igamma_checked(double a, double x, bool upper) {
    if (!(x >= 0 && a >= 0)) return NAN;
    if (a == 0) return x > 0 ? (upper ? 0 : 1) : NAN;
    if (x == 0) return upper;
    if (isinf(a)) return isinf(x) ? NAN : upper;
    if (isinf(x)) return !upper;
    return igamma_either(a, x, upper);
}

double gd_igamma(double a, double x) { return igamma_checked(a, x, false); }
double gd_igammac(double a, double x) { return igamma_checked(a, x, true); }
