/* parser_parameters.c: the parameters of def and lambda, and what CPython says of wrong ones. */
#include "core/program/parser.h"

/* ---- one parameter ----------------------------------------------------------------------------------------------- */

static gd_ast *annotation(gd_parser *p, bool starred) {
    gd_p_skip(p);
    return starred ? gd_p_star_expression(p) : gd_p_expression(p);
}

/* name [: annotation]. Annotations are def's alone. */
static gd_ast_param *parameter(gd_parser *p, gd_token_kind close, bool starred) {
    const gd_token *from = p->t;
    if (gd_p_kind(p) != GD_T_NAME) return NULL;
    gd_ast_param *q = gd_tree_alloc(p->tree, sizeof *q);
    if (!q) return gd_p_no_memory(p);
    *q = (gd_ast_param){.name = gd_p_name(p), .at = from->at};
    if (close == GD_T_RPAR && gd_p_kind(p) == GD_T_COLON) {
        q->annotation = annotation(p, starred);
        if (!q->annotation) return NULL;
        q->at = gd_p_range(from->at, p->t[-1].at);
    }
    return q;
}

/* = value. False without an expression. */
static bool default_value(gd_parser *p, gd_ast **out) {
    const gd_token *from = p->t;
    gd_p_skip(p);
    *out = gd_p_expression(p);
    if (*out) return true;
    if (p->diagnose && !p->failed && (from[1].kind == GD_T_RPAR || from[1].kind == GD_T_COMMA))
        gd_p_fail(p, from->at, "expected default value expression");
    return false;
}

static bool separated(gd_parser *p, gd_token_kind close) { return gd_p_accept(p, GD_T_COMMA) || gd_p_kind(p) == close; }

typedef enum gd_p_wanted { PLAIN, DEFAULTED, EITHER } gd_p_wanted;

/* One with its comma, of the wanted sort; else back where it was. */
static gd_ast_param *one(gd_parser *p, gd_token_kind close, gd_p_wanted wanted) {
    const gd_token *from = p->t;
    gd_ast_param *q = parameter(p, close, false);
    if (q && gd_p_kind(p) == GD_T_ASSIGN) {
        if (wanted != PLAIN && default_value(p, &q->value) && separated(p, close)) return q;
    } else if (q && wanted != DEFAULTED && separated(p, close)) {
        return q;
    }
    p->t = from;
    return NULL;
}

static uint32_t several(gd_parser *p, gd_token_kind close, gd_p_wanted wanted) {
    uint32_t n = 0;
    while (one(p, close, wanted)) n++;
    return n;
}

/* ---- what is wrong ----------------------------------------------------------------------------------------------- */

static bool slash(gd_parser *p, gd_token_kind close) { return gd_p_accept(p, GD_T_SLASH) && separated(p, close); }

static void order_of_defaults(gd_parser *p, gd_token_kind close) {
    const gd_token *from = p->t;
    several(p, close, PLAIN);
    uint32_t defaults = several(p, close, DEFAULTED);
    const gd_token *behind = p->t;
    if (defaults && !slash(p, close)) p->t = behind;
    const gd_token *at = p->t;
    gd_ast_param *q = defaults ? one(p, close, PLAIN) : NULL;
    if (!q && defaults) {
        p->t = at = behind;
        q = one(p, close, PLAIN);
    }
    if (q) gd_p_fail(p, q->at, "non-default argument follows default argument");
    p->t = from;
}

static void in_parentheses(gd_parser *p, gd_token_kind close) {
    const gd_token *from = p->t;
    several(p, close, PLAIN);
    const gd_token *open = p->t;
    uint32_t n = 0;
    if (gd_p_accept(p, GD_T_LPAR)) {
        if (close == GD_T_COLON) {
            while (parameter(p, close, false) && ++n && gd_p_accept(p, GD_T_COMMA)) {
            }
        } else {
            n = several(p, GD_T_RPAR, PLAIN);
        }
        gd_p_accept(p, GD_T_COMMA);
        if (n && gd_p_kind(p) == GD_T_RPAR)
            gd_p_fail(p, gd_p_range(open->at, p->t->at), "%s parameters cannot be parenthesized",
                      close == GD_T_COLON ? "Lambda expression" : "Function");
    }
    p->t = from;
}

/* Parameters up to a slash; false: there is none. */
static bool up_to_slash(gd_parser *p, gd_token_kind close) {
    const gd_token *from = p->t;
    if (several(p, close, PLAIN) + several(p, close, DEFAULTED) && slash(p, close)) return true;
    p->t = from;
    return false;
}

static void slashes(gd_parser *p, gd_token_kind close) {
    const gd_token *from = p->t;
    if (gd_p_kind(p) == GD_T_SLASH && gd_p_follows(p, GD_T_COMMA))
        gd_p_fail(p, from->at, "at least one argument must precede /");
    if (up_to_slash(p, close)) {
        several(p, close, EITHER);
        if (gd_p_kind(p) == GD_T_SLASH) gd_p_fail(p, p->t->at, "/ may appear only once");
    }
    p->t = from;
    up_to_slash(p, close);
    several(p, close, EITHER);
    if (gd_p_accept(p, GD_T_STAR) && (gd_p_accept(p, GD_T_COMMA) || one(p, close, PLAIN))) {
        several(p, close, EITHER);
        if (gd_p_kind(p) == GD_T_SLASH) gd_p_fail(p, p->t->at, "/ must be ahead of *");
    }
    p->t = from;
    if (several(p, close, EITHER) && gd_p_accept(p, GD_T_SLASH) && gd_p_kind(p) == GD_T_STAR)
        gd_p_fail(p, p->t->at, "expected comma between / and *");
    p->t = from;
}

void gd_p_invalid_parameters(gd_parser *p, gd_token_kind close) {
    order_of_defaults(p, close);
    if (!p->failed) in_parentheses(p, close);
    if (!p->failed) slashes(p, close);
}

/* At a star. */
static void invalid_star(gd_parser *p, gd_token_kind close) {
    const gd_token *from = p->t;
    gd_p_skip(p);
    bool comma = gd_p_accept(p, GD_T_COMMA);
    if (gd_p_kind(p) == close || (comma && gd_p_kind(p) == GD_T_DSTAR)) {
        if (close == GD_T_COLON)
            gd_p_fail_far(p, "named arguments must follow bare *");
        else
            gd_p_fail(p, from->at, "named arguments must follow bare *");
    }
    if (!comma && parameter(p, close, false) && gd_p_kind(p) == GD_T_ASSIGN)
        gd_p_fail(p, p->t->at, "var-positional argument cannot have default value");
    p->t = from + 1;
    if (gd_p_accept(p, GD_T_COMMA) || one(p, close, PLAIN)) {
        several(p, close, EITHER);
        const gd_token *star = p->t;
        if (gd_p_accept(p, GD_T_STAR) && (gd_p_accept(p, GD_T_COMMA) || one(p, close, PLAIN)))
            gd_p_fail(p, star->at, "* argument may appear only once");
    }
    p->t = from;
}

/* At two stars. */
static void invalid_double_star(gd_parser *p, gd_token_kind close) {
    const gd_token *from = p->t;
    gd_p_skip(p);
    if (parameter(p, close, false)) {
        if (gd_p_kind(p) == GD_T_ASSIGN) gd_p_fail(p, p->t->at, "var-keyword argument cannot have default value");
        const gd_token *at = gd_p_accept(p, GD_T_COMMA) ? p->t : NULL;
        gd_ast_param *q = at ? parameter(p, close, false) : NULL;
        bool sign = at && (at->kind == GD_T_STAR || at->kind == GD_T_DSTAR || at->kind == GD_T_SLASH);
        if (q || sign) gd_p_fail(p, q ? q->at : at->at, "arguments cannot follow var-keyword argument");
    }
    p->t = from;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

typedef struct gd_p_params {
    gd_parser *p;
    gd_token_kind close;
    gd_ast_param *first, **tail;
    bool slash, star, defaults, dstar; /* what has come */
} gd_p_params;

static void add(gd_p_params *f, gd_ast_param *q, gd_ast_param_kind kind) {
    q->kind = kind;
    *f->tail = q;
    f->tail = &q->next;
}

/* What may be in front of a slash. */
static bool take_slash(gd_p_params *f) {
    if (f->slash || f->star || !f->first) return false;
    f->slash = true;
    for (gd_ast_param *q = f->first; q; q = q->next) q->positional_only = true;
    gd_p_skip(f->p);
    return true;
}

static bool take_star(gd_p_params *f) {
    gd_parser *p = f->p;
    if (p->diagnose) invalid_star(p, f->close);
    if (p->failed || f->star) return false;
    f->star = true;
    gd_p_skip(p);
    if (gd_p_kind(p) == GD_T_COMMA) { /* a star alone: one by keyword must follow */
        return gd_p_follows(p, GD_T_NAME);
    }
    gd_ast_param *q = parameter(p, f->close, true);
    if (q) add(f, q, GD_PARAM_STAR);
    return q != NULL;
}

static bool take_double_star(gd_p_params *f) {
    gd_parser *p = f->p;
    if (p->diagnose) invalid_double_star(p, f->close);
    if (p->failed) return false;
    f->dstar = true;
    gd_p_skip(p);
    gd_ast_param *q = parameter(p, f->close, false);
    if (q) add(f, q, GD_PARAM_DSTAR);
    return q != NULL;
}

static bool take_name(gd_p_params *f) {
    gd_parser *p = f->p;
    gd_ast_param *q = parameter(p, f->close, false);
    if (!q) return false;
    if (gd_p_kind(p) == GD_T_ASSIGN) {
        if (!default_value(p, &q->value)) return false;
    } else if (f->defaults && !f->star) {
        return false;
    }
    f->defaults |= q->value != NULL;
    add(f, q, f->star ? GD_PARAM_KEYWORD : GD_PARAM_PLAIN);
    return true;
}

static bool take(gd_p_params *f) {
    switch (gd_p_kind(f->p)) {
    case GD_T_SLASH: return take_slash(f);
    case GD_T_STAR: return take_star(f);
    case GD_T_DSTAR: return take_double_star(f);
    default: return take_name(f);
    }
}

static void check_names(gd_parser *p, const gd_ast_param *q) {
    static const gd_ast_param_kind order[] = {GD_PARAM_PLAIN, GD_PARAM_KEYWORD, GD_PARAM_STAR, GD_PARAM_DSTAR};
    uint32_t stamp = ++p->stamp;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        for (const gd_ast_param *r = q; r; r = r->next) {
            if (r->kind != order[i]) continue;
            gd_name *name = gd_name_of(r->name);
            if (name->stamp == stamp)
                gd_p_late_error(p, GD_LATE_NAMES, r->at, "duplicate argument '%.200s' in function definition", r->name);
            name->stamp = stamp;
        }
}

bool gd_p_parameters(gd_parser *p, gd_token_kind close, gd_ast_param **out) {
    gd_p_params f = {.p = p, .close = close, .tail = &f.first};
    while (gd_p_kind(p) != close && !f.dstar) {
        if (!take(&f)) return false;
        if (!gd_p_accept(p, GD_T_COMMA)) break;
    }
    if (gd_p_kind(p) != close) return false;
    check_names(p, f.first);
    *out = f.first;
    return true;
}
