"""Templates drawn at random: random_case(seed) gives the same template and context each time."""

import random

NAMES = ["messages", "n", "x", "s", "word", "items", "empty", "nothing", "flag", "missing", "tree",
         "pi"]
CONTEXT = {"messages": [{"role": "user", "content": " Hi é "}, {"role": "assistant", "content": "b\n"},
                        {"role": "user", "content": None, "tool_calls": [{"name": "f"}]}],
           "n": 3, "x": -7, "s": "a b  c,d", "word": "Żół 😀 word's \"q\"", "items": [3, 1, 2, 1],
           "empty": "", "nothing": None, "flag": True, "pi": 3.14159, "tree": {
               "b": 1, "a": {"z": [1, 2.0, None, False], "items": "own"}, "keys": "k", "Ç": "ü"}}
FILTERS = ["trim", "length", "upper", "lower", "title", "capitalize", "list", "first", "last",
           "join", "join(', ')", "join('-', attribute='role')", "tojson", "tojson(indent=2)",
           "tojson(separators=(',', ':'))", "tojson(ensure_ascii=true)", "tojson(sort_keys=True)",
           "string", "int", "float", "int(7)", "abs", "round", "round(2)", "round(1, 'floor')",
           "default('d')", "default('d', true)", "d(boolean=true)", "reverse", "sort",
           "sort(reverse=true)", "unique", "map('upper')", "map(attribute='role')",
           "map(attribute='content', default='none')", "select", "reject", "select('string')",
           "selectattr('role', 'equalto', 'user')", "rejectattr('content')", "selectattr('content')",
           "select('in', [1, 2])", "reject('odd')", "replace('a', 'A')", "replace('', '-')",
           "replace('b', 'x', 1)", "indent", "indent(2, true)", "items", "dictsort", "batch(2)",
           "batch(2, 'f')", "slice(2)", "sum", "min", "max", "count", "wordcount", "center(9)",
           "truncate(5)", "truncate(6, true, '~')", "safe", "e", "format(1, 'b')", "attr('items')",
           "groupby('role')", "nofilter", "map('nofilter')", "sum(attribute='n')"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping",
         "sequence", "iterable", "true", "false", "odd", "even", "divisibleby(2)", "eq(3)", "ne 3",
         "equalto 'a'", "in [1, 2, 3]", "lower", "upper", "callable", "lt(2)", ">= 1", "notest",
         "sameas none", "sameas(true)", "gt 'a'", "escaped", "filter", "test"]
METHODS = ["strip()", "strip('ab')", "lstrip()", "rstrip('\\n')", "split()", "split(' ')",
           "split(',', 1)", "rsplit(' ', 1)", "splitlines()", "startswith('a')", "endswith('d')",
           "startswith(('x', 'a'))", "upper()", "lower()", "title()", "capitalize()", "replace('b', 'é')",
           "find('b')", "rfind(' ')", "count(' ')", "index('zz')", "join(['x', 'y'])", "join([1])",
           "isdigit()", "isalpha()", "isspace()", "islower()", "items()", "keys()", "values()",
           "get('a')", "get('q', 5)", "get('b').x", "append(1)", "pop()", "format(1)", "zfill(9)",
           "ljust(12, '.')", "center(7, '*')", "removeprefix('a')", "removesuffix('d')",
           "partition(' ')", "rpartition(',')", "update({})", "copy()", "swapcase()", "nomethod()",
           "encode()", "index(1)", "isalnum()", "isupper()", "rindex('a')", "split(sep=',')"]
ATTRIBUTES = ["role", "content", "items", "keys", "a", "b", "__class__", "tool_calls", "count", "0",
              "x", "name"]
STRINGS = ["'a'", '"b c"', "'é😀'", "''", "'\\n'", "'a\\tb'", "\"it's\"", "'%s-%d'", "'1'", "' 2.50 '",
           "'{}'", "'\\u00e9'", "'\\x41'", "'a' 'b'", "'x' * 3"]
NUMBERS = ["0", "1", "2", "-1", "3.5", "1e3", "10", "0.1", "1_000", "0x1f", "100000", "1e16", "1.0"]
LOOP = ["index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem",
        "depth", "cycle('a', 'b')", "changed(item)", "nothing"]
DEEPEST = 4


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.pick = self.rng.choice
        self.names = list(NAMES)

    def chance(self, share):
        return self.rng.random() < share

    def atom(self):
        return self.pick([lambda: self.pick(self.names), lambda: self.pick(self.names),
                          lambda: self.pick(STRINGS), lambda: self.pick(NUMBERS),
                          lambda: self.pick(["true", "false", "none", "True", "None"])])()

    def subscript(self, depth):
        bounds = lambda: self.pick(["", "0", "1", "-1", "2", "-2", "n", "5", "none", "'a'"])
        return self.pick([
            lambda: f"[{self.expression(depth + 1)}]", lambda: f"[{self.pick(['0', '-1', '9'])}]",
            lambda: f"['{self.pick(ATTRIBUTES)}']", lambda: f".{self.pick(ATTRIBUTES)}",
            lambda: f"[{bounds()}:{bounds()}]",
            lambda: f"[{bounds()}:{bounds()}:{self.pick(['', '-1', '2', '-2', '0'])}]"])()

    def call(self, depth):
        return self.pick([
            lambda: f"range({self.atom()})", lambda: f"range(1, {self.atom()})",
            lambda: f"range(5, 0, -{self.atom()})", lambda: f"dict(a={self.expression(depth + 1)})",
            lambda: f"namespace(v={self.expression(depth + 1)}).v", lambda: "dict(tree, b=2)",
            lambda: f"raise_exception({self.atom()})", lambda: "strftime_now('%d %B %Y %H:%M %a %j %-d')",
            lambda: f"{self.pick(self.names)}({self.atom()})"])()

    def literal(self, depth):
        some = lambda: [self.expression(depth + 1) for _ in range(self.rng.randint(0, 3))]
        return self.pick([
            lambda: "[" + ", ".join(some()) + "]", lambda: "(" + ", ".join(some() + [""]) + ")",
            lambda: "{" + ", ".join(f"{self.pick(STRINGS[:4] + NUMBERS)}: {one}" for one in some())
                    + "}"])()

    def expression(self, depth=0):
        if depth >= DEEPEST:
            return self.atom()
        deeper = lambda: self.expression(depth + 1)
        operator = lambda: self.pick(["+", "-", "*", "/", "//", "%", "~", "~", "+", "**", "and", "or",
                                      "==", "!=", "<", "<=", ">", ">=", "in", "not in"])
        makers = [
            (self.atom, 5), (lambda: f"{self.pick(self.names)}{self.subscript(depth)}", 3),
            (lambda: self.fitting(depth), 12),
            (lambda: f"{deeper()} {operator()} {deeper()}", 4), (lambda: f"({deeper()})", 1),
            (lambda: f"{deeper()} | {self.pick(FILTERS)}", 5),
            (lambda: f"({self.pick(self.names)} | list){self.subscript(depth)}", 1),
            (lambda: f"{deeper()} is {self.pick(['', '', 'not '])}{self.pick(TESTS)}", 2),
            (lambda: f"{self.atom()}.{self.pick(METHODS)}", 4),
            (lambda: f"({deeper()}).{self.pick(METHODS)}", 1),
            (lambda: f"{deeper()} if {deeper()}" + (f" else {deeper()}" if self.chance(0.8) else ""), 1),
            (lambda: f"not {deeper()}", 1), (lambda: f"-{self.atom()}", 1),
            (lambda: self.call(depth), 1), (lambda: self.literal(depth), 2),
            (lambda: f"{self.atom()} < {self.atom()} <= {self.atom()}", 1)]
        make, = self.rng.choices([one for one, _ in makers], [weight for _, weight in makers])
        return make()

    def fitting(self, depth):
        """An expression whose parts mostly fit together, so that it has a value."""
        string = lambda: self.pick(["s", "word", "empty", "messages[0].role", "messages[1]['content']",
                                    "tree.keys|string", *STRINGS])
        number = lambda: self.pick(["n", "x", "pi", "items[0]", "tree.b", *NUMBERS[:9]])
        listed = lambda: self.pick(["messages", "items", "s.split()", "tree", "range(4)", "tree.a.z",
                                    "[n, x, 2]", "word|list", "tree.items()", "(1, 'b', none)"])
        return self.pick([
            lambda: f"{string()}.{self.pick(METHODS[:32])}", lambda: f"{string()} ~ {self.expression(depth + 1)}",
            lambda: f"{string()} | {self.pick(FILTERS[:6] + FILTERS[48:52])}",
            lambda: f"{string()} + {string()}", lambda: f"{string()} in {string()}",
            lambda: f"({string()}){self.pick(['[0]', '[-1]', '[1:]', '[:-1]', '[::2]', '[::-1]', '[7:2:-1]'])}",
            lambda: f"{number()} {self.pick(['+', '-', '*', '/', '//', '%', '<', '>=', '=='])} {number()}",
            lambda: f"({number()} {self.pick(['+', '-', '*'])} {number()}) | {self.pick(FILTERS[20:28])}",
            lambda: f"{listed()} | {self.pick(FILTERS)} | list", lambda: f"{listed()} | {self.pick(FILTERS)}",
            lambda: f"{listed()} | tojson", lambda: f"{listed()} | list | {self.pick(FILTERS[6:13])}",
            lambda: f"{listed()}|length", lambda: f"{listed()}", lambda: f"{listed()} == {listed()}",
            lambda: f"{number()} in {listed()}", lambda: f"{listed()}[{self.pick(['0', '-1', '1', 'n'])}]",
            lambda: f"'%s: %s' % ({string()}, {number()})", lambda: f"'%d%%' % {number()}",
            lambda: f"{self.pick(self.names)} is {self.pick(TESTS)}",
            lambda: f"{string()} if {self.expression(depth + 1)} else {number()}",
            lambda: f"{self.pick(self.names)} or {string()}", lambda: f"{self.pick(self.names)} and {number()}",
        ])()

    def text(self):
        return self.pick(["", "a", " ", "\n", "  \n", "\n  ", "x\n", " {", "é", "\t", "\r\n", "% }",
                          "\u00a0", "#"])

    def signs(self):
        return self.pick(["", "", "", "-", "-", "+"]), self.pick(["", "", "", "-", "-"])

    def tag(self, inside):
        before, after = self.signs()
        return f"{{%{before} {inside} {after}%}}"

    def output(self, inside):
        before, after = self.signs()
        if before == "+":
            before = ""
        return f"{{{{{before} {inside} {after}}}}}"

    def body(self, depth):
        return "".join(self.text() + self.statement(depth + 1) for _ in range(self.rng.randint(0, 2))) \
            + self.text()

    def loop(self, depth):
        over = self.pick(["messages", "items", "range(4)", "s", "tree", "tree.items()", "[]", "nothing",
                          "missing", "items|sort", "messages|map(attribute='role')", self.atom()])
        names = self.names
        self.names = [*names, "item", f"loop.{self.pick(LOOP)}", f"loop.{self.pick(LOOP)}"]
        condition = f" if {self.expression(2)}" if self.chance(0.2) else ""
        inner = self.body(depth)
        if self.chance(0.15):
            inner += self.tag("if loop.index > 1") + self.tag(self.pick(["break", "continue"])) \
                + self.tag("endif") + self.text()
        self.names = names
        target = "item, value" if "items()" in over else "item"
        otherwise = self.tag("else") + self.body(depth) if self.chance(0.2) else ""
        return self.tag(f"for {target} in {over}{condition}") + inner + otherwise + self.tag("endfor")

    def macro(self, depth):
        name = self.pick(["m", "k"])
        parameters = self.pick(["", "a", "a, b=2", "a, b='x', c=none"])
        names = self.names
        self.names = [*names, "a", "b", "varargs", "kwargs"]
        inner = self.body(depth)
        self.names = names
        call = f"{name}({self.pick(['', '1', '1, 2', 'a=1', 'b=s', '1, 2, 3, 4', 'q=1'])})"
        return self.tag(f"macro {name}({parameters})") + inner + self.tag("endmacro") + self.text() \
            + self.output(call)

    def statement(self, depth=0):
        expression = lambda: self.expression(1)
        makers = [(lambda: self.output(expression()), 6), (self.text, 1)]
        if depth < 3:
            makers += [
                (lambda: self.loop(depth), 3),
                (lambda: self.tag(f"if {expression()}") + self.body(depth)
                 + (self.tag(f"elif {expression()}") + self.body(depth) if self.chance(0.3) else "")
                 + (self.tag("else") + self.body(depth) if self.chance(0.4) else "")
                 + self.tag("endif"), 3),
                (lambda: self.tag(f"set {self.pick(['v', 'x', 's'])} = {expression()}")
                 + self.text() + self.output(self.pick(["v", "x", "s"])), 2),
                (lambda: self.tag("set v") + self.body(depth) + self.tag("endset") + self.output("v"), 1),
                (lambda: self.tag("set v, w = [1, n]") + self.output("v ~ w"), 1),
                (lambda: self.tag("set ns = namespace(c=0)") + self.tag("for i in items")
                 + self.tag("set ns.c = ns.c + i") + self.tag("endfor") + self.output("ns.c"), 1),
                (lambda: "{#" + self.pick(["", "-", "+"]) + self.text() + "c" + self.pick(["", "-"]) + "#}", 1),
                (lambda: self.tag("raw") + "{{ x }}{% if %}" + self.text() + self.tag("endraw"), 1),
                (lambda: self.macro(depth), 1),
                (lambda: self.tag(f"with v = {expression()}, w = 1") + self.body(depth)
                 + self.output("v") + self.tag("endwith"), 1),
                (lambda: self.tag("filter upper") + self.body(depth) + self.tag("endfilter"), 1),
                (lambda: self.tag("generation") + self.body(depth) + self.tag("endgeneration"), 1),
                (lambda: self.tag("macro m(a)") + "<" + self.output("caller(a)") + ">"
                 + self.tag("endmacro") + self.tag(f"call(u) m({self.atom()})") + self.output("u")
                 + self.tag("endcall"), 1)]
        make, = self.rng.choices([one for one, _ in makers], [weight for _, weight in makers])
        return make()

    def template(self):
        text = self.body(0) + self.statement() + self.body(0)
        if self.chance(0.03) and text:
            at = self.rng.randrange(len(text))
            text = text[:at] + self.pick(["", "{%", "}}", "'", "(", "%}"]) + text[at + 1:]
        return text


def random_case(seed):
    maker = Maker(seed)
    if seed % 3:
        return "{{ " + maker.expression() + " }}", CONTEXT
    return maker.template(), CONTEXT
