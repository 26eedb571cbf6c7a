# input u = torch.sin(torch.linspace(0, 3.14, 10, dtype=torch.float64))
# input nu = torch.tensor(0.3, dtype=torch.float64)
def heat(u, nu):
    for _ in range(6):
        inner = u[1:-1] + nu * (u[2:] - 2 * u[1:-1] + u[:-2])
        u = torch.cat([u[:1], inner, u[-1:]])
    return (u ** 2).sum()
