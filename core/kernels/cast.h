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

static inline int64_t gd_f64_to_i64(double v) { return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN; }
static inline int32_t gd_f64_to_i32(double v) { return v > -0x1p31 - 1.0 && v < 0x1p31 ? (int32_t)v : INT32_MIN; }
/* Through int32 and cut, as PyTorch's loops do: -1 gives 255. */
static inline uint8_t gd_f64_to_u8(double v) { return (uint8_t)(uint32_t)gd_f64_to_i32(v); }

#endif
