/* grid_body.h: what grid_simd.c defines for one floating type: T, and NAME(x), x with the type's suffix. FLOOR, RINT,
 * TRUNC and FABS are the type's functions. */
/* The taps of one axis: how far each is from the first pixel, in elements, or -1 outside; its weight and the
 * weight's derivative by the grid's number. */
typedef struct NAME(taps) {
    int64_t at[TAPS][BLOCK];
    T weight[TAPS][BLOCK], slope[TAPS][BLOCK];
} NAME(taps);

typedef struct NAME(work) {
    NAME(taps) axis[AXES];
    int64_t at[CORNERS][BLOCK];
    T weight[CORNERS][BLOCK], sum[CORNERS][BLOCK], line[BLOCK];
} NAME(work);

/* A place from [-1, 1] in pixels. */
static inline T NAME(in_pixels)(const gd_grid *g, T v, T size) {
    if (g->n == 2) return g->aligned ? (v + 1) * ((size - 1) / 2) : (v + 1) * (size / 2) - (T)0.5;
    return g->aligned ? ((v + 1) / 2) * (size - 1) : ((v + 1) * size - 1) / 2;
}

/* Into [0, size - 1]; *slope is cleared where that is reached. NaN becomes 0 in images, the end in volumes. */
static inline T NAME(clipped)(const gd_grid *g, T v, T size, T *slope) {
    const T last = size - 1;
    *slope = (v > 0) & (v < last) ? *slope : 0;
    if (g->n == 2) return v > 0 ? (v < last ? v : last) : 0;
    return v < 0 ? 0 : v < last ? v : last;
}

/* Mirrored at the borders (the outermost centres, or half a pixel further) until inside. */
static inline T NAME(reflected)(const gd_grid *g, T v, T size, T *slope) {
    const T low = g->aligned ? 0 : (T)-0.5, twice = g->aligned ? 2 * (size - 1) : 2 * size;
    const T away = FABS(v - low), extra = away - TRUNC(away / twice) * twice, back = twice - extra;
    if (twice <= 0) return *slope = 0, 0;
    *slope = (v < low) != (extra > back) ? -*slope : *slope;
    return (extra > back ? back : extra) + low;
}

static inline T NAME(padded)(const gd_grid *g, T v, T size, T *slope) {
    if (g->padding == GD_GRID_REFLECT) v = NAME(reflected)(g, v, size, slope);
    return g->padding == GD_GRID_ZEROS ? v : NAME(clipped)(g, v, size, slope);
}

static inline int64_t NAME(offset)(T v, T last, int64_t stride) {
    const bool inside = (v >= 0) & (v <= last);
    return inside ? (int64_t)v * stride : -1;
}

static void NAME(nearest_taps)(const gd_grid *g, const T *u, T size, int64_t stride, NAME(taps) * t) {
    POINTS {
        T none = 0;
        t->at[0][p] = NAME(offset)(RINT(NAME(padded)(g, u[p], size, &none)), size - 1, stride);
        t->weight[0][p] = 1;
        t->slope[0][p] = 0;
    }
}

static void NAME(linear_taps)(const gd_grid *g, const T *u, T size, T scale, int64_t stride, NAME(taps) * t) {
    POINTS {
        T slope = scale;
        const T v = NAME(padded)(g, u[p], size, &slope), low = FLOOR(v), part = v - low;
        t->at[0][p] = NAME(offset)(low, size - 1, stride);
        t->at[1][p] = NAME(offset)(low + 1, size - 1, stride);
        t->weight[0][p] = 1 - part;
        t->weight[1][p] = part;
        t->slope[0][p] = -slope;
        t->slope[1][p] = slope;
    }
}

/* Cubic convolution (Keys 1981) with a = -0.75: distances below 1, and from 1 to 2. */
static inline T NAME(near)(T x) { return (((T)1.25 * x - (T)2.25) * x) * x + 1; }
static inline T NAME(far)(T x) { return (((T)-0.75 * x + (T)3.75) * x - 6) * x + 3; }
static inline T NAME(near_slope)(T x) { return ((T)3.75 * x - (T)4.5) * x; }
static inline T NAME(far_slope)(T x) { return ((T)-2.25 * x + (T)7.5) * x - 6; }

static void NAME(cubic_taps)(const gd_grid *g, const T *u, T size, T scale, int64_t stride, NAME(taps) * t) {
    for (int k = 0; k < TAPS; k++) POINTS {
            T none = 0;
            const T at = NAME(padded)(g, FLOOR(u[p]) + (T)(k - 1), size, &none);
            t->at[k][p] = NAME(offset)(at, size - 1, stride);
        }
    POINTS {
        const T x = u[p] - FLOOR(u[p]), y = 1 - x;
        t->weight[0][p] = NAME(far)(x + 1);
        t->weight[1][p] = NAME(near)(x);
        t->weight[2][p] = NAME(near)(y);
        t->weight[3][p] = NAME(far)(y + 1);
        t->slope[0][p] = NAME(far_slope)(x + 1) * scale;
        t->slope[1][p] = NAME(near_slope)(x) * scale;
        t->slope[2][p] = -NAME(near_slope)(y) * scale;
        t->slope[3][p] = -NAME(far_slope)(y + 1) * scale;
    }
}

/* The taps of all axes for m points; the rest of the block repeats the first. */
static int NAME(all_taps)(const gd_grid *g, const T *grid, int m, NAME(work) * w) {
    int64_t stride = 1;
    for (int a = 0; a < g->n; a++) {
        const T size = (T)g->size[a], scale = (g->aligned ? size - 1 : size) / 2;
        POINTS w->line[p] = NAME(in_pixels)(g, grid[(p < m ? p : 0) * g->n + a], size);
        if (g->mode == GD_GRID_NEAREST)
            NAME(nearest_taps)(g, w->line, size, stride, &w->axis[a]);
        else if (g->mode == GD_GRID_LINEAR)
            NAME(linear_taps)(g, w->line, size, scale, stride, &w->axis[a]);
        else
            NAME(cubic_taps)(g, w->line, size, scale, stride, &w->axis[a]);
        stride *= g->size[a];
    }
    return g->mode == GD_GRID_NEAREST ? 1 : g->mode == GD_GRID_LINEAR ? 2 : TAPS;
}

/* One corner from a tap of each axis. Outside ones of images keep their weight, so that NaN shows. */
static void NAME(corner)(const NAME(taps) * x, int i, const NAME(taps) * y, int j, const NAME(taps) * z, int k,
                         int64_t *at, T *weight) {
    POINTS {
        const int64_t ax = x->at[i][p], ay = y->at[j][p], az = z ? z->at[k][p] : 0;
        const T all = y->weight[j][p] * x->weight[i][p];
        at[p] = (ax | ay | az) < 0 ? -1 : ax + ay + az;
        weight[p] = !z ? all : at[p] < 0 ? 0 : z->weight[k][p] * all;
    }
}

static int NAME(corners)(const gd_grid *g, int taps, NAME(work) * w) {
    int n = 0;
    for (int k = 0; k < (g->n == 3 ? taps : 1); k++)
        for (int j = 0; j < taps; j++)
            for (int i = 0; i < taps; i++, n++)
                NAME(corner)(&w->axis[0], i, &w->axis[1], j, g->n == 3 ? &w->axis[2] : NULL, k, w->at[n], w->weight[n]);
    return n;
}

static inline T NAME(value)(const T *x, int64_t at) {
    const T v = x[at < 0 ? 0 : at];
    return at < 0 ? 0 : v;
}

static void NAME(read)(const gd_grid *g, const void *input, const void *grid, void *out) {
    NAME(work) w;
    const int64_t plane = g->size[0] * g->size[1] * g->size[2];
    for (int64_t first = 0; first < g->points; first += BLOCK) {
        const int m = g->points - first < BLOCK ? (int)(g->points - first) : BLOCK;
        const int n = NAME(corners)(g, NAME(all_taps)(g, (const T *)grid + first * g->n, m, &w), &w);
        for (int64_t c = 0; c < g->channels; c++) {
            const T *x = (const T *)input + c * plane;
            POINTS w.line[p] = NAME(value)(x, w.at[0][p]) * w.weight[0][p];
            for (int k = 1; k < n; k++) POINTS w.line[p] += NAME(value)(x, w.at[k][p]) * w.weight[k][p];
            memcpy((T *)out + c * g->points + first, w.line, (size_t)m * sizeof(T));
        }
    }
}

/* The grid's gradient along one axis: each corner's sum times the slope of its tap there. */
static void NAME(axis_slope)(const gd_grid *g, int axis, int taps, int m, const NAME(work) * w, T *out) {
    T total[BLOCK] = {0};
    int corner = 0;
    for (int k = 0; k < (g->n == 3 ? taps : 1); k++)
        for (int j = 0; j < taps; j++)
            for (int i = 0; i < taps; i++, corner++) {
                const T *x = axis == 0 ? w->axis[0].slope[i] : w->axis[0].weight[i];
                const T *y = axis == 1 ? w->axis[1].slope[j] : w->axis[1].weight[j];
                const T *z = axis == 2 ? w->axis[2].slope[k] : w->axis[2].weight[k];
                POINTS {
                    const T slope = x[p] * y[p] * (g->n == 3 ? z[p] : 1);
                    total[p] += g->n == 3 && w->at[corner][p] < 0 ? 0 : slope * w->sum[corner][p];
                }
            }
    for (int p = 0; p < m; p++) out[(int64_t)p * g->n + axis] = total[p];
}

static void NAME(slope)(const gd_grid *g, const void *input, const void *grid, const void *grad, void *input_grad,
                        void *grid_grad) {
    NAME(work) w;
    const int64_t plane = g->size[0] * g->size[1] * g->size[2];
    for (int64_t first = 0; first < g->points; first += BLOCK) {
        const int m = g->points - first < BLOCK ? (int)(g->points - first) : BLOCK;
        const int taps = NAME(all_taps)(g, (const T *)grid + first * g->n, m, &w), n = NAME(corners)(g, taps, &w);
        memset(w.sum, 0, (size_t)n * sizeof w.sum[0]);
        memset(w.line, 0, sizeof w.line);
        for (int64_t c = 0; c < g->channels; c++) {
            const T *x = (const T *)input + c * plane;
            T *to = input_grad ? (T *)input_grad + c * plane : NULL;
            memcpy(w.line, (const T *)grad + c * g->points + first, (size_t)m * sizeof(T));
            for (int k = 0; k < n; k++) {
                POINTS w.sum[k][p] += NAME(value)(x, w.at[k][p]) * w.line[p];
                for (int p = 0; to && p < m; p++)
                    if (w.at[k][p] >= 0) to[w.at[k][p]] += w.weight[k][p] * w.line[p];
            }
        }
        for (int a = 0; a < g->n; a++) NAME(axis_slope)(g, a, taps, m, &w, (T *)grid_grad + first * g->n);
    }
}
