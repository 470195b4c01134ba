"""More than a hundred hostile templates: each is refused in under two seconds, with its place, and harms nothing."""

from __future__ import annotations

from time import process_time

import pytest

from outreach.content.compose import compile_content
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource

SENDER = {"company": "Aurora", "postal_address": "8 Harbour Road"}
CONTEXT = {
    "first_name": "Anna",
    "company": "Lumen",
    "tags": ["a", "b"],
    "interests": ["x"],
    "attr": {"k": "v"},
    "owner": {"name": "Li"},
    "sender": SENDER,
    "orders_total": 5,
    "email": "a@x.example",
}

WALKS = [  # from a value to the interpreter (server-side template injection)
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    "{{ []['__class__'] }}",
    "{{ {}.__class__ }}",
    "{{ ().__class__.__bases__[0] }}",
    "{{ first_name.__init__ }}",
    "{{ first_name['__init__'] }}",
    "{{ first_name['__len__']() }}",
    "{{ tags.__class__ }}",
    "{{ tags['__class__'] }}",
    "{{ attr.__class__ }}",
    "{{ attr['__class__']['__init__']['__globals__'] }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ config }}",
    "{{ config.items() }}",
    "{{ request }}",
    "{{ request.application.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ lipsum() }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ range.__class__ }}",
    "{{ spin.__globals__ }}",
    "{{ spin.__closure__ }}",
    "{{ spin['__globals__'] }}",
    "{{ dict(a=1) }}",
    "{{ dict.mro() }}",
    "{{ first_name|attr('__class__') }}",
    "{{ tags|map(attribute='__class__')|list }}",
    "{{ tags|map('attr', '__class__')|list }}",
    "{{ [first_name]|map(attribute='__class__.__mro__')|first }}",
    "{{ tags|selectattr('__class__')|list }}",
    "{{ tags|groupby('__class__') }}",
    "{{ tags|sum(attribute='__class__') }}",
    "{{ tags|sort(attribute='__class__')|first }}",
    "{{ tags|unique(attribute='__class__')|first }}",
    "{{ tags|max(attribute='__class__') }}",
    "{{ '{0.__class__}'.format(first_name) }}",
    "{{ '{0.__class__}'|format(first_name) ~ ''.format }}",
    "{{ '%s'.__mod__('x') }}",
    "{{ first_name.format_map(attr) }}",
    "{{ first_name.encode() }}",
    "{{ first_name.join(tags) }}",
    "{{ first_name.translate({}) }}",
    "{{ first_name.mro() }}",
    "{{ tags.append('x') }}",
    "{{ tags.extend(tags) }}",
    "{{ tags.clear() }}",
    "{{ attr.update({'x': 1}) }}",
    "{{ attr.pop('k') }}",
    "{{ attr.setdefault('x', 1) }}",
    "{{ attr.clear() }}",
    "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop._iterable }}{% endfor %}",
    "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% set x = namespace() %}{{ x.__class__ }}",
    "{% set x = namespace() %}{{ x._Namespace__attrs }}",
    "{% set c = cycler('a') %}{{ c.items }}",
    "{% set c = cycler('a') %}{{ c.__init__ }}",
    "{% include '/etc/passwd' %}",
    "{% include 'template.toml' %}",
    "{% extends 'body.mjml' %}",
    "{% import 'os' as os %}{{ os }}",
    "{% from 'os' import popen %}{{ popen('id') }}",
    "{% block x %}x{% endblock %}{{ self.x() }}",
    "{% debug %}",
    "{% do tags.append(1) %}",
    "{{ _h.__class__ }}",
    "{{ 'https://x.example/'|_dyn.__class__ }}",
    "{{ first_name|_code }}",
    "{{ tags|_items }}",
    "{{ first_name|tojson }}",
    "{{ tags|pprint }}",
    "{{ tags|random }}",
    "{{ attr|xmlattr }}",
]
BOMBS = [  # work without end, or memory without end
    "{% for i in range(10000000000) %}x{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
    "{% for i in range(999) %}{% for j in range(999) %}{% for k in range(999) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in range(9999) %}{{ 'x' * 9999 }}{% endfor %}",
    "{{ 'x' * 10**10 }}",
    "{{ 10**10 * 'x' }}",
    "{{ [0] * 10**10 }}",
    "{{ tags * 99999999 }}",
    "{{ 10**10**10 }}",
    "{{ 2**(2**30) }}",
    "{{ (99**64)**64 }}",
    "{{ 9 * 10 ** 99999 }}",
    "{{ 'x'|center(10000000000) }}",
    "{{ 'x'|indent(10000000000) }}",
    "{{ 'x\ny'|indent('z' * 400000) }}",
    "{{ 'x'.ljust(10000000000) }}",
    "{{ 'x'.zfill(10000000000) }}",
    "{{ '\t'.expandtabs(10000000000) }}",
    "{{ '%10000000000d' % 1 }}",
    "{{ '%10000000000d'|format(1) }}",
    "{{ '%*d'|format(10000000000, 1) }}",
    "{{ '{:10000000000}'.format(1) }}",
    "{{ 1.5|round(10000000000, 'ceil') }}",
    "{{ [1]|batch(10000000000, 'x')|list }}",
    "{{ [1]|slice(10000000000)|list }}",
    "{{ ('a' * 99999)|replace('a', 'b' * 99999) }}",
    "{{ ('a' * 99999)|replace('', 'b' * 99999) }}",
    "{{ range(9999)|join('x' * 99999) }}",
    "{{ range(9999)|map('string')|list|sum(start='') }}",
    "{% set x = namespace(v='a') %}{% for i in range(99) %}{% set x.v = x.v ~ x.v %}{% endfor %}{{ x.v }}",
    "{% set x = namespace(v='a') %}{% for i in range(99) %}{% set x.v = x.v + x.v %}{% endfor %}{{ x.v }}",
    "{% set x = namespace(v=[1]) %}{% for i in range(99) %}{% set x.v = x.v + x.v %}{% endfor %}{{ x.v }}",
    "{% set x = namespace(v=[1]) %}{% for i in range(99) %}{% set x.v = [x.v, x.v] %}{% endfor %}{{ x.v|string }}",
    "{% set x = namespace(v={}) %}{% for i in range(99) %}{% set x.v = {'a': x.v, 'b': x.v} %}{% endfor %}{{ x.v }}",
    "{% set x = namespace(v=(1,)) %}{% for i in range(99) %}{% set x.v = (x.v, x.v) %}{% endfor %}{{ x.v|upper }}",
    "{% set x = namespace(v=[1]) %}{% for i in range(99) %}{% set x.v = ['', '']|map('default', x.v, true)|list %}"
    "{% endfor %}{{ x.v == [x.v] }}",
    "{% set x = namespace(v=3) %}{% for i in range(99) %}{% set x.v = x.v * x.v %}{% endfor %}{{ x.v }}",
    "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}"
    "{% for i in range(9999) %}{% for j in range(999) %}{% call m() %}x{% endcall %}{% endfor %}{% endfor %}",
    "{% for i in [[1]] recursive %}{{ loop([[i]]) }}{% endfor %}",
    "{% for i in range(9999) recursive %}{{ loop(range(9999)) }}{% endfor %}",
    "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
    "{{ " + "[" * 4000 + "]" * 4000 + " }}",
    "{{ " + "not " * 9000 + "1 }}",
    "{{ " + "-" * 9000 + "1 }}",
    "{{ 1" + " + 1" * 9000 + " }}",
    "{% if 1 %}" * 3000 + "x" + "{% endif %}" * 3000,
    "{% for i in tags %}" * 60 + "x" + "{% endfor %}" * 60,
    "{{ spin('|' * 499999) * 2 }}{% for i in range(9999) %}{{ spin('ab|' * 9999) }}{% endfor %}",
    "{% for i in range(9999) %}{{ range(9999)|max }}{{ range(9999)|sum }}{% endfor %}",
    "{% for i in range(600) %}{{ range(9999)|selectattr('x')|first }}{% endfor %}",
    "{% set l = range(9999)|list %}{% for i in range(9999) %}"
    + "{% if 5000.5 in l %}x{% endif %}" * 4
    + "{% endfor %}",
    "{% for i in range(9999) %}{% if 5000.5 in range(9999) %}{% endif %}{% endfor %}",
    "{% set l = range(9999)|list %}{% for i in range(9999) %}{% if 5000.5 is in l %}{% endif %}{% endfor %}",
    "{% set l = range(9999)|list %}{% set m = l|list %}{% for i in range(9999) %}{{ l == m }}{% endfor %}",
    "{% set l = range(9999)|list %}{% for i in range(9999) %}{{ l.count(3) }}{% endfor %}",
    "{% set l = range(9999)|list %}{% for i in range(9999) %}{{ l[1:][1] }}{% endfor %}",
    "{% set l = 'x' * 400000 %}{% for i in range(9999) %}{% for w in l if false %}{% endfor %}{% endfor %}",
    "{% set l = 'x' * 400000 %}{% for i in range(9999) %}{{ l|wordcount }}{% endfor %}",
    "{% set l = 'x' * 400000 %}{% for i in range(9999) %}{{ l is lower }}{% endfor %}",
    "{% set l = 'x' * 400000 %}{% for i in range(9999) %}{{ l }}{% endfor %}",
    "{% for i in range(9999) %}" + "x" * 400_000 + "{% endfor %}",
    "{% for i in range(9999) %}" + "{% set y = 1 %}" * 700 + "{% endfor %}",
    "{{ range(9999)|map(attribute='x" + ".x" * 499 + "')|first }}",
    "{{ tags }}",
    "{{ attr }}",
    "{{ owner }}",
    "{{ range(9) }}",
    "{{ range }}",
    "{{ loop }}",
]
HOSTILE = WALKS + BOMBS


def source(line: str) -> TemplateSource:
    head, tail = "<mjml><mj-body><mj-section><mj-column>", "</mj-column></mj-section></mj-body></mjml>"
    body = f"{head}\n<mj-text>\n  {line}</mj-text>{tail}"
    return TemplateSource.from_files("t", {"body.mjml": body, "template.toml": '[subject]\nen = "Hi"\n'})


def test_there_are_a_hundred() -> None:
    assert len(set(HOSTILE)) >= 100


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_refused_in_time_with_its_place(number: int) -> None:
    start = process_time()
    with pytest.raises(ContentProblem) as caught:
        compile_content(source(HOSTILE[number]), "en").render(CONTEXT)
    problem = caught.value
    assert process_time() - start < 2, HOSTILE[number][:80]
    assert problem.file == "body.mjml", (problem, HOSTILE[number][:80])
    assert problem.line >= 3, (problem, HOSTILE[number][:80])
    assert problem.zh
    assert problem.fix("zh")


@pytest.mark.parametrize("hostile", ["{{ ''.__class__ }}", "{% for i in range(10000000000) %}{% endfor %}", "{{ x }}"])
@pytest.mark.parametrize("where", ["subject", "preview", "body.txt"])
def test_subject_preview_and_text_part_are_fenced_as_well(where: str, hostile: str) -> None:
    files = dict(source("fine").files)
    if where == "body.txt":
        files["body.txt"] = hostile
    else:
        files["template.toml"] = f'subject = "Hi"\n{where} = "{hostile}"\n'.replace(
            'subject = "Hi"\nsubject', "subject"
        )
    with pytest.raises(ContentProblem) as caught:
        compile_content(TemplateSource.from_files("t", files), "en").render(CONTEXT)
    assert caught.value.file == (where if where == "body.txt" else "template.toml")
    assert caught.value.line >= 1


def test_a_file_of_any_size_and_depth_does_not_end_the_process() -> None:
    for body in (
        "<mjml><mj-body>" + "<mj-wrapper>" * 50_000,
        "<mjml><mj-body><mj-section><mj-column><mj-text>" + "<div>" * 50_000 + "</div>" * 50_000,
        "<" * 900_000,
        "<mjml " + "a" * 900_000,
        "<mjml><mj-body><mj-section><mj-column><mj-text>" + "{{" * 100_000,
        "{% raw %}" * 50_000,
        "<!--" * 200_000,
        "x" * 1_000_001,
    ):
        start = process_time()
        with pytest.raises(ContentProblem):
            compile_content(
                TemplateSource.from_files("t", {"body.mjml": body, "template.toml": '[subject]\nen = "Hi"\n'}), "en"
            )
        assert process_time() - start < 2, body[:60]
