# Softmax regression on three clusters, loss and gradient against the formula.
import torch
_ = torch.manual_seed(3)
centres = torch.tensor([[2., 0.], [-1., 2.], [-1., -2.]])
X = torch.cat([c + 0.5 * torch.randn(20, 2) for c in centres])
labels = torch.arange(60) // 20
W = torch.zeros(2, 3, requires_grad=True)
b = torch.zeros(3, requires_grad=True)


def loss_of():
    logp = (X @ W + b).log_softmax(1)
    return -logp.gather(1, labels[:, None]).mean()


loss = loss_of()
loss.backward()
onehot = torch.zeros(60, 3)
onehot[torch.arange(60), labels] = 1
by_hand = X.t() @ ((X @ W + b).softmax(1) - onehot).detach() / 60
print(f'{loss.item():.4f}', torch.allclose(W.grad, by_hand, atol=1e-6))
opt = torch.optim.SGD([W, b], lr=0.5, momentum=0.9)
for i in range(50):
    opt.zero_grad(set_to_none=True)
    loss = loss_of()
    loss.backward()
    opt.step()
accuracy = ((X @ W + b).argmax(1) == labels).float().mean()
print(loss.item() < 0.05, accuracy)
print(onehot.sum(0), labels[::20], onehot[[0, 20, 40]])
