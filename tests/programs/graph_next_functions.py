# Walking the graph: next_functions, identity of AccumulateGrad, variables, output numbers (semantics 6).
import torch
x = torch.tensor([1., 2.], requires_grad=True)
y = x * x + 3 * x


def names(fn):
    return [(None if n is None else n.name(), i) for n, i in fn.next_functions]


print(y.grad_fn.name(), names(y.grad_fn))
for n, _ in y.grad_fn.next_functions:
    print(n.name(), names(n))
mul, other = y.grad_fn.next_functions[0][0], y.grad_fn.next_functions[1][0]
acc = mul.next_functions[0][0]
print(acc is mul.next_functions[1][0], acc is other.next_functions[0][0], acc.variable is x, acc.next_functions, acc.name(), type(acc).__name__)
print(y.grad_fn)
print(acc)
print(y.grad_fn.next_functions)
z = x * 2
print(z.grad_fn.next_functions[0][0] is acc, z.grad_fn == z.grad_fn, z.grad_fn == y.grad_fn, z.grad_fn is z.grad_fn)
b = torch.ones(2, 2, requires_grad=True).unbind(1)[1]
print(b.output_nr, names((b * 2).grad_fn), x.output_nr)
vals, idx = torch.ones(2, 2, requires_grad=True).max(0)
print(vals.grad_fn.name(), idx.grad_fn, names(vals.grad_fn))


def walk(fn, depth=0):
    if fn is None:
        print('  ' * depth + 'None')
        return
    print('  ' * depth + fn.name())
    for n, _ in fn.next_functions:
        walk(n, depth + 1)


walk(((x.exp() + 1).log() * x).sum().grad_fn)
stack, seen, order = [y.grad_fn], set(), []
while stack:
    n = stack.pop()
    if n is None or n in seen:
        continue
    seen.add(n)
    order.append(n.name())
    for m, _ in n.next_functions:
        stack.append(m)
print(order, len(seen))
