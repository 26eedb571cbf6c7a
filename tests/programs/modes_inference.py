# inference_mode and what its tensors refuse outside (semantics 25).
import torch
x = torch.tensor([2.], requires_grad=True)
with torch.inference_mode():
    y = x * 2
    print(y.requires_grad, y.is_inference(), torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    y.add_(1)
    print(y)


def attempt(f):
    try:
        print(f())
    except RuntimeError as e:
        print(str(e)[:150])


attempt(lambda: y._version)
attempt(lambda: x * y)
attempt(lambda: x + y)
attempt(lambda: y.requires_grad_())
attempt(lambda: y.add_(1))
attempt(lambda: (x * 2).detach() * x)
print(y.is_inference(), y.clone().is_inference(), torch.is_inference_mode_enabled())


@torch.inference_mode()
def g(v):
    return v * 2


print(g(x).is_inference(), g(x))
with torch.inference_mode(False):
    print((x * 2).requires_grad)
