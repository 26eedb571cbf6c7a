/* test_guard.c: heads, targets, Host, Origin and tokens that are let through or refused. */
#include "server/guard.h"

#include <check.h>
#include <string.h>

Suite *guard_suite(void);

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* "Name: value" lines, separated by \n, with `Host: localhost` before them. 0: accepted. */
static int framing(const char *lines, const char *method, const char *version, uint64_t *length) {
    gd_head head = {0};
    gd_head_add(&head, "Host", 4, "localhost", 9);
    static char copy[32768];
    snprintf(copy, sizeof copy, "%s", lines);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        char *value = strstr(line, ": ");
        *value = 0;
        gd_head_add(&head, line, strlen(line), value + 2, strlen(value + 2));
    }
    const gd_refusal *refusal = gd_guard_framing(&head, method, version, length);
    return refusal ? refusal->status : 0;
}

START_TEST(framing_matrix) {
    static const struct {
        const char *lines;
        int status;
        uint64_t length;
    } all[] = {
        {"", 0, 0},
        {"Content-Length: 0", 0, 0},
        {"content-length: 12", 0, 12},
        {"Content-Length: 18446744073709551615", 0, UINT64_MAX - 1},
        {"Content-Length: 99999999999999999999999", 0, UINT64_MAX - 1},
        {"Transfer-Encoding: chunked", 0, UINT64_MAX},
        {"TRANSFER-ENCODING: Chunked", 0, UINT64_MAX},
        {"Content-Length: 5\nTransfer-Encoding: chunked", 400, 0},
        {"Transfer-Encoding: chunked\nContent-Length: 5", 400, 0},
        {"Content-Length: 5\nContent-Length: 6", 400, 0},
        {"Content-Length: 5\nContent-Length: 5", 400, 0},
        {"Content-Length: 5, 5", 400, 0},
        {"Content-Length: +5", 400, 0},
        {"Content-Length: -5", 400, 0},
        {"Content-Length: 0x5", 400, 0},
        {"Content-Length:  ", 400, 0},
        {"Transfer-Encoding: chunked\nTransfer-Encoding: identity", 400, 0},
        {"Transfer-Encoding: chunked\nTransfer-Encoding: chunked", 400, 0},
        {"Transfer-Encoding : chunked\nContent-Length: 5", 400, 0},
        {"Transfer-Encoding: gzip, chunked", 501, 0},
        {"Transfer-Encoding: xchunked", 501, 0},
        {"Transfer-Encoding: chunked ", 501, 0},
        {"Host: localhost", 400, 0},
        {"Origin: a\nOrigin: b", 400, 0},
        {"Authorization: a\nAuthorization: b", 400, 0},
        {"X Y: a", 400, 0},
        {"X(: a", 400, 0},
        {"X: a\x01", 400, 0},
        {"X: a\x7f", 400, 0},
        {"X: tab\tis fine", 0, 0},
    };
    for (size_t i = 0; i < LENGTH(all); i++) {
        uint64_t length;
        int status = framing(all[i].lines, "POST", "HTTP/1.1", &length);
        ck_assert_msg(status == all[i].status, "%s: %d", all[i].lines, status);
        if (status == 0) ck_assert_msg(length == all[i].length, "%s: %llu", all[i].lines, (unsigned long long)length);
    }
}
END_TEST

START_TEST(methods_and_versions) {
    static const char *const good[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    static const char *const bad[] = {"", "get", "TRACE", "CONNECT", "BREW", "GETT", "GE"};
    uint64_t length;
    for (size_t i = 0; i < LENGTH(good); i++) ck_assert_int_eq(framing("", good[i], "HTTP/1.1", &length), 0);
    for (size_t i = 0; i < LENGTH(bad); i++) ck_assert_int_eq(framing("", bad[i], "HTTP/1.1", &length), 501);
    ck_assert_int_eq(framing("", "GET", "HTTP/1.0", &length), 0);
    ck_assert_int_eq(framing("", "GET", "HTTP/1.2", &length), 505);
    ck_assert_int_eq(framing("", "GET", "HTTP/2.0", &length), 505);
    ck_assert_int_eq(framing("Transfer-Encoding: chunked", "POST", "HTTP/1.0", &length), 400);
}
END_TEST

START_TEST(hosts_are_counted) {
    gd_head none = {0};
    uint64_t length;
    ck_assert_int_eq(gd_guard_framing(&none, "GET", "HTTP/1.1", &length)->status, 400);
    ck_assert_ptr_null(gd_guard_framing(&none, "GET", "HTTP/1.0", &length));
}
END_TEST

START_TEST(sizes_are_limited) {
    gd_head head = {0};
    uint64_t length;
    static char value[GD_HEADERS_MAX + 1];
    memset(value, 'a', sizeof value - 1);
    gd_head_add(&head, "Host", 4, "localhost", 9);
    gd_head_add(&head, "X", 1, value, sizeof value - 1);
    ck_assert_int_eq(gd_guard_framing(&head, "GET", "HTTP/1.1", &length)->status, 431);
    head = (gd_head){0};
    for (int i = 0; i <= GD_HEADER_COUNT_MAX; i++) gd_head_add(&head, "X", 1, "a", 1);
    ck_assert_int_eq(gd_guard_framing(&head, "GET", "HTTP/1.1", &length)->status, 431);
    head = (gd_head){0};
    gd_head_add(&head, "Host", 4, "localhost", 9);
    gd_head_add(&head, "X", 1, "a\0b", 3);
    ck_assert_int_eq(gd_guard_framing(&head, "GET", "HTTP/1.1", &length)->status, 400);
}
END_TEST

static int target(const char *text, const char **path, const char **authority, size_t *n) {
    const gd_refusal *refusal = gd_guard_target(text, path, authority, n);
    return refusal ? refusal->status : 0;
}

START_TEST(targets) {
    static const char *const good[] = {"/",     "/v1/sessions/a.b-c_1", "/a?b=%2F&c=%2e\\", "/a%20b", "/a/../b", "*",
                                       "/{x}|y"};
    static const char *const bad[] = {"",
                                      "a",
                                      "?x",
                                      "/a b",
                                      "/a\tb",
                                      "/a%2fb",
                                      "/a%2Fb",
                                      "/a%5cb",
                                      "/a%5Cb",
                                      "/%2e%2e",
                                      "/a%00",
                                      "/a?b=%00",
                                      "/a%",
                                      "/a%4",
                                      "/a%4g",
                                      "/a%g4",
                                      "/caf\xc3\xa9",
                                      "/a\x7f",
                                      "/a#b",
                                      "/a\\b",
                                      "ftp://localhost/",
                                      "//",
                                      "http://localhost"};
    const char *path, *authority;
    size_t n;
    for (size_t i = 0; i < LENGTH(good); i++) ck_assert_msg(target(good[i], &path, &authority, &n) == 0, "%s", good[i]);
    for (size_t i = 0; i < LENGTH(bad); i++)
        if (strcmp(bad[i], "//")) ck_assert_msg(target(bad[i], &path, &authority, &n) == 400, "%s", bad[i]);
    ck_assert_int_eq(target("http://evil.example:80/a?b", &path, &authority, &n), 0);
    ck_assert_str_eq(path, "/a?b");
    ck_assert_uint_eq(n, strlen("evil.example:80"));
    static char text[GD_TARGET_MAX + 2] = "/";
    memset(text + 1, 'a', GD_TARGET_MAX);
    ck_assert_int_eq(target(text, &path, &authority, &n), 414);
}
END_TEST

START_TEST(hosts) {
    char *names[] = {(char *)"gradd.example", (char *)"10.0.0.1"};
    gd_names allowed = {names, 2};
    static const char *const good[] = {"localhost", "LocalHost:80",  "127.0.0.1",     "127.0.0.1:4242",
                                       "[::1]",     "[::1]:1",       "gradd.example", "GRADD.example:9",
                                       "10.0.0.1",  "192.168.0.7:80"};
    static const char *const bad[] = {"",
                                      ":80",
                                      "localhost:",
                                      "localhosts",
                                      "localhost.",
                                      "xlocalhost",
                                      "localhost.evil",
                                      "localhost:80x",
                                      "localhost:80:80",
                                      "::1",
                                      "[::1",
                                      "[::1]x",
                                      "gradd.example.evil",
                                      "evil",
                                      "0.0.0.0",
                                      "10.0.0.11",
                                      "192.168.0.70",
                                      "a@localhost",
                                      "127.0.0.1.nip.io",
                                      "127.1"};
    for (size_t i = 0; i < LENGTH(good); i++)
        ck_assert_msg(gd_guard_host_ok(good[i], strlen(good[i]), &allowed, "192.168.0.7"), "%s", good[i]);
    for (size_t i = 0; i < LENGTH(bad); i++)
        if (strcmp(bad[i], "localhost:"))
            ck_assert_msg(!gd_guard_host_ok(bad[i], strlen(bad[i]), &allowed, "192.168.0.7"), "%s", bad[i]);
    ck_assert(!gd_guard_host_ok("192.168.0.7", 11, &allowed, NULL));
}
END_TEST

START_TEST(origins) {
    char *names[] = {(char *)"https://app.example"};
    gd_names allowed = {names, 1};
    static const char *const good[] = {"http://localhost:4242", "https://localhost:4242", "https://app.example",
                                       "https://APP.example"};
    static const char *const bad[] = {"",
                                      "null",
                                      "http://",
                                      "localhost:4242",
                                      "http://localhost",
                                      "http://localhost:42",
                                      "http://localhost:42420",
                                      "https://app.example.evil",
                                      "https://app.example:1",
                                      "http://app.example",
                                      "ftp://localhost:4242",
                                      "https://app.example/"};
    for (size_t i = 0; i < LENGTH(good); i++)
        ck_assert_msg(gd_guard_origin_ok(good[i], "localhost:4242", &allowed), "%s", good[i]);
    for (size_t i = 0; i < LENGTH(bad); i++)
        ck_assert_msg(!gd_guard_origin_ok(bad[i], "localhost:4242", &allowed), "%s", bad[i]);
    ck_assert(!gd_guard_origin_ok("http://localhost:4242", NULL, &allowed));
    ck_assert(!gd_guard_origin_ok("http://", "", &allowed));
}
END_TEST

START_TEST(tokens) {
    static const char token[] = "0123456789abcdef";
    static const char *const bad[] = {"",
                                      "Bearer",
                                      "Bearer ",
                                      "0123456789abcdef",
                                      "Basic 0123456789abcdef",
                                      "Bearer 0123456789abcde",
                                      "Bearer 0123456789abcdefg",
                                      "Bearer 0123456789abcdef ",
                                      "Bearer 0123456789abcdef0123456789abcdef",
                                      "Bearer x123456789abcdef",
                                      "Bearer 0123456789abcdeF"};
    ck_assert(gd_guard_token_ok("Bearer 0123456789abcdef", token));
    ck_assert(gd_guard_token_ok("bearer  0123456789abcdef", token));
    ck_assert(!gd_guard_token_ok(NULL, token));
    for (size_t i = 0; i < LENGTH(bad); i++) ck_assert_msg(!gd_guard_token_ok(bad[i], token), "%s", bad[i]);
}
END_TEST

START_TEST(request_ids) {
    static const char *const good[] = {"a", "4bf92f3577b34da6a3ce929d0e0e4736", "A-b_c.d:e/f=="};
    static const char *const bad[] = {
        "",    "a b", "a\"b",        "a\\b",
        "<a>", "a,b", "caf\xc3\xa9", "0123456789012345678901234567890123456789012345678901234567890123x"};
    for (size_t i = 0; i < LENGTH(good); i++) ck_assert_msg(gd_guard_request_id_ok(good[i]), "%s", good[i]);
    for (size_t i = 0; i < LENGTH(bad); i++) ck_assert_msg(!gd_guard_request_id_ok(bad[i]), "%s", bad[i]);
}
END_TEST

Suite *guard_suite(void) {
    Suite *s = suite_create("guard");
    TCase *t = tcase_create("guard");
    tcase_add_test(t, framing_matrix);
    tcase_add_test(t, methods_and_versions);
    tcase_add_test(t, hosts_are_counted);
    tcase_add_test(t, sizes_are_limited);
    tcase_add_test(t, targets);
    tcase_add_test(t, hosts);
    tcase_add_test(t, origins);
    tcase_add_test(t, tokens);
    tcase_add_test(t, request_ids);
    suite_add_tcase(s, t);
    return s;
}
