/* special_quantiles_simd.c: functions about the normal distribution in whole vectors of doubles: quantiles, and the
 * scaled complement of erf. Compiled once an instruction set; see special.h for what each kernel computes.
 *
 * Quantiles: M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37
 * (1988): three quotients of polynomials, good to one part in 10^16.
 */
#include "core/kernels/special.h"
#include "core/kernels/special_tables.h"

#include "core/kernels/simd.h"

#include <math.h>
#include <sleef.h>

#if defined(__x86_64__) && GD_ISA_LEVEL == 2
#define LOG Sleef_logd8_u10avx512f
#define EXP Sleef_expd8_u10avx512f
#elif defined(__x86_64__) && GD_ISA_LEVEL == 1
#define LOG Sleef_logd4_u10avx2
#define EXP Sleef_expd4_u10avx2
#elif defined(__x86_64__)
#define LOG Sleef_logd2_u10sse2
#define EXP Sleef_expd2_u10sse2
#else
#define LOG Sleef_logd2_u10
#define EXP Sleef_expd2_u10
#endif

typedef gd_v_double vector;
typedef int64_t mask __attribute__((vector_size(sizeof(vector)), may_alias));
enum { LANES = sizeof(vector) / sizeof(double) };

/* condition ? a : b, lane by lane. */
#define CHOOSE(condition, a, b) ((vector)(((mask)(condition) & (mask)(a)) | (~(mask)(condition) & (mask)(b))))
#define SPLAT(x) GD_SPLAT(double, x)

static inline vector root(vector v) {
    double lane[LANES];
    memcpy(lane, &v, sizeof lane);
    for (int k = 0; k < LANES; k++) lane[k] = __builtin_sqrt(lane[k]);
    memcpy(&v, lane, sizeof v);
    return v;
}

/* c[0] + c[1] x + … + c[7] x^7 */
static inline vector polynomial(const double *c, vector x) {
    vector sum = SPLAT(c[7]);
    for (int k = 6; k >= 0; k--) sum = sum * x + c[k];
    return sum;
}
#define QUOTIENT(table, x) (polynomial(table[0], x) / polynomial(table[1], x))

static const double middle[2][8] = {
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
    {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}};
static const double tail[2][8] = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
static const double far_tail[2][8] = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131745613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};

/* The quantile of the probability 0.5 + q, whose distance to the nearer of 0 and 1 is `rest`. */
static inline vector quantile(vector q, vector rest) {
    const vector size = CHOOSE(q < 0, -q, q), r = root(-LOG(rest));
    const vector inner = q * QUOTIENT(middle, 0.180625 - q * q);
    const vector outer = CHOOSE(r <= 5, QUOTIENT(tail, r - 1.6), QUOTIENT(far_tail, r - 5));
    const vector ends = CHOOSE(rest == 0, SPLAT((double)INFINITY), outer);
    const vector kept = CHOOSE(size <= 0.425, inner, CHOOSE(q < 0, -ends, ends));
    return CHOOSE((rest < 0) | (q != q), SPLAT((double)NAN), kept);
}

static inline vector NDTRI_of(vector p) { return quantile(p - 0.5, CHOOSE(p < 0.5, p, 1 - p)); }

static inline vector ERFINV_of(vector x) {
    return quantile(0.5 * x, 0.5 * (1 - CHOOSE(x < 0, -x, x))) * 0.707106781186547524401;
}

/* A Chebyshev series in (x - 3.75) / (x + 3.75) over 1 + 2 x, for x >= 0; else 2 exp(x x) less its reflection. */
static inline vector ERFCX_of(vector x) {
    const vector size = CHOOSE(x < 0, -x, x), t = (size - 3.75) / (size + 3.75), twice = t + t;
    const int n = sizeof erfcx_all / sizeof *erfcx_all;
    vector a = SPLAT(0), b = SPLAT(0);
    for (int k = n - 1; k > 0; k--) {
        const vector next = twice * a - b + erfcx_all[k];
        b = a;
        a = next;
    }
    const vector near = (t * a - b + erfcx_all[0]) / (1 + size + size);
    const vector series = CHOOSE(size > 1e8, 0.564189583547756286948 / size, near);
    return CHOOSE(x < 0, 2 * EXP(x * x) - series, series);
}

/* PyTorch's float32 form rounds 400 / (4 + x) on the way; its rules subtract what nearly is the result, so the same
 * rounding matters. */
static inline double itself(double x) { return x; }
static inline double rounded_for_erfcx(float x) {
    const float y = 400 / (4 + x);
    return x >= 0 && x < 50 ? 400 / (double)y - 4 : (double)x;
}

/* Whole vectors; the last one is padded. */
#define DEFINE_LOOP(K, T, READ)                                                                                        \
    static void K##_##T(char *const *data, const int64_t *st, int64_t n, const void *extra) {                          \
        (void)extra;                                                                                                   \
        for (int64_t i = 0; i < n; i += LANES) {                                                                       \
            const int64_t count = n - i < LANES ? n - i : LANES;                                                       \
            double lane[LANES];                                                                                        \
            vector v;                                                                                                  \
            for (int64_t k = 0; k < LANES; k++)                                                                        \
                lane[k] = READ(*GD_IN(T, data[1] + (i + (k < count ? k : 0)) * st[1]));                                \
            memcpy(&v, lane, sizeof v);                                                                                \
            v = K##_of(v);                                                                                             \
            memcpy(lane, &v, sizeof lane);                                                                             \
            for (int64_t k = 0; k < count; k++) *GD_OUT(T, data[0] + (i + k) * st[0]) = (T)lane[k];                    \
        }                                                                                                              \
    }
DEFINE_LOOP(NDTRI, float, (double))
DEFINE_LOOP(NDTRI, double, itself)
DEFINE_LOOP(ERFINV, float, (double))
DEFINE_LOOP(ERFINV, double, itself)
DEFINE_LOOP(ERFCX, float, rounded_for_erfcx)
DEFINE_LOOP(ERFCX, double, itself)

#define ROW(K) [GD_SP_##K] = {K##_float, K##_double}
const gd_loop GD_ISA_NAME(gd_quantile_loops)[GD_SP_COUNT][2] = {ROW(NDTRI), ROW(ERFINV), ROW(ERFCX)};
