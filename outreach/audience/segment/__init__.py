"""The segment language (分组): text, tree, JSON and SQL are four forms of one thing."""

from outreach.audience.segment.as_json import from_json, to_json
from outreach.audience.segment.explain import Step, explain
from outreach.audience.segment.fields import FIELDS, Field, Kind, field_named
from outreach.audience.segment.parse import parse
from outreach.audience.segment.problem import SegmentError
from outreach.audience.segment.sql import condition, select_ids
from outreach.audience.segment.text import describe, to_text
from outreach.audience.segment.tree import Ago, And, Condition, Everyone, Node, Not, Op, Or

__all__ = [
    "FIELDS",
    "Ago",
    "And",
    "Condition",
    "Everyone",
    "Field",
    "Kind",
    "Node",
    "Not",
    "Op",
    "Or",
    "SegmentError",
    "Step",
    "condition",
    "describe",
    "explain",
    "field_named",
    "from_json",
    "parse",
    "select_ids",
    "to_json",
    "to_text",
]
