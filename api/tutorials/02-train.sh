#!/bin/sh
# Lesson 2: a small network learns, in programs sent with curl. What a program makes stays in the session for the next.
#
# Start gradd (make run), then:    sh api/tutorials/02-train.sh
# Needs curl and jq. Another server: GRADD_URL=http://host:port sh api/tutorials/02-train.sh
set -eu
URL=${GRADD_URL:-http://127.0.0.1:4242}
S=$URL/v1/sessions/train

# A program goes in as text, and what a notebook would show comes out.
run() { curl -sS -H 'Content-Type: text/plain' -H 'Accept: text/plain' --data-binary @- "$S/run"; }
get() { curl -sS "$S/$1"; }
post() { curl -sS --json "$2" "$S/$1"; }

curl -sS -X DELETE -o /dev/null "$S"   # begin afresh, whatever an earlier run left
curl -sS -X PUT -o /dev/null "$S"

echo '# The data: 64 points of a square; is a point in the ring?'
run <<'END'
import torch
_ = torch.manual_seed(0)
X = torch.rand(64, 2) * 2 - 1
radius = (X ** 2).sum(dim=1).sqrt()
Y = ((radius > 0.4) & (radius < 0.9)).float()
print(X[:3])
print(f'{int(Y.sum())} of {len(Y)} points are in the ring')
END

echo '# The network: two layers, from nothing but matrices'
run <<'END'
def layer(inputs, outputs):
    '''Weights between -1 and 1, and zeros to add.'''
    w = (torch.rand(inputs, outputs) * 2 - 1).requires_grad_()
    return w, torch.zeros(outputs, requires_grad=True)

w1, b1 = layer(2, 16)
w2, b2 = layer(16, 1)

def model(x):
    return (torch.tanh(x @ w1 + b1) @ w2 + b2).squeeze(1)

out = model(X)
out.shape, out.grad_fn.name()
END

echo '# The loss, and which way is down'
run <<'END'
import torch.nn.functional as F
loss = F.binary_cross_entropy_with_logits(out, Y)
loss.backward()
print(f'loss {loss.item():.4f}')
for name, p in {'w1': w1, 'b1': b1, 'w2': w2, 'b2': b2}.items():
    print(f'{name} {str(tuple(p.shape)):>8}  gradient {p.grad.norm():.4f}')
END

echo '# What the program made are tensors of the session, like all others'
get tensors/b2 | jq -c '[.name, .shape, .requires_grad, .is_leaf]'
get tensors/loss | jq -r '.grad_fn.name'
get 'graph?of=out' | jq -c '[.nodes[].name]'

echo '# Training: the loop that everybody writes'
run <<'END'
opt = torch.optim.Adam([w1, b1, w2, b2], lr=0.05)
for epoch in range(1, 201):
    opt.zero_grad()
    loss = F.binary_cross_entropy_with_logits(model(X), Y)
    loss.backward()
    opt.step()
    if epoch % 50 == 0:
        print(f'epoch {epoch}: loss {loss.item():.2f}')
END

echo '# How good is it?'
run <<'END'
with torch.no_grad():
    right = ((model(X) > 0) == (Y > 0)).float().mean().item()
    centre, ring = torch.sigmoid(model(torch.tensor([[0., 0.], [0.6, 0.3]])))
print(f'{right:.0%} right; in the ring? centre {centre > 0.5}, (0.6, 0.3) {ring > 0.5}')
END

echo '# The parameters, for whatever comes next'
get tensors/w1/data | jq -c '[length, (.[0] | length)]'
curl -sS -H 'Accept: application/x-npy' "$S/tensors/w1/data" | wc -c

echo '# A mistake: PyTorch says what, the line and column say where'
curl -sS -H 'Content-Type: text/plain' --data-binary @- "$S/run" <<'END' | jq -r '"\(.status) \(.code) at line \(.line), column \(.column): \(.detail)"'
hidden = torch.tanh(X @ w1 + b1)
scores = hidden @ w1
END

echo '# A hook: this much gradient and no more'
hook=$(post tensors/b2/hooks '{"source":"lambda grad: grad.clamp(-0.5, 0.5)"}' | jq -r .id)
run <<'END'
def pull(factor):
    b2.grad = None
    (model(X) * factor).sum().backward()
    return b2.grad

print(pull(0.001), pull(-3))
END
curl -sS -X DELETE -o /dev/null -w '%{http_code}\n' "$S/hooks/$hook"
echo 'pull(-3)' | run
