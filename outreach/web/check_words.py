"""The connection doctor's checks in people's words: what is tested, and what mends it (``fix_``)."""

from __future__ import annotations

from outreach.web.i18n import N_

CHECK = {
    "database": (N_("Database"), ""),
    "clock": (N_("Clock"), ""),
    "sender": (N_("Company and postal address"), ""),
    "installation": (N_("Installation"), ""),
    "dns": (N_("Domain"), ""),
    "smtp": (N_("Sending"), ""),
    "imap": (N_("Receiving"), ""),
    "sent": (N_("Copies of what is sent"), ""),
    "room": (N_("Room in the mailbox"), ""),
    "tracking": (N_("Public address"), ""),
    "mailboxes": (N_("Mailboxes"), ""),
    "fix_database": (N_("Run  outreach init  on the server."), ""),
    "fix_clock": (N_("Set the server's clock (NTP): pace and working hours depend on it."), ""),
    "fix_sender": (N_("Enter company and postal address under Settings: the law asks for both in every mail."), ""),
    "fix_installation": (N_("If only this installation sends, run  outreach confirm-sending  on the server."), ""),
    "fix_dns": (
        N_("Have the missing records published where the domain is managed; the provider's help gives them."),
        "",
    ),
    "fix_smtp": (N_("Check server, port, encryption, user name and password (or client code)."), ""),
    "fix_imap": (N_("Check server, user name and password; IMAP may have to be switched on in the mailbox."), ""),
    "fix_sent": (N_("Name the mailbox's Sent folder, so that mails in doubt can be found there."), ""),
    "fix_room": (N_("Delete or archive old mail there, or have it enlarged: a full mailbox loses replies."), ""),
    "fix_tracking": (N_("Start the service behind this address, so that opens, clicks and unsubscribes arrive."), ""),
    "fix_mailboxes": (N_("Connect a mailbox: Settings, Mailboxes."), ""),
}
