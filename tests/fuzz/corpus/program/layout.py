# comment
x = (1 +
     2)  # inside

y = 1 + \
    2
if x:

	z = [
 1,
	]
print(x, y, z); pass
