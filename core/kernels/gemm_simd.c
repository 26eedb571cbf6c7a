/* gemm_simd.c: blocked matrix product, dot product and axpy of floats, compiled once for each instruction set.
 *
 * The product packs a block of b into panels of NR columns and a block of a into panels of MR rows, then runs a
 * micro-kernel that keeps an MR x NR tile of c in registers. Packing takes any strides, so transposes cost nothing. */
#include <string.h>

#include "core/kernels/gemm.h"
#include "core/kernels/gemm_real.h"
