import torch
try:
    torch.zeros(2,3).scatter(0,torch.zeros(4,4,dtype=torch.long),torch.zeros(2,2))
except RuntimeError as e:
    print(e)
try:
    torch.zeros(2,3).scatter(0,torch.zeros(4,4,dtype=torch.long),1.0)
except RuntimeError as e:
    print(e)
try:
    torch.zeros(2,3).scatter(0,torch.tensor([[5]]),1.0)
except RuntimeError as e:
    print(e)
try:
    torch.zeros(2,3).scatter_reduce(0,torch.zeros(4,4,dtype=torch.long),torch.zeros(2,2),"sum")
except RuntimeError as e:
    print(e)
