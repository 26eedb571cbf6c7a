# input x = torch.randn(7, dtype=torch.float64)
# input a = torch.tensor(0.6, dtype=torch.float64)
def smooth(x, a):
    ys = []
    y = x[0]
    for t in range(len(x)):
        y = a * y + (1 - a) * x[t]
        ys.append(y)
    return torch.stack(ys)
