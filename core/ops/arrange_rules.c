/* arrange_rules.c: derivative rules of the rows in arrange.def that record themselves. */
#include "core/ops/families.h"
#include "core/ops/rules.h"

/* Each matrix gets its part of the diagonal back. */
void gd_bw_block_diag(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int64_t row = 0, column = 0;
    for (int i = 0; i < gd_bw_entries(b, 0); i++) {
        int ndim;
        const int64_t *sizes = gd_bw_entry_sizes(b, 0, i, &ndim);
        int64_t rows = ndim == 2 ? sizes[0] : 1, columns = ndim == 0 ? 1 : sizes[ndim - 1];
        if (gd_bw_needs_entry(b, 0, i)) {
            gd_tensor *g = GX(c, narrow, T_(b->grads[0]), I_(0), I_(row), I_(rows));
            g = GX(c, narrow, T_(g), I_(1), I_(column), I_(columns));
            gd_bw_set_entry(b, 0, i, GX(c, reshape, T_(g), GD_INTS_VALUE(sizes, ndim)));
        }
        row += rows;
        column += columns;
    }
}

/* derivatives.yaml: grad.rot90(-k, dims). */
void gd_bw_rot90(gd_bw *b) {
    int64_t k = gd_bw_arg(b, 1).u.integer % 4;
    gd_bw_set(b, 0, GX(b->ctx, rot90, T_(b->grads[0]), I_(-k), gd_bw_arg(b, 2)));
}

/* derivatives.yaml: grad.diagonal(offset, dim1, dim2). */
void gd_bw_diag_embed(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, diagonal, T_(b->grads[0]), gd_bw_arg(b, 1), gd_bw_arg(b, 2), gd_bw_arg(b, 3)));
}
