#!/usr/bin/env bash
# Minimises Rosenbrock's function with gradd, in Bash with curl and jq. jq reads the answers and does the arithmetic too:
# the whole state of the search is one JSON object.
set -euo pipefail
url=${GRADD_URL:-http://127.0.0.1:4242}/v1/functions/rosenbrock_bash

# The function is stored once, as text. The annotation says what x is: two doubles.
curl -sf -X PUT -H 'Content-Type: text/plain' --data-binary @- "$url" >/dev/null <<'END'
def rosenbrock(x: float64[2]):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
END

# Value and gradient at a point, say [-1.2,1]: {"value":24.2,"gradients":{"x":[-215.6,-88.0]}}
gradient() { jq -c '{inputs: {x: .}}' <<<"$1" | curl -sf --json @- "$url/gradient"; }

x='[-1.2,1]' step=0.001
at=$(gradient "$x")
for _ in {1..1000}; do
    next=$(jq -c --argjson x "$x" --argjson step "$step" '[$x, .gradients.x] | transpose | map(.[0] - $step * .[1])' <<<"$at")
    there=$(gradient "$next")
    # The next step: how far the point moved, divided by how far the gradient did.
    step=$(jq -n --argjson x "$x" --argjson y "$next" --argjson at "$at" --argjson there "$there" '
        def distance(a; b): [a, b] | transpose | map((.[0] - .[1]) * (.[0] - .[1])) | add | sqrt;
        distance($x; $y) / distance($at.gradients.x; $there.gradients.x)')
    x=$next at=$there
    if jq -e '[.gradients.x[] | . * .] | add < 1e-16' <<<"$at" >/dev/null; then break; fi
done
LC_ALL=C printf 'minimum f(%.6f, %.6f) = %.6f\n' $(jq '.[]' <<<"$x") "$(jq .value <<<"$at")"
curl -sf -X DELETE "$url"
