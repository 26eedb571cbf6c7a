# A program that raises on its own account.
total = 0
for i in range(5):
    total += i
    if total > 5:
        raise ValueError(f'too much: {total}')
    print(total)
