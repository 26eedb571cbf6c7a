# Indentation, continuation lines, comments, semicolons, blank lines within blocks.
def outer(a,
          b=2,  # a comment inside brackets

          c=3):

    # a comment with its own indentation
    if a:

        total = (a +
                 b
                 + c)
  # a comment further out changes nothing
        return total
    else: return -1


print(outer(1), outer(0))
total = 1 + \
    2 + \
    3
print(total)
values = [
    1,
    2,
    3,
]
print(values)
table = {
    'a': 1,

    'b': [
        10, 20,
    ],
}
print(table)
if True: print('one line'); print('two statements')
for i in range(3): print(i, end=' ')
print()
while False: pass
else: print('else on one line')
if True:
	print('indented with a tab')
if True:
        if True:
         print('any width will do')
x = [i for i in range(3)
     if i != 1
     ]
print(x)
pass
print('end')
