# input x = torch.tensor([0.4, -1.1, 2.0], dtype=torch.float64)
def accumulate(x):
    out = torch.zeros(3, dtype=torch.float64)
    out += x ** 2
    out[1:] *= x[:-1]
    out[0] = x.prod()
    out.exp_()
    return out
