"""Closed vocabularies. What is stored is the value, so a name may change and the data stay."""

from __future__ import annotations

from enum import StrEnum


class Region(StrEnum):
    """The seven regions of requirement C6."""

    EUROPE = "Europe"
    AMERICAS = "Americas"
    MIDDLE_EAST = "Middle East"
    ASIA = "Asia"
    AFRICA = "Africa"
    OCEANIA = "Oceania"
    OTHER = "Other"


class Basis(StrEnum):
    """Why we may write to a person (requirement B1, H4)."""

    CONSENT = "consent"
    CUSTOMER = "customer"
    INQUIRY = "inquiry"
    PUBLIC_BUSINESS = "public-business"
    NONE = "none"


class Role(StrEnum):
    """What a member of staff does here (requirements.md, "Who uses it")."""

    MARKETER = "marketer"
    SALESPERSON = "salesperson"
    MARKETING_LEAD = "marketing_lead"
    BUSINESS_LEAD = "business_lead"
    LEGAL = "legal"
    CUSTOMER_SERVICE = "customer_service"
    MANAGER = "manager"
    AUDITOR = "auditor"
    TECHNICIAN = "technician"
    ADMIN = "admin"


class CampaignState(StrEnum):
    """The life of a campaign; transitions in campaigns/state.py."""

    DRAFT = "draft"
    REVIEW = "review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PILOT = "pilot"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class MessageState(StrEnum):
    """The life of a message; transitions in outbox/state.py."""

    PLANNED = "planned"
    SKIPPED = "skipped"
    QUEUED = "queued"
    CLAIMED = "claimed"
    HANDING_OVER = "handing_over"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"


class MailboxState(StrEnum):
    """Whether a mailbox may send."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class SuppressionReason(StrEnum):
    """Why an address or domain must not be mailed."""

    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCES = "soft_bounces"
    ERASED = "erased"
    MANUAL = "manual"
    POLICY = "policy"


class InboundKind(StrEnum):
    """What a received mail is (contract: ``inbox classify``)."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTOREPLY = "autoreply"
    UNSUBSCRIBE = "unsubscribe"
    REPLY = "reply"
    OTHER = "other"


class TaskState(StrEnum):
    """A task is open until somebody does or drops it."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class DealStage(StrEnum):
    """The stages of an export deal; transitions in crm/deals/state.py."""

    INQUIRY = "inquiry"
    QUOTATION = "quotation"
    SAMPLE = "sample"
    ORDER = "order"
    SHIPPED = "shipped"
    PAID = "paid"
    LOST = "lost"


class TicketKind(StrEnum):
    """What a customer brings to the service (F1)."""

    QUESTION = "question"
    COMPLAINT = "complaint"
    WISH = "wish"


class TicketState(StrEnum):
    """The life of a case; transitions in crm/service/state.py."""

    NEW = "new"
    OPEN = "open"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"
