/* run.c: the stored functions of this folder beside what PyTorch computed for them, and beside finite differences.
 *
 * run DIRECTORY [NAME…]: each DIRECTORY/NAME.py is put with the captures of data/NAME.txt, and evaluated in every way.
 * A line of the data is a word, a name, and either a dtype, the number of dimensions, the sizes and the numbers of a
 * tensor, or (plain) a type and a value. Words: input, capture, plain, value, cotangent, tangent, vjp, jvp, jacobian
 * (its name is output:input), gradient, hvp, hessian.
 */
#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/function/function.h"

enum { MOST_RECORDS = 256, MOST_PLAIN = 8 };

typedef struct record {
    char word[16], name[64];
    gd_dtype dtype;
    int ndim;
    int64_t sizes[8], numel;
    double *numbers;
} record;

typedef struct plain {
    char name[64], text[64];
    gd_value value;
} plain;

typedef struct subject {
    char name[64], source[8192];
    size_t bytes;
    record records[MOST_RECORDS];
    int n;
    plain plains[MOST_PLAIN];
    int nplains;
} subject;

static gd_functions *registry;
static gd_ctx *ctx;
static gd_function *function;
static subject *s;
static int failures;

static void complain(const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("FAILED %s: ", s->name);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    failures++;
}

/* ---- reading --------------------------------------------------------------------------------------- */

static bool read_record(char *line, record *r) {
    char dtype[16];
    int used;
    if (sscanf(line, "%15s %63s %15s %d%n", r->word, r->name, dtype, &r->ndim, &used) != 4) return false;
    if (!gd_dtype_parse(dtype, &r->dtype) || r->ndim > 8) return false;
    char *p = line + used;
    r->numel = 1;
    for (int d = 0; d < r->ndim; d++) r->numel *= r->sizes[d] = strtoll(p, &p, 10);
    r->numbers = calloc((size_t)r->numel + 1, sizeof *r->numbers);
    for (int64_t i = 0; i < r->numel; i++) r->numbers[i] = strtod(p, &p);
    return true;
}

static bool read_plain(const char *line, plain *p) {
    char type[16];
    if (sscanf(line, "plain %63s %15s %63s", p->name, type, p->text) != 3) return false;
    if (!strcmp(type, "int")) p->value = GD_INT_VALUE(strtoll(p->text, NULL, 10));
    if (!strcmp(type, "bool")) p->value = GD_BOOL_VALUE(p->text[0] == '1');
    if (!strcmp(type, "float")) p->value = GD_FLOAT_VALUE(strtod(p->text, NULL));
    if (!strcmp(type, "str")) p->value = GD_STR_VALUE(p->text);
    return true;
}

static bool read_data(FILE *file) {
    char *line = NULL;
    size_t room = 0;
    bool ok = true;
    while (ok && getline(&line, &room, file) > 0) {
        if (!strncmp(line, "plain ", 6))
            ok = s->nplains < MOST_PLAIN && read_plain(line, &s->plains[s->nplains++]);
        else
            ok = s->n < MOST_RECORDS && read_record(line, &s->records[s->n++]);
    }
    free(line);
    return ok;
}

static bool read_subject(const char *folder, const char *name) {
    char path[512];
    snprintf(s->name, sizeof s->name, "%.63s", name);
    snprintf(path, sizeof path, "%s/%s.py", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    s->bytes = fread(s->source, 1, sizeof s->source - 1, file);
    fclose(file);
    snprintf(path, sizeof path, "%s/data/%s.txt", folder, name);
    file = fopen(path, "r");
    if (!file) return false;
    bool ok = read_data(file);
    fclose(file);
    return ok;
}

static const record *find(const char *word, const char *name) {
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->records[i].word, word) && !strcmp(s->records[i].name, name)) return &s->records[i];
    return NULL;
}

static bool has(const char *word) {
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->records[i].word, word)) return true;
    return false;
}

/* ---- making arguments ------------------------------------------------------------------------------ */

/* times > 0: with a leading axis of as many copies; moved by h * along (its numbers, or NULL). */
static gd_tensor *tensor_of(const record *r, int64_t times, double h, const record *along) {
    int64_t sizes[9], n = 0;
    size_t size = gd_dtype_bytes(r->dtype);
    if (times > 0) sizes[n++] = times;
    for (int d = 0; d < r->ndim; d++) sizes[n++] = r->sizes[d];
    int64_t total = r->numel * (times > 0 ? times : 1);
    char *bytes = calloc((size_t)total + 1, size);
    for (int64_t i = 0; i < total; i++) {
        double v = r->numbers[i % r->numel] + (along ? h * along->numbers[i % r->numel] : 0);
        if (gd_dtype_is_float(r->dtype))
            r->dtype == GD_FLOAT64 ? (void)(((double *)(void *)bytes)[i] = v)
                                   : (void)(((float *)(void *)bytes)[i] = (float)v);
        else if (r->dtype == GD_INT64)
            ((int64_t *)(void *)bytes)[i] = (int64_t)v;
        else
            bytes[i] = (char)v;
    }
    gd_tensor *t = gd_from_bytes(ctx, r->dtype, (int)n, sizes, bytes, (size_t)total * size);
    free(bytes);
    return t;
}

static void fill_inputs(gd_eval *e, int64_t times, double h) {
    for (int i = 0; i < gd_function_ninputs(function); i++) {
        const char *name = gd_function_input_at(function, i)->name;
        const record *r = find("input", name);
        if (r) e->inputs[i] = tensor_of(r, times, h, h != 0 ? find("tangent", name) : NULL);
        for (int k = 0; k < s->nplains; k++)
            if (!strcmp(s->plains[k].name, name)) e->statics[i] = (gd_static){true, s->plains[k].value};
    }
}

static void fill_tangents(gd_eval *e, int64_t times) {
    for (int i = 0; i < gd_function_ninputs(function); i++) {
        const record *r = find("tangent", gd_function_input_at(function, i)->name);
        if (r) e->vectors[i] = tensor_of(r, times, 0, NULL);
    }
}

static const char *output_name(int nr) {
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->records[i].word, "value") && nr-- == 0) return s->records[i].name;
    return NULL;
}

static void fill_cotangents(gd_eval *e, int64_t times) {
    const char *name;
    for (int i = 0; (name = output_name(i)); i++) {
        const record *r = find("cotangent", name);
        if (r) e->vectors[i] = tensor_of(r, times, 0, NULL);
    }
}

static bool evaluate(gd_eval *e, const char *what) {
    gd_function_fault fault = {0};
    if (gd_function_eval(ctx, function, e, &fault)) return true;
    complain("%s: %s%s%s (%u:%u)", what, fault.kind ? fault.kind : "", fault.kind ? ": " : "", fault.message,
             fault.line, fault.column);
    return false;
}

/* ---- comparing ------------------------------------------------------------------------------------- */

static double *numbers_of(const gd_tensor *t) {
    size_t n = (size_t)gd_numel(t), size = gd_dtype_bytes(gd_dtype_of(t));
    double *out = calloc(n + 1, sizeof *out);
    char *bytes = calloc(n + 1, size);
    gd_read_bytes(t, bytes);
    for (size_t i = 0; i < n; i++) switch (gd_dtype_of(t)) {
        case GD_FLOAT64: out[i] = ((double *)(void *)bytes)[i]; break;
        case GD_FLOAT32: out[i] = (double)((float *)(void *)bytes)[i]; break;
        case GD_INT64: out[i] = (double)((int64_t *)(void *)bytes)[i]; break;
        case GD_INT32: out[i] = (double)((int32_t *)(void *)bytes)[i]; break;
        default: out[i] = (double)((unsigned char *)bytes)[i]; break;
        }
    free(bytes);
    return out;
}

static bool near(const double *a, const double *b, int64_t n, double tolerance, double *worst) {
    double scale = 1e-3;
    *worst = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(b[i]) && fabs(b[i]) > scale) scale = fabs(b[i]);
    for (int64_t i = 0; i < n; i++) {
        if (a[i] == b[i] || (isnan(a[i]) && isnan(b[i]))) continue;
        double d = fabs(a[i] - b[i]) / scale;
        if (!(d <= *worst)) *worst = d;
    }
    return *worst <= tolerance;
}

static bool all_double(void) {
    for (int i = 0; i < s->n; i++)
        if (s->records[i].dtype == GD_FLOAT32) return false;
    return true;
}

/* Single precision somewhere on the way is single precision in the end. */
static double tolerance(void) { return all_double() ? 1e-10 : 2e-5; }

/* lead: axes in front, whose `times` entries must all be the recorded tensor. */
static void compare(const char *what, const record *r, const gd_tensor *t, int64_t times) {
    int lead = times > 0;
    double worst = 0;
    if (!r || !t) {
        if (r || t) complain("%s: %s", what, r ? "it is missing" : "it was not recorded");
        return;
    }
    bool same = gd_ndim(t) == r->ndim + lead && gd_dtype_of(t) == r->dtype && (!lead || gd_sizes(t)[0] == times);
    for (int d = 0; same && d < r->ndim; d++) same = gd_sizes(t)[d + lead] == r->sizes[d];
    if (!same) {
        char *text = gd_repr(ctx, t);
        complain("%s %s: another dtype or shape: %s", what, r->name, text);
        free(text);
        return;
    }
    double *got = numbers_of(t);
    for (int64_t k = 0; k < (lead ? times : 1); k++)
        if (!near(got + k * r->numel, r->numbers, r->numel, tolerance(), &worst)) {
            char *text = gd_repr(ctx, t);
            complain("%s %s: off by %g: %s", what, r->name, worst, text);
            free(text);
            break;
        }
    free(got);
}

static void compare_values(const gd_eval *e, const char *what, int64_t times) {
    int n = 0;
    while (output_name(n)) n++;
    if (e->noutputs != n) complain("%s: %d outputs, not %d", what, e->noutputs, n);
    for (int i = 0; i < e->noutputs && i < n; i++) {
        if (strcmp(e->output_names[i], output_name(i)) != 0)
            complain("%s: output %d is '%s'", what, i, e->output_names[i]);
        compare("value", find("value", output_name(i)), e->values[i], times);
    }
}

static const char *wrt_name(const gd_eval *e, int nr) {
    for (int i = 0; i < gd_function_ninputs(function); i++)
        if (((e->wrt >> i) & 1) && nr-- == 0) return gd_function_input_at(function, i)->name;
    return "";
}

static void compare_by_input(const gd_eval *e, const char *word, int64_t times) {
    for (int i = 0; i < e->nresults; i++) compare(word, find(word, wrt_name(e, i)), e->results[i], times);
}

static void compare_by_output(const gd_eval *e, int64_t times) {
    for (int i = 0; i < e->nresults; i++)
        if (find("jvp", e->output_names[i])) compare("jvp", find("jvp", e->output_names[i]), e->results[i], times);
}

static void compare_blocks(const gd_eval *e, const char *word, int64_t times) {
    int nwrt = __builtin_popcountll(e->wrt);
    for (int i = 0; i < e->nresults; i++) {
        char name[128];
        const char *outer = e->kind == GD_EVAL_HESSIAN ? wrt_name(e, i / nwrt) : e->output_names[i / nwrt];
        snprintf(name, sizeof name, "%s:%s", outer, wrt_name(e, i % nwrt));
        if (find(word, name)) compare(word, find(word, name), e->results[i], times);
    }
}

/* ---- every kind -------------------------------------------------------------------------------------- */

/* times > 0: a batch of as many copies of the point. */
static void every_kind(int64_t times) {
    static const struct {
        gd_eval_kind kind;
        const char *word;
    } kinds[] = {{GD_EVAL_VALUE, "value"},       {GD_EVAL_VJP, "vjp"},           {GD_EVAL_JVP, "jvp"},
                 {GD_EVAL_JACOBIAN, "jacobian"}, {GD_EVAL_GRADIENT, "gradient"}, {GD_EVAL_HVP, "hvp"},
                 {GD_EVAL_HESSIAN, "hessian"}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        gd_eval e = {.kind = kinds[k].kind, .batched = times > 0};
        if (!has(kinds[k].word)) continue;
        fill_inputs(&e, times, 0);
        if (e.kind == GD_EVAL_VJP) fill_cotangents(&e, times);
        if (e.kind == GD_EVAL_JVP || e.kind == GD_EVAL_HVP) fill_tangents(&e, times);
        if (evaluate(&e, kinds[k].word)) {
            compare_values(&e, kinds[k].word, times);
            if (e.kind == GD_EVAL_JVP) compare_by_output(&e, times);
            if (e.kind == GD_EVAL_VJP || e.kind == GD_EVAL_GRADIENT || e.kind == GD_EVAL_HVP)
                compare_by_input(&e, kinds[k].word, times);
            if (e.kind == GD_EVAL_JACOBIAN || e.kind == GD_EVAL_HESSIAN) compare_blocks(&e, kinds[k].word, times);
        }
        gd_eval_clear(&e);
    }
}

/* Several vectors at once. */
static void stacked(void) {
    gd_eval e = {.kind = GD_EVAL_VJP};
    fill_inputs(&e, 0, 0);
    fill_cotangents(&e, 3);
    if (evaluate(&e, "stacked vjp")) {
        compare_values(&e, "stacked vjp", 0);
        compare_by_input(&e, "vjp", 3);
    }
    gd_eval_clear(&e);
    e = (gd_eval){.kind = GD_EVAL_JVP};
    fill_inputs(&e, 0, 0);
    fill_tangents(&e, 3);
    if (evaluate(&e, "stacked jvp")) compare_by_output(&e, 3);
    gd_eval_clear(&e);
}

/* ---- finite differences ------------------------------------------------------------------------------ */

static void fill_moved(gd_eval *e, gd_eval_kind kind, double h) {
    *e = (gd_eval){.kind = kind};
    fill_inputs(e, 0, h);
}

/* The results of two evaluations on either side of the point, against what was recorded along the tangents. */
static void difference(gd_eval_kind kind, const char *word, double h, double tolerance) {
    gd_eval a, b;
    double worst;
    fill_moved(&a, kind, -h);
    fill_moved(&b, kind, h);
    bool values = kind == GD_EVAL_VALUE, ok = evaluate(&a, word) && evaluate(&b, word);
    for (int i = 0; ok && i < (values ? a.noutputs : a.nresults); i++) {
        const record *r = find(word, values ? a.output_names[i] : wrt_name(&a, i));
        if (!r) continue;
        double *p = numbers_of(values ? a.values[i] : a.results[i]);
        double *q = numbers_of(values ? b.values[i] : b.results[i]);
        for (int64_t k = 0; k < r->numel; k++) p[k] = (q[k] - p[k]) / (2 * h);
        if (!near(p, r->numbers, r->numel, tolerance, &worst))
            complain("finite differences of %s %s: off by %g", word, r->name, worst);
        free(p);
        free(q);
    }
    gd_eval_clear(&a);
    gd_eval_clear(&b);
}

/* What a program puts outside of the graph (detach, no_grad) differences do not see. */
static bool hides(void) { return strstr(s->source, "detach") || strstr(s->source, "no_grad"); }

static void differences(void) {
    if (!all_double() || hides()) return;
    difference(GD_EVAL_VALUE, "jvp", 1e-6, 1e-6);
    if (has("hvp")) difference(GD_EVAL_GRADIENT, "hvp", 1e-6, 1e-6);
}

static void check(void) {
    if (!all_double() || hides()) return;
    gd_eval e = {.kind = GD_EVAL_CHECK};
    fill_inputs(&e, 0, 0);
    if (!strstr(s->source, "# clone") && evaluate(&e, "check") && !e.report->gradient_ok)
        complain("gradcheck: %s", e.report->text);
    gd_eval_clear(&e);
}

/* ---- all functions ----------------------------------------------------------------------------------- */

static bool put(void) {
    gd_capture captures[16];
    gd_function_fault fault = {0};
    gd_function_text text = {.source = s->source, .bytes = s->bytes, .captures = captures};
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->records[i].word, "capture"))
            captures[text.ncaptures++] = (gd_capture){s->records[i].name, tensor_of(&s->records[i], 0, 0, NULL)};
    gd_put_result result = gd_functions_put(registry, s->name, &text, NULL, NULL, &fault);
    for (int i = 0; i < text.ncaptures; i++) gd_release(captures[i].tensor);
    if (result == GD_PUT_FAILED) complain("put: %s: %s", fault.kind ? fault.kind : "", fault.message);
    return result != GD_PUT_FAILED;
}

static void one(const char *folder, const char *name) {
    s = calloc(1, sizeof *s);
    if (!read_subject(folder, name)) {
        complain("its data cannot be read");
    } else if (put()) {
        function = gd_functions_find(registry, name);
        every_kind(0);
        every_kind(2);
        stacked();
        differences();
        check();
        if (getenv("GRADD_TELL"))
            printf("%-24s %s\n", name, gd_function_dynamic(function) ? gd_function_dynamic(function) : "compiled");
        gd_function_release(function);
    }
    for (int i = 0; i < s->n; i++) free(s->records[i].numbers);
    free(s);
}

static int is_data(const struct dirent *d) {
    size_t n = strlen(d->d_name);
    return n > 4 && !strcmp(d->d_name + n - 4, ".txt");
}

int main(int argc, char **argv) {
    struct dirent **entries;
    char path[512];
    int passed = 0, failed = 0;
    const gd_function_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS, .plan_bytes = (size_t)64 << 20};
    snprintf(path, sizeof path, "%s/data", argc > 1 ? argv[1] : "tests/functions");
    int n = scandir(path, &entries, is_data, alphasort);
    registry = gd_functions_new(&options);
    ctx = registry ? gd_functions_ctx(registry) : NULL;
    if (n <= 0 || !ctx) return 1;
    for (int i = 0; i < n; i++) {
        int before = failures;
        bool wanted = argc < 3;
        entries[i]->d_name[strlen(entries[i]->d_name) - 4] = 0;
        for (int k = 2; k < argc; k++) wanted = wanted || !strcmp(argv[k], entries[i]->d_name);
        if (wanted) one(argc > 1 ? argv[1] : "tests/functions", entries[i]->d_name);
        if (wanted) failures > before ? failed++ : passed++;
        free(entries[i]);
    }
    free(entries);
    gd_functions_free(registry);
    printf("functions: %d passed, %d failed\n", passed, failed);
    return failed > 0;
}
