/* grid_simd.c: the loops of grid_sample, over blocks of points. Compiled once an instruction set.
 *
 * PyTorch computes images with vectors and volumes one by one, with slightly different formulas and other results for
 * NaN; both are followed here.
 */
#include "core/kernels/grid.h"

#include <math.h>
#include <string.h>

#include "core/kernels/simd.h"

enum { BLOCK = 64, TAPS = 4, CORNERS = 16, AXES = 3 };

#define POINTS for (int p = 0; p < BLOCK; p++)

#define T float
#define NAME(x) x##_float
#define FLOOR floorf
#define RINT rintf
#define TRUNC truncf
#define FABS fabsf
#include "core/kernels/grid_body.h"
#undef T
#undef NAME
#undef FLOOR
#undef RINT
#undef TRUNC
#undef FABS
#define T double
#define NAME(x) x##_double
#define FLOOR floor
#define RINT rint
#define TRUNC trunc
#define FABS fabs
#include "core/kernels/grid_body.h"

const gd_grid_table GD_ISA_NAME(gd_grid_table) = {.read = {read_float, read_double},
                                                  .slope = {slope_float, slope_double}};
