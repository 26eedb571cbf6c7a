#!/bin/sh
# The notebook through the C library alone, compared with what PyTorch printed.
cd "$(dirname "$0")" || exit 1
out=$(mktemp) && trap 'rm -f "$out"' EXIT
if "../../${BUILD:-build}/tests/conformance/notebook" >"$out" && diff -u notebook.out "$out"; then
    echo "notebook: 1 passed, 0 failed"
else
    echo "notebook: 0 passed, 1 failed"
    exit 1
fi
