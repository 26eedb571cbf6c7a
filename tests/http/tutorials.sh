#!/bin/sh
# Runs each lesson of api/tutorials against the real binary and compares what it prints with its .out file.
BUILD=${BUILD:-build}
err=$(mktemp) out=$(mktemp)
"$BUILD/gradd" --listen 127.0.0.1:0 --log-level error 2>"$err" &
server=$!
trap 'kill $server 2>/dev/null; rm -f "$err" "$out"' EXIT
for i in $(seq 100); do grep -q 'listening on' "$err" && break; sleep 0.05; done
GRADD_URL=$(sed -n 's/^gradd: listening on //p' "$err")
export GRADD_URL
passed=0 failed=0
for lesson in api/tutorials/*.sh; do
    if sh "$lesson" >"$out" 2>&1 && diff -u "${lesson%.sh}.out" "$out"; then passed=$((passed + 1)); else
        echo "lesson failed: $lesson"
        failed=$((failed + 1))
    fi
done
echo "tutorials: $passed passed, $failed failed"
[ "$failed" = 0 ]
