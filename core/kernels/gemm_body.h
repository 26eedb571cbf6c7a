/* gemm_body.h: included by gemm_real.h once for float and once for double; no guard on purpose.
 * REAL is the element, TAG its suffix, VECTOR its vector type, FMA(x, y, z) = x y + z on vectors. */

typedef REAL VECTOR __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
#define LANES ((int64_t)(VECTOR_BYTES / sizeof(REAL)))
#define NR (2 * LANES)
#define BLOCK_COLUMNS (NR * BLOCK_VECTORS)
#define LOCAL(name) NAME3(name, _, TAG)
#define EXPORTED(name) NAME3(NAME3(name, _, TAG), _, GD_ISA)

/* rows x depth of a, as panels of ROWS: panel[k][r]; missing rows are zero. */
static void LOCAL(pack_a)(int64_t rows, int64_t depth, const REAL *a, int64_t row, int64_t column, REAL *to) {
    for (int64_t i = 0; i < rows; i += ROWS) {
        int64_t here = rows - i < ROWS ? rows - i : ROWS;
        for (int64_t k = 0; k < depth; k++, to += ROWS) {
            const REAL *from = a + i * row + k * column;
            for (int64_t r = 0; r < here; r++) to[r] = from[r * row];
            for (int64_t r = here; r < ROWS; r++) to[r] = 0;
        }
    }
}

/* depth x columns of b, as panels of NR columns: panel[k][j]; missing columns are zero. */
static void LOCAL(pack_b)(int64_t depth, int64_t columns, const REAL *b, int64_t row, int64_t column, REAL *to) {
    for (int64_t j = 0; j < columns; j += NR) {
        int64_t here = columns - j < NR ? columns - j : NR;
        for (int64_t k = 0; k < depth; k++, to += NR) {
            const REAL *from = b + k * row + j * column;
            if (here == NR && column == 1) {
                memcpy(to, from, (size_t)NR * sizeof(REAL));
                continue;
            }
            for (int64_t c = 0; c < here; c++) to[c] = from[c * column];
            for (int64_t c = here; c < NR; c++) to[c] = 0;
        }
    }
}

/* tile (ROWS x NR) = panel of a times panel of b. */
static inline void LOCAL(tile)(int64_t depth, const REAL *a, const REAL *b, REAL *tile) {
    VECTOR sum[ROWS][2];
    memset(sum, 0, sizeof sum);
    for (int64_t k = 0; k < depth; k++, a += ROWS, b += NR) {
        VECTOR b0 = *(const VECTOR *)(const void *)b, b1 = *(const VECTOR *)(const void *)(b + LANES);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++) {
            VECTOR x = a[r] - (VECTOR){0};
            sum[r][0] = FMA(x, b0, sum[r][0]);
            sum[r][1] = FMA(x, b1, sum[r][1]);
        }
    }
    memcpy(tile, sum, sizeof sum);
}

/* c = alpha tile + beta c, for the part of the tile that lies inside c. */
static void LOCAL(store)(int64_t rows, int64_t columns, REAL alpha, const REAL *tile, REAL beta, REAL *c, int64_t ldc) {
    for (int64_t r = 0; r < rows; r++, c += ldc, tile += NR) {
        if (beta == 0)
            for (int64_t j = 0; j < columns; j++) c[j] = alpha * tile[j];
        else
            for (int64_t j = 0; j < columns; j++) c[j] = alpha * tile[j] + beta * c[j];
    }
}

/* One packed block of a times one packed block of b. */
static void LOCAL(block)(int64_t rows, int64_t columns, int64_t depth, REAL alpha, const REAL *a, const REAL *b,
                         REAL beta, REAL *c, int64_t ldc) {
    REAL tile[ROWS * NR];
    for (int64_t j = 0; j < columns; j += NR)
        for (int64_t i = 0; i < rows; i += ROWS) {
            LOCAL(tile)(depth, a + i * depth, b + j * depth, tile);
            LOCAL(store)
            (rows - i < ROWS ? rows - i : ROWS, columns - j < NR ? columns - j : NR, alpha, tile, beta, c + i * ldc + j,
             ldc);
        }
}

void EXPORTED(gd_gemm)(int64_t m, int64_t n, int64_t k, REAL alpha, gd_matrix a, gd_matrix b, REAL beta, REAL *c,
                       int64_t ldc) {
    _Alignas(64) REAL packed_a[BLOCK_ROWS * DEPTH];
    _Alignas(64) REAL packed_b[BLOCK_COLUMNS * DEPTH];
    const REAL *pa = a.data, *pb = b.data;
    for (int64_t j = 0; j < n; j += BLOCK_COLUMNS) {
        int64_t columns = n - j < BLOCK_COLUMNS ? n - j : BLOCK_COLUMNS;
        for (int64_t d = 0; d < k; d += DEPTH) {
            int64_t depth = k - d < DEPTH ? k - d : DEPTH;
            LOCAL(pack_b)(depth, columns, pb + d * b.row + j * b.column, b.row, b.column, packed_b);
            for (int64_t i = 0; i < m; i += BLOCK_ROWS) {
                int64_t rows = m - i < BLOCK_ROWS ? m - i : BLOCK_ROWS;
                LOCAL(pack_a)(rows, depth, pa + i * a.row + d * a.column, a.row, a.column, packed_a);
                LOCAL(block)(rows, columns, depth, alpha, packed_a, packed_b, d ? 1 : beta, c + i * ldc + j, ldc);
            }
        }
    }
}

/* Four chains of vectors: enough to hide the latency of an addition. */
REAL EXPORTED(gd_dot)(int64_t n, const REAL *x, const REAL *y) {
    VECTOR sum[4];
    REAL total = 0;
    int64_t i = 0;
    memset(sum, 0, sizeof sum);
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int v = 0; v < 4; v++)
            sum[v] = FMA(*(const VECTOR *)(const void *)(x + i + v * LANES),
                         *(const VECTOR *)(const void *)(y + i + v * LANES), sum[v]);
    sum[0] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (int64_t l = 0; l < LANES; l++) total += sum[0][l];
    for (; i < n; i++) total += x[i] * y[i];
    return total;
}

void EXPORTED(gd_axpy)(int64_t n, REAL alpha, const REAL *x, REAL *y) {
    VECTOR factor = alpha - (VECTOR){0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        VECTOR *to = (VECTOR *)(void *)(y + i);
        *to = FMA(factor, *(const VECTOR *)(const void *)(x + i), *to);
    }
    for (; i < n; i++) y[i] += alpha * x[i];
}

#undef LANES
#undef NR
#undef BLOCK_COLUMNS
#undef LOCAL
#undef EXPORTED
