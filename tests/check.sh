#!/bin/sh
# Everything `make check` looks at besides compiling: format, layering, size products, static analysis.
set -u
bad=0
fail() { echo "check: $1"; bad=1; }
files=$(git ls-files '*.c' '*.h' '*.cc')

clang-format --dry-run -Werror $files || fail "run 'make format'"

# Arrows point down only: server -> api -> core.
grep -nE '#include *[<"](microhttpd|jansson|uv\.h|api/|server/)' $(git ls-files 'core/*.c' 'core/*.h') && fail "core/ reaches upwards"
grep -nE '#include *[<"](microhttpd|uv\.h|server/)' $(git ls-files 'api/*.c' 'api/*.h' 'api/*.cc') && fail "api/ reaches upwards"

# The top level is the design card's.
extra=$(git ls-files | cut -d/ -f1 | sort -u | grep -vxE 'server|core|api|tests|docker|Makefile|README\.md|LICENSE|\..*')
[ -z "$extra" ] || fail "unexpected at the top level: $extra"

grep -nE '\b(TODO|FIXME|XXX)\b' $(git ls-files 'core/*' 'api/*' 'server/*') && fail "unfinished words in what ships"
# Client-sized memory is asked for through the checked helpers; the stack is no place for it.
grep -nE '\balloca *\(' $files && fail "alloca"

cppcheck --quiet --std=c17 --language=c --enable=warning,portability --inline-suppr --suppressions-list=tests/cppcheck.txt \
    -D__GNUC__=12 -DGD_ISA=baseline -DGD_ISA_LEVEL=0 -I. --error-exitcode=1 -j2 $(git ls-files 'core/*.c' 'api/*.c' 'server/*.c') || fail "cppcheck"

[ $bad = 0 ] && echo "check: all good"
exit $bad
