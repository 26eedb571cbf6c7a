/* options.h: gradd's settings: one table (options.def), read from the command line, the environment and a config file.
 * A flag wins over the environment, that over the file, that over the default. */
#ifndef GD_SERVER_OPTIONS_H
#define GD_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

enum { GD_EXIT_USAGE = 64, GD_EXIT_CONFIG = 78 };

/* The value of a BYTES option given as `auto`. */
#define GD_BYTES_AUTO SIZE_MAX
#define GD_TOKEN_MIN 16
#define GD_TOKEN_MAX 1024

typedef struct gd_address {
    struct sockaddr_storage socket;
    socklen_t length;
    bool loopback; /* only this machine can reach it */
} gd_address;

typedef struct gd_names {
    char **items; /* owned */
    size_t count;
} gd_names;

typedef enum gd_log_format { GD_LOG_TEXT, GD_LOG_JSON } gd_log_format;
typedef enum gd_log_level { GD_LOG_ERROR, GD_LOG_WARN, GD_LOG_INFO, GD_LOG_DEBUG } gd_log_level;

typedef enum gd_option_source { GD_FROM_DEFAULT, GD_FROM_FILE, GD_FROM_ENVIRONMENT, GD_FROM_FLAG } gd_option_source;

enum {
#define X(type, field, ...) GD_OPTION_##field,
#include "server/options.def"
#undef X
    GD_OPTION_COUNT
};

#define GD_FIELD_ADDRESS gd_address
#define GD_FIELD_COUNT uint32_t
#define GD_FIELD_BYTES size_t
#define GD_FIELD_SECONDS double
#define GD_FIELD_PATH char *
#define GD_FIELD_NAMES gd_names
#define GD_FIELD_CHOICE int

typedef enum gd_command {
    GD_COMMAND_SERVE,
    GD_COMMAND_CHECK_CONFIG,
    GD_COMMAND_HEALTHCHECK,
    GD_COMMAND_RUN,
    GD_COMMAND_RUN_HELP,
    GD_COMMAND_HELP,
    GD_COMMAND_VERSION
} gd_command;

typedef struct gd_options {
#define X(type, field, ...) GD_FIELD_##type field;
#include "server/options.def"
#undef X
    gd_option_source source[GD_OPTION_COUNT];
    gd_command command;
    char *url;                    /* healthcheck's --url, or NULL; owned */
    const char *program;          /* run's FILE, `-` for standard input; of argv */
    char token[GD_TOKEN_MAX + 1]; /* empty: none is asked for */
} gd_options;

/* Reads everything. Returns 0, or the exit code (64: the command line is wrong, 78: the configuration is) with a
 * one-line text in `message`. `argv[0]` is skipped. Free `o` with gd_options_free in either case. */
int gd_options_read(gd_options *o, int argc, char **argv, char *message, size_t message_size);
void gd_options_free(gd_options *o);

/* "127.0.0.1:4242", "[::1]:0", "localhost:80" into *a; false if it is none of these. */
bool gd_address_parse(const char *text, gd_address *a);
/* "10k", "1.5G", "4096"; powers of 1,024. False if malformed or over SIZE_MAX / 2. */
bool gd_bytes_parse(const char *text, size_t *bytes);

void gd_options_print_help(FILE *out);
void gd_options_print_version(FILE *out);
/* The settings in force, one `key = value` line each, with their source in a comment: itself a config file. */
void gd_options_print(const gd_options *o, FILE *out);

#endif
