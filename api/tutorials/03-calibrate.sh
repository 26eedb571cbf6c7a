#!/bin/sh
# Lesson 3: a model is calibrated from a shell loop: the function is stored once, its gradient asked for again and again.
#
# Start gradd (make run), then:    sh api/tutorials/03-calibrate.sh
# Needs curl and jq. Another server: GRADD_URL=http://host:port sh api/tutorials/03-calibrate.sh
set -eu
URL=${GRADD_URL:-http://127.0.0.1:4242}
F=$URL/v1/functions
S=$URL/v1/sessions/coffee

store() { curl -sS -X PUT -H 'Content-Type: text/plain' --data-binary @- "$F/$1"; }
ask() { curl -sS --json "$2" "$F/$1"; }

curl -sS -X DELETE -o /dev/null "$S"   # begin afresh, whatever an earlier run left
for f in coffee misfit; do curl -sS -X DELETE -o /dev/null "$F/$f"; done

echo '# The model: a cup of coffee cools towards the room, the faster the hotter it is'
store coffee <<'END_OF_MODEL' | jq -c '[.name, .doc, [.inputs[] | "\(.name): \(.dtype // "open")"]]'
def coffee(t, room: float64, rate: float64):
    """Degrees after t minutes."""
    return room + (90 - room) * torch.exp(-rate * t)
END_OF_MODEL
ask coffee/evaluate '{"inputs":{"t":[0,10,60],"room":20,"rate":0.05}}' | jq -c '.outputs[0].data | map(round + 0)'
echo '# How much does it matter, at each of these times, how fast it cools?'
ask coffee/jacobian '{"inputs":{"t":[0,10,60],"room":20,"rate":0.05},"wrt":"rate"}' | jq -c '.jacobian[0].rate | map(round + 0)'

echo '# What a thermometer said: tensors of a session'
curl -sS -X PUT -o /dev/null "$S"
put() { curl -sS -X PUT --json "{\"data\":$2,\"dtype\":\"float64\"}" "$S/tensors/$1" | jq -r .repr; }
put minutes '[0, 5, 10, 15, 20, 25, 30, 40]'
put degrees '[90.1, 72.6, 58.9, 49.2, 41.7, 36.6, 32.4, 27.3]'

echo '# The misfit to be made small has them frozen into it; the session may go'
jq -n '{captures: {session: "coffee", tensors: ["minutes", "degrees"]}, source: "
def misfit(p: float64[2]):
    \"\"\"Mean square of the errors; p: the room in units of 20 degrees, the rate in units of 1/20 per minute.\"\"\"
    room, rate = p[0] * 20, p[1] / 20
    model = room + (90 - room) * torch.exp(-rate * minutes)
    return ((model - degrees) ** 2).mean()
"}' | curl -sS -X PUT --json @- "$F/misfit" | jq -c '[.captures, .outputs]'
curl -sS -X DELETE -o /dev/null "$S"

echo '# Its gradient is right: finite differences say so'
ask misfit/check '{"inputs":{"p":[1,1]}}' | jq -c '[.ok, .gradcheck.ok, .gradgradcheck.ok]'

echo '# Downhill, a little at a time: the answer to one request makes the next'
p='[1,1]'
for i in $(seq 0 60); do
    answer=$(ask misfit/gradient "{\"inputs\":{\"p\":$p}}")
    case $i in *0) echo "$answer" | jq -r --argjson p "$p" "\"step $i: misfit \\(.value * 1000 | round / 1000) at \\(\$p | map(. * 1000 | round / 1000))\"" ;; esac
    p=$(echo "$answer" | jq -c --argjson p "$p" '[$p, .gradients.p] | transpose | map(.[0] - 0.001 * .[1])')
done

echo '# The Hessian knows the valley: a few steps of Newton, two equations solved in jq, and it is done'
for i in 1 2 3 4; do
    answer=$(ask misfit/gradient "{\"inputs\":{\"p\":$p}}")
    hessian=$(ask misfit/hessian "{\"inputs\":{\"p\":$p}}" | jq -c .hessian.p.p)
    p=$(echo "$answer" | jq -c --argjson p "$p" --argjson h "$hessian" '
        .gradients.p as $g | ($h[0][0] * $h[1][1] - $h[0][1] * $h[1][0]) as $det
        | [$p[0] - ($g[0] * $h[1][1] - $g[1] * $h[0][1]) / $det, $p[1] - ($g[1] * $h[0][0] - $g[0] * $h[1][0]) / $det]')
done
ask misfit/gradient "{\"inputs\":{\"p\":$p}}" |
    jq -r --argjson p "$p" '"room \($p[0] * 200 | round / 10) degrees, rate \($p[1] * 50 | round / 1000) per minute, misfit \(.value * 1000 | round / 1000)",
        "gradient \(if (.gradients.p | map(fabs) | max) < 1e-6 then "vanishes" else .gradients.p end)"'

echo '# Many starting points in one request: from where is it downhill to the left?'
ask misfit/gradient '{"inputs":{"p":[[0.5,1],[1,1],[1.5,1]]},"batched":true}' | jq -c '[.gradients.p[][0] > 0]'

echo '# A mistake: the answer says which input it is, and what it should be'
ask misfit/gradient '{"inputs":{"p":[1,2,3]}}' | jq -r '"\(.status) \(.code) at \(.pointer): \(.detail)"'
