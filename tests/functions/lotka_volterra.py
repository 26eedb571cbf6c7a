# input p = torch.tensor([1.1, 0.4, 0.4, 0.1], dtype=torch.float64)
def simulate(p: float64[4]):
    def rate(z):
        return torch.stack([p[0] * z[0] - p[1] * z[0] * z[1], p[3] * z[0] * z[1] - p[2] * z[1]])

    z = torch.tensor([10.0, 5.0], dtype=torch.float64)
    h = 0.1
    for _ in range(8):
        k1 = rate(z)
        k2 = rate(z + h / 2 * k1)
        k3 = rate(z + h / 2 * k2)
        k4 = rate(z + h * k3)
        z = z + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return z
