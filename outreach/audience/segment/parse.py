"""Text → tree. Every error knows its place."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import NoReturn

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from outreach.audience.segment.build import Word, build
from outreach.audience.segment.fields import field_named
from outreach.audience.segment.problem import SegmentError, nearest
from outreach.audience.segment.tree import And, Condition, Everyone, Node, Not, Op, Or

#: A stored audience is read by people: what is longer was made by a machine, and lists belong into tags.
MAX_LENGTH = 20_000
#: SQLite refuses expressions deeper than 1,000; Python's own stack ends at about the same depth.
MAX_DEPTH = 40
MAX_CONDITIONS = 300

#: Full-width signs of Chinese input methods, one for one, so that offsets stay true.
_WIDE = str.maketrans("（）＝＜＞，！“”‘’、；｜＆．　", "()=<>,!\"\"'',;|&. ")
_PIECES = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^"']+|.""", re.DOTALL)

_COMPARE = {"=": Op.EQ, "==": Op.EQ, "!=": Op.NE, "<>": Op.NE, "<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE}
_SHAPES = {
    "one_of": Op.IN, "none_of": Op.NOT_IN, "contains": Op.CONTAINS, "lacks": Op.NOT_CONTAINS, "is_empty": Op.EMPTY,
    "is_filled": Op.NOT_EMPTY, "within": Op.WITHIN, "not_within": Op.NOT_WITHIN, "before": Op.BEFORE, "after": Op.AFTER,
    "is_value": Op.EQ, "is_other": Op.NE,
}  # fmt: skip

#: What may come next, in people's words: terminal → (English, Chinese).
_EXPECTED = {
    "_AND": ("and", "且"), "_OR": ("or", "或"), "COMPARE": ("= or another comparison", "= 等比较符号"),
    "WORD": ("a field or a value", "字段或值"), "LPAR": ("“(”", "“(”"), "RPAR": ("“)”", "“)”"), "COMMA": ("“,”", "“,”"),
    "DURATION": ("a time such as 30 days", "一段时间，如 30 天"), "EMPTY": ("empty", "为空"), "IN": ("in", "属于"),
    "CONTAINS": ("contains", "包含"), "_NOT": ("not", "非"), "IS": ("is empty", "为空"), "WITHIN": ("within", "近"),
}  # fmt: skip


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = files("outreach.audience.segment").joinpath("grammar.lark").read_text("utf-8")
    return Lark(text, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False)


def parse(text: str) -> Node:
    """Read a segment. Blank text is everyone. Raises SegmentError with place and suggestion."""
    if not text.strip():
        return Everyone()
    if len(text) > MAX_LENGTH:
        raise SegmentError(text, MAX_LENGTH, MAX_LENGTH, f"longer than {MAX_LENGTH} characters; use tags.",
                           f"超过 {MAX_LENGTH} 个字符；请改用标签。")  # fmt: skip
    try:
        tree = _grammar().parse(_narrow(text))
    except UnexpectedToken as problem:
        raise _unexpected(text, problem) from None
    except (UnexpectedCharacters, UnexpectedEOF) as problem:
        raise _unreadable(text, getattr(problem, "pos_in_stream", len(text)) or 0) from None
    return _Reader(text).node(_trees(tree)[0], 0)


def _narrow(text: str) -> str:
    """Fold full-width signs outside quotations; the length stays."""
    straight = text.translate(str.maketrans("“”", '""'))
    return "".join(
        piece if piece[0] in "\"'" and len(piece) > 1 else piece.translate(_WIDE) for piece in _PIECES.findall(straight)
    )


def _unexpected(text: str, problem: UnexpectedToken) -> SegmentError:
    token: Token = problem.token
    ended = token.type == "$END"
    start = len(text.rstrip()) if ended else (token.start_pos or 0)
    known = [name for name in _EXPECTED if name in problem.expected]
    if token.type == "COMPARE" and "_AND" in problem.expected:
        return SegmentError(text, start, start + len(token), "two conditions need “and” or “or” between them.",
                            "两个条件之间要写“且”或“或”。", "and")  # fmt: skip
    en = ", ".join(_EXPECTED[name][0] for name in known[:4]) or "the end"
    zh = "、".join(_EXPECTED[name][1] for name in known[:4]) or "结束"
    seen = "it ends here" if ended else f"“{token}” cannot stand here"
    seen_zh = "到这里就结束了" if ended else f"这里不能写 “{token}”"
    quote = token.isalpha() and not ended and "WORD" in problem.expected
    hint = f'"{token}"' if quote else nearest(str(token), ["and", "or"]) if "_AND" in problem.expected else None
    return SegmentError(text, start, start + len(token), f"{seen}; expected {en}.", f"{seen_zh}；应为{zh}。", hint)


def _unreadable(text: str, at: int) -> SegmentError:
    sign = text[at : at + 1]
    if sign in "\"'“":
        return SegmentError(text, at, len(text), "this quotation is not closed.", "引号没有配对。")
    return SegmentError(
        text, at, at + 1, f"“{sign}” has no meaning here; put values with signs into quotes.",
        f"这里不认识 “{sign}”；带符号的值请加引号。",
    )  # fmt: skip


class _Reader:
    """Walks lark's tree once; counts conditions and depth."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.conditions = 0

    def fail(self, start: int, end: int, en: str, zh: str, suggestion: str | None) -> NoReturn:
        raise SegmentError(self.text, start, end, en, zh, suggestion)

    def node(self, tree: Tree[Token], depth: int) -> Node:
        if depth > MAX_DEPTH:
            self.fail(0, len(self.text), f"nested deeper than {MAX_DEPTH}.", f"嵌套超过 {MAX_DEPTH} 层。", None)
        match tree.data:
            case "any_of":
                return Or(tuple(self.node(item, depth + 1) for item in _trees(tree)))
            case "all_of":
                return And(tuple(self.node(item, depth + 1) for item in _trees(tree)))
            case "negation":
                return Not(self.node(_trees(tree)[0], depth + 1))
            case "everyone":
                return Everyone()
            case "condition":
                return self.node(_trees(tree)[0], depth)
            case _:
                return self.condition(tree)

    def condition(self, tree: Tree[Token]) -> Condition:
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            self.fail(0, len(self.text), f"more than {MAX_CONDITIONS} conditions; use “in (…)” or tags.",
                      f"条件超过 {MAX_CONDITIONS} 个；请用“属于 (…)”或标签。", None)  # fmt: skip
        field, *rest = tree.children
        if not isinstance(field, Tree):
            raise TypeError(f"a condition begins with {field!r}")
        name = _name(_tokens(field)[0])
        if tree.data == "flag":
            return self.flag(name)
        compare = next((str(item) for item in rest if isinstance(item, Token) and item.type == "COMPARE"), "")
        op = _COMPARE[compare] if compare else _SHAPES[str(tree.data)]
        words = [self.word(item) for item in rest if isinstance(item, Tree)]
        words += [_word(item) for item in rest if isinstance(item, Token) and item.type == "DURATION"]
        return build(name, op, tuple(words), self.fail)

    def flag(self, name: Word) -> Condition:
        field = field_named(name.text)
        if field is not None and Op.IS not in field.operators:
            self.fail(name.end, name.end, f"{name.text} needs a comparison, such as: {name.text} = …",
                      f"“{name.text}” 后面要有比较，例如：{name.text} = …", None)  # fmt: skip
        return build(name, Op.EQ, (Word("yes", name.start, name.end),), self.fail)

    def word(self, value: Tree[Token]) -> Word:
        tokens = _tokens(value)
        if len(tokens) == 1:
            return _word(tokens[0])
        quoted = next((token for token in tokens if token.type == "STRING"), None)
        if quoted is not None:
            start = quoted.start_pos or 0
            self.fail(start, start + len(quoted), "a value in quotes stands alone; expected and or or.",
                      "带引号的值要单独写；这里应为 且 或 或。", None)  # fmt: skip
        return Word(" ".join(tokens), tokens[0].start_pos or 0, tokens[-1].end_pos or 0)


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _word(token: Token) -> Word:
    text = str(token)
    if token.type == "STRING":
        text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return Word(text, token.start_pos or 0, token.end_pos or 0)


def _name(token: Token) -> Word:
    text = str(token)
    if token.type == "ATTRIBUTE":
        name = text[5:]
        text = "attr." + (re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name)
    return Word(text, token.start_pos or 0, token.end_pos or 0)
