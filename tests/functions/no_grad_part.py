# input x = torch.tensor([0.4, -1.1, 2.0], dtype=torch.float64)
def f(x):
    with torch.no_grad():
        scale = x.abs().max()
    return (x / scale) ** 3 + x.detach() * x
