# input x = torch.tensor([[0.3, -1.2, 2.5, 0.9], [1.3, 0.2, -0.5, 0.7]], dtype=torch.float64)
def best(x: float64[2, 4]):
    v, i = x.topk(2, dim=1)
    return (v ** 3).sum() + x.gather(1, i)[:, 0].prod()
