/* kernels.h: loops over elements, for the inside of libgradd. Nothing here knows of gradients.
 *
 * iter.c walks strided, broadcast operands and hands runs to inner loops; cast.c copies between dtypes;
 * the other files hold the loops of one kind each. Loops that gain from wide registers are compiled for several
 * instruction sets and picked once at start (cpu.c).
 */
#ifndef GD_KERNELS_H
#define GD_KERNELS_H

#include "core/tensor/tensor.h"

/* Runs over n elements: operand k starts at data[k] and advances by strides[k] BYTES. Operand 0 is the output. */
typedef void (*gd_loop)(char *const *data, const int64_t *strides, int64_t n, const void *extra);

#define GD_MAX_OPERANDS 5
/* Applies `loop` over operands[0]'s shape; the others broadcast to it (their shapes must be compatible).
 * Merges dimensions where strides allow; never allocates; cannot fail. */
void gd_iterate_in_order(gd_tensor *const *operands, int noperands, gd_loop loop, const void *extra);
/* The same for loops that do not mind the order of elements: follows the output's memory, tiles transposes.
 * (gd_iterate_in_order visits in row-major order.) */
void gd_iterate_any_order(gd_tensor *const *operands, int noperands, gd_loop loop, const void *extra);

/* dst[...] = (dst dtype) src[...] with broadcasting; never allocates. Overlap must have been excluded. */
void gd_copy_values(gd_tensor *dst, const gd_tensor *src);
/* The loop that converts operand 1 to operand 0. */
gd_loop gd_cast_loop(gd_dtype to, gd_dtype from);
/* Writes the number or bool v, converted, as one element of `dtype` at out (8 bytes are enough). */
void gd_convert_value(gd_dtype dtype, const gd_value *v, void *out);
/* New: t itself (retained) if contiguous, else a contiguous copy. Outside the graph. NULL with error. */
gd_tensor *gd_as_contiguous(gd_ctx *ctx, gd_tensor *t);
/* New: t itself (retained) if it has that dtype, else a converted copy. Outside the graph. NULL with error. */
gd_tensor *gd_as_dtype(gd_ctx *ctx, gd_tensor *t, gd_dtype dtype);
/* Fills every element with v (converted). */
void gd_fill_value(gd_tensor *t, const gd_value *v);

/* Instruction sets, best last. Chosen once; GRADD_CPU=baseline|avx2|avx512 lowers it (for tests and diagnosis). */
typedef enum gd_isa { GD_ISA_BASELINE, GD_ISA_AVX2, GD_ISA_AVX512 } gd_isa;
gd_isa gd_cpu_isa(void);

#endif
