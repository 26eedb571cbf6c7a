# Linear algebra from matmul alone: inverses, determinants, Gram-Schmidt, LU.
import torch


def lu(A):
    n = A.shape[0]
    L, U = torch.eye(n, dtype=A.dtype), list(A.unbind())
    for k in range(n - 1):
        for i in range(k + 1, n):
            factor = U[i][k] / U[k][k]
            L[i, k] = factor.detach()
            U[i] = U[i] - factor * U[k]
    return L, torch.stack(U)


def gram_schmidt(A):
    basis = []
    for v in A.t():
        for q in basis:
            v = v - (q @ v) * q
        basis.append(v / v.norm())
    return torch.stack(basis, 1)


A = torch.tensor([[4., 3., 2.], [2., 4., 1.], [1., 2., 5.]], dtype=torch.float64, requires_grad=True)
L, U = lu(A)
print(torch.allclose(L @ U, A), L.detach(), U.diagonal().prod())
U.diagonal().prod().backward()
adj = A.grad
print(adj, torch.allclose(A.detach() @ adj.t(), torch.eye(3, dtype=torch.float64) * 37))
Q = gram_schmidt(A.detach())
R = Q.t() @ A.detach()
print(torch.allclose(Q.t() @ Q, torch.eye(3, dtype=torch.float64)), torch.allclose(Q @ R, A.detach()), R.tril(-1).abs().max().item() < 1e-12)
def inverse(M):
    n = M.size(0)
    W = torch.cat([M, torch.eye(n, dtype=M.dtype)], 1)
    for i in range(n):
        W[i] /= W[i, i].clone()
        for j in [k for k in range(n) if k != i]:
            W[j] -= W[j, i].clone() * W[i]
    return W[:, n:]
inv = inverse(A.detach())
print(torch.allclose(inv @ A.detach(), torch.eye(3, dtype=torch.float64)), inv)
e = torch.eye(3, dtype=torch.float64)
term, total = e, e
for k in range(1, 20):
    term = term @ (A.detach() / 10) / k
    total = total + term
print(total)
