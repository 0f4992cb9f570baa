-- Chat templates: what they give, what they refuse, and what they may not cost. Parity with jinja2
-- is tests/parity/template_parity.py.

local json = require "host.json"
local template = require "qspec.template"
local test = require "test"

local NOW = "2024-02-29T13:05:09Z"

local function render(source, context, kinds)
  return template.compile(source, "t"):render(context or {}, { now = NOW, kinds = kinds })
end

local function of_json(source, text)
  local context, kinds = json.decode(text)
  return render(source, context, kinds)
end

test("a line that holds only a block leaves no line behind", function()
  test.equal(render "a\n  {% if true %}\nb\n  {% endif %}\nc\n", "a\nb\nc")
end)

test("a plus sign keeps the white space in front of a block", function()
  test.equal(render "a\n  {%+ if true %}b{% endif %}", "a\n  b")
end)

test("minus signs take white space away on both sides, line feeds too", function()
  test.equal(render "a \n {{- 1 -}} \n b", "a1b")
end)

test("white space in front of an expression stays", function()
  test.equal(render "a\n  {{ 1 }}", "a\n  1")
end)

test("a raw block is text", function()
  test.equal(render "{% raw %}{{ x }}{% endraw %}", "{{ x }}")
end)

test("a comment leaves nothing, nor the line feed behind it", function()
  test.equal(render "a{# {{ x }} #}\nb", "ab")
end)

test("texts are counted in characters", function()
  test.equal(render("{{ s|length }}{{ s[1] }}{{ s[::-1] }}", { s = "aé😀" }), "3é😀éa")
end)

test("a name that is set in a loop is forgotten behind it", function()
  test.equal(render "{% set x = 1 %}{% for i in [2, 3] %}{% set x = i %}{% endfor %}{{ x }}", "1")
end)

test("a namespace carries values out of a loop", function()
  test.equal(render [[
{% set ns = namespace(n=0) %}{% for i in [2, 3] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}]],
    "5")
end)

test("a loop whose only round is left early runs its else, as Jinja's does", function()
  test.equal(render "{% for i in [1] %}a{% break %}{% else %}b{% endfor %}", "ab")
end)

test("a macro sees names of its own and takes defaults", function()
  test.equal(render "{% macro m(a, b=2) %}{{ a ~ b ~ varargs }}{% endmacro %}{{ m(1) }}", "12()")
end)

test("JSON keeps the order of keys and tells 1 from 1.0", function()
  test.equal(of_json("{{ x|tojson }}", '{"x": {"b": 1, "a": 1.0, "c": null, "é": "\\u0001<"}}'),
    '{"b": 1, "a": 1.0, "c": null, "é": "\\u0001<"}')
end)

test("an indent of JSON breaks lines and leaves commas without a space", function()
  test.equal(of_json("{{ x|tojson(indent=2) }}", '{"x": {"a": [1, []]}}'),
    '{\n  "a": [\n    1,\n    []\n  ]\n}')
end)

test("values are written as Python writes them", function()
  test.equal(of_json("{{ x }}", [[{"x": [1.5, 1e16, true, null, "it's", {"k": "\n"}]}]]),
    [=[[1.5, 1e+16, True, None, "it's", {'k': '\n'}]]=])
end)

test("what select gives counts as true even when it is empty", function()
  test.equal(render "{{ 'yes' if []|select else 'no' }}", "yes")
end)

test("dates are English and without a zone", function()
  test.equal(render "{{ strftime_now('%a %d %b %Y %H:%M%z %-d %j') }}",
    "Thu 29 Feb 2024 13:05 29 060")
end)

test("a generation block is its text", function()
  test.equal(render "{% generation %}a{% endgeneration %}", "a")
end)

test("the error of a template names its line", function()
  local err = test.raises("wanted 'endfor'", render, "a\n{% for x in y %}\nb")
  test.equal({ err.kind, err.where }, { "checkpoint", "t:2" })
  err = test.raises("'a' is undefined", render, "\n\n{{ a.b.c }}")
  test.equal(err.where, "t:3")
end)

test("raise_exception is a refusal of the messages", function()
  local err = test.raises("roles must alternate", render,
    "{{ raise_exception('roles must alternate') }}")
  test.equal(err.kind, "usage")
end)

test("an unknown filter is refused on reading, unless a condition guards it", function()
  test.raises("there is no filter 'nope'", template.compile, "{{ x|nope }}", "t")
  test.equal(render "{% if false %}{{ x|nope }}{% endif %}", "")
end)

test("an unknown tag has a suggestion", function()
  test.raises("unknown tag 'fro', did you mean 'for'", template.compile, "{% fro %}", "t")
end)

test("a tag that loads other templates is unsupported", function()
  local err = test.raises("'include' is not supported", template.compile, "{% include 'x' %}", "t")
  test.equal(err.kind, "unsupported")
end)

test("methods that would change a value are refused", function()
  test.raises("append", render, "{{ x.append(1) }}", { x = json.array { 1 } })
  test.raises("update", render, "{{ x.update({}) }}", { x = { a = 1 } })
end)

test("there is no attribute to walk along", function()
  test.raises("undefined", render, "{{ ''.__class__.__mro__ }}")
  test.equal(render("{{ x.__init__ }}{{ range.__globals__ }}", { x = { a = 1 } }), "")
end)

local COSTLY = {
  { "a loop of a billion", "{% for i in range(1000000000) %}{% endfor %}", "range of 1000000000" },
  { "loops within loops", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}"
    .. "{% endfor %}", "more than 1000000 steps" },
  { "a text that doubles", "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(99) %}"
    .. "{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "a text of" },
  { "a text times a billion", "{{ 'a' * 1000000000 }}", "a text of 1000000000 bytes" },
  { "a list times a billion", "{{ [1] * 1000000000 }}", "more than 1000000 steps" },
  { "padding of a billion", "{{ 'a'.ljust(1000000000) }}", "a text of" },
  { "an indent of a billion", "{{ 'a'|indent(1000000000) }}", "a text of" },
  { "a replacement that grows", "{% set ns = namespace(s='aaaa') %}{% for i in range(99) %}"
    .. "{% set ns.s = ns.s|replace('a', 'aaaa') %}{% endfor %}", "a text of" },
  { "a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "nested deeper than 64" },
  { "output without an end", "{% for i in range(99999) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaa' * 999 }}"
    .. "{% endfor %}", "a text of" },
}

for _, case in ipairs(COSTLY) do
  test(case[1] .. " ends in an error", function()
    local err = test.raises(case[3], render, case[2])
    test.equal(err.kind, "unsupported")
  end)
end

test("brackets that are nested without an end are refused", function()
  test.raises("nested deeper than 64", template.compile,
    "{{ " .. ("("):rep(5000) .. "1" .. (")"):rep(5000) .. " }}", "t")
  test.raises("nested deeper than 64", template.compile,
    "{{ " .. ("not "):rep(5000) .. "1 }}", "t")
  test.raises("nested deeper than 64", template.compile,
    ("{% if 1 %}"):rep(5000) .. ("{% endif %}"):rep(5000), "t")
  test.raises("nested deeper than 64", template.compile, "{{ " .. ("-"):rep(5000) .. "1 }}", "t")
end)

test("a list that is its own depth does not overflow", function()
  test.raises("nested deeper", render, [[
{% set ns = namespace(x=[]) %}{% for i in range(200) %}{% set ns.x = [ns.x] %}{% endfor %}
{{ ns.x|tojson }}]])
end)

test("numbers that are not exact are refused, not rounded", function()
  test.raises("exact", render, "{{ 2 ** 60 }}")
  test.raises("too large to be exact", template.compile, "{{ 99999999999999999999 }}", "t")
end)

test("the case of letters beyond ASCII is refused, that of ideographs is not", function()
  test.raises("the case of 'É'", render, "{{ 'École'|lower }}")
  test.equal(render "{{ '你好 A'|lower }}", "你好 a")
end)
