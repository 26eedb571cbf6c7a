# input q = torch.tensor([0.3, 1.1], dtype=torch.float64)
# input p = torch.tensor([-0.4, 0.2], dtype=torch.float64)
# grad
def hamiltonian(q, p):
    return (p ** 2).sum() / 2 + (q ** 4).sum() / 4 + q.prod()


def leapfrog(q, p):
    for _ in range(2):
        g, = torch.autograd.grad(hamiltonian(q, p), q, create_graph=True)
        p = p - 0.05 * g
        v, = torch.autograd.grad(hamiltonian(q, p), p, create_graph=True)
        q = q + 0.1 * v
        g, = torch.autograd.grad(hamiltonian(q, p), q, create_graph=True)
        p = p - 0.05 * g
    return q, p
