#!/bin/sh
# Lesson 1: a PyTorch notebook about autograd, with curl in place of Python.
#
# Start gradd (make run), then:    sh api/tutorials/01-notebook.sh
# Needs curl and jq. Another server: GRADD_URL=http://host:port sh api/tutorials/01-notebook.sh
set -eu
URL=${GRADD_URL:-http://127.0.0.1:4242}
S=$URL/v1/sessions/notebook

# Four verbs are enough for the whole lesson.
get() { curl -sS "$S/$1"; }                                 # read
put() { curl -sS -X PUT --json "$2" "$S/$1" >/dev/null; }   # make or replace
post() { curl -sS --json "$2" "$S/$1"; }                    # do
python='{"true":"True","false":"False","null":"None"}[tostring] // .'
show() { get "tensors/$1" | jq -r "$2 | $python"; }         # one field of a tensor, as Python prints it
grad() {                                                    # print(x.grad): None, or the gradient's text
    if [ "$(show "$1" .grad)" = None ]; then echo None; else
        post ops "{\"op\":\"clone\",\"args\":[\"$1.grad\"],\"out\":\"g\"}" | jq -r '.outputs[0].repr'
    fi
}

curl -sS -X DELETE -o /dev/null "$S"   # begin afresh, whatever an earlier run left
curl -sS -X PUT -o /dev/null "$S"
post ops '{"op":"manual_seed","args":[0]}' >/dev/null

echo '# In [1]: a forward pass, recorded step by step'
# x = torch.Tensor([2]);  w = torch.randn(1, requires_grad=True);  b likewise
put tensors/x '{"data":[2.0]}'
post ops '[{"op":"randn","args":[[1]],"kwargs":{"requires_grad":true},"out":"w"},
           {"op":"randn","args":[[1]],"kwargs":{"requires_grad":true},"out":"b"}]' >/dev/null
# y = torch.mul(x, w);  z = torch.add(y, b)
post ops '{"op":"mul","args":["x","w"],"out":"y"}' >/dev/null
post ops '{"op":"add","args":["y","b"],"out":"z"}' >/dev/null

echo "is_leaf of x,y,z,w,b: $(for t in x y z w b; do show $t .is_leaf; done | paste -sd,)"
echo "requires_grad of x,w,b: $(for t in x w b; do show $t .requires_grad; done | paste -sd,)"
echo "requires_grad of y,z: $(for t in y z; do show $t .requires_grad; done | paste -sd,)"
echo "grad_fn of x,w,b: $(for t in x w b; do show $t .grad_fn; done | paste -sd,)"
echo "grad_fn of y,z: $(for t in y z; do show $t .grad_fn.name; done | paste -sd,)"

# z.backward(retain_graph=True): the answer names the leaves whose .grad was written.
post backward '{"tensors":"z","retain_graph":true}' | jq -c .
echo "w.grad, b.grad: $(grad w),$(grad b)"
echo "y.grad, z.grad: $(grad y),$(grad z)"

echo '# In [3]: backward again'
# The graph was retained, so this works once more, and gradients add up; it also frees the graph …
post backward '{"tensors":"z"}' | jq -c .
echo "w.grad, b.grad: $(grad w),$(grad b)"
# … so that the next one is refused, in PyTorch's words.
post backward '{"tensors":"z"}' | jq -r '"\(.status) \(.code): \(.detail)"'

echo '# In [58]: y = x^2 e^x, autograd against the formula'
post ops '{"op":"randn","args":[[3,4]],"kwargs":{"requires_grad":true},"out":"x"}' >/dev/null
post ops '[{"op":"pow","args":["x",2],"out":"x2"},
           {"op":"exp","args":["x"],"out":"ex"},
           {"op":"mul","args":["x2","ex"],"out":"y"},
           {"op":"ones","args":[[3,4]],"out":"seed"}]' >/dev/null
post backward '{"tensors":"y","grad_tensors":"seed"}' >/dev/null
# def gradf(x): return 2 * x * t.exp(x) + x ** 2 * t.exp(x)
post ops '[{"op":"mul","args":[2,"x"],"out":"a"}, {"op":"mul","args":["a","ex"],"out":"a"},
           {"op":"mul","args":["x2","ex"],"out":"c"}, {"op":"add","args":["a","c"],"out":"by_hand"}]' >/dev/null
echo "grad by autograd: $(grad x)"
echo "grad by def: $(show by_hand .repr)"
post ops '{"op":"allclose","args":["x.grad","by_hand"]}' | jq -c '{allclose: .value}'

echo '# In [60], In [84]: walking the graph'
post ops '[{"op":"ones","args":[1],"out":"x"},
           {"op":"rand","args":[1],"kwargs":{"requires_grad":true},"out":"b"},
           {"op":"rand","args":[1],"kwargs":{"requires_grad":true},"out":"w"},
           {"op":"mul","args":["w","x"],"out":"y"}, {"op":"add","args":["y","b"],"out":"z"}]' >/dev/null
node=$(show z .grad_fn.id)
echo "z.grad_fn: $(show z .grad_fn.name)"
echo "next_functions: $(get "nodes/$node" | jq -c '[.next_functions[] | [.name, .input_nr]]')"
first=$(get "nodes/$node" | jq -r '.next_functions[0].id')
echo "z.grad_fn.next_functions[0][0] == y.grad_fn: $([ "$first" = "$(show y .grad_fn.id)" ] && echo True || echo False)"
# The notebook ran its cell 24 times: with the buffers retained, the gradient adds up to 24.
for i in $(seq 24); do post backward '{"tensors":"z","retain_graph":true}' >/dev/null; done
echo "w.grad: $(grad w)"

echo '# In [88]: without recording'
put grad-mode '{"mode":"no_grad"}'
post ops '[{"op":"ones","args":[1],"out":"x"},
           {"op":"rand","args":[1],"kwargs":{"requires_grad":true},"out":"w"},
           {"op":"mul","args":["x","w"],"out":"y"}]' >/dev/null
echo "requires_grad of x,w,y: $(for t in x w y; do show $t .requires_grad; done | paste -sd' ')"
put grad-mode '{"mode":"grad"}'

echo '# In [129]: new values, same graph'
post ops '{"op":"rand","args":[10],"kwargs":{"requires_grad":true},"out":"x"}' | jq -r '.outputs[0].repr'
# x.data *= 100: a leaf that requires grad may not be written in place, but its data may.
post ops '{"op":"mul_","args":["x.data",100]}' | jq -r '.outputs[0].repr'
show x .repr
