# Literals: quotes, escapes, raw and joined strings, triple quotes.
print('single', "double", 'it\'s', "say \"hi\"", "it's", 'say "hi"')
print('tab\there', 'line\nbreak', 'back\\slash', 'nul:' + repr('\0'), '\x41\u00e9\U0001F600')
print(r'raw \n stays', R"C:\temp", 'a' 'b' "c", 'octal \101\60')
print('''triple
quoted ' and " inside''')
print("""another
  one""", '''''' == '')
print('continued \
on the next line')
print('标量的反向传播', 'naïve café', 'Ω≈ç√', '日本語', 'α')
print(len('标量'), len('é'), len('😀'), '标量的'[1], '日本語'[::-1])
print(repr('it\'s'), repr("say \"hi\""), repr('both \' and "'), repr('tab\t nl\n cr\r \\'), repr('é标\x7f\x00\x1b'))
print(('one '
       'two '
       'three'))
print('a;b', 'c#d')  # a comment with 'quotes'; and a semicolon
x = 1; y = 2; print(x + y)
print(u'unicode prefix')
