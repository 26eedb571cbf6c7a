/* run.c: `gradd run`: reads a program, runs it in a context of its own, and prints what it prints. */
#include "server/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* ---- settings ---- */

gd_program_limits gd_run_limits(const gd_options *o) {
    return (gd_program_limits){.steps = o->program_steps,
                               .seconds = o->program_seconds,
                               .memory_bytes = o->program_memory,
                               .recursion = o->program_recursion,
                               .output_bytes = o->program_output};
}

/* One's own programs on one's own machine may go on: only what was asked for limits them, and nesting, as in Python. */
static gd_program_limits own_limits(const gd_options *o) {
    gd_program_limits limits = gd_run_limits(o);
    if (o->source[GD_OPTION_program_steps] == GD_FROM_DEFAULT) limits.steps = 0;
    if (o->source[GD_OPTION_program_seconds] == GD_FROM_DEFAULT) limits.seconds = 0;
    if (o->source[GD_OPTION_program_memory] == GD_FROM_DEFAULT) limits.memory_bytes = 0;
    if (o->source[GD_OPTION_program_output] == GD_FROM_DEFAULT) limits.output_bytes = 0;
    return limits;
}

static size_t memory_of_machine(void) {
    size_t bytes = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    size_t limit = (size_t)uv_get_constrained_memory(); /* the container's; 0: none known */
    unsigned long long group;
    FILE *f = fopen("/sys/fs/cgroup/memory.max", "re");
    if (f && fscanf(f, "%llu", &group) == 1 && group > 0 && group < bytes) bytes = (size_t)group;
    if (f) fclose(f);
    return limit > 0 && limit < bytes ? limit : bytes;
}

size_t gd_run_memory(const gd_options *o) {
    return o->memory == GD_BYTES_AUTO ? memory_of_machine() / 4 * 3 : o->memory;
}

/* ---- the program's text ---- */

static int complain(const char *what, const char *why, int code) {
    fprintf(stderr, "gradd: %s: %s\n", what, why);
    return code;
}

/* All of f, at most `most` bytes, into *text (owned). 0, or an exit code with the reason told. */
static int read_all(FILE *f, const char *name, size_t most, char **text, size_t *bytes) {
    size_t capacity = 0;
    *text = NULL;
    *bytes = 0;
    while (!feof(f)) {
        if (*bytes == capacity) {
            capacity = capacity ? 2 * capacity : 16 * 1024;
            char *more = *bytes <= most ? realloc(*text, capacity) : NULL;
            if (!more) return complain(name, *bytes > most ? "larger than --max-body" : "not enough memory", 1);
            *text = more;
        }
        *bytes += fread(*text + *bytes, 1, capacity - *bytes, f);
        if (ferror(f)) return complain(name, strerror(errno), GD_EXIT_NO_INPUT);
    }
    return *bytes <= most ? 0 : complain(name, "larger than --max-body", 1);
}

static int read_program(const gd_options *o, char **text, size_t *bytes) {
    bool standard = !strcmp(o->program, "-");
    FILE *f = standard ? stdin : fopen(o->program, "re");
    *text = NULL;
    if (!f) return complain(o->program, strerror(errno), GD_EXIT_NO_INPUT);
    int code = read_all(f, standard ? "standard input" : o->program, o->max_body, text, bytes);
    if (!standard) fclose(f);
    return code;
}

/* ---- running it ---- */

/* Written as it comes: whoever reads a pipe sees it at once too. */
static bool write_out(void *user, const char *text, size_t bytes) {
    (void)user;
    while (bytes > 0) {
        ssize_t n = write(STDOUT_FILENO, text, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text += n;
        bytes -= (size_t)n;
    }
    return true;
}

static void print_failure(const gd_program_result *r) {
    const char *text = r->trace ? r->trace : r->message ? r->message : "the program failed without saying why";
    size_t n = strlen(text);
    fputs(text, stderr);
    if (n == 0 || text[n - 1] != '\n') fputc('\n', stderr);
}

static int run_in(gd_env *env, const gd_options *o, const char *text, size_t bytes) {
    gd_program_options options = {.limits = own_limits(o), .write = write_out};
    gd_program_result result;
    gd_program_run(env, text, bytes, &options, &result);
    bool good = result.status == GD_PROGRAM_OK;
    if (!good) print_failure(&result);
    gd_program_result_clear(&result);
    return good ? 0 : 1;
}

int gd_run(const gd_options *o) {
    char *text;
    size_t bytes = 0;
    int code = read_program(o, &text, &bytes);
    if (!code) {
        gd_ctx *ctx = gd_init() == GD_OK ? gd_ctx_new(NULL) : NULL;
        gd_env *env = ctx ? gd_env_new(ctx, NULL) : NULL;
        gd_account_set_limit(NULL, gd_run_memory(o));
        code = env ? run_in(env, o, text, bytes) : complain("run", "not enough memory to start", 1);
        gd_env_free(env);
        gd_ctx_free(ctx);
    }
    free(text);
    return code;
}

/* ---- help ---- */

void gd_run_print_help(FILE *out) {
    fputs(
        "gradd run: runs a program without a server\n\n"
        "usage: gradd run [options] FILE     run the program in FILE\n"
        "       gradd run [options] -        run what comes on standard input\n\n"
        "A program is PyTorch code in the part of Python that such code uses; `torch` and `math` are built in. What\n"
        "it prints goes to standard output as it is printed; as with a script, the value of a last expression is not\n"
        "shown. An error's trace goes to standard error.\n\n"
        "options (all of `gradd --help` are understood; these matter here):\n"
        "  --program-steps N         end it after N steps\n"
        "  --program-seconds SECONDS end it after this time\n"
        "  --program-memory BYTES    most memory for its own values\n"
        "  --program-output BYTES    most that it may print\n"
        "  --program-recursion N     most nested calls of its functions, default 1000\n"
        "  --memory BYTES            budget of its tensors and values together, default 3/4 of the machine's\n"
        "Without them only memory and recursion are limited; a server's defaults are for the programs of others.\n\n"
        "example:\n"
        "  cat > fit.py <<'END'\n"
        "  w = torch.zeros(2, requires_grad=True)\n"
        "  target = torch.tensor([3.0, -1.0])\n"
        "  opt = torch.optim.SGD([w], lr=0.1)\n"
        "  for step in range(50):\n"
        "      loss = ((w - target) ** 2).sum()\n"
        "      opt.zero_grad()\n"
        "      loss.backward()\n"
        "      opt.step()\n"
        "  print(w)\n"
        "  END\n"
        "  gradd run fit.py\n"
        "  echo 'print(torch.arange(3) * 2)' | gradd run -\n\n"
        "exit codes: 0 done, 1 the program failed, 64 wrong command line, 66 no such file, 78 wrong configuration\n",
        out);
}
