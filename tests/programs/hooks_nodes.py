# Hooks on nodes of the graph: what comes in, what goes out, replacing it (semantics 38).
import torch
x = torch.tensor([2.], requires_grad=True)
y = x * x
y.grad_fn.register_hook(lambda gin, gout: print('in', gin, 'out', gout))
(y * 3).backward()
print(x.grad)
x.grad = None
y = x * 5
h = y.grad_fn.register_hook(lambda gin, gout: (gin[0] * 10, None))
y.backward()
print(x.grad)
h.remove()
x.grad = None
y = x * x
y.grad_fn.register_prehook(lambda gout: (gout[0] * 100,))
y.backward()
print(x.grad)
x.grad = None
y = x * 2
acc = y.grad_fn.next_functions[0][0]
acc.register_hook(lambda gin, gout: print('accumulated', gin, gout, x.grad))
y.backward()
print(x.grad)
