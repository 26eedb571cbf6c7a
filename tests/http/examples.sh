#!/bin/sh
# Runs the examples of api/examples whose tools are on this machine against the real binary; each prints the same minimum.
BUILD=${BUILD:-build}
work=$(mktemp -d) && : >"$work/log"
"$BUILD/gradd" --listen 127.0.0.1:0 --log-level error 2>"$work/log" &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
for i in $(seq 100); do grep -q 'listening on' "$work/log" && break; sleep 0.05; done
GRADD_URL=$(sed -n 's/^gradd: listening on //p' "$work/log")
export GRADD_URL
passed=0 failed=0
at=api/examples

have() { for tool in "$@"; do command -v "$tool" >/dev/null 2>&1 || return 1; done; }

example() { # NAME "TOOLS…" COMMAND…
    name=$1 tools=$2
    shift 2
    if ! have $tools; then
        echo "examples: no $tools here, $name left out"
    elif line=$(timeout 300 "$@" 2>"$work/error") && [ "$line" = 'minimum f(1.000000, 1.000000) = 0.000000' ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "example failed: $name: $line"
        cat "$work/error"
    fi
}

example curl "curl awk sed" sh $at/curl/rosenbrock.sh
example bash "bash curl jq" bash $at/bash/rosenbrock.bash
example python python3 python3 $at/python/rosenbrock.py
example javascript node node $at/javascript/rosenbrock.mjs
example go go env GO111MODULE=off go run $at/go/rosenbrock.go
example rust rustc sh -c "rustc -o '$work/rust' $at/rust/rosenbrock.rs && '$work/rust'"
example java java java $at/java/Rosenbrock.java
if echo '#include <curl/curl.h>' | cc -E - >/dev/null 2>&1; then
    example c cc sh -c "cc -Wall -Wextra -Werror -o '$work/c' $at/c/rosenbrock.c -lcurl -lm && '$work/c'"
else
    echo "examples: no libcurl headers here, c left out"
fi
echo "examples: $passed passed, $failed failed"
[ "$failed" = 0 ]
