#!/bin/sh
# Minimises Rosenbrock's function with gradd, from a plain shell: curl asks, awk calculates.
url=${GRADD_URL:-http://127.0.0.1:4242}/v1/functions/rosenbrock_curl

# The function is stored once, as text. The annotation says what x is: two doubles.
curl -sf -X PUT -H 'Content-Type: text/plain' --data-binary @- "$url" >/dev/null <<'END' || exit 1
def rosenbrock(x: float64[2]):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
END

# A request for the value and the gradient; its answer is {"value":24.2,"gradients":{"x":[-215.6,-88.0]}}.
gradient() { # X0 X1: prints the value and the two parts of the gradient
    curl -sf -H 'Content-Type: application/json' -d "{\"inputs\":{\"x\":[$1,$2]}}" "$url/gradient" |
        sed 's/.*"value":\([^,]*\),.*"x":\[\([^]]*\)\].*/\1 \2/; s/,/ /g'
}

a=-1.2 b=1 step=0.001
set -- $(gradient $a $b)
value=$1 ga=$2 gb=$3
for i in $(seq 1000); do
    set -- $(awk -v a=$a -v b=$b -v ga=$ga -v gb=$gb -v s=$step 'BEGIN { printf "%.17g %.17g", a - s * ga, b - s * gb }')
    next_a=$1 next_b=$2
    set -- $(gradient $next_a $next_b)
    # The next step: how far the point moved, divided by how far the gradient did. "done" when the gradient is next to nothing.
    set -- "$@" $(awk -v a=$a -v b=$b -v na=$next_a -v nb=$next_b -v ga=$ga -v gb=$gb -v nga=$2 -v ngb=$3 'BEGIN {
        printf "%.17g", sqrt(((na - a) ^ 2 + (nb - b) ^ 2) / ((nga - ga) ^ 2 + (ngb - gb) ^ 2))
        if (nga ^ 2 + ngb ^ 2 < 1e-16) printf " done" }')
    a=$next_a b=$next_b value=$1 ga=$2 gb=$3 step=$4
    [ "${5:-}" != done ] || break
done
LC_ALL=C printf 'minimum f(%.6f, %.6f) = %.6f\n' $a $b $value
curl -sf -X DELETE "$url"
