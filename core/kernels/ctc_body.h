/* ctc_body.h: what ctc.c defines for one floating type: T, and NAME(x), x with the type's suffix. EXP and LOG are the
 * type's functions. */

/* The label of state s of the blanks and labels in turn. */
static inline int64_t NAME(label)(const gd_ctc *c, int64_t s) { return s % 2 == 0 ? c->blank : c->labels[s / 2]; }

/* log(exp(a) + exp(b) + exp(c)). */
static inline T NAME(log_sum)(T a, T b, T c) {
    T top = a > b ? a : b;
    if (c > top) top = c;
    if (top == (T)-INFINITY) top = 0;
    return LOG(EXP(a - top) + EXP(b - top) + EXP(c - top)) + top;
}

/* log(exp(a) + exp(b)). */
static inline T NAME(log_add)(T a, T b) {
    const T top = a > b ? a : b, low = a > b ? b : a;
    return low == (T)-INFINITY ? top : LOG(EXP(low - top) + 1) + top;
}

static double NAME(forward)(const gd_ctc *c, const T *log_probs, T *alpha) {
    const int64_t states = 2 * c->length + 1;
    const T none = (T)-INFINITY;
    for (int64_t s = 0; s < states; s++) alpha[s] = s < 2 ? log_probs[NAME(label)(c, s)] : none;
    for (int64_t t = 1; t < c->steps; t++) {
        const T *before = alpha + (t - 1) * c->width, *p = log_probs + t * c->step;
        T *now = alpha + t * c->width;
        for (int64_t s = 0; s < states; s++) {
            const bool skips = s > 1 && NAME(label)(c, s - 2) != NAME(label)(c, s);
            now[s] = NAME(log_sum)(before[s], s > 0 ? before[s - 1] : none, skips ? before[s - 2] : none) +
                     p[NAME(label)(c, s)];
        }
    }
    const T *last = alpha + (c->steps - 1) * c->width;
    return (double)-(states == 1 ? last[0] : NAME(log_sum)(last[states - 1], last[states - 2], none));
}

/* Adds, in logarithms, what passes through each state at one step to its label. */
static void NAME(gather)(const gd_ctc *c, const T *alpha, const T *beta, T *grad) {
    for (int64_t s = 2 * c->length; s >= 0; s--) {
        T *to = &grad[NAME(label)(c, s)];
        *to = NAME(log_add)(*to, alpha[s] + beta[s]);
    }
}

static void NAME(backward)(const gd_ctc *c, const T *log_probs, const T *alpha, T loss, T scale, T *beta, T *grad) {
    const int64_t states = 2 * c->length + 1;
    const T none = (T)-INFINITY;
    T *now = beta, *after = beta + states;
    for (int64_t t = c->steps - 1; t >= 0; t--) {
        const T *p = log_probs + t * c->step;
        T *to = grad + t * c->step, *swap = now;
        for (int64_t s = 0; s < states; s++) {
            const bool skips = s + 2 < states && NAME(label)(c, s + 2) != NAME(label)(c, s);
            const T way = t == c->steps - 1 ? (s + 2 < states ? none : 0)
                                            : NAME(log_sum)(after[s], s + 1 < states ? after[s + 1] : none,
                                                            skips ? after[s + 2] : none);
            now[s] = way + p[NAME(label)(c, s)];
        }
        NAME(gather)(c, alpha + t * c->width, now, to);
        for (int64_t k = 0; k < c->classes; k++) to[k] = (EXP(p[k]) - EXP(to[k] + loss - p[k])) * scale;
        now = after;
        after = swap;
    }
}
