/* cast.h: conversion of one value between element types, defined for every input.
 *
 * C leaves the conversion of NaN and of too large a float to an integer undefined; here they give the
 * smallest integer, as the x86 instructions do.
 */
#ifndef GD_CAST_H
#define GD_CAST_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline int64_t gd_f64_to_i64(double v) { return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN; }
static inline int32_t gd_f64_to_i32(double v) { return v > -0x1p31 - 1.0 && v < 0x1p31 ? (int32_t)v : INT32_MIN; }
/* Through int32 and cut, as PyTorch's loops do: -1 gives 255. */
static inline uint8_t gd_f64_to_u8(double v) { return (uint8_t)(uint32_t)gd_f64_to_i32(v); }

/* Cut to the type's bits, after int32, as the bytes above. */
static inline int8_t gd_f64_to_i8(double v) { return (int8_t)(uint32_t)gd_f64_to_i32(v); }
static inline int16_t gd_f64_to_i16(double v) { return (int16_t)(uint32_t)gd_f64_to_i32(v); }

/* ---- float16 (IEEE 754 binary16) and bfloat16 (the upper half of a float32) as bits ------------------------------
 * Rounding is to nearest, ties to even; beyond the largest number is infinity. NaN keeps sign and upper payload and
 * becomes quiet, as the F16C instructions have it. From other types the way goes through float32, as PyTorch's. */

static inline float gd_f32_of_bits(uint32_t bits) {
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline uint32_t gd_bits_of_f32(float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

/* The exponent is moved by multiplying, which makes subnormal numbers normal on the way. */
static inline float gd_f16_to_f32(uint16_t h) {
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = (uint32_t)(h & 0x7fff) << 13;
    const float scaled = gd_f32_of_bits(rest) * 0x1p112f;
    const uint32_t special = rest | 0x7f800000 | (rest & 0x007fffff ? 0x00400000 : 0);
    return gd_f32_of_bits(sign | (rest >= 0x0f800000 ? special : gd_bits_of_f32(scaled)));
}

static inline uint16_t gd_f32_to_f16(float v) {
    const uint32_t bits = gd_bits_of_f32(v), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    /* Below 2^-14 steps are of 2^-24: adding 1/2 to a float32 leaves just those. */
    const uint32_t small = gd_bits_of_f32(gd_f32_of_bits(size) + 0.5f) - 0x3f000000;
    const uint32_t normal = (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13;
    const uint32_t special = size > 0x7f800000 ? 0x7e00 | (size >> 13 & 0x3ff) : 0x7c00;
    return (uint16_t)(sign | (size >= 0x477ff000 ? special : size < 0x38800000 ? small : normal));
}

static inline float gd_bf16_to_f32(uint16_t b) { return gd_f32_of_bits((uint32_t)b << 16); }

static inline uint16_t gd_f32_to_bf16(float v) {
    const uint32_t bits = gd_bits_of_f32(v), nan = bits >> 16 | 0x40;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
