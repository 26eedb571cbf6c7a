/* options.c: reads the settings of options.def from flags, environment and config file, and checks them. */
#include "server/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef enum option_type { ADDRESS, COUNT, BYTES, SECONDS, PATH, NAMES, CHOICE } option_type;

typedef struct option_row {
    option_type type;
    size_t offset;
    const char *flag, *environment, *fallback;
    double least, most;
    const char *argument, *help;
} option_row;

static const option_row rows[GD_OPTION_COUNT] = {
#define X(type, field, ...) {type, offsetof(gd_options, field), __VA_ARGS__},
#include "server/options.def"
#undef X
};

typedef struct reader {
    gd_options *o;
    char *message;
    size_t message_size;
} reader;

__attribute__((format(printf, 3, 4))) static int complain(reader *r, int code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(r->message, r->message_size, format, args);
    va_end(args);
    return code;
}

/* ---- values ---- */

static bool parse_port(const char *text, uint16_t *port) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits]) return false;
    unsigned long value = strtoul(text, NULL, 10);
    if (value > 65535) return false;
    *port = (uint16_t)value;
    return true;
}

static bool parse_v6(const char *host, uint16_t port, gd_address *a) {
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->socket;
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1) return false;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    a->length = sizeof *in6;
    a->loopback = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    return true;
}

static bool parse_v4(const char *host, uint16_t port, gd_address *a) {
    struct sockaddr_in *in = (struct sockaddr_in *)&a->socket;
    if (!strcmp(host, "localhost")) host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1) return false;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    a->length = sizeof *in;
    a->loopback = ntohl(in->sin_addr.s_addr) >> 24 == 127;
    return true;
}

bool gd_address_parse(const char *text, gd_address *a) {
    char host[64];
    uint16_t port;
    const char *colon = strrchr(text, ':');
    memset(a, 0, sizeof *a);
    if (!colon || !parse_port(colon + 1, &port)) return false;
    bool v6 = text[0] == '[';
    if (v6 && (colon < text + 2 || colon[-1] != ']')) return false;
    size_t length = (size_t)(colon - text) - (v6 ? 2 : 0);
    if (length == 0 || length >= sizeof host) return false;
    memcpy(host, text + (v6 ? 1 : 0), length);
    host[length] = 0;
    return v6 ? parse_v6(host, port, a) : parse_v4(host, port, a);
}

/* A plain decimal number: no signs, spaces, hexadecimal or names, which strtod would take. */
static bool parse_number(const char *text, double *value, const char **end) {
    if (strspn(text, "0123456789") == 0) return false;
    char *stop;
    size_t length = strspn(text, "0123456789.");
    *value = strtod(text, &stop);
    *end = stop;
    return stop == text + length && isfinite(*value);
}

bool gd_bytes_parse(const char *text, size_t *bytes) {
    double value;
    const char *end;
    if (!parse_number(text, &value, &end)) return false;
    double unit = 1;
    if (*end == 'k' || *end == 'K')
        unit = 1024, end++;
    else if (*end == 'M')
        unit = 1048576, end++;
    else if (*end == 'G')
        unit = 1073741824, end++;
    if (*end || value * unit > (double)(SIZE_MAX / 2)) return false;
    *bytes = (size_t)(value * unit);
    return true;
}

static void clear_names(gd_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    *names = (gd_names){0};
}

static bool add_name(gd_names *names, const char *text, size_t length) {
    char **items = reallocarray(names->items, names->count + 1, sizeof *items);
    if (!items) return false;
    names->items = items;
    items[names->count] = strndup(text, length);
    return items[names->count] && ++names->count;
}

/* Adds "a, b" to the list; false when memory is out. */
static bool add_names(gd_names *names, const char *text) {
    for (;;) {
        text += strspn(text, ", ");
        size_t length = strcspn(text, ", ");
        if (length == 0) return true;
        if (!add_name(names, text, length)) return false;
        text += length;
    }
}

/* The index of `text` in "a|b|c", or -1. */
static int choice_index(const char *choices, const char *text) {
    size_t length = strlen(text);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == length && !memcmp(choices, text, n)) return i;
        if (!choices[n]) return -1;
        choices += n + 1;
    }
}

static bool in_range(const option_row *row, double value) { return value >= row->least && value <= row->most; }

static bool set_number(const option_row *row, void *field, const char *text) {
    double value;
    const char *end;
    if (!parse_number(text, &value, &end) || *end || !in_range(row, value)) return false;
    if (row->type == SECONDS)
        *(double *)field = value;
    else if (value == floor(value))
        *(uint32_t *)field = (uint32_t)value;
    else
        return false;
    return true;
}

static bool set_bytes(const option_row *row, size_t *field, const char *text) {
    if (!strcmp(text, "auto") && !strcmp(row->fallback, "auto")) {
        *field = GD_BYTES_AUTO;
        return true;
    }
    return gd_bytes_parse(text, field) && in_range(row, (double)*field);
}

static bool set_text(char **field, const char *text) {
    char *copy = strdup(text);
    if (!copy) return false;
    free(*field);
    *field = copy;
    return true;
}

/* False if the text does not fit the option (or memory is out). */
static bool set_value(const option_row *row, void *field, const char *text) {
    switch (row->type) {
    case ADDRESS: return gd_address_parse(text, field);
    case COUNT:
    case SECONDS: return set_number(row, field, text);
    case BYTES: return set_bytes(row, field, text);
    case PATH: return set_text(field, text);
    case NAMES: return add_names(field, text);
    case CHOICE: return (*(int *)field = choice_index(row->argument, text)) >= 0;
    }
    return false;
}

static int set_option(reader *r, const option_row *row, const char *text, gd_option_source source, const char *where) {
    gd_option_source *had = &r->o->source[row - rows];
    void *field = (char *)r->o + row->offset;
    if (row->type == NAMES && *had != source) clear_names(field);
    *had = source;
    if (set_value(row, field, text)) return 0;
    int code = source == GD_FROM_FLAG ? GD_EXIT_USAGE : GD_EXIT_CONFIG;
    if (row->type == COUNT || row->type == SECONDS)
        return complain(r, code, "%s%s: '%.100s' is no number from %.0f to %.0f", where, row->flag, text, row->least,
                        row->most);
    if (row->type == BYTES)
        return complain(r, code, "%s%s: '%.100s' is no size such as 4096, 64k, 256M or 2G%s", where, row->flag, text,
                        row->least > 0 ? " of at least 1k" : "");
    if (row->type == ADDRESS)
        return complain(r, code, "%s%s: '%.100s' is no address such as 127.0.0.1:4242 or [::1]:4242", where, row->flag,
                        text);
    return complain(r, code, "%s%s: '%.100s' is not one of %s", where, row->flag, text, row->argument);
}

static const option_row *find_row(const char *key, size_t length) {
    for (size_t i = 0; i < GD_OPTION_COUNT; i++)
        if (strlen(rows[i].flag) == length && !memcmp(rows[i].flag, key, length)) return &rows[i];
    return NULL;
}

/* ---- the config file ---- */

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1])) text[--n] = 0;
    return text;
}

static int read_line(reader *r, const char *file, int number, char *line) {
    char *text = trim(line);
    char *comment = text[0] == '#' ? text : strstr(text, " #");
    if (comment) *comment = 0;
    if (!*text) return 0;
    char *equals = strchr(text, '=');
    if (!equals) return complain(r, GD_EXIT_CONFIG, "%.200s:%d: expected `key = value`", file, number);
    *equals = 0;
    char *key = trim(text), *value = trim(equals + 1), where[256];
    const option_row *row = find_row(key, strlen(key));
    if (!row || row == &rows[GD_OPTION_config])
        return complain(r, GD_EXIT_CONFIG, "%.200s:%d: unknown key '%.100s' (gradd --help lists them)", file, number,
                        key);
    snprintf(where, sizeof where, "%.200s:%d: ", file, number);
    return set_option(r, row, value, GD_FROM_FILE, where);
}

static int read_file(reader *r, const char *path) {
    FILE *f = fopen(path, "re");
    if (!f) return complain(r, GD_EXIT_CONFIG, "config: %.200s: %s", path, strerror(errno));
    char *line = NULL;
    size_t capacity = 0;
    int code = 0;
    for (int number = 1; !code && getline(&line, &capacity, f) >= 0; number++) code = read_line(r, path, number, line);
    if (!code && ferror(f)) code = complain(r, GD_EXIT_CONFIG, "config: %.200s: %s", path, strerror(errno));
    free(line);
    fclose(f);
    return code;
}

/* ---- the command line ---- */

static int set_command(reader *r, const char *word) {
    if (!strcmp(word, "serve"))
        r->o->command = GD_COMMAND_SERVE;
    else if (!strcmp(word, "healthcheck"))
        r->o->command = GD_COMMAND_HEALTHCHECK;
    else if (!strcmp(word, "run"))
        r->o->command = GD_COMMAND_RUN;
    else
        return complain(r, GD_EXIT_USAGE, "unknown command '%.100s' (gradd --help shows what there is)", word);
    return 0;
}

/* Flags without a value; true if `arg` is one. */
static bool set_switch(gd_options *o, const char *arg) {
    if (!strcmp(arg, "--help") || !strcmp(arg, "-h"))
        o->command = o->command == GD_COMMAND_RUN ? GD_COMMAND_RUN_HELP : GD_COMMAND_HELP;
    else if (!strcmp(arg, "--version") || !strcmp(arg, "-V"))
        o->command = GD_COMMAND_VERSION;
    else if (!strcmp(arg, "--check-config"))
        o->command = GD_COMMAND_CHECK_CONFIG;
    else
        return false;
    return true;
}

/* One `--flag value` or `--flag=value`; *i moves past it. With `only` set, other options are just stepped over. */
static int read_flag(reader *r, int argc, char **argv, int *i, const option_row *only) {
    const char *name = argv[*i] + 2, *value = strchr(name, '=');
    size_t length = value ? (size_t)(value - name) : strlen(name);
    const option_row *row = strncmp(argv[*i], "--", 2) ? NULL : find_row(name, length);
    bool url = !row && r->o->command == GD_COMMAND_HEALTHCHECK && length == 3 && !memcmp(name, "url", 3);
    if (!row && !url) return complain(r, GD_EXIT_USAGE, "unknown option '%.100s' (gradd --help lists them)", argv[*i]);
    if (value)
        value++;
    else if (*i + 1 < argc)
        value = argv[++*i];
    else
        return complain(r, GD_EXIT_USAGE, "%.100s needs a value", argv[*i]);
    if (url) return set_text(&r->o->url, value) ? 0 : complain(r, GD_EXIT_CONFIG, "out of memory");
    if (only && row != only) return 0;
    return set_option(r, row, value, GD_FROM_FLAG, "--");
}

/* A word that is no flag: the command, or what `run` runs. */
static int read_word(reader *r, int i, char *word) {
    if (i == 1) return set_command(r, word);
    if (r->o->command != GD_COMMAND_RUN || r->o->program)
        return complain(r, GD_EXIT_USAGE, "unexpected argument '%.100s'", word);
    r->o->program = word;
    return 0;
}

static bool only_tells(const gd_options *o) {
    return o->command == GD_COMMAND_HELP || o->command == GD_COMMAND_RUN_HELP || o->command == GD_COMMAND_VERSION;
}

static int read_flags(reader *r, int argc, char **argv, const option_row *only) {
    r->o->program = NULL;
    for (int i = 1; i < argc; i++) {
        int code = 0;
        if (argv[i][0] != '-' || !argv[i][1])
            code = read_word(r, i, argv[i]);
        else if (!set_switch(r->o, argv[i]))
            code = read_flag(r, argc, argv, &i, only);
        if (code) return code;
        if (only_tells(r->o)) return 0;
    }
    if (r->o->command == GD_COMMAND_RUN && !r->o->program)
        return complain(r, GD_EXIT_USAGE, "run needs a FILE, or - for standard input (gradd run --help)");
    return 0;
}

static int read_defaults(reader *r) {
    for (size_t i = 0; i < GD_OPTION_COUNT; i++) {
        int code = set_option(r, &rows[i], rows[i].fallback, GD_FROM_DEFAULT, "default ");
        if (code) return code;
    }
    return 0;
}

static int read_environment(reader *r, const option_row *only) {
    for (size_t i = 0; i < GD_OPTION_COUNT; i++) {
        const char *value = getenv(rows[i].environment);
        if (!value || !*value || (only && only != &rows[i])) continue;
        char where[64];
        snprintf(where, sizeof where, "%s: ", rows[i].environment);
        int code = set_option(r, &rows[i], value, GD_FROM_ENVIRONMENT, where);
        if (code) return code;
    }
    return 0;
}

/* ---- checks over several settings ---- */

static int read_token(reader *r) {
    gd_options *o = r->o;
    if (!*o->token_file) return 0;
    FILE *f = fopen(o->token_file, "re");
    if (!f)
        return complain(r, GD_EXIT_CONFIG,
                        "token-file: %.200s: %s (make one: head -c 24 /dev/urandom | base64 > %.200s)", o->token_file,
                        strerror(errno), o->token_file);
    char line[GD_TOKEN_MAX + 2];
    char *got = fgets(line, sizeof line, f);
    fclose(f);
    const char *token = got ? trim(line) : "";
    size_t n = strlen(token);
    if (n < GD_TOKEN_MIN || n > GD_TOKEN_MAX)
        return complain(r, GD_EXIT_CONFIG, "token-file: the first line of %.200s must hold %d to %d bytes",
                        o->token_file, GD_TOKEN_MIN, GD_TOKEN_MAX);
    for (size_t i = 0; i < n; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return complain(r, GD_EXIT_CONFIG,
                            "token-file: the token in %.200s may hold printable ASCII without spaces only",
                            o->token_file);
    memcpy(o->token, token, n + 1);
    return 0;
}

/* An origin is scheme://host[:port], nothing after it: anything else would never match. */
static int check_origins(reader *r) {
    for (size_t i = 0; i < r->o->allow_origin.count; i++) {
        const char *origin = r->o->allow_origin.items[i];
        const char *host = strstr(origin, "://");
        if (!host || host == origin || !host[3] || strpbrk(host + 3, "/?#@*"))
            return complain(r, GD_EXIT_CONFIG,
                            "allow-origin: '%.100s' is no origin such as https://app.example or http://localhost:3000",
                            origin);
    }
    return 0;
}

static int check(reader *r) {
    int code = check_origins(r);
    bool serves = r->o->command == GD_COMMAND_SERVE || r->o->command == GD_COMMAND_CHECK_CONFIG;
    if (!code && serves) code = read_token(r);
    if (code || !serves) return code;
    if (!r->o->listen.loopback && !*r->o->token)
        return complain(r, GD_EXIT_CONFIG,
                        "refusing to listen beyond this machine without a token: give --token-file FILE "
                        "(head -c 24 /dev/urandom | base64 > FILE), or --listen 127.0.0.1:4242");
    if (!r->o->listen.loopback && r->o->umbridge_shmem)
        return complain(r, GD_EXIT_CONFIG,
                        "umbridge-shmem: shared memory is for clients on this machine only; listen on 127.0.0.1 or "
                        "[::1], or leave it off");
    return 0;
}

int gd_options_read(gd_options *o, int argc, char **argv, char *message, size_t message_size) {
    reader r = {o, message, message_size};
    const option_row *config = &rows[GD_OPTION_config];
    memset(o, 0, sizeof *o);
    /* A first pass finds the command and the config file; then each source in turn overwrites the one before. */
    int code = read_defaults(&r);
    if (!code) code = read_environment(&r, config);
    if (!code) code = read_flags(&r, argc, argv, config);
    if (code || only_tells(o)) return code;
    if (*o->config) code = read_file(&r, o->config);
    if (!code) code = read_environment(&r, NULL);
    if (!code) code = read_flags(&r, argc, argv, NULL);
    return code ? code : check(&r);
}

void gd_options_free(gd_options *o) {
    for (size_t i = 0; i < GD_OPTION_COUNT; i++) {
        void *field = (char *)o + rows[i].offset;
        if (rows[i].type == NAMES) clear_names(field);
        if (rows[i].type == PATH) free(*(char **)field);
    }
    free(o->url);
    explicit_bzero(o->token, sizeof o->token);
    o->url = NULL;
}

/* ---- printing ---- */

void gd_options_print_help(FILE *out) {
    fputs("gradd: PyTorch's autograd over HTTP\n\n"
          "usage: gradd [serve] [options]      serve until SIGTERM\n"
          "       gradd run [options] FILE|-   run a program without a server; gradd run --help\n"
          "       gradd healthcheck [--url URL | --listen ADDR:PORT]   ask a running server's /healthz: exit 0 or 1\n"
          "       gradd --check-config | --version | --help\n\n"
          "options, with their names in the environment and their defaults:\n",
          out);
    for (size_t i = 0; i < GD_OPTION_COUNT; i++) {
        const option_row *r = &rows[i];
        fprintf(out, "  --%s %s\n        %s\n        %s", r->flag, r->argument, r->help, r->environment);
        fprintf(out, *r->fallback ? ", default %s\n" : "\n", r->fallback);
    }
    fputs(
        "\nA flag wins over the environment, that over the config file, that over the default. In the config file the\n"
        "names are the flags' without dashes in front: `max-body = 64M`.\n\n"
        "examples:\n"
        "  gradd                                          try it: curl http://127.0.0.1:4242/\n"
        "  gradd --listen 127.0.0.1:0 --log-format json   a free port, which it prints\n"
        "  head -c 24 /dev/urandom | base64 > token\n"
        "  gradd --listen 0.0.0.0:4242 --token-file token --allow-host gradd.example\n"
        "  GRADD_MEMORY=2G GRADD_SESSION_TTL=3600 gradd\n"
        "  echo 'print(torch.ones(3).sum())' | gradd run -\n\n"
        "exit codes: 0 done, 1 failure, 64 wrong command line, 66 no file to run, 78 wrong configuration\n",
        out);
}

static void print_address(const gd_address *a, FILE *out) {
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->socket;
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->socket;
    bool v6 = a->socket.ss_family == AF_INET6;
    inet_ntop(a->socket.ss_family, v6 ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, host, sizeof host);
    fprintf(out, v6 ? "[%s]:%u" : "%s:%u", host, ntohs(v6 ? in6->sin6_port : in->sin_port));
}

static void print_value(const option_row *row, const void *field, FILE *out) {
    const gd_names *names = field;
    const char *choice = row->argument;
    switch (row->type) {
    case ADDRESS: print_address(field, out); break;
    case COUNT: fprintf(out, "%u", *(const uint32_t *)field); break;
    case BYTES:
        *(const size_t *)field == GD_BYTES_AUTO ? fputs("auto", out) : fprintf(out, "%zu", *(const size_t *)field);
        break;
    case SECONDS: fprintf(out, "%.17g", *(const double *)field); break;
    case PATH: fputs(*(char *const *)field, out); break;
    case NAMES:
        for (size_t i = 0; i < names->count; i++) fprintf(out, i ? ", %s" : "%s", names->items[i]);
        break;
    case CHOICE:
        for (int i = *(const int *)field; i > 0; i--) choice = strchr(choice, '|') + 1;
        fprintf(out, "%.*s", (int)strcspn(choice, "|"), choice);
        break;
    }
}

void gd_options_print(const gd_options *o, FILE *out) {
    static const char *const sources[] = {"default", "config file", "environment", "flag"};
    for (size_t i = 0; i < GD_OPTION_COUNT; i++) {
        const option_row *row = &rows[i];
        bool unset = row->type == PATH && !**(char *const *)((const char *)o + row->offset);
        fprintf(out, unset || i == GD_OPTION_config ? "# %s = " : "%s = ", row->flag);
        print_value(row, (const char *)o + row->offset, out);
        fprintf(out, " # %s\n", sources[o->source[i]]);
    }
}
