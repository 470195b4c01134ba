"""The words of customers, deals, calls and service; words.py says how they are read."""

from __future__ import annotations

from collections.abc import Mapping

from outreach.web.i18n import N_

Words = Mapping[str, tuple[str, str]]

#: Groups of the timeline's lines, as chips.
TIMELINE: Words = {
    "mail": (N_("Mails"), ""),
    "talk": (N_("Calls and meetings"), ""),
    "trade": (N_("Deals and orders"), ""),
    "service": (N_("Service"), ""),
    "file": (N_("Files"), ""),
}

STAGE: Words = {
    "inquiry": (N_("Inquiry"), "is-run"),
    "quotation": (N_("Quotation"), "is-run"),
    "sample": (N_("Sample"), "is-run"),
    "order": (N_("Order"), "is-run"),
    "shipped": (N_("Shipped"), "is-run"),
    "paid": (N_("Paid"), "is-idle"),
    "lost": (N_("Lost"), "is-idle"),
}

STEP: Words = {
    "quote": (N_("Quotation sent"), "file-text"),
    "sample": (N_("Sample sent"), "package"),
    "order": (N_("Order received"), "receipt"),
    "ship": (N_("Shipped"), "truck"),
    "pay": (N_("Paid"), "currency-dollar"),
    "lose": (N_("Lost"), "x"),
    "revive": (N_("Take it up again"), "refresh"),
}

APPROVAL: Words = {
    "needed": (N_("Waits for a manager"), "is-wait"),
    "granted": (N_("Approved by a manager"), "is-idle"),
    "refused": (N_("Refused by a manager"), "is-now"),
}

DEAL_ERROR: Words = {
    "amount": (N_("An amount is a number that is not below zero."), ""),
    "margin": (N_("A margin is a percentage of the amount, below 100."), ""),
    "currency": (N_("Write the currency's ISO code, such as USD, EUR or CNY."), ""),
    "reason": (N_("Say why the deal was lost: it is what the next one learns from."), ""),
    "not_waiting": (N_("This deal does not wait for an approval."), ""),
    "own": (N_("Nobody approves the own quotation: ask another manager."), ""),
    "comment": (N_("Say why, so that the next offer can be better."), ""),
    "changed": (N_("Its terms have changed since you looked: look at them again, then decide."), ""),
    "waiting": (N_("A manager is asked about these terms: quote anew to ask about others."), ""),
    "floor": (N_("This margin is under the floor: quote anew, so that a manager can look at it."), ""),
    "moved": (N_("Somebody has moved the deal since: look at it again."), ""),
}

CASE: Words = {
    "question": (N_("Question"), "is-idle"),
    "complaint": (N_("Complaint"), "is-wait"),
    "wish": (N_("Wish"), "is-idle"),
}

CASE_STATE: Words = {
    "new": (N_("New"), "is-wait"),
    "open": (N_("Under way"), "is-run"),
    "asked": (N_("With a department"), "is-wait"),
    "answered": (N_("Answered"), "is-run"),
    "closed": (N_("Settled"), "is-idle"),
}

DEPARTMENT: Words = {
    "product": (N_("Product"), ""),
    "service": (N_("Service"), ""),
    "quality": (N_("Quality"), ""),
    "logistics": (N_("Logistics"), ""),
    "finance": (N_("Finance"), ""),
}

CASE_ERROR: Words = {
    "question": (N_("Say what you want to know."), ""),
    "answer": (N_("Write the answer first."), ""),
    "reason": (N_("Say why the case is closed without an answer."), ""),
    "moved": (N_("Somebody has changed the case since: look at it again."), ""),
    "suppressed": (
        N_("The customer wants no mail, or the address is dead: call, then note the answer without a mail."),
        "",
    ),
    "no_address": (N_("No address is known: call, then note the answer without a mail."), ""),
    "no_mailbox": (N_("No mailbox is set up to write from."), ""),
    "mailbox_closed": (
        N_(
            "The mailbox they wrote to is closed, and neither you nor the owner has one to answer from: hand the case to somebody who has, or call."
        ),
        "",
    ),
}

SURVEY_ERROR: Words = {
    "not_delivered": (N_("Note the day of delivery first."), ""),
    "suppressed": (N_("The customer wants no mail: ask them on the telephone."), ""),
    "no_address": (N_("Nobody there has a living address: ask them on the telephone."), ""),
    "no_mailbox": (N_("No mailbox is set up to write from."), ""),
    "asked": (N_("They were asked about this order already."), ""),
}

OUTCOME: Words = {
    "reached": (N_("Reached"), "is-run"),
    "no_answer": (N_("No answer"), "is-idle"),
    "busy": (N_("Busy"), "is-idle"),
    "call_back": (N_("Call back"), "is-wait"),
    "wrong_number": (N_("Wrong number"), "is-wait"),
    "not_interested": (N_("Not interested"), "is-idle"),
    "do_not_call": (N_("Wants no calls"), "is-idle"),
}

CHANNEL: Words = {
    "phone": (N_("Telephone"), "phone"),
    "whatsapp": ("WhatsApp", "message-circle"),
    "wechat": (N_("WeChat"), "message-circle"),
    "linkedin": (N_("LinkedIn"), "link"),
}

CHANNEL_ERROR: Words = {
    "number": (N_("This is no telephone number that can be dialled: look at its digits."), ""),
    "country_code": (
        N_("Write the number with its country code, such as +49 30 901820, or enter the country first."),
        "",
    ),
    "wechat": (
        N_(
            "A WeChat ID begins with a letter and has 6 to 20 letters, digits, - or _; a telephone or QQ number does too."
        ),
        "",
    ),
    "linkedin": (N_("Give the address of the person's own page: linkedin.com/in/NAME."), ""),
}

GRADE_WHY: Words = {
    "orders_a": (N_("large orders in the last year"), ""),
    "orders_b": (N_("good orders in the last year"), ""),
    "buys_often": (N_("orders often"), ""),
    "orders_c": (N_("has ordered in the last year"), ""),
    "deal": (N_("a deal is under way"), ""),
    "replied": (N_("has replied in the last year"), ""),
    "clicked": (N_("only clicks"), ""),
    "silent": (N_("no sign in the last year"), ""),
    "unsubscribed": (N_("has unsubscribed"), ""),
}

COLLISION: Words = {
    "domain": (N_("same mail domain"), ""),
    "phone": (N_("same telephone number"), ""),
    "name": (N_("nearly the same name"), ""),
    "sister": (N_("same domain name, another ending"), ""),
}

AT_WORK: Words = {
    "deal": (N_("has an open deal"), ""),
    "contact": (N_("was in contact lately"), ""),
    "task": (N_("has an open task"), ""),
}

OWNER_WHY: Words = {
    "rules": (N_("by the rules"), ""),
    "by hand": (N_("by hand"), ""),
    "handed over": (N_("hand-over"), ""),
    "undone": (N_("taken back"), ""),
    "card": (N_("met them"), ""),
    "merged": (N_("merged"), ""),
}

HANDED: Words = {
    "companies": (N_("Customers"), "building"),
    "contacts": (N_("Contacts"), "users"),
    "tasks": (N_("Open tasks"), "list-check"),
    "deals": (N_("Open deals"), "currency-dollar"),
    "cases": (N_("Open cases"), "message-circle"),
    "questions": (N_("Questions to answer"), "message-circle"),
    "received": (N_("Mails to answer"), "inbox"),
    "campaigns": (N_("Campaigns"), "send"),
    "mailboxes": (N_("Mailboxes"), "mail"),
}

TARGET: Words = {
    "orders": (N_("Value of orders"), ""),
    "quotations": (N_("Quotations"), ""),
    "new_customers": (N_("New customers"), ""),
    "replies_in_time": (N_("Replies answered in time, %"), ""),
}

#: How each kind of target is counted: it stands on the page, so that nobody has to guess.
TARGET_MEANS: Words = {
    "orders": (
        N_(
            "Orders with their date in the quarter, in the company's currency at the rates of config.toml. They count for "
            "who owns the deal, else for who owns the customer."
        ),
        "",
    ),
    "quotations": (N_("Deals that were quoted for the first time in the quarter, for who owns the deal."), ""),
    "new_customers": (
        N_("Customers whose first order on record lies in the quarter, for who owns the customer."),
        "",
    ),
    "replies_in_time": (
        N_(
            "Of the replies that came in the quarter and are answered or overdue: those answered by the time they were due, "
            "the same working day."
        ),
        "",
    ),
}

TARGET_STATE: Words = {
    "none": (N_("no target"), "is-idle"),
    "open": (N_("not begun"), "is-idle"),
    "met": (N_("reached"), "is-idle"),
    "on_way": (N_("on the way"), "is-run"),
    "behind": (N_("behind"), "is-wait"),
}

TARGET_ERROR: Words = {
    "kind": (N_("There is no such target."), ""),
    "value": (N_("A target is a number above zero; leave the field empty to take it away."), ""),
    "percent": (N_("A share is at most 100 percent."), ""),
}

INDICATOR: Words = {
    "campaign_effect": (N_("Campaign effect score"), ""),
    "replies_in_time": (N_("Replies answered in time"), ""),
    "complaints_solved": (N_("Complaints solved"), ""),
    "new_customers": (N_("New customers"), ""),
    "satisfaction": (N_("Satisfaction"), ""),
    "budget_kept": (N_("Budgets kept"), ""),
    "suggestions": (N_("Suggestions of staff"), ""),
}

#: How each indicator is computed; it stands beside the figure.
INDICATOR_MEANS: Words = {
    "campaign_effect": (
        N_("Points for each 100 accepted mails of the time, by what people did; none under 100 mails. Points for one:"),
        "",
    ),
    "replies_in_time": (
        N_(
            "Of the replies that came in the time and are answered or overdue: those answered by the time they were due."
        ),
        "",
    ),
    "complaints_solved": (
        N_(
            "Of the complaints that came in the time and are closed or past their deadline: those closed with an answer that "
            "the customer did not call useless."
        ),
        "",
    ),
    "new_customers": (N_("Customers whose first order on record lies in the time."), ""),
    "satisfaction": (N_("The mean of the answers, 1 to 5, to the surveys that were sent in the time."), ""),
    "budget_kept": (
        N_("Of the campaigns that ran in the time and whose budget and cost are both known: those that cost no more."),
        "",
    ),
    "suggestions": (N_("Suggestions put on record in the time, and how many were adopted."), ""),
}

POINTS: Words = {
    "clicked": (N_("click by a person"), ""),
    "replied": (N_("reply"), ""),
    "inquiries": (N_("inquiry"), ""),
    "quotations": (N_("quotation"), ""),
    "orders": (N_("order"), ""),
    "unsubscribed": (N_("unsubscription"), ""),
    "complained": (N_("spam complaint"), ""),
}

SUGGESTION: Words = {
    "new": (N_("Undecided"), "is-wait"),
    "adopted": (N_("Adopted"), "is-run"),
    "declined": (N_("Declined"), "is-idle"),
}

SUGGESTION_ERROR: Words = {
    "text": (N_("Write what could be better."), ""),
    "state": (N_("Choose whether it is adopted or declined."), ""),
    "amount": (N_("An amount is a number that is not below zero."), ""),
    "reason": (N_("Say why not in the answer: the next suggestion depends on it."), ""),
}

CRM_LISTS: Mapping[str, Words] = {
    "timeline": TIMELINE,
    "stage": STAGE,
    "step": STEP,
    "deal_approval": APPROVAL,
    "deal_error": DEAL_ERROR,
    "case": CASE,
    "case_state": CASE_STATE,
    "department": DEPARTMENT,
    "case_error": CASE_ERROR,
    "survey_error": SURVEY_ERROR,
    "outcome": OUTCOME,
    "channel": CHANNEL,
    "channel_error": CHANNEL_ERROR,
    "grade_why": GRADE_WHY,
    "collision": COLLISION,
    "at_work": AT_WORK,
    "owner_why": OWNER_WHY,
    "handed": HANDED,
    "indicator": INDICATOR,
    "indicator_means": INDICATOR_MEANS,
    "points": POINTS,
    "suggestion": SUGGESTION,
    "suggestion_error": SUGGESTION_ERROR,
    "target": TARGET,
    "target_means": TARGET_MEANS,
    "target_state": TARGET_STATE,
    "target_error": TARGET_ERROR,
}
