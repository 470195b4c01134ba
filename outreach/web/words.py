"""The words and colours of states, roles, reasons and intents: one name everywhere (docs/glossary.md).

Each list gives value → (text to translate, badge class). Colour says who must act: is-run ours or under way, is-wait
somebody's, is-now a person's at once, is-idle all else.
"""

from __future__ import annotations

from collections.abc import Mapping

from outreach.web.check_words import CHECK
from outreach.web.i18n import N_
from outreach.web.words_crm import CRM_LISTS
from outreach.web.words_why import WHY_LISTS

Words = Mapping[str, tuple[str, str]]

CAMPAIGN: Words = {
    "draft": (N_("Draft"), "is-idle"),
    "review": (N_("In review"), "is-wait"),
    "approved": (N_("Approved"), "is-wait"),
    "scheduled": (N_("Scheduled"), "is-run"),
    "pilot": (N_("Pilot"), "is-run"),
    "running": (N_("Sending"), "is-run"),
    "paused": (N_("Paused"), "is-wait"),
    "finished": (N_("Finished"), "is-idle"),
    "cancelled": (N_("Cancelled"), "is-idle"),
}

#: A campaign that has no end is not "sending": it runs.
SEQUENCE: Words = {**CAMPAIGN, "running": (N_("Running"), "is-run")}

ENROLMENT: Words = {
    "active": (N_("Under way"), "is-run"),
    "waiting": (N_("Waits for us"), "is-wait"),
    "paused": (N_("Paused"), "is-wait"),
    "stopped": (N_("Ended"), "is-idle"),
    "finished": (N_("Done"), "is-idle"),
}

#: Why a sequence ended for a person.
ENDED: Words = {
    "replied": (N_("Has replied"), ""),
    "colleague_replied": (N_("A colleague replied"), ""),
    "hard_bounce": (N_("Hard bounce"), ""),
    "soft_bounces": (N_("Soft bounces"), ""),
    "bounced": (N_("Bounced"), ""),
    "unsubscribed": (N_("Unsubscribed"), ""),
    "complained": (N_("Complained of spam"), ""),
    "left": (N_("Has left the company"), ""),
    "erased": (N_("Erased"), ""),
    "meeting": (N_("A meeting"), ""),
    "deal": (N_("A deal went on"), ""),
    "colleague_contact": (N_("Another of us got in touch"), ""),
    "by_hand": (N_("Stopped by hand"), ""),
    "owner_left": (N_("Nobody took it over"), ""),
    "cancelled": (N_("The sequence was ended"), ""),
    "failed": (N_("The mail could not be sent"), ""),
}

OCCASION: Words = {
    "proposed": (N_("Waits for a word"), "is-wait"),
    "queued": (N_("Said yes"), "is-run"),
    "declined": (N_("Not this time"), "is-idle"),
    "missed": (N_("Missed"), "is-idle"),
    "skipped": (N_("Skipped"), "is-idle"),
}

#: How people came into a sequence, and what brings them in.
VIA: Words = {
    "hand": (N_("by hand"), ""),
    "segment": (N_("by segment"), ""),
    "event": (N_("by what happened"), ""),
}
TRIGGER: Words = {"inquiry": (N_("a new inquiry"), "is-line"), "delivered": (N_("a delivery"), "is-line")}

MESSAGE: Words = {
    "planned": (N_("Planned"), "is-idle"),
    "skipped": (N_("Skipped"), "is-idle"),
    "queued": (N_("Queued"), "is-idle"),
    "claimed": (N_("Being sent"), "is-run"),
    "handing_over": (N_("Being handed over"), "is-run"),
    "sent": (N_("Sent"), "is-run"),
    "deferred": (N_("Deferred"), "is-wait"),
    "failed": (N_("Failed"), "is-wait"),
    "in_doubt": (N_("In doubt"), "is-now"),
    "cancelled": (N_("Cancelled"), "is-idle"),
}

INTENT: Words = {
    "price": (N_("Inquiry"), "is-run"),
    "sample": (N_("Sample"), "is-run"),
    "catalogue": (N_("Catalogue"), "is-run"),
    "meeting": (N_("Meeting"), "is-run"),
    "order": (N_("Order"), "is-run"),
    "question": (N_("Question"), "is-idle"),
    "complaint": (N_("Complaint"), "is-wait"),
    "not_now": (N_("Not now"), "is-idle"),
    "not_interested": (N_("Not interested"), "is-idle"),
    "wrong_person": (N_("Wrong person"), "is-wait"),
    "thanks": (N_("Thanks"), "is-idle"),
}

INBOUND: Words = {
    "bounce": (N_("Bounce"), "is-idle"),
    "complaint": (N_("Spam complaint"), "is-wait"),
    "autoreply": (N_("Auto-reply"), "is-idle"),
    "unsubscribe": (N_("Unsubscribe"), "is-idle"),
    "reply": (N_("Reply"), "is-run"),
    "challenge": (N_("Challenge"), "is-wait"),
    "other": (N_("Other"), "is-idle"),
}

EVENT: Words = {
    "sent": (N_("Sent"), ""),
    "delay": (N_("Delay"), ""),
    "bounce": (N_("Bounce"), ""),
    "complaint": (N_("Spam complaint"), ""),
    "unsubscribe": (N_("Unsubscribe"), ""),
    "reply": (N_("Reply"), ""),
    "autoreply": (N_("Auto-reply"), ""),
    "challenge": (N_("Challenge"), ""),
    "open": (N_("Opened"), ""),
    "click": (N_("Click"), ""),
    "preference": (N_("Preference"), ""),
    "conversion": (N_("Conversion"), ""),
}

ROLE: Words = {
    "marketer": (N_("Marketer"), "is-idle"),
    "salesperson": (N_("Salesperson"), "is-idle"),
    "marketing_lead": (N_("Marketing lead"), "is-idle"),
    "business_lead": (N_("Business lead"), "is-idle"),
    "legal": (N_("Legal"), "is-idle"),
    "customer_service": (N_("Customer service"), "is-idle"),
    "manager": (N_("Manager"), "is-idle"),
    "auditor": (N_("Auditor"), "is-idle"),
    "technician": (N_("Technician"), "is-idle"),
    "admin": (N_("Administrator"), "is-idle"),
}

REGION: Words = {
    "Europe": (N_("Europe"), ""),
    "Americas": (N_("Americas"), ""),
    "Middle East": (N_("Middle East"), ""),
    "Asia": (N_("Asia"), ""),
    "Africa": (N_("Africa"), ""),
    "Oceania": (N_("Oceania"), ""),
    "Other": (N_("Other regions"), ""),
}

#: What a report of a violation is about.
VIOLATION: Words = {
    "mailing": (N_("Mailing without permission"), ""),
    "data": (N_("Customer data"), ""),
    "access": (N_("Somebody else's account"), ""),
    "content": (N_("Untrue content"), ""),
    "conduct": (N_("Somebody's conduct"), ""),
    "other": (N_("Other"), ""),
}

BASIS: Words = {
    "consent": (N_("Consent"), ""),
    "customer": (N_("Customer relationship"), ""),
    "inquiry": (N_("Inquiry of theirs"), ""),
    "public-business": (N_("Public business address"), ""),
    "none": (N_("No basis"), "is-wait"),
}

SUPPRESSION: Words = {
    "unsubscribed": (N_("Unsubscribed"), "is-idle"),
    "complained": (N_("Complained of spam"), "is-wait"),
    "hard_bounce": (N_("Hard bounce"), "is-idle"),
    "soft_bounces": (N_("Soft bounces"), "is-idle"),
    "erased": (N_("Erased"), "is-idle"),
    "manual": (N_("Added by hand"), "is-idle"),
    "policy": (N_("Policy"), "is-idle"),
}

MAILBOX: Words = {
    "active": (N_("Working"), ""),
    "watch": (N_("Watch it"), "is-wait"),
    "paused": (N_("Paused"), "is-now"),
    "disabled": (N_("Closed"), "is-idle"),
}

TASK: Words = {
    "reply": (N_("Answer"), "mail"),
    "call": (N_("Call"), "phone"),
    "mail": (N_("Write"), "mail"),
    "quality": (N_("Ask about quality"), "package"),
    "greeting": (N_("Greeting"), "star"),
    "sample": (N_("Sample"), "package"),
    "follow_up": (N_("Follow up"), "calendar-event"),
    "complaint": (N_("Complaint"), "message-circle"),
    "unreachable": (N_("Reach them another way"), "phone"),
    "variant": (N_("Choose a variant"), "user-question"),
    "deal": (N_("Deal"), "currency-dollar"),
    "deal_approval": (N_("Approve a quotation"), "currency-dollar"),
    "case": (N_("Case"), "message-circle"),
    "case_question": (N_("Question for you"), "message-circle"),
    "case_told": (N_("Answer came"), "message-circle"),
    "meeting": (N_("Meeting"), "users"),
    "other": (N_("Task"), "list-check"),
    "late": (N_("Late, with the owner's manager"), "alert-circle"),
    "address_book": (N_("Address book"), "address-book"),
    "left": (N_("Left the company"), "users"),
}

SCOPE: Words = {
    "NONE": (N_("no"), ""),
    "OWN": (N_("own"), "is-idle"),
    "TEAM": (N_("team"), "is-idle"),
    "ALL": (N_("all"), "is-run"),
}

PERMISSION: Words = {
    "account": (N_("Look after the own account"), ""),
    "contacts.view": (N_("See customers and contacts"), ""),
    "contacts.edit": (N_("Change customers and contacts"), ""),
    "contacts.import": (N_("Import lists"), ""),
    "contacts.assign": (N_("Assign customers"), ""),
    "contacts.export": (N_("Export customer data"), ""),
    "contacts.erase": (N_("Erase a person"), ""),
    "segments.view": (N_("See segments"), ""),
    "segments.edit": (N_("Change segments"), ""),
    "templates.view": (N_("See templates"), ""),
    "templates.edit": (N_("Change templates"), ""),
    "calendar.view": (N_("See what all departments plan"), ""),
    "campaigns.view": (N_("See campaigns"), ""),
    "campaigns.edit": (N_("Write campaigns"), ""),
    "campaigns.approve": (N_("Approve campaigns"), ""),
    "campaigns.send": (N_("Start pilots and sending"), ""),
    "campaigns.pause": (N_("Pause sending"), ""),
    "messages.resolve": (N_("Settle mails in doubt"), ""),
    "inbox.view": (N_("Read received mail"), ""),
    "inbox.answer": (N_("Answer customers"), ""),
    "inbox.quarantine": (N_("See mails that could not be read, try again"), ""),
    "tasks.view": (N_("See follow-ups"), ""),
    "tasks.edit": (N_("Do and hand over follow-ups"), ""),
    "deals.view": (N_("See deals"), ""),
    "deals.edit": (N_("Change deals"), ""),
    "deals.approve": (N_("Approve quotations under the margin floor"), ""),
    "orders.import": (N_("Import orders"), ""),
    "service.view": (N_("See questions and complaints"), ""),
    "service.edit": (N_("Answer questions and complaints"), ""),
    "targets.edit": (N_("Set targets"), ""),
    "suppression.view": (N_("See the suppression list"), ""),
    "suppression.add": (N_("Add to the suppression list"), ""),
    "suppression.remove": (N_("Take off the suppression list"), ""),
    "reports.view": (N_("See reports"), ""),
    "reports.send": (N_("Send reports"), ""),
    "mailboxes.view": (N_("See mailboxes"), ""),
    "mailboxes.edit": (N_("Pause and resume mailboxes"), ""),
    "users.view": (N_("See users"), ""),
    "users.edit": (N_("Add and change users"), ""),
    "users.authorise": (N_("Declare users trained and authorised"), ""),
    "webhooks.edit": (N_("Set up webhooks"), ""),
    "users.transfer": (N_("Hand over a leaver's work"), ""),
    "audit.view": (N_("Read the audit trail"), ""),
    "violations.report": (N_("Report a violation"), ""),
    "violations.read": (N_("Read reports of violations"), ""),
}

FIELD: Words = {
    "name": (N_("Name of the company"), ""),
    "first_name": (N_("First name"), ""),
    "last_name": (N_("Last name"), ""),
    "country": (N_("Country"), ""),
    "city": (N_("City"), ""),
    "industry": (N_("Industry"), ""),
    "language": (N_("Language"), ""),
    "grade": (N_("Grade"), ""),
    "intent": (N_("Intent"), ""),
    "phone": (N_("Telephone"), ""),
    "birthday": (N_("Birthday"), ""),
    "interests": (N_("Interests"), ""),
    "note": (N_("Note"), ""),
    "source": (N_("Source"), ""),
}

COLUMN: Words = {
    "email": (N_("E-mail"), ""),
    "full_name": (N_("Full name"), ""),
    "email_status": (N_("State of the address"), ""),
    "first_name": (N_("First name"), ""),
    "last_name": (N_("Last name"), ""),
    "company": (N_("Company"), ""),
    "country": (N_("Country"), ""),
    "region": (N_("Region"), ""),
    "city": (N_("City"), ""),
    "industry": (N_("Industry"), ""),
    "tags": (N_("Tags"), ""),
    "owner_id": (N_("Owner"), ""),
    "interests": (N_("Interests"), ""),
    "language": (N_("Language"), ""),
    "grade": (N_("Grade"), ""),
    "intent": (N_("Intent"), ""),
    "phone": (N_("Telephone"), ""),
    "birthday": (N_("Birthday"), ""),
    "source": (N_("Source"), ""),
    "basis": (N_("Legal basis"), ""),
    "basis_date": (N_("Date of the basis"), ""),
    "owner": (N_("Owner"), ""),
    "last_order": (N_("Last order"), ""),
    "orders_total": (N_("Sum of orders"), ""),
    "note": (N_("Note"), ""),
}

ACTIVITY: Words = {
    "reply": (N_("Reply"), ""),
    "autoreply": (N_("Auto-reply"), ""),
    "bounce": (N_("Bounce"), ""),
    "delay": (N_("Delayed"), ""),
    "open": (N_("Opened"), ""),
    "click": (N_("Clicked"), ""),
    "unsubscribe": (N_("Unsubscribed"), ""),
    "complaint": (N_("Spam complaint"), ""),
    "preference": (N_("Preferences"), ""),
    "call": (N_("Call"), ""),
    "meeting": (N_("Meeting"), ""),
    "note": (N_("Note"), ""),
    "sample": (N_("Sample"), ""),
    "quotation": (N_("Quotation"), ""),
    "inquiry": (N_("Inquiry"), ""),
    "order": (N_("Order"), ""),
    "conversion": (N_("Inquiry or order"), ""),
    "answer": (N_("Answer"), ""),
    "chat": (N_("Message"), ""),
    "file": (N_("File"), ""),
    "survey": (N_("Survey"), ""),
    "deal_inquiry": (N_("Inquiry"), ""),
    "deal_quotation": (N_("Quotation"), ""),
    "deal_sample": (N_("Sample"), ""),
    "deal_order": (N_("Order"), ""),
    "deal_shipped": (N_("Shipped"), ""),
    "deal_paid": (N_("Paid"), ""),
    "deal_lost": (N_("Deal lost"), ""),
    "deal_approved": (N_("Quotation approved"), ""),
    "deal_refused": (N_("Quotation refused"), ""),
    "case_opened": (N_("Case opened"), ""),
    "case_asked": (N_("Asked a department"), ""),
    "case_told": (N_("The department answered"), ""),
    "case_take_back": (N_("Question taken back"), ""),
    "case_answered": (N_("Case answered"), ""),
    "case_helped": (N_("It helped"), ""),
    "case_not_helped": (N_("It did not help"), ""),
    "case_expire": (N_("Case closed"), ""),
    "case_drop": (N_("Case closed"), ""),
    "case_reopen": (N_("Case opened again"), ""),
    "sent": (N_("Letter by hand"), ""),
}

#: What a pilot's figures advise (app/pilot.py).
ADVICE: Words = {
    "released": (N_("released"), "is-idle"),
    "wait": (N_("under way"), "is-run"),
    "stop": (N_("stop"), "is-now"),
    "look": (N_("look at it first"), "is-wait"),
    "release": (N_("may be released"), "is-run"),
}

#: What an A/B test shows (campaigns/variants.py), what it counts, what a variant changes.
TEST: Words = {
    "winner": (N_("a winner"), "is-run"),
    "no_difference": (N_("no difference shown"), "is-idle"),
    "too_few": (N_("too few mails"), "is-idle"),
}
METRIC: Words = {
    "click": (N_("Clicked by people"), ""),
    "reply": (N_("Replied"), ""),
    "open": (N_("Opened by people"), ""),
}
VARIANT: Words = {
    "subject": (N_("Subject"), ""),
    "template": (N_("Template"), ""),
    "mailbox": (N_("Mailbox"), ""),
    "hour": (N_("Hour"), ""),
}

LISTS: Mapping[str, Words] = {
    "check": CHECK,
    "field": FIELD,
    "column": COLUMN,
    "activity": ACTIVITY,
    "campaign": CAMPAIGN,
    "sequence": SEQUENCE,
    "enrolment": ENROLMENT,
    "ended": ENDED,
    "occasion": OCCASION,
    "via": VIA,
    "trigger": TRIGGER,
    "message": MESSAGE,
    "intent": INTENT,
    "inbound": INBOUND,
    "role": ROLE,
    "region": REGION,
    "violation": VIOLATION,
    "basis": BASIS,
    "suppression": SUPPRESSION,
    "mailbox": MAILBOX,
    "task": TASK,
    "scope": SCOPE,
    "permission": PERMISSION,
    "event": EVENT,
    "advice": ADVICE,
    "test": TEST,
    "metric": METRIC,
    "variant": VARIANT,
    **CRM_LISTS,
    **WHY_LISTS,
}


def word(kind: str, value: str | None) -> tuple[str, str]:
    """Return text (to translate) and class of a value; an unknown one is shown as it is."""
    if not value:
        return "–", "is-idle"
    return LISTS[kind].get(value, (str(value).replace("_", " "), "is-idle"))
