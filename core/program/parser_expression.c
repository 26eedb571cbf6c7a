/* parser_expression.c: expressions by precedence: from star_expressions down to calls, attributes and subscripts. */
#include "core/program/parser.h"

/* ---- operators of two sides -------------------------------------------------------------------------------------- */

typedef struct gd_p_infix {
    uint8_t op, level; /* level 0: none; higher binds more */
} gd_p_infix;

static const gd_p_infix infixes[GD_T_COUNT] = {
    [GD_T_VBAR] = {GD_PY_OR, 1},         [GD_T_CARET] = {GD_PY_XOR, 2},     [GD_T_AMPER] = {GD_PY_AND, 3},
    [GD_T_LSHIFT] = {GD_PY_LSHIFT, 4},   [GD_T_RSHIFT] = {GD_PY_RSHIFT, 4}, [GD_T_PLUS] = {GD_PY_ADD, 5},
    [GD_T_MINUS] = {GD_PY_SUB, 5},       [GD_T_STAR] = {GD_PY_MUL, 6},      [GD_T_SLASH] = {GD_PY_TRUEDIV, 6},
    [GD_T_DSLASH] = {GD_PY_FLOORDIV, 6}, [GD_T_PERCENT] = {GD_PY_MOD, 6},   [GD_T_AT] = {GD_PY_MATMUL, 6},
};

/* `from`: where it begins, which may be a parenthesis before the left side; so for all that follow. */
static gd_ast *binary_node(gd_parser *p, gd_ast_op op, const gd_token *from, gd_ast *left, gd_ast *right) {
    gd_ast *node = gd_p_new_from(p, GD_X_BINARY, from->at);
    if (!node) return NULL;
    node->op = (uint8_t)op;
    node->u.binary.left = left;
    node->u.binary.right = right;
    return gd_p_done(p, node);
}

static gd_ast *factor(gd_parser *p);
static gd_ast *primary(gd_parser *p);

/* An operator that nothing follows is not taken; the first pass then fails at once. */
static gd_ast *give_back(gd_parser *p, const gd_token *mark, gd_ast *left) {
    if (p->failed || !p->memo) return NULL;
    p->t = mark;
    return left;
}

static gd_ast *binary(gd_parser *p, uint8_t least) {
    const gd_token *from = p->t;
    gd_ast *left = factor(p);
    for (gd_p_infix in; left && (in = infixes[gd_p_kind(p)]).level >= least && in.level;) {
        const gd_token *mark = p->t;
        gd_p_skip(p);
        gd_ast *right = binary(p, (uint8_t)(in.level + 1));
        if (!right) return give_back(p, mark, left);
        left = binary_node(p, (gd_ast_op)in.op, from, left, right);
    }
    return left;
}

gd_ast *gd_p_bitwise_or(gd_parser *p) { return binary(p, 1); }

static gd_ast *power(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast *base = gd_p_primary(p);
    if (!base || gd_p_kind(p) != GD_T_DSTAR) return base;
    const gd_token *mark = p->t;
    gd_p_skip(p);
    if (!gd_p_deeper_in(p)) return NULL;
    gd_ast *exponent = factor(p);
    p->depth--;
    return exponent ? binary_node(p, GD_PY_POWER, from, base, exponent) : give_back(p, mark, base);
}

static gd_ast_op sign(gd_token_kind kind) {
    return kind == GD_T_MINUS   ? GD_PY_NEG
           : kind == GD_T_PLUS  ? GD_PY_POS
           : kind == GD_T_TILDE ? GD_PY_INVERT
                                : GD_PY_NO;
}

static void *too_large(gd_parser *p, const gd_ast *number) {
    return gd_p_fail(p, number->at, "integer literal too large: this language has 64-bit integers");
}

/* -9223372036854775808 is a number although what follows its minus is none. */
static gd_ast *negative_lowest(gd_parser *p, gd_ast *node, const gd_token *minus) {
    gd_ast *lowest = p->lowest;
    p->lowest = NULL;
    if (node != lowest) return too_large(p, lowest);
    node->at = gd_p_range(minus->at, node->at);
    return node;
}

/* Signs are gathered in a loop: there may be many. */
static gd_ast *factor(gd_parser *p) {
    const gd_token *first = p->t;
    while (sign(gd_p_kind(p))) gd_p_skip(p);
    const gd_token *sign_token = p->t;
    if (sign_token == first) return power(p);
    p->negated = sign_token[-1].kind == GD_T_MINUS ? sign_token : NULL;
    gd_ast *node = power(p);
    if (!node) return NULL;
    if (p->lowest) node = negative_lowest(p, node, --sign_token);
    while (node && sign_token > first) {
        gd_ast *outer = gd_p_new_from(p, GD_X_UNARY, (--sign_token)->at);
        if (!outer) return NULL;
        outer->op = (uint8_t)sign((gd_token_kind)sign_token->kind);
        outer->u.value = node;
        node = gd_p_done(p, outer);
    }
    return node;
}

/* ---- comparisons, not, and, or ----------------------------------------------------------------------------------- */

static gd_ast_op comparison_op(gd_parser *p) {
    switch (gd_p_kind(p)) {
    case GD_T_LT: return GD_PY_LT;
    case GD_T_LE: return GD_PY_LE;
    case GD_T_EQ: return GD_PY_EQ;
    case GD_T_NE: return GD_PY_NE;
    case GD_T_GT: return GD_PY_GT;
    case GD_T_GE: return GD_PY_GE;
    case GD_T_IN: return GD_PY_IN;
    case GD_T_NOT: return gd_p_follows(p, GD_T_IN) ? GD_PY_NOT_IN : GD_PY_NO;
    case GD_T_IS: return gd_p_follows(p, GD_T_NOT) ? GD_PY_IS_NOT : GD_PY_IS;
    default: return GD_PY_NO;
    }
}

/* op and the right side. NULL: no comparison follows. */
static gd_ast *compared(gd_parser *p, gd_ast_op op) {
    gd_ast *node = gd_p_new(p, GD_X_COMPARED);
    if (!node) return NULL;
    gd_p_skip(p);
    if (op == GD_PY_NOT_IN || op == GD_PY_IS_NOT) gd_p_skip(p);
    node->op = (uint8_t)op;
    node->u.value = gd_p_bitwise_or(p);
    return node->u.value ? gd_p_done(p, node) : NULL;
}

static gd_ast *comparison(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast *left = gd_p_bitwise_or(p);
    gd_p_list items = {0};
    for (gd_ast_op op; left && (op = comparison_op(p));) {
        const gd_token *mark = p->t;
        gd_ast *item = compared(p, op);
        if (!item && !give_back(p, mark, left)) return NULL;
        if (!item) break;
        gd_p_list_add(&items, item);
    }
    if (!left || !items.n) return left;
    gd_ast *node = gd_p_new_from(p, GD_X_COMPARE, from->at);
    if (!node) return NULL;
    node->u.compare.left = left;
    node->u.compare.items = items.first;
    return gd_p_done(p, node);
}

static gd_ast *inversion(gd_parser *p) {
    const gd_token *first = p->t;
    while (gd_p_accept(p, GD_T_NOT)) {
    }
    const gd_token *token = p->t;
    gd_ast *node = comparison(p);
    while (node && token > first) {
        gd_ast *outer = gd_p_new_from(p, GD_X_UNARY, (--token)->at);
        if (!outer) return NULL;
        outer->op = GD_PY_NOT;
        outer->u.value = node;
        node = gd_p_done(p, outer);
    }
    return node;
}

/* a and b and c; a or b or c */
static gd_ast *chain(gd_parser *p, gd_token_kind word, gd_ast_kind kind, gd_ast *(*operand)(gd_parser *p)) {
    const gd_token *from = p->t;
    gd_ast *first = operand(p);
    if (!first || gd_p_kind(p) != word) return first;
    gd_p_list items = {0};
    gd_p_list_add(&items, first);
    while (gd_p_kind(p) == word) {
        const gd_token *mark = p->t;
        gd_p_skip(p);
        gd_ast *next = operand(p);
        if (!next && !give_back(p, mark, first)) return NULL;
        if (!next) break;
        gd_p_list_add(&items, next);
    }
    if (items.n == 1) return first;
    gd_ast *node = gd_p_new_from(p, kind, from->at);
    if (!node) return NULL;
    node->u.items = items.first;
    return gd_p_done(p, node);
}

static gd_ast *conjunction(gd_parser *p) { return chain(p, GD_T_AND, GD_X_AND, inversion); }
static gd_ast *disjunction(gd_parser *p) { return chain(p, GD_T_OR, GD_X_OR, conjunction); }

/* ---- lambda and the conditional ---------------------------------------------------------------------------------- */

static gd_ast *returned(gd_parser *p, gd_ast *value) {
    gd_ast *node = gd_p_new_from(p, GD_S_RETURN, value->at);
    if (!node) return NULL;
    node->u.value = value;
    return gd_p_done(p, node);
}

static gd_ast *lambda_body(gd_parser *p, gd_ast *node) {
    if (!gd_p_deeper_in(p)) return NULL;
    gd_ast *value = gd_p_expression(p);
    p->depth--;
    if (!value) return NULL;
    node->u.function.body = returned(p, value);
    return node->u.function.body ? gd_p_done(p, node) : NULL;
}

static gd_ast *lambda(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_X_LAMBDA);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.function.name = "<lambda>";
    if (p->diagnose) gd_p_invalid_parameters(p, GD_T_COLON);
    if (p->failed || !gd_p_parameters(p, GD_T_COLON, &node->u.function.params) || !gd_p_accept(p, GD_T_COLON))
        return NULL;
    gd_p_body_state outer = p->body;
    p->body = (gd_p_body_state){.function = true};
    node = lambda_body(p, node);
    p->body = outer;
    return node;
}

/* then if test else orelse, at the if. `then` if it is something else. */
static gd_ast *conditional(gd_parser *p, const gd_token *from, gd_ast *then) {
    const gd_token *mark = p->t;
    gd_p_skip(p);
    gd_ast *test = gd_p_disjunction(p);
    if (!test || !gd_p_accept(p, GD_T_ELSE)) return give_back(p, mark, then);
    if (!gd_p_deeper_in(p)) return NULL;
    gd_ast *orelse = gd_p_expression(p);
    p->depth--;
    if (!orelse) return give_back(p, mark, then);
    gd_ast *node = gd_p_new_from(p, GD_X_IF, from->at);
    if (!node) return NULL;
    node->u.choice.test = test;
    node->u.choice.then = then;
    node->u.choice.orelse = orelse;
    return gd_p_done(p, node);
}

static gd_ast *expression(gd_parser *p) {
    const gd_token *from = p->t;
    if (gd_p_kind(p) == GD_T_LAMBDA) return lambda(p);
    gd_ast *node = gd_p_disjunction(p);
    if (!node) return NULL;
    if (p->diagnose) {
        const gd_token *end = p->t;
        gd_p_invalid_expression(p, from, node);
        p->t = end;
        if (p->failed) return NULL;
    }
    return gd_p_kind(p) == GD_T_IF ? conditional(p, from, node) : node;
}

/* What `parse` gives; the second pass keeps it. */
static gd_ast *kept(gd_parser *p, gd_p_memo_rule rule, gd_ast *(*parse)(gd_parser *p)) {
    gd_ast *node;
    if (gd_p_memo_find(p, rule, &node)) return node;
    const gd_token *from = p->t;
    node = parse(p);
    gd_p_memo_keep(p, rule, from, node);
    return node;
}

gd_ast *gd_p_disjunction(gd_parser *p) { return p->memo ? kept(p, GD_MEMO_DISJUNCTION, disjunction) : disjunction(p); }

gd_ast *gd_p_expression_anew(gd_parser *p) { return expression(p); }
gd_ast *gd_p_expression(gd_parser *p) { return p->memo ? kept(p, GD_MEMO_EXPRESSION, expression) : expression(p); }
gd_ast *gd_p_primary(gd_parser *p) { return p->memo ? kept(p, GD_MEMO_PRIMARY, primary) : primary(p); }

/* ---- lists of them ----------------------------------------------------------------------------------------------- */

gd_ast *gd_p_starred(gd_parser *p, gd_ast *(*value)(gd_parser *p)) {
    gd_ast *node = gd_p_new(p, GD_X_STARRED);
    if (!node) return NULL;
    gd_p_skip(p);
    node->u.value = value(p);
    return node->u.value ? gd_p_done(p, node) : NULL;
}

gd_ast *gd_p_star_expression(gd_parser *p) {
    return gd_p_kind(p) == GD_T_STAR ? gd_p_starred(p, gd_p_bitwise_or) : gd_p_expression(p);
}

gd_ast *gd_p_tuple_of(gd_parser *p, gd_ast *(*item)(gd_parser *p)) {
    const gd_token *from = p->t;
    gd_ast *first = item(p);
    if (!first || gd_p_kind(p) != GD_T_COMMA) return first;
    gd_p_list items = {0};
    gd_p_list_add(&items, first);
    while (gd_p_accept(p, GD_T_COMMA)) {
        const gd_token *mark = p->t;
        gd_ast *next = item(p);
        if (p->failed) return NULL;
        if (!next) {
            p->t = mark;
            break;
        }
        gd_p_list_add(&items, next);
    }
    gd_ast *node = gd_p_new_from(p, GD_X_TUPLE, from->at);
    if (!node) return NULL;
    node->u.items = items.first;
    return gd_p_done(p, node);
}

gd_ast *gd_p_star_expressions(gd_parser *p) { return gd_p_tuple_of(p, gd_p_star_expression); }
gd_ast *gd_p_expressions(gd_parser *p) { return gd_p_tuple_of(p, gd_p_expression); }

gd_ast *gd_p_walrus(gd_parser *p) {
    gd_ast *node = gd_p_new(p, GD_X_WALRUS);
    if (!node) return NULL;
    node->u.assign.targets = gd_p_name_node(p);
    gd_p_skip(p);
    node->u.assign.value = gd_p_expression(p);
    return node->u.assign.targets && node->u.assign.value ? gd_p_done(p, node) : NULL;
}

gd_ast *gd_p_named_expression(gd_parser *p) {
    if (gd_p_kind(p) == GD_T_NAME && gd_p_follows(p, GD_T_WALRUS)) return gd_p_walrus(p);
    if (p->diagnose) {
        const gd_token *from = p->t;
        gd_p_invalid_named_expression(p);
        p->t = from;
        if (p->failed) return NULL;
    }
    gd_ast *node = gd_p_expression(p);
    return gd_p_kind(p) == GD_T_WALRUS ? NULL : node;
}

gd_ast *gd_p_star_named_expression(gd_parser *p) {
    return gd_p_kind(p) == GD_T_STAR ? gd_p_starred(p, gd_p_bitwise_or) : gd_p_named_expression(p);
}

/* ---- attributes, calls, subscripts ------------------------------------------------------------------------------- */

static gd_ast *attribute(gd_parser *p, gd_ast *value) {
    gd_p_skip(p);
    gd_ast *node = gd_p_new_from(p, GD_X_ATTRIBUTE, value->at);
    if (!node) return NULL;
    node->u.attribute.value = value;
    node->u.attribute.name = gd_p_name(p);
    return node->u.attribute.name ? gd_p_done(p, node) : NULL;
}

static gd_ast *primary(gd_parser *p) {
    const gd_token *from = p->t;
    gd_ast *node = gd_p_atom(p);
    if (node && from->kind != GD_T_LPAR && gd_p_kind(p) != GD_T_DOT && gd_p_kind(p) != GD_T_LPAR &&
        gd_p_kind(p) != GD_T_LSQB)
        return node;
    while (node) {
        const gd_token *mark = p->t;
        gd_ast *outer;
        gd_token_kind kind = gd_p_kind(p);
        if (kind == GD_T_DOT)
            outer = attribute(p, node);
        else if (kind == GD_T_LPAR)
            outer = gd_p_call(p, node);
        else if (kind == GD_T_LSQB)
            outer = gd_p_subscript(p, node);
        else
            return node;
        if (!outer) return give_back(p, mark, node);
        outer->at.line = from->at.line; /* of a parenthesis around the first part */
        outer->at.column = from->at.column;
        node = outer;
    }
    return NULL;
}
