import torch
torch.manual_seed(0)
w = torch.zeros(2, requires_grad=True)
o = torch.optim.SGD([w], lr=0.1, momentum=0.9)
for step in range(3):
    o.zero_grad()
    loss = ((w - torch.tensor([1., 2.])) ** 2).sum()
    loss.backward()
    o.step()
print(w)
