/* ctc.h: the loss of connectionist temporal classification (Graves and others 2006), of one sample.
 *
 * A label sequence of length L becomes 2 L + 1 states: blanks around and between the labels. All in logarithms.
 */
#ifndef GD_CTC_H
#define GD_CTC_H

#include "core/tensor/tensor.h"

typedef struct gd_ctc {
    int64_t steps, length; /* steps > 0 of this sample; labels */
    const int64_t *labels; /* `length` of them, each in [0, number of labels) */
    int64_t blank;
    int64_t step, classes; /* elements from one time step to the next, of log_probs and its gradient; classes */
    int64_t width;         /* elements from one row of alpha to the next: at least 2 length + 1 */
} gd_ctc;

/* Fills alpha's first `steps` rows of 2 length + 1 from log_probs; the negative log-likelihood. Float dtypes. */
double gd_ctc_forward(gd_dtype dtype, const gd_ctc *s, const void *log_probs, void *alpha);
/* Writes the gradient of `steps` time steps, of which each class was set to minus infinity; `loss` is what forward
 * gave, `scale` its cotangent; beta: room for 2 rows of 2 length + 1. */
void gd_ctc_backward(gd_dtype dtype, const gd_ctc *s, const void *log_probs, const void *alpha, double loss,
                     double scale, void *beta, void *grad);

#endif
