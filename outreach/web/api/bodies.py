"""What scripts send, and what they are answered where it is no row."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NewContact(BaseModel):
    """A person. `source` and `basis` are kept with the contact, and `evidence`: what the basis rests on.

    `company_id` is the customer that they belong to, where you know it (from `near` of an earlier answer, from
    `/companies`); without it the address, then the name of the company decides.
    """

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=320)
    source: str = Field(min_length=1, max_length=120)
    basis: Literal["consent", "customer", "inquiry", "public-business", "none"] = "none"
    evidence: str = Field(default="", max_length=500)
    first_name: str = Field(default="", max_length=120)
    last_name: str = Field(default="", max_length=120)
    company: str = Field(default="", max_length=200)
    country: str = Field(default="", max_length=80)
    city: str = Field(default="", max_length=120)
    industry: str = Field(default="", max_length=120)
    tags: str = Field(default="", max_length=500)
    interests: str = Field(default="", max_length=500)
    birthday: date | None = None
    phone: str = Field(default="", max_length=60)
    company_id: int | None = Field(default=None, ge=1, le=2_147_483_647)


class Near(BaseModel):
    """A customer that a new one may be. `by`: phone, name, sister (the same domain name, another ending); 100 is sure."""

    customer_id: int
    customer: str
    owner: str | None
    by: str
    score: float


class Entered(BaseModel):
    """The person's id, and the customer that they belong to.

    `near` is a warning: the customer was made now and may be one of these, which a colleague may work already. Look at
    them before you write; customers are merged on the page of duplicates.
    """

    id: int
    company_id: int | None
    near: list[Near]


class Entry(BaseModel):
    """An address or a domain."""

    model_config = ConfigDict(extra="forbid")

    entry: str = Field(min_length=3, max_length=320)


class Expression(BaseModel):
    """A segment's text."""

    model_config = ConfigDict(extra="forbid")

    expression: str = Field(min_length=1, max_length=8000)


class NewSegment(BaseModel):
    """A segment to be stored."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120)
    expression: str = Field(min_length=1, max_length=8000)


class NewConversion(BaseModel):
    """What a website tells of a visitor who came by a click. Without `external_id` a mail leads to one of a kind."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=400)
    kind: Literal["inquiry", "quotation", "order"]
    amount: float | None = Field(default=None, ge=0, le=1e12)
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    external_id: str | None = Field(default=None, min_length=1, max_length=200)
    at: datetime | None = None


class Recorded(BaseModel):
    """The conversion; `new` false: it was told before."""

    id: int | None
    new: bool
