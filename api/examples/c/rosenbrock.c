/* Minimises Rosenbrock's function with gradd, in C with libcurl: cc -o rosenbrock rosenbrock.c -lcurl -lm */
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The function is stored once, as text. The annotation says what x is: two doubles. */
static const char source[] = "def rosenbrock(x: float64[2]):\n"
                             "    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2\n";

/* The start of an answer; ours are short. */
typedef struct answer {
    char text[4096];
    size_t length;
} answer;

static size_t gather(char *bytes, size_t size, size_t count, void *user) {
    answer *a = user;
    size_t n = size * count, room = sizeof a->text - 1 - a->length;
    memcpy(a->text + a->length, bytes, n < room ? n : room);
    a->length += n < room ? n : room;
    a->text[a->length] = 0;
    return n;
}

/* One request; ends the program if it fails. The connection stays open for the next one. */
static void ask(CURL *curl, const char *method, const char *url, const char *type, const char *body, answer *a) {
    char header[64];
    snprintf(header, sizeof header, "Content-Type: %s", type);
    struct curl_slist *headers = curl_slist_append(NULL, header);
    a->length = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, gather);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        fprintf(stderr, "%s %s: %s\n", method, url, curl_easy_strerror(code));
        exit(1);
    }
}

/* The value at x, and the gradient into g; the answer is {"value":24.2,"gradients":{"x":[-215.6,-88.0]}}. */
static double gradient(CURL *curl, const char *url, const double x[2], double g[2]) {
    char path[300], body[128];
    answer a;
    snprintf(path, sizeof path, "%s/gradient", url);
    snprintf(body, sizeof body, "{\"inputs\":{\"x\":[%.17g,%.17g]}}", x[0], x[1]);
    ask(curl, "POST", path, "application/json", body, &a);
    const char *value = strstr(a.text, "\"value\":"), *parts = strstr(a.text, "\"x\":[");
    if (!value || !parts || sscanf(parts, "\"x\":[%lf,%lf", &g[0], &g[1]) != 2) {
        fprintf(stderr, "no gradient came: %s\n", a.text);
        exit(1);
    }
    return atof(value + strlen("\"value\":"));
}

static double distance(const double a[2], const double b[2]) { return hypot(a[0] - b[0], a[1] - b[1]); }

int main(void) {
    const char *base = getenv("GRADD_URL");
    char url[256];
    answer a;
    CURL *curl = curl_easy_init();
    if (!curl) return 1;
    snprintf(url, sizeof url, "%s/v1/functions/rosenbrock_c", base ? base : "http://127.0.0.1:4242");
    ask(curl, "PUT", url, "text/plain", source, &a);

    double x[2] = {-1.2, 1}, g[2], step = 0.001, value = gradient(curl, url, x, g);
    while (hypot(g[0], g[1]) > 1e-8) {
        double next[2] = {x[0] - step * g[0], x[1] - step * g[1]}, next_g[2];
        value = gradient(curl, url, next, next_g);
        step = distance(next, x) / distance(next_g, g); /* how far the point moved for how far the gradient did */
        memcpy(x, next, sizeof x);
        memcpy(g, next_g, sizeof g);
    }
    printf("minimum f(%.6f, %.6f) = %.6f\n", x[0], x[1], value);
    ask(curl, "DELETE", url, "text/plain", "", &a);
    curl_easy_cleanup(curl);
    return 0;
}
