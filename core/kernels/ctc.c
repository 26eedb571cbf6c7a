/* ctc.c: the loops of ctc_loss (ctc.h): PyTorch's recursions over states and time, in the element's type. */
#include "core/kernels/ctc.h"

#include <math.h>

#define T float
#define NAME(x) x##_float
#define EXP expf
#define LOG logf
#include "core/kernels/ctc_body.h"
#undef T
#undef NAME
#undef EXP
#undef LOG
#define T double
#define NAME(x) x##_double
#define EXP exp
#define LOG log
#include "core/kernels/ctc_body.h"

double gd_ctc_forward(gd_dtype dtype, const gd_ctc *s, const void *log_probs, void *alpha) {
    return dtype == GD_FLOAT32 ? forward_float(s, log_probs, alpha) : forward_double(s, log_probs, alpha);
}

void gd_ctc_backward(gd_dtype dtype, const gd_ctc *s, const void *log_probs, const void *alpha, double loss,
                     double scale, void *beta, void *grad) {
    if (dtype == GD_FLOAT32)
        backward_float(s, log_probs, alpha, (float)loss, (float)scale, beta, grad);
    else
        backward_double(s, log_probs, alpha, loss, scale, beta, grad);
}
