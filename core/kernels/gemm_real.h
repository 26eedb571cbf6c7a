/* gemm_real.h: the body of gemm_simd.c for both real types; it includes its second half once a type. */
#ifndef GD_GEMM_REAL_H
#define GD_GEMM_REAL_H

#ifndef GD_ISA
#define GD_ISA baseline
#define GD_ISA_LEVEL 0
#endif

#define VECTOR_BYTES (GD_ISA_LEVEL == 2 ? 64 : GD_ISA_LEVEL == 1 ? 32 : 16)
#define ROWS (GD_ISA_LEVEL == 2 ? 12 : 6) /* MR: with two vectors a row the tile fills the registers */
#define DEPTH 128                         /* of one packed block, along k */
#define BLOCK_ROWS (ROWS * 4)
#define BLOCK_VECTORS 8 /* panels of two vectors in a packed block of b */

#define PASTE3(a, b, c) a##b##c
#define NAME3(a, b, c) PASTE3(a, b, c)

#if GD_ISA_LEVEL > 0
#include <immintrin.h>
#endif

#define REAL float
#define TAG f32
#define VECTOR vector_f32
#if GD_ISA_LEVEL == 2
#define FMA(x, y, z) ((VECTOR)_mm512_fmadd_ps((__m512)(x), (__m512)(y), (__m512)(z)))
#elif GD_ISA_LEVEL == 1
#define FMA(x, y, z) ((VECTOR)_mm256_fmadd_ps((__m256)(x), (__m256)(y), (__m256)(z)))
#else
#define FMA(x, y, z) ((x) * (y) + (z))
#endif
#include "core/kernels/gemm_body.h"
#undef REAL
#undef TAG
#undef VECTOR
#undef FMA

#define REAL double
#define TAG f64
#define VECTOR vector_f64
#if GD_ISA_LEVEL == 2
#define FMA(x, y, z) ((VECTOR)_mm512_fmadd_pd((__m512d)(x), (__m512d)(y), (__m512d)(z)))
#elif GD_ISA_LEVEL == 1
#define FMA(x, y, z) ((VECTOR)_mm256_fmadd_pd((__m256d)(x), (__m256d)(y), (__m256d)(z)))
#else
#define FMA(x, y, z) ((x) * (y) + (z))
#endif
#include "core/kernels/gemm_body.h"

#endif
