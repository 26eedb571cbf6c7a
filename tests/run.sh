#!/bin/sh
# Runs the test programs of $BUILD (default build), or only the suites named: unit threads samples functions notebook http
# tutorials examples programs. Each prints its own summary; the last line adds them up: "N passed, N failed".
set -u
BUILD=${BUILD:-build}
export BUILD ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1:detect_leaks=1} \
    UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1} CK_FORK=${CK_FORK:-yes} CK_DEFAULT_TIMEOUT=120
[ $# -gt 0 ] || set -- unit samples functions notebook http tutorials examples programs
log=$(mktemp) && trap 'rm -f "$log"' EXIT
failed_parts=0

part() { # part NAME COMMAND…: its output, and failure if it exits non-zero
    echo "== $1 ($BUILD)"
    shift
    { "$@" || echo "part failed: $*"; } 2>&1 | tee -a "$log"
}

for suite in "$@"; do
    case $suite in
    unit) part unit "$BUILD/tests/unit/run" ;;
    threads) part threads "$BUILD/tests/unit/run" threads function_threads plan ;;
    samples) part samples "$BUILD/tests/conformance/run_samples" tests/conformance/samples
        part traces "$BUILD/tests/conformance/run_traces" tests/conformance/samples ;;
    functions) part functions "$BUILD/tests/functions/run" tests/functions ;;
    notebook) part notebook sh tests/conformance/notebook.sh ;;
    http) for t in tests/http/*_test.py; do part "$t" python3 "$t"; done ;;
    tutorials) part tutorials sh tests/http/tutorials.sh ;;
    examples) part examples sh tests/http/examples.sh ;;
    programs) part programs python3 tests/programs/run.py ;;
    *) echo "unknown suite $suite" && exit 64 ;;
    esac
done
failed_parts=$(grep -c '^part failed: ' "$log")
# "100%: Checks: 12, Failures: 0, Errors: 0" is how check closes; the others say "N passed, N failed".
# No part's failure may be lost: one that failed without counting counts as one.
awk -v parts="$failed_parts" '
    /^[0-9]+%: Checks: / { gsub(",", ""); p += $3 - $5 - $7; f += $5 + $7 }
    /^[a-z]+: [0-9]+ passed, [0-9]+ failed$/ { p += $2; f += $4 }
    END { if (parts > 0 && f == 0) f = parts; printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }' "$log"
