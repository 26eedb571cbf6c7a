/* fuzz_parser.c: whatever bytes come, the parser ends with a tree of bounded height or an error that names a place. */
#include "core/program/ast.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { MAX_BYTES = 64 << 20 };

static void expect(bool holds) {
    if (!holds) __builtin_trap();
}

static void check_error(const gd_syntax_error *error, size_t bytes) {
    if (error->memory) return;
    bool known = !strcmp(error->type, "SyntaxError") || !strcmp(error->type, "IndentationError") ||
                 !strcmp(error->type, "TabError");
    expect(known && error->message[0] && memchr(error->message, 0, sizeof error->message));
    expect(error->at.line >= 1 && error->at.line <= bytes + 1);
    expect(error->at.column >= 1 && error->at.column <= bytes + 2);
}

static void check_tree(const gd_tree *tree, size_t bytes) {
    for (const gd_ast *n = gd_tree_body(tree); n; n = n->next) {
        expect(n->height <= GD_AST_MAX_DEPTH && n->at.line >= 1 && n->at.line <= n->at.end_line);
        expect(n->at.end_line <= bytes + 1 && n->at.column >= 1 && n->at.end_column <= bytes + 2);
    }
}

typedef gd_tree *parse_function(const char *, size_t, size_t, gd_syntax_error *);

static void run(parse_function *parse, const uint8_t *data, size_t bytes, size_t limit) {
    gd_syntax_error error;
    gd_tree *tree = parse((const char *)data, bytes, limit, &error);
    if (tree)
        check_tree(tree, bytes);
    else
        check_error(&error, bytes);
    gd_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    run(gd_parse, data, bytes, MAX_BYTES);
    run(gd_parse_expression, data, bytes, MAX_BYTES);
    if (bytes) run(gd_parse, data, bytes, (size_t)1024 * data[bytes - 1]); /* memory ends somewhere on the way */
    return 0;
}
