# input a = torch.tensor([2.0, 5.0], dtype=torch.float64)
def square_root(a: float64[2]):
    x = a
    error = 1.0
    while error > 1e-12:
        new = 0.5 * (x + a / x)
        error = (new - x).abs().max().item()
        x = new
    return x
