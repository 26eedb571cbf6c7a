/* definition.c: what a program's last `def` takes. The tree is gone when this is done. */
#include "core/function/inside.h"
#include "core/program/ast.h"

#include <stdlib.h>
#include <string.h>

static const gd_ast *last_def(const gd_tree *tree) {
    const gd_ast *found = NULL;
    for (const gd_ast *s = gd_tree_body(tree); s; s = s->next)
        if (s->kind == GD_S_DEF) found = s;
    return found;
}

static bool refuse(gd_function_fault *fault, gd_at at, const char *what, const char *name) {
    gd_fault(fault, GD_E_VALUE, "bad_function", what, name);
    fault->line = at.line;
    fault->column = at.column;
    return false;
}

static bool read_parameter(const gd_ast_param *p, gd_parameter *out, gd_function_fault *fault) {
    const char *why = "";
    out->given.name = strdup(p->name);
    if (!out->given.name) return gd_fault_memory(fault);
    out->keyword_only = p->kind == GD_PARAM_KEYWORD;
    out->given.has_default = p->value != NULL;
    if (p->kind == GD_PARAM_STAR || p->kind == GD_PARAM_DSTAR)
        return refuse(fault, p->at,
                      p->kind == GD_PARAM_STAR
                          ? "a stored function has inputs with names of their own: '*%s' is not allowed"
                          : "a stored function has inputs with names of their own: '**%s' is not allowed",
                      p->name);
    if (!p->annotation || gd_annotation_read(p->annotation, &out->given, &why)) return true;
    gd_fault_input(fault, p->name, "the annotation of '%s' cannot be understood: %s", p->name, why);
    fault->line = p->annotation->at.line;
    fault->column = p->annotation->at.column;
    return false;
}

static bool read_parameters(gd_function *f, const gd_ast *def, gd_function_fault *fault) {
    size_t n = 0;
    for (const gd_ast_param *p = def->u.function.params; p; p = p->next) n += p->name != NULL;
    if (n > GD_FUNCTION_INPUTS) return refuse(fault, def->at, "'%s' has more than 64 parameters", def->u.function.name);
    f->inputs = calloc(n + 1, sizeof *f->inputs);
    if (!f->inputs) return gd_fault_memory(fault);
    for (const gd_ast_param *p = def->u.function.params; p; p = p->next)
        if (p->name && !read_parameter(p, &f->inputs[f->ninputs++], fault)) return false;
    return true;
}

static char *copy(const char *text, size_t bytes) {
    char *p = malloc(bytes + 1);
    if (!p) return NULL;
    memcpy(p, text, bytes);
    p[bytes] = 0;
    return p;
}

static bool read_def(gd_function *f, const gd_ast *def, gd_function_fault *fault) {
    if (!def)
        return gd_fault(fault, GD_E_VALUE, "bad_function",
                        "the program has no 'def' at its top level: its last one is the function");
    f->def = strdup(def->u.function.name);
    f->line = def->at.line;
    f->column = def->at.column;
    if (def->u.function.doc.text) f->doc = copy(def->u.function.doc.text, def->u.function.doc.bytes);
    if (!f->def || (def->u.function.doc.text && !f->doc)) return gd_fault_memory(fault);
    return read_parameters(f, def, fault);
}

bool gd_define(gd_function *f, gd_function_fault *fault) {
    gd_syntax_error error = {.type = "SyntaxError"};
    gd_tree *tree = gd_parse(f->source, f->bytes, f->registry->options.limits.memory_bytes, &error);
    if (tree) {
        bool ok = read_def(f, last_def(tree), fault);
        gd_tree_free(tree);
        return ok;
    }
    if (error.memory) return gd_fault(fault, GD_E_VALUE, "program_limit", "the program is too large to be read");
    gd_fault(fault, GD_E_VALUE, "syntax_error", "%s: %s", error.type, error.message);
    fault->line = error.at.line;
    fault->column = error.at.column;
    return false;
}
