#!/usr/bin/env python3
"""Prints what notebook.c must print, as PyTorch computes it: record_notebook.py > notebook.out"""
import torch

torch.manual_seed(0)
x = torch.Tensor([2])
w = torch.randn(1, requires_grad=True)
b = torch.randn(1, requires_grad=True)
y = torch.mul(x, w)
z = torch.add(y, b)
print("is_leaf:{},{},{},{},{}".format(x.is_leaf, y.is_leaf, z.is_leaf, w.is_leaf, b.is_leaf))
print("requires_grad:{},{},{}".format(x.requires_grad, w.requires_grad, b.requires_grad))
print("grad_fn:{},{}".format(y.grad_fn.name(), z.grad_fn.name()))
z.backward(retain_graph=True)
print("w.grad", w.grad)
print("b.grad", b.grad)
print("y.grad None")
print("z.grad None")
z.backward()
print("w.grad", w.grad)
try:
    z.backward()
except RuntimeError as e:
    print(f"RuntimeError: {e}")

x = torch.randn(3, 4, requires_grad=True)
y = x**2 * torch.exp(x)
y.backward(torch.ones(y.size()))
print("grad by autograd:", x.grad)
print("grad by def:", 2 * x * torch.exp(x) + x**2 * torch.exp(x))

x = torch.ones(1)
b = torch.rand(1, requires_grad=True)
w = torch.rand(1, requires_grad=True)
y = w.mul(x)
z = y.add(b)
for node, nr in z.grad_fn.next_functions:
    print(f"({type(node).__name__}, {nr}) ", end="")
print(z.grad_fn.next_functions[0][0] == y.grad_fn)
for _ in range(24):
    z.backward(retain_graph=True)
print(w.grad)
with torch.no_grad():
    x = torch.ones(1)
    w = torch.rand(1, requires_grad=True)
    y = x.mul(w)
print(x.requires_grad, w.requires_grad, y.requires_grad)
x = torch.rand(10, requires_grad=True)
print(x)
print(x.data)
x.data *= 100
print(x)
print("nodes left: 0, bytes left: 0")
