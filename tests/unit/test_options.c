/* test_options.c: flags, environment, config file and defaults, and what is refused. */
#include "server/options.h"
#include "server/run.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *options_suite(void);

enum { MOST = 12 };

static gd_options o;
static char message[512];

static int read_words(const char *const *words) {
    char *argv[MOST + 2] = {(char *)"gradd"};
    int argc = 1;
    for (; words[argc - 1]; argc++) argv[argc] = (char *)words[argc - 1];
    memset(message, 0, sizeof message);
    return gd_options_read(&o, argc, argv, message, sizeof message);
}
#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})
#define READ_NOTHING() read_words((const char *const[]){NULL})

static const char *write_file(const char *text) {
    static char path[] = "/tmp/gradd-test-XXXXXX";
    strcpy(path + sizeof path - 7, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

START_TEST(defaults) {
    ck_assert_int_eq(READ_NOTHING(), 0);
    ck_assert_int_eq(o.command, GD_COMMAND_SERVE);
    ck_assert(o.listen.loopback);
    ck_assert_uint_eq(o.max_body, 256 << 20);
    ck_assert_uint_eq(o.memory, GD_BYTES_AUTO);
    ck_assert_uint_eq(o.max_sessions, 10000);
    ck_assert_int_eq(o.log_format, GD_LOG_TEXT);
    ck_assert_int_eq(o.log_level, GD_LOG_INFO);
    ck_assert_str_eq(o.token, "");
    ck_assert_uint_eq(o.allow_host.count, 0);
    gd_options_free(&o);
}
END_TEST

static void check_limits(gd_program_limits a, gd_program_limits b) {
    ck_assert_uint_eq(a.steps, b.steps);
    ck_assert(a.seconds >= b.seconds && a.seconds <= b.seconds);
    ck_assert_uint_eq(a.memory_bytes, b.memory_bytes);
    ck_assert_uint_eq(a.recursion, b.recursion);
    ck_assert_uint_eq(a.output_bytes, b.output_bytes);
}

START_TEST(limits_of_programs) {
    ck_assert_int_eq(READ_NOTHING(), 0);
    check_limits(gd_run_limits(&o), GD_PROGRAM_DEFAULT_LIMITS); /* what --help says is what the library does */
    gd_options_free(&o);
    ck_assert_int_eq(READ("--program-steps", "7", "--program-seconds=0.5", "--program-memory", "1k",
                          "--program-recursion=0", "--program-output", "3"),
                     0);
    check_limits(gd_run_limits(&o), (gd_program_limits){7, 0.5, 1024, 0, 3});
    gd_options_free(&o);
}
END_TEST

START_TEST(what_run_runs) {
    ck_assert_int_eq(READ("run", "--program-steps", "5", "-"), 0);
    ck_assert_int_eq(o.command, GD_COMMAND_RUN);
    ck_assert_str_eq(o.program, "-");
    gd_options_free(&o);
    ck_assert_int_eq(READ("run", "a.py", "--listen", "0.0.0.0:1"), 0); /* no server, no token */
    ck_assert_str_eq(o.program, "a.py");
    gd_options_free(&o);
    ck_assert_int_eq(READ("run", "--help"), 0);
    ck_assert_int_eq(o.command, GD_COMMAND_RUN_HELP);
    gd_options_free(&o);
    ck_assert_int_eq(READ("run"), GD_EXIT_USAGE);
    gd_options_free(&o);
    ck_assert_int_eq(READ("run", "a", "b"), GD_EXIT_USAGE);
    gd_options_free(&o);
    ck_assert_int_eq(READ("serve", "-"), GD_EXIT_USAGE);
    gd_options_free(&o);
}
END_TEST

START_TEST(precedence) {
    const char *path = write_file(
        "# comment\nthreads = 3\nworkers = 3 # more\n\nmax-sessions=3\nallow-host = a, b\nallow-origin=http://x\n");
    setenv("GRADD_CONFIG", path, 1);
    setenv("GRADD_WORKERS", "4", 1);
    setenv("GRADD_MAX_SESSIONS", "4", 1);
    setenv("GRADD_ALLOW_HOST", "c", 1);
    setenv("GRADD_TOKEN_FILE", "", 1); /* empty is as good as unset */
    ck_assert_int_eq(READ("serve", "--max-sessions", "5", "--allow-origin=http://y", "--allow-origin", "http://z"), 0);
    unlink(path);
    ck_assert_uint_eq(o.threads, 3);
    ck_assert_uint_eq(o.workers, 4);
    ck_assert_uint_eq(o.max_sessions, 5);
    ck_assert_int_eq(o.source[GD_OPTION_threads], GD_FROM_FILE);
    ck_assert_int_eq(o.source[GD_OPTION_max_sessions], GD_FROM_FLAG);
    ck_assert_uint_eq(o.allow_host.count, 1);
    ck_assert_str_eq(o.allow_host.items[0], "c");
    ck_assert_uint_eq(o.allow_origin.count, 2);
    ck_assert_str_eq(o.allow_origin.items[1], "http://z");
    gd_options_free(&o);
}
END_TEST

/* Every numeric option can be set from each source, and a later source wins. */
START_TEST(every_option_from_every_source) {
#define CHECK_COUNT(field, flag, environment)                                                                          \
    do {                                                                                                               \
        char line[80];                                                                                                 \
        snprintf(line, sizeof line, "%s = 7\n", flag);                                                                 \
        const char *path = write_file(line);                                                                           \
        ck_assert_int_eq(READ("--config", path), 0);                                                                   \
        ck_assert_uint_eq((size_t)o.field, 7);                                                                         \
        gd_options_free(&o);                                                                                           \
        setenv(environment, "8", 1);                                                                                   \
        ck_assert_int_eq(READ("--config", path), 0);                                                                   \
        ck_assert_uint_eq((size_t)o.field, 8);                                                                         \
        gd_options_free(&o);                                                                                           \
        ck_assert_int_eq(READ("--config", path, "--" flag, "9"), 0);                                                   \
        ck_assert_uint_eq((size_t)o.field, 9);                                                                         \
        gd_options_free(&o);                                                                                           \
        unsetenv(environment);                                                                                         \
        unlink(path);                                                                                                  \
    } while (0)
    CHECK_COUNT(threads, "threads", "GRADD_THREADS");
    CHECK_COUNT(workers, "workers", "GRADD_WORKERS");
    CHECK_COUNT(memory, "memory", "GRADD_MEMORY");
    CHECK_COUNT(session_memory, "session-memory", "GRADD_SESSION_MEMORY");
    CHECK_COUNT(session_ttl, "session-ttl", "GRADD_SESSION_TTL");
    CHECK_COUNT(max_sessions, "max-sessions", "GRADD_MAX_SESSIONS");
    CHECK_COUNT(max_functions, "max-functions", "GRADD_MAX_FUNCTIONS");
    CHECK_COUNT(plan_memory, "plan-memory", "GRADD_PLAN_MEMORY");
    CHECK_COUNT(program_steps, "program-steps", "GRADD_PROGRAM_STEPS");
    CHECK_COUNT(program_seconds, "program-seconds", "GRADD_PROGRAM_SECONDS");
    CHECK_COUNT(program_memory, "program-memory", "GRADD_PROGRAM_MEMORY");
    CHECK_COUNT(program_recursion, "program-recursion", "GRADD_PROGRAM_RECURSION");
    CHECK_COUNT(program_output, "program-output", "GRADD_PROGRAM_OUTPUT");
}
END_TEST

START_TEST(sizes) {
    static const struct {
        const char *text;
        size_t bytes;
    } good[] = {{"0", 0}, {"4096", 4096}, {"1k", 1024}, {"1K", 1024}, {"1.5M", 1572864}, {"2G", (size_t)2 << 30}};
    static const char *const bad[] = {"",    "x",  "-1", "+1",   "1e3", "0x10", "1T",  "1kk",
                                      "1 k", " 1", ".",  "1..2", "k",   "inf",  "nan", "99999999999999G"};
    size_t bytes;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(gd_bytes_parse(good[i].text, &bytes), "%s", good[i].text);
        ck_assert_uint_eq(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert_msg(!gd_bytes_parse(bad[i], &bytes), "%s", bad[i]);
}
END_TEST

START_TEST(addresses) {
    static const char *const local[] = {"127.0.0.1:4242", "127.1.2.3:0", "[::1]:65535", "localhost:1"};
    static const char *const open[] = {"0.0.0.0:4242", "[::]:1", "10.0.0.1:80", "[fe80::1]:80"};
    static const char *const bad[] = {"",
                                      ":",
                                      "4242",
                                      ":4242",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:+1",
                                      "1.2.3:80",
                                      "::1:80",
                                      "[::1]",
                                      "[::1:80",
                                      "::1]:80",
                                      "[]:80",
                                      "[:80",
                                      "gradd.example:80",
                                      "127.0.0.1:80x",
                                      "127.0.0.1: 80"};
    gd_address a;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        ck_assert_msg(gd_address_parse(local[i], &a) && a.loopback, "%s", local[i]);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        ck_assert_msg(gd_address_parse(open[i], &a) && !a.loopback, "%s", open[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert_msg(!gd_address_parse(bad[i], &a), "%s", bad[i]);
}
END_TEST

static void refused(int code, int expected, const char *part) {
    ck_assert_msg(code == expected, "%d instead of %d: %s", code, expected, message);
    ck_assert_msg(strstr(message, part) != NULL, "'%s' is not in '%s'", part, message);
    ck_assert_ptr_null(strchr(message, '\n'));
    gd_options_free(&o);
}

START_TEST(wrong_command_lines) {
    refused(READ("--nonsense"), GD_EXIT_USAGE, "--nonsense");
    refused(READ("-x"), GD_EXIT_USAGE, "-x");
    refused(READ("--data", "/tmp"), GD_EXIT_USAGE, "--data");
    refused(READ("--url", "http://x"), GD_EXIT_USAGE, "--url");
    refused(READ("dance"), GD_EXIT_USAGE, "dance");
    refused(READ("run"), GD_EXIT_USAGE, "needs a FILE");
    refused(READ("run", "x", "y"), GD_EXIT_USAGE, "'y'");
    refused(READ("serve", "again"), GD_EXIT_USAGE, "again");
    refused(READ("--threads"), GD_EXIT_USAGE, "needs a value");
    refused(READ("--threads", "1.5"), GD_EXIT_USAGE, "--threads");
    refused(READ("--threads", "257"), GD_EXIT_USAGE, "256");
    refused(READ("--max-body=12"), GD_EXIT_USAGE, "1k");
    refused(READ("--max-body=auto"), GD_EXIT_USAGE, "--max-body");
    refused(READ("--log-level", "loud"), GD_EXIT_USAGE, "error|warn|info|debug");
    refused(READ("--log-format", "text|json"), GD_EXIT_USAGE, "text|json");
    refused(READ("--session-ttl", "-1"), GD_EXIT_USAGE, "--session-ttl");
    refused(READ("--listen", "here"), GD_EXIT_USAGE, "--listen");
}
END_TEST

START_TEST(wrong_configurations) {
    static const char *const files[] = {"threads 3\n",  "treads = 3\n", "threads = x\n",
                                        "config = y\n", "= 3\n",        "threads = 3\nmemory = much"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = write_file(files[i]);
        refused(READ("--config", path), GD_EXIT_CONFIG, i == 5 ? ":2: " : ":1: ");
        unlink(path);
    }
    refused(READ("--config", "/nonexistent/file"), GD_EXIT_CONFIG, "/nonexistent/file");
    refused(READ("--listen", "0.0.0.0:0"), GD_EXIT_CONFIG, "--token-file");
    refused(READ("--listen", "[::]:0", "--check-config"), GD_EXIT_CONFIG, "--token-file");
    refused(READ("--token-file", "/nonexistent/token"), GD_EXIT_CONFIG, "/dev/urandom");
    refused(READ("--allow-origin", "https://x.example/"), GD_EXIT_CONFIG, "allow-origin");
    refused(READ("--allow-origin", "*"), GD_EXIT_CONFIG, "allow-origin");
    setenv("GRADD_THREADS", "x", 1);
    refused(READ("--threads", "2"), GD_EXIT_CONFIG, "GRADD_THREADS");
    unsetenv("GRADD_THREADS");
}
END_TEST

START_TEST(token_files) {
    static const char *const bad[] = {"",
                                      "\n",
                                      "short\n",
                                      "fifteen bytes..\n",
                                      "has a space in its middle\n",
                                      "tab\there-is-no-good-token\n",
                                      "caf\xc3\xa9-is-no-good-token\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *path = write_file(bad[i]);
        refused(READ("--token-file", path), GD_EXIT_CONFIG, "token");
        unlink(path);
    }
    const char *path = write_file("0123456789abcdef  \r\nsecond line\n");
    ck_assert_int_eq(READ("--token-file", path, "--listen", "0.0.0.0:0"), 0);
    ck_assert_str_eq(o.token, "0123456789abcdef");
    gd_options_free(&o);
    ck_assert_str_eq(o.token, "");
    unlink(path);
}
END_TEST

START_TEST(commands) {
    static const struct {
        const char *word;
        gd_command command;
    } all[] = {{"serve", GD_COMMAND_SERVE},
               {"healthcheck", GD_COMMAND_HEALTHCHECK},
               {"--help", GD_COMMAND_HELP},
               {"-h", GD_COMMAND_HELP},
               {"--version", GD_COMMAND_VERSION},
               {"-V", GD_COMMAND_VERSION},
               {"--check-config", GD_COMMAND_CHECK_CONFIG}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ck_assert_int_eq(READ(all[i].word), 0);
        ck_assert_int_eq(o.command, all[i].command);
        gd_options_free(&o);
    }
    /* A health check must work where the server's own settings cannot be read. */
    ck_assert_int_eq(
        READ("healthcheck", "--listen", "0.0.0.0:1", "--token-file", "/nonexistent", "--url", "http://h:1"), 0);
    ck_assert_str_eq(o.url, "http://h:1");
    gd_options_free(&o);
}
END_TEST

/* What --check-config prints is itself a config file that means the same. */
START_TEST(printed_settings_read_back) {
    char *text = NULL;
    size_t size = 0;
    ck_assert_int_eq(READ("--threads", "5", "--allow-host", "a,b", "--listen", "[::1]:7", "--session-ttl", "0.5",
                          "--log-format", "json"),
                     0);
    FILE *out = open_memstream(&text, &size);
    gd_options_print(&o, out);
    fclose(out);
    gd_options_free(&o);
    const char *path = write_file(text);
    free(text);
    ck_assert_msg(READ("--config", path) == 0, "%s", message);
    ck_assert_uint_eq(o.threads, 5);
    ck_assert_uint_eq(o.allow_host.count, 2);
    ck_assert_int_eq(o.listen.socket.ss_family, AF_INET6);
    ck_assert(o.session_ttl == 0.5);
    ck_assert_int_eq(o.log_format, GD_LOG_JSON);
    gd_options_free(&o);
    unlink(path);
}
END_TEST

Suite *options_suite(void) {
    Suite *s = suite_create("options");
    TCase *t = tcase_create("options");
    tcase_add_test(t, defaults);
    tcase_add_test(t, limits_of_programs);
    tcase_add_test(t, what_run_runs);
    tcase_add_test(t, precedence);
    tcase_add_test(t, every_option_from_every_source);
    tcase_add_test(t, sizes);
    tcase_add_test(t, addresses);
    tcase_add_test(t, wrong_command_lines);
    tcase_add_test(t, wrong_configurations);
    tcase_add_test(t, token_files);
    tcase_add_test(t, commands);
    tcase_add_test(t, printed_settings_read_back);
    suite_add_tcase(s, t);
    return s;
}
