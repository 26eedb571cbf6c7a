/* rng.h: PyTorch's random numbers, for the inside of libgradd.
 *
 * A Mersenne twister, and the transforms that turn its words into uniforms, normals, integers and permutations
 * in the order PyTorch draws them, so that a seed gives PyTorch's numbers bit for bit.
 */
#ifndef GD_RNG_H
#define GD_RNG_H

#include "core/tensor/tensor.h"

/* Starts the generator afresh: torch.manual_seed. Drops a cached normal. */
void gd_generator_seed(gd_generator *generator, uint64_t seed);
uint32_t gd_generator_u32(gd_generator *generator);  /* the next word */
uint64_t gd_generator_u64(gd_generator *generator);  /* two words, the first one high */
double gd_generator_double(gd_generator *generator); /* in [0, 1), 53 bits, from two words */
float gd_generator_float(gd_generator *generator);   /* in [0, 1), 24 bits, from one word */
double gd_generator_normal(gd_generator *generator); /* keeps the second normal of a pair for the next call */

/* Fill n elements at `out` of a float dtype. */
void gd_random_uniform(gd_generator *generator, gd_dtype dtype, void *out, int64_t n, double from, double to);
void gd_random_normal(gd_generator *generator, gd_dtype dtype, void *out, int64_t n, double mean, double std);
/* One integer in [low, low + range), range > 0 taken modulo 2^64 (0 stands for 2^64). */
int64_t gd_random_integer(gd_generator *generator, int64_t low, uint64_t range);
/* A permutation of 0 … n-1. */
void gd_random_permutation(gd_generator *generator, int64_t *out, int64_t n);

/* Box-Muller over 16 floats: uniforms in, normals out (rng_simd.c; the same bits from every instruction set). */
typedef void (*gd_normal16)(float *data, int64_t blocks, float mean, float std);

#endif
