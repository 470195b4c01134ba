"""The tables, as Core knows them."""

from __future__ import annotations

from sqlalchemy import Table

from outreach.model import (
    Activity,
    Approval,
    ArchivedMail,
    Attachment,
    Campaign,
    CampaignRecipient,
    CampaignStep,
    Company,
    Contact,
    Conversion,
    Deal,
    EmailAddress,
    Event,
    InboundMail,
    Mailbox,
    MailFolder,
    Message,
    Order,
    Segment,
    StoredFile,
    Suppression,
    Survey,
    Tag,
    Target,
    Task,
    TemplateVersion,
    Ticket,
    User,
    Violation,
)
from outreach.model import ContactTag as _ContactTag

ACTIVITY: Table = Activity.__table__  # type: ignore[attr-defined]
ADDRESS: Table = EmailAddress.__table__  # type: ignore[attr-defined]
APPROVAL: Table = Approval.__table__  # type: ignore[attr-defined]
ARCHIVE: Table = ArchivedMail.__table__  # type: ignore[attr-defined]
CAMPAIGN: Table = Campaign.__table__  # type: ignore[attr-defined]
COMPANY: Table = Company.__table__  # type: ignore[attr-defined]
CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]
CONTACT_TAG: Table = _ContactTag.__table__  # type: ignore[attr-defined]
CONVERSION: Table = Conversion.__table__  # type: ignore[attr-defined]
EVENT: Table = Event.__table__  # type: ignore[attr-defined]
FOLDER: Table = MailFolder.__table__  # type: ignore[attr-defined]
INBOUND: Table = InboundMail.__table__  # type: ignore[attr-defined]
MAILBOX: Table = Mailbox.__table__  # type: ignore[attr-defined]
MESSAGE: Table = Message.__table__  # type: ignore[attr-defined]
RECIPIENT: Table = CampaignRecipient.__table__  # type: ignore[attr-defined]
SEGMENT: Table = Segment.__table__  # type: ignore[attr-defined]
STEP: Table = CampaignStep.__table__  # type: ignore[attr-defined]
SUPPRESSION: Table = Suppression.__table__  # type: ignore[attr-defined]
TAG: Table = Tag.__table__  # type: ignore[attr-defined]
TASK: Table = Task.__table__  # type: ignore[attr-defined]
TEMPLATE: Table = TemplateVersion.__table__  # type: ignore[attr-defined]
USER: Table = User.__table__  # type: ignore[attr-defined]
VIOLATION: Table = Violation.__table__  # type: ignore[attr-defined]

ATTACHMENT: Table = Attachment.__table__  # type: ignore[attr-defined]
DEAL: Table = Deal.__table__  # type: ignore[attr-defined]
ORDER: Table = Order.__table__  # type: ignore[attr-defined]
STORED_FILE: Table = StoredFile.__table__  # type: ignore[attr-defined]
SURVEY: Table = Survey.__table__  # type: ignore[attr-defined]
TARGET: Table = Target.__table__  # type: ignore[attr-defined]
TICKET: Table = Ticket.__table__  # type: ignore[attr-defined]
