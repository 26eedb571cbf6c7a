print('a' "b" '''c
d''' r'\n' '\x41\u00e9\t\101\
e', u'中文', 'x' * 3, 'a,b'.split(','), '-'.join(['a', 'b']), 'Abc'.lower(), len('héé'), 'abc'.find('c'))
