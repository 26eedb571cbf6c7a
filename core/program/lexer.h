/* lexer.h: the words of a program. The whole text becomes an array of tokens before it is parsed. For the parser. */
#ifndef GD_PROGRAM_LEXER_H
#define GD_PROGRAM_LEXER_H

#include "core/program/tree.h"

/* X(name, how it is written) */
/* clang-format off */
#define GD_OPERATORS(X) \
    X(LPAR, "(") X(RPAR, ")") X(LSQB, "[") X(RSQB, "]") X(LBRACE, "{") X(RBRACE, "}") X(COMMA, ",") X(COLON, ":") \
    X(SEMI, ";") X(DOT, ".") X(ELLIPSIS, "...") X(ARROW, "->") X(ASSIGN, "=") X(WALRUS, ":=") X(PLUS, "+") \
    X(MINUS, "-") X(STAR, "*") X(DSTAR, "**") X(SLASH, "/") X(DSLASH, "//") X(PERCENT, "%") X(AT, "@") X(AMPER, "&") \
    X(VBAR, "|") X(CARET, "^") X(TILDE, "~") X(LSHIFT, "<<") X(RSHIFT, ">>") X(LT, "<") X(LE, "<=") X(EQ, "==") \
    X(NE, "!=") X(GT, ">") X(GE, ">=") X(PLUS_IS, "+=") X(MINUS_IS, "-=") X(STAR_IS, "*=") X(DSTAR_IS, "**=") \
    X(SLASH_IS, "/=") X(DSLASH_IS, "//=") X(PERCENT_IS, "%=") X(AT_IS, "@=") X(AMPER_IS, "&=") X(VBAR_IS, "|=") \
    X(CARET_IS, "^=") X(LSHIFT_IS, "<<=") X(RSHIFT_IS, ">>=")
#define GD_KEYWORDS(X) \
    X(FALSE, "False") X(NONE, "None") X(TRUE, "True") X(AND, "and") X(AS, "as") X(ASSERT, "assert") \
    X(ASYNC, "async") X(AWAIT, "await") X(BREAK, "break") X(CLASS, "class") X(CONTINUE, "continue") X(DEF, "def") \
    X(DEL, "del") X(ELIF, "elif") X(ELSE, "else") X(EXCEPT, "except") X(FINALLY, "finally") X(FOR, "for") \
    X(FROM, "from") X(GLOBAL, "global") X(IF, "if") X(IMPORT, "import") X(IN, "in") X(IS, "is") X(LAMBDA, "lambda") \
    X(NONLOCAL, "nonlocal") X(NOT, "not") X(OR, "or") X(PASS, "pass") X(RAISE, "raise") X(RETURN, "return") \
    X(TRY, "try") X(WHILE, "while") X(WITH, "with") X(YIELD, "yield")
/* clang-format on */

typedef enum gd_token_kind {
    GD_T_END,      /* of the text */
    GD_T_OPEN_END, /* the text ended within brackets */
    GD_T_ERROR,    /* what follows is no token */
    GD_T_NAME,
    GD_T_NUMBER,
    GD_T_STRING,
    GD_T_NEWLINE,
    GD_T_INDENT,
    GD_T_DEDENT,
    GD_T_STRAY, /* a character that no token has: $ ? ! ` */
#define X(name, text) GD_T_##name,
    GD_OPERATORS(X) GD_KEYWORDS(X)
#undef X
        GD_T_COUNT
} gd_token_kind;

typedef struct gd_token {
    uint8_t kind;  /* gd_token_kind */
    uint8_t level; /* brackets open behind it */
    gd_at at;
    uint32_t start, end; /* bytes of the text */
    gd_name *name;       /* of NAME and keywords */
} gd_token;

/* A text and its tokens. The text is the tree's own copy: lines end with \n, the last one too, and a NUL follows. */
typedef struct gd_tokens {
    const char *text;
    size_t bytes;
    gd_token *v;
    uint32_t n, capacity;
    gd_at open;        /* the innermost bracket that is open at the end, */
    char open_bracket; /* or 0 */
    bool soft;         /* the error is one of layout, which others go before */
} gd_tokens;

enum { GD_MAX_BRACKETS = 200, GD_MAX_INDENTS = 100 }; /* CPython's own */

/* Copies and checks the source, and makes its tokens. False: *error is set; unless that is error->memory or no token
 * was made, the tokens before the error are there, and one of kind GD_T_ERROR. */
bool gd_lex(gd_tree *tree, const char *source, size_t bytes, gd_tokens *out, gd_syntax_error *error);
/* The tokens of one field of an f-string, bytes start … end of `all`'s text, between parentheses that stand for the
 * field's braces. `level` brackets are open around it; `from` is where it begins. */
bool gd_lex_field(gd_tree *tree, const gd_tokens *all, uint32_t start, uint32_t end, gd_at from, uint32_t level,
                  gd_tokens *out, gd_syntax_error *error);
void gd_tokens_release(gd_tree *tree, gd_tokens *tokens);

/* ---- between the files of the lexer ---- */
typedef struct gd_lexer {
    gd_tree *tree;
    gd_tokens *out;
    gd_syntax_error *error;
    const char *text, *p, *end;
    const char *line_start;
    uint32_t line, wide;  /* wide: bytes of this line that begin no character */
    uint32_t level, base; /* open brackets; those open around it all */
    struct {
        char bracket;
        gd_at at;
    } open[GD_MAX_BRACKETS];
    uint32_t indents; /* entries of columns, the first being 0 */
    uint32_t columns[GD_MAX_INDENTS], alternatives[GD_MAX_INDENTS];
    bool line_begins, continued;
} gd_lexer;

static inline uint32_t gd_lexer_column(const gd_lexer *l, const char *p) {
    return (uint32_t)(p - l->line_start) - l->wide + 1;
}
/* Fails at `column` of the current line. Always false. */
bool gd_lexer_fail(gd_lexer *l, const char *type, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool gd_lexer_no_memory(gd_lexer *l);
/* Adds a token of kind from `start` (at line and column) to the current place. */
bool gd_lexer_add(gd_lexer *l, gd_token_kind kind, const char *start, uint32_t line, uint32_t column);
bool gd_lexer_number(gd_lexer *l);                    /* at a digit, or a dot and a digit */
bool gd_lexer_string(gd_lexer *l, const char *start); /* at the quote; start: of its prefix */
bool gd_lexer_name(gd_lexer *l);
bool gd_name_starts(uint32_t c); /* a character may begin a name, may go on in one */
bool gd_name_goes_on(uint32_t c);
bool gd_name_changes(uint32_t c); /* its normal form (NFKC), which Python takes for it, is another */
/* Checks that bytes are UTF-8 without NULs. */
bool gd_check_utf8(const char *source, size_t bytes, gd_syntax_error *error);

#endif
