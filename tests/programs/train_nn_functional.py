# torch.nn.functional: layers and losses as functions.
import torch
import torch.nn.functional as F
x = torch.tensor([[1., -2., 3.], [0., 1., -1.]], requires_grad=True)
w = torch.tensor([[0.5, 1., -1.], [2., 0., 1.]], requires_grad=True)
b = torch.tensor([0.1, -0.1], requires_grad=True)
out = F.linear(x, w, b)
print(out, F.relu(x), F.softmax(x, dim=1), F.log_softmax(x, dim=-1))
target = torch.tensor([[1., 0.], [0., 1.]])
print(F.mse_loss(out, target), F.mse_loss(out, target, reduction='sum'), F.mse_loss(out, target, reduction='none'), F.l1_loss(out, target))
labels = torch.tensor([1, 0])
print(F.cross_entropy(out, labels), F.nll_loss(F.log_softmax(out, 1), labels), F.cross_entropy(out, labels, reduction='sum'))
loss = F.cross_entropy(out, labels)
print(loss.grad_fn.name(), loss.grad_fn.next_functions[0][0].name())
loss.backward()
print(w.grad, b.grad)
p = torch.sigmoid(out)
print(F.binary_cross_entropy(p, target), F.binary_cross_entropy_with_logits(out, target))
print(F.softplus(x), F.leaky_relu(x, 0.1), F.sigmoid(x).sum(), F.tanh(x).sum(), F.one_hot(labels, 3))
