import torch
w = torch.zeros(2, requires_grad=True)
o = torch.optim.SGD([w], lr=0.1, momentum=0.9)
for i in range(3):
    o.zero_grad()
    loss = ((w - 1) ** 2).sum()
    loss.backward()
    o.step()
print(w, f'{loss:.3f}')
