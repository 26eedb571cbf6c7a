/* signature.c: reads the texts of an op row (signature, diff, saves) into its compiled fields. Runs once, in
 * gd_init; a mistake in a row is reported, never guessed around. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/ops/dispatch.h"

/* Defaults that need memory of their own live here for the life of the process: rows are static, and so few
 * have such defaults that a fixed arena does. */
static char text_arena[8192];
static size_t text_used;
static int64_t int_arena[1024];
static size_t int_used;

typedef struct reader {
    const char *at;
    const char *why; /* first mistake; NULL while all is well */
} reader;

static void wrong(reader *r, const char *why) {
    if (!r->why) r->why = why;
}

static void skip_space(reader *r) {
    while (*r->at == ' ') r->at++;
}

static bool take(reader *r, const char *text) {
    skip_space(r);
    size_t n = strlen(text);
    if (strncmp(r->at, text, n) != 0) return false;
    r->at += n;
    return true;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.'; }

/* Reads an identifier (dots allowed) into out of `bytes`; empty or too long is a mistake. */
static void take_word(reader *r, char *out, size_t bytes) {
    skip_space(r);
    size_t n = 0;
    while (is_word(r->at[n])) n++;
    if (n == 0 || n >= bytes) {
        wrong(r, n ? "a name is too long" : "a name is missing");
        n = 0;
    }
    memcpy(out, r->at, n);
    out[n] = '\0';
    r->at += n;
}

/* ---- types --------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    gd_type one, many; /* `many`: the type of text[]; same as `one` where there is none */
} type_names[] = {
    {"Tensor", GD_T_TENSOR, GD_T_TENSORS}, {"Scalar", GD_T_SCALAR, GD_T_SCALAR}, {"int", GD_T_INT, GD_T_INTS},
    {"float", GD_T_FLOAT, GD_T_FLOATS},    {"bool", GD_T_BOOL, GD_T_BOOL},       {"str", GD_T_STR, GD_T_STR},
    {"dtype", GD_T_DTYPE, GD_T_DTYPE},     {"Index", GD_T_INDEX, GD_T_INDEX},
};

static void take_brackets(reader *r, gd_param *p, gd_type many) {
    bool listable = many != p->type || p->type == GD_T_INDEX;
    char *end = NULL;
    p->fixed = (int)strtol(r->at, &end, 10);
    r->at = end;
    if (!listable || !take(r, "]")) wrong(r, "a list type is malformed");
    p->type = many;
    p->entries_optional = p->optional;
    p->optional = take(r, "?");
}

static void take_type(reader *r, gd_param *p) {
    char word[16];
    take_word(r, word, sizeof word);
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        if (strcmp(word, type_names[i].text) != 0) continue;
        p->type = type_names[i].one;
        if (*r->at == '?') {
            r->at++;
            p->optional = true;
        }
        if (*r->at == '[') {
            r->at++;
            take_brackets(r, p, type_names[i].many);
        }
        return;
    }
    wrong(r, "an argument has an unknown type");
}

/* ---- defaults ------------------------------------------------------------------------------ */

static void take_number(reader *r, gd_value *v) {
    char *end = NULL;
    long long whole = strtoll(r->at, &end, 10);
    if (end != r->at && *end != '.' && *end != 'e') {
        *v = GD_INT_VALUE(whole);
    } else {
        *v = GD_FLOAT_VALUE(strtod(r->at, &end));
        if (end == r->at) wrong(r, "a default is unreadable");
    }
    r->at = end;
}

static void take_text(reader *r, gd_value *v) {
    char quote = *r->at++;
    const char *end = strchr(r->at, quote);
    size_t n = end ? (size_t)(end - r->at) : 0;
    if (!end || text_used + n + 1 > sizeof text_arena) {
        wrong(r, "a text default is malformed or there are too many");
        return;
    }
    char *copy = text_arena + text_used;
    memcpy(copy, r->at, n);
    copy[n] = '\0';
    text_used += n + 1;
    r->at = end + 1;
    *v = GD_STR_VALUE(copy);
}

/* "[]", "[0, 1]", or a bare int for a list of one. */
static void take_ints(reader *r, gd_value *v) {
    int64_t *first = int_arena + int_used;
    size_t n = 0;
    bool list = take(r, "[");
    while (!list || !take(r, "]")) {
        gd_value one = GD_NONE_VALUE;
        skip_space(r);
        take_number(r, &one);
        if (one.kind != GD_V_INT || int_used >= sizeof int_arena / sizeof *int_arena)
            wrong(r, "a list default is malformed");
        if (r->why) return;
        int_arena[int_used++] = one.u.integer;
        n++;
        if (!list) break;
        take(r, ",");
    }
    *v = GD_INTS_VALUE(first, n);
}

static void take_dtype(reader *r, gd_value *v) {
    char word[24];
    take_word(r, word, sizeof word);
    *v = GD_DTYPE_VALUE(GD_FLOAT32);
    if (!gd_dtype_parse(word, &v->u.dtype)) wrong(r, "a default names an unknown dtype");
}

static void take_default(reader *r, gd_param *p) {
    gd_value *v = &p->value;
    p->has_default = true;
    skip_space(r);
    if (take(r, "None")) {
        *v = GD_NONE_VALUE;
    } else if (take(r, "True")) {
        *v = GD_BOOL_VALUE(true);
    } else if (take(r, "False")) {
        *v = GD_BOOL_VALUE(false);
    } else if (*r->at == '"' || *r->at == '\'') {
        take_text(r, v);
    } else if (p->type == GD_T_INTS) {
        take_ints(r, v);
    } else if (p->type == GD_T_DTYPE) {
        take_dtype(r, v);
    } else {
        take_number(r, v);
    }
    if (p->type == GD_T_FLOAT && v->kind == GD_V_INT) *v = GD_FLOAT_VALUE((double)v->u.integer);
}

/* The kind a default of each type must have; None where the type is optional. */
static bool default_fits(const gd_param *p) {
    gd_kind k = p->value.kind;
    switch (p->type) {
    case GD_T_TENSOR:
    case GD_T_TENSORS:
    case GD_T_FLOATS:
    case GD_T_INDEX: return k == GD_V_NONE && p->optional;
    case GD_T_SCALAR: return k == GD_V_INT || k == GD_V_FLOAT || k == GD_V_BOOL || (k == GD_V_NONE && p->optional);
    case GD_T_INT: return k == GD_V_INT || (k == GD_V_NONE && p->optional);
    case GD_T_FLOAT: return k == GD_V_FLOAT || (k == GD_V_NONE && p->optional);
    case GD_T_BOOL: return k == GD_V_BOOL || (k == GD_V_NONE && p->optional);
    case GD_T_STR: return k == GD_V_STR || (k == GD_V_NONE && p->optional);
    case GD_T_INTS: return k == GD_V_INTS || (k == GD_V_NONE && p->optional);
    case GD_T_DTYPE: return k == GD_V_DTYPE || (k == GD_V_NONE && p->optional);
    }
    return false;
}

/* ---- the signature ------------------------------------------------------------------------- */

static int param_index(const gd_op *op, const char *name) {
    for (int i = 0; i < op->nparams; i++)
        if (strcmp(op->params[i].name, name) == 0) return i;
    return -1;
}

static void take_param(reader *r, gd_op *op, bool keyword_only) {
    if (op->nparams == GD_MAX_ARGS) {
        wrong(r, "there are too many arguments");
        return;
    }
    gd_param p = {.keyword_only = keyword_only};
    take_type(r, &p);
    take_word(r, p.name, sizeof p.name);
    if (take(r, "=")) take_default(r, &p);
    if (p.has_default && !r->why && !default_fits(&p)) wrong(r, "a default does not fit its type");
    if (param_index(op, p.name) >= 0) wrong(r, "an argument's name comes twice");
    op->params[op->nparams++] = p;
}

static void take_signature(reader *r, gd_op *op) {
    bool keyword_only = false;
    take_word(r, op->name, sizeof op->name);
    if (!take(r, "(")) wrong(r, "( is missing");
    bool first = true;
    while (!r->why && !take(r, ")")) {
        if (!first && !take(r, ",")) wrong(r, "a comma is missing");
        first = false;
        skip_space(r);
        if (!keyword_only && take(r, "*")) {
            keyword_only = true;
        } else {
            take_param(r, op, keyword_only);
        }
    }
    if (!take(r, "->")) wrong(r, "-> is missing");
    skip_space(r);
    if (*r->at == '\0') wrong(r, "the result's type is missing");
}

/* ---- diff and saves ------------------------------------------------------------------------ */

static bool holds_tensors(const gd_param *p) { return p->type == GD_T_TENSOR || p->type == GD_T_TENSORS; }

static void take_diff(reader *r, gd_op *op) {
    char word[24];
    skip_space(r);
    while (!r->why && *r->at) {
        take_word(r, word, sizeof word);
        int i = param_index(op, word);
        if (i < 0 || !holds_tensors(&op->params[i]) || op->ndiff == GD_MAX_ARGS) {
            wrong(r, "diff names something that is no Tensor argument");
            return;
        }
        op->diff[op->ndiff++] = (uint8_t)i;
        if (!take(r, ",") && *r->at) wrong(r, "diff is malformed");
    }
}

static const struct {
    const char *suffix;
    gd_save_kind kind;
} properties[] = {
    {"_sym_sizes", GD_SAVE_SIZES}, {"_sizes", GD_SAVE_SIZES}, {"_sym_strides", GD_SAVE_STRIDES},
    {"_strides", GD_SAVE_STRIDES}, {"_numel", GD_SAVE_NUMEL}, {"_dim", GD_SAVE_DIM},
};

/* "self_sizes" and its kin: a property of a Tensor argument. */
static bool property_of(const gd_op *op, const char *source, gd_save *s) {
    for (size_t k = 0; k < sizeof properties / sizeof *properties; k++) {
        size_t n = strlen(source), m = strlen(properties[k].suffix);
        char name[24];
        if (n <= m || n - m >= sizeof name || strcmp(source + n - m, properties[k].suffix) != 0) continue;
        memcpy(name, source, n - m);
        name[n - m] = '\0';
        int i = param_index(op, name);
        if (i < 0 || !holds_tensors(&op->params[i])) continue;
        s->kind = properties[k].kind;
        s->index = i;
        return true;
    }
    return false;
}

static bool resolve_save(const gd_op *op, const char *source, gd_save *s) {
    int i = param_index(op, source);
    if (i >= 0) {
        s->kind = GD_SAVE_ARG;
        s->index = i;
        return true;
    }
    if (strncmp(source, "result", 6) == 0) {
        char *end = NULL;
        s->kind = GD_SAVE_OUTPUT;
        s->index = (int)strtol(source + 6, &end, 10);
        return *end == '\0' && s->index >= 0 && s->index < GD_INLINE_OUTPUTS;
    }
    return property_of(op, source, s);
}

/* "{self}" or "{self|other}": save only if one of these needs a gradient. */
static void take_conditions(reader *r, const gd_op *op, gd_save *s) {
    char word[24];
    do {
        take_word(r, word, sizeof word);
        int i = param_index(op, word);
        if (i < 0 || !memchr(op->diff, i, (size_t)op->ndiff)) {
            wrong(r, "a condition of saves is no diff argument");
            return;
        }
        s->only_if |= 1u << i;
    } while (take(r, "|"));
    if (!take(r, "}")) wrong(r, "a condition of saves is malformed");
}

static void take_save(reader *r, gd_op *op) {
    gd_save s = {0};
    char source[28];
    take_word(r, s.name, sizeof s.name);
    memcpy(source, s.name, sizeof source);
    if (take(r, "=")) take_word(r, source, sizeof source);
    if (r->why) return;
    if (!resolve_save(op, source, &s)) wrong(r, "saves names something unknown");
    if (take(r, "{")) take_conditions(r, op, &s);
    if (op->nsaves == (int)(sizeof op->saves / sizeof *op->saves)) {
        wrong(r, "saves has too many fields");
        return;
    }
    op->saves[op->nsaves++] = s;
}

static void take_saves(reader *r, gd_op *op) {
    skip_space(r);
    while (!r->why && *r->at) {
        take_save(r, op);
        if (!take(r, ",") && *r->at) wrong(r, "saves is malformed");
    }
}

const char *gd_compile_row(gd_op *op) {
    reader r = {.at = op->signature};
    op->nparams = op->ndiff = op->nsaves = 0;
    take_signature(&r, op);
    r.at = op->diff_text;
    if (!r.why) take_diff(&r, op);
    r.at = op->saves_text;
    if (!r.why) take_saves(&r, op);
    bool inplace = op->flags & (GD_INPLACE | GD_INPLACE_ONLY);
    if (inplace && (op->nparams == 0 || op->params[0].type != GD_T_TENSOR))
        wrong(&r, "an in-place op needs a Tensor first");
    if (op->flags & GD_VIEW && (op->nparams == 0 || op->params[0].type != GD_T_TENSOR))
        wrong(&r, "a view needs a Tensor first");
    bool composite = op->flags & GD_COMPOSITE;
    if (!composite && op->backward && (op->ndiff == 0 || !*op->node))
        wrong(&r, "a differentiable op needs diff and node");
    if ((op->flags & GD_HIDDEN) && op->name[0] != '_') wrong(&r, "a hidden op's name starts with _");
    return r.why;
}
