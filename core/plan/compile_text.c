/* compile_text.c: what people and tests read of a plan: one line a unit. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/compiler.h"

static const char *const kernel_names[GD_K_COUNT] = {
#define X(name) [GD_K_##name] = #name,
    GD_KERNELS(X)
#undef X
};

typedef struct gd_line {
    char text[4096];
    size_t n;
} gd_line;

static void say(gd_line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(gd_line *l, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(l->text + l->n, sizeof l->text - l->n, format, list);
    va_end(list);
    l->n += n > 0 ? (size_t)n : 0;
    if (l->n >= sizeof l->text) l->n = sizeof l->text - 1;
}

static void say_kernel(gd_line *l, int kernel) {
    for (const char *p = kernel_names[kernel]; *p; p++) say(l, "%c", tolower(*p));
}

static void say_member(gd_line *l, const gd_compiler *c, const gd_cnode *node) {
    const gd_cvalue *out = &c->values[node->out];
    say(l, " ");
    if (node->kind == GD_N_SUM)
        say(l, "sum");
    else if (node->kernel == GD_C_CAST)
        say(l, "to_%s", gd_dtype_name(out->dtype));
    else if (node->kernel < 0)
        say(l, "loop");
    else
        say_kernel(l, node->kernel);
    if (node->kind == GD_N_POINTWISE && out->stored) say(l, "!");
}

static void say_fused(gd_line *l, const gd_compiler *c, int32_t unit, const gd_fused *f) {
    const gd_cunit *u = &c->units[unit];
    const gd_cvalue *out = &c->values[c->nodes[u->first].out];
    say(l, "fused %lld %s%s", (long long)f->numel, gd_dtype_name(out->dtype), f->rows ? " by rows" : "");
    if (f->ngathers) say(l, " gathering %d", f->ngathers);
    say(l, ":");
    for (int32_t n = u->first; n >= 0; n = c->nodes[n].next) say_member(l, c, &c->nodes[n]);
}

const char *gd_c_text(gd_compiler *c, int32_t unit, const gd_unit *made) {
    gd_line l = {.n = 0};
    switch (made->kind) {
    case GD_UNIT_FUSED: say_fused(&l, c, unit, made->fused); break;
    case GD_UNIT_REDUCE: say(&l, "sum"); break;
    case GD_UNIT_FILL: say(&l, unit < 0 ? "copy" : made->zero ? "pad" : "join"); break;
    default: say(&l, "op %s%s", made->op->name, made->inplace ? "_" : "");
    }
    char *text = gd_c_keep(c, l.n + 1, 1);
    if (text) memcpy(text, l.text, l.n);
    return text;
}

char *gd_plan_describe(const gd_plan *plan) {
    size_t bytes = 1;
    for (int32_t i = 0; i < plan->nunits; i++) bytes += strlen(plan->units[i].text) + 1;
    char *all = malloc(bytes), *at = all;
    for (int32_t i = 0; all && i < plan->nunits; i++) {
        size_t n = strlen(plan->units[i].text);
        memcpy(at, plan->units[i].text, n);
        at[n] = '\n';
        at += n + 1;
    }
    if (all) *at = '\0';
    return all;
}
