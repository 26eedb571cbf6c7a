# A program that ends in Python's error, within nested calls.
def f(n):
    if n == 0:
        return [1, 2, 3][n + 5]
    return f(n - 1)
print('before')
f(3)
print('never')
