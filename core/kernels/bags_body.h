/* bags_body.h: what bags.c defines for one floating type: T, and NAME(x), x with the type's suffix. */

/* to += factor * from; whole spans become vectors. */
static void NAME(add_row)(T *restrict to, const T *restrict from, T factor, int64_t n) {
    int64_t i = 0;
    for (; i + SPAN <= n; i += SPAN)
        for (int k = 0; k < SPAN; k++) to[i + k] += factor * from[i + k];
    for (; i < n; i++) to[i] += factor * from[i];
}

static void NAME(greatest)(T *to, int64_t *most, const T *from, int64_t row, bool first, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (first || from[i] > to[i]) to[i] = from[i], most[i] = row;
}

static void NAME(read)(const gd_bags *b, const T *weight, const T *each, T *out, int64_t *size, int64_t *most) {
    const int64_t w = b->width;
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t row = b->index[i], bag = b->bag[i];
        if (row == b->padding) continue;
        if (b->mode == GD_BAG_MAX)
            NAME(greatest)(out + bag * w, most + bag * w, weight + row * w, row, size[bag] == 0, w);
        else
            NAME(add_row)(out + bag * w, weight + row * w, each ? each[i] : 1, w);
        size[bag]++;
    }
    for (int64_t k = 0; k < b->bags && b->mode == GD_BAG_MEAN; k++)
        for (int64_t j = 0; j < w && size[k] > 1; j++) out[k * w + j] /= (T)size[k];
}

static void NAME(slope)(const gd_bags *b, const T *grad, const T *each, const int64_t *size, const int64_t *most,
                        const int64_t *counts, T *out) {
    const int64_t w = b->width;
    for (int64_t k = 0; k < b->bags && b->mode == GD_BAG_MAX; k++)
        for (int64_t j = 0; j < w && size[k] > 0; j++) out[most[k * w + j] * w + j] += grad[k * w + j];
    for (int64_t i = 0; i < b->n && b->mode != GD_BAG_MAX; i++) {
        const int64_t row = b->index[i], bag = b->bag[i];
        T factor = each ? each[i] : 1;
        if (row == b->padding) continue;
        if (counts) factor /= (T)counts[row];
        if (b->mode == GD_BAG_MEAN) factor /= (T)size[bag];
        NAME(add_row)(out + row * w, grad + bag * w, factor, w);
    }
}

static void NAME(slope_each)(const gd_bags *b, const T *grad, const T *weight, T *out) {
    const int64_t w = b->width;
    for (int64_t i = 0; i < b->n; i++) {
        const T *g = grad + b->bag[i] * w, *x = weight + b->index[i] * w;
        T sum = 0;
        for (int64_t j = 0; j < w && b->index[i] != b->padding; j++) sum += g[j] * x[j];
        out[i] = sum;
    }
}

/* ---- segments --------------------------------------------------------------------------------------------------- */

static T NAME(initial)(const gd_segments *s) {
    if (s->has_initial) return (T)s->initial;
    switch (s->mode) {
    case GD_SEGMENT_MAX: return (T)-INFINITY;
    case GD_SEGMENT_MIN: return (T)INFINITY;
    case GD_SEGMENT_PROD: return 1;
    default: return 0;
    }
}

/* One row taken into the running results. */
static void NAME(take)(gd_segment_mode mode, T *restrict to, const T *restrict x, int64_t n) {
    switch (mode) {
    case GD_SEGMENT_MAX:
        for (int64_t j = 0; j < n; j++) to[j] = x[j] != x[j] || to[j] < x[j] ? x[j] : to[j];
        return;
    case GD_SEGMENT_MIN:
        for (int64_t j = 0; j < n; j++) to[j] = x[j] != x[j] || x[j] < to[j] ? x[j] : to[j];
        return;
    case GD_SEGMENT_PROD:
        for (int64_t j = 0; j < n; j++) to[j] *= x[j];
        return;
    default: NAME(add_row)(to, x, 1, n);
    }
}

/* Rows of one element: the run's result in one go. */
static T NAME(line)(gd_segment_mode mode, T to, const T *x, int64_t n) {
    switch (mode) {
    case GD_SEGMENT_MAX:
        for (int64_t i = 0; i < n; i++) to = x[i] != x[i] || to < x[i] ? x[i] : to;
        return to;
    case GD_SEGMENT_MIN:
        for (int64_t i = 0; i < n; i++) to = x[i] != x[i] || x[i] < to ? x[i] : to;
        return to;
    case GD_SEGMENT_PROD:
        for (int64_t i = 0; i < n; i++) to *= x[i];
        return to;
    default:
        for (int64_t i = 0; i < n; i++) to += x[i];
        return to;
    }
}

static void NAME(segments)(const gd_segments *s, const T *data, T *out) {
    const T first = NAME(initial)(s);
    for (int64_t k = 0; k < s->segments; k++, out += s->width) {
        const int64_t length = s->length[k], w = s->width;
        const T empty = s->mode == GD_SEGMENT_MEAN && length == 0 && !s->has_initial ? (T)NAN : first;
        for (int64_t j = 0; j < w; j++) out[j] = empty;
        if (w == 1) *out = NAME(line)(s->mode, *out, data + s->start[k], length);
        for (int64_t i = 0; i < length && w > 1; i++) NAME(take)(s->mode, out, data + (s->start[k] + i) * w, w);
        for (int64_t j = 0; j < w && s->mode == GD_SEGMENT_MEAN && length > 0; j++) out[j] /= (T)length;
    }
}

/* Equal ones share the gradient, but, as in PyTorch, only one above zero. */
static void NAME(share)(const T *x, T y, T g, int64_t step, int64_t n, T *out) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += x[i * step] == y || x[i * step] != x[i * step];
    for (int64_t i = 0; i < n; i++) {
        const bool has = x[i * step] == y || x[i * step] != x[i * step];
        out[i * step] = !has ? 0 : count > 1 && g > 0 ? g / (T)count : g;
    }
}

/* The product divided by each factor; where that is 0 or NaN, the product of the others. */
static void NAME(share_product)(const gd_segments *s, const T *x, T y, T g, int64_t step, int64_t n, T *out) {
    for (int64_t i = 0; i < n; i++) {
        const T v = x[i * step];
        T others = NAME(initial)(s);
        if (v != 0 && v == v) {
            out[i * step] = g * y / v;
            continue;
        }
        for (int64_t k = 0; k < n; k++)
            if (k != i) others *= x[k * step];
        out[i * step] = g * others;
    }
}

static void NAME(segments_slope)(const gd_segments *s, const T *data, const T *out, const T *grad, T *to) {
    const int64_t w = s->width;
    for (int64_t k = 0; k < s->segments; k++)
        for (int64_t j = 0; j < w && s->length[k] > 0; j++) {
            const int64_t n = s->length[k], at = s->start[k] * w + j;
            const T y = out[k * w + j], g = grad[k * w + j], even = s->mode == GD_SEGMENT_MEAN ? g / (T)n : g;
            if (s->mode == GD_SEGMENT_MAX || s->mode == GD_SEGMENT_MIN)
                NAME(share)(data + at, y, g, w, n, to + at);
            else if (s->mode == GD_SEGMENT_PROD)
                NAME(share_product)(s, data + at, y, g, w, n, to + at);
            else
                for (int64_t i = 0; i < n; i++) to[at + i * w] = even;
        }
}
