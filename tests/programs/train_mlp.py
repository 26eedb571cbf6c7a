# A small network with its own layers, trained by hand-written gradient descent.
import torch
_ = torch.manual_seed(0)
X = torch.tensor([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
Y = torch.tensor([[0.], [1.], [1.], [0.]])


def linear(n_in, n_out):
    w = (torch.randn(n_in, n_out) * (2 / n_in) ** 0.5).requires_grad_()
    b = torch.zeros(n_out, requires_grad=True)
    return w, b


layers = [linear(2, 8), linear(8, 1)]
params = [p for layer in layers for p in layer]
print([tuple(p.shape) for p in params], sum(p.numel() for p in params))


def forward(x):
    (w1, b1), (w2, b2) = layers
    return torch.sigmoid(torch.tanh(x @ w1 + b1) @ w2 + b2)


def loss_of(p, y):
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


for epoch in range(300):
    loss = loss_of(forward(X), Y)
    loss.backward()
    with torch.no_grad():
        for p in params:
            p -= 1.0 * p.grad
            p.grad = None
    if epoch % 60 == 0:
        print(f'epoch {epoch:3d}: loss {loss.item():.3f}')
p = forward(X)
print((p > 0.5).int().flatten().tolist(), ((p > 0.5).float() == Y).all().item())
print(loss_of(p, Y).item() < 0.05)
