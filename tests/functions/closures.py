# input x = torch.tensor([1.2, 0.7], dtype=torch.float64)
def power(n):
    return lambda t: t ** n


def compose(*fs):
    def run(t):
        for f in fs:
            t = f(t)
        return t

    return run


def apply(x: float64[2]):
    f = compose(power(3), torch.sin, lambda t: t * x.sum())
    return f(x)
