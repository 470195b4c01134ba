"""Why a server refused, read from its own words.

`NEEDLES` is searched from top to bottom and the first hit wins, so the order is part of the meaning:
1. what names its cause beyond doubt (virus, SPF, a full mailbox) stands before what only hints at it;
2. trouble with the sender stands before trouble with the recipient: "sender ... does not exist" is no dead recipient,
   and calling a living address dead is the worst mistake here;
3. the address itself before the general words for policy, spam and security, which servers add to everything.
A needle is lower-case text; "a…b" means a, and b somewhere after it. Addresses and URLs are taken out of the text first, so
that `mailboxfull@example.com` says nothing; `IN_URLS` is for what only a URL names (block lists, Google's help codes).
"""

from __future__ import annotations

import re

NEEDLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("virusdetected", (
        "virus detected", "virus found", "contains a virus", "contains virus", "has virus", "infected", "malware",
        "viruses", "a virus", "virus scan", "virus…reject", "worm…found", "trojan", "include a virus", "发现病毒", "含有病毒",
        "病毒邮件", "virus infected", "potential virus",
    )),
    ("spamdetected", ("spam classification", "due to spam", "detected as spam", "considered spam", "as spam", "is spam")),
    ("badreputation", ("untrusted ip", "reputation", "low score", "poor score", "senderbase", "sender score", "senderscore")),
    ("policyviolation", ("content presents a potential", "blocked because its content")),
    ("contenterror", ("duplicate header",)),
    ("systemerror", ("could not load drd", "ldap server", "contact ldap")),
    ("speeding", ("recipients this hour", "recipients per hour", "recipients today")),
    ("filtered", ("not accepting mail from",)),
    ("rejected", ("recipient addresses rejected",)),
    ("authfailure", (
        "dmarc", "spf check", "spf fail", "spf record", "spf…fail", "fail…spf", "dkim…fail", "fail…dkim", "spf…reject",
        "not pass authentication", "authentication checks failed", "unauthenticated email", "unauthenticated mail",
        "sender policy framework", "not permitted by…policy", "spf violation", "spf: ", "spf (sender", "spf hard",
        "not allowed to send mail from", "is not allowed to send from", "does not designate", "sender id…fail",
        "(spf)", "dkim signature", "spf validation", "softfail", "not comply with spf", "spf mismatch", "not authorized…spf",
        "senderid", "domain key", "email rejected per", "this email has no authentication", "spf校验", "spf检查",
        "unauthorized server", "please authenticate your domain", "not authorised to use", "not authorized to send mail from",
        "does not meet authentication", "dkim unauthenticated", "sender domain…authentication", "身份验证失败",
    )),
    ("requireptr", (
        "reverse dns", "unverifyable sending", "ptr record", "ptr-record", "no ptr", "missing ptr", "invalid ptr", "ptr entry", "rdns",
        "reverse hostname", "reverse lookup", "cannot find your hostname", "cannot find your reverse",
        "can't resolve…ptr", "no reverse", "resolve…reverse", "ip address has no name", "fcrdns", "forward-confirmed",
        "dns ptr", "unresolvable address", "domain does not exist for ip", "reverse map", "hostname lookup failed",
        "forged hostname", "client host name…not found", "cannot resolve your address", "ip name lookup failed",
        "ip name possibly forged", "does not resolve to", "reverse name", "reverse record", "your hostname…not found",
        "generic hostname", "servers without a valid sender domain", "unresolved…client", "unresolvable relay host name",
        "connection refused…dns", "could not find your hostname", "client host rejected: cannot find",
        "reverse dns entry", "rejected because…hostname", "no hostname… ip", "反向解析",
    )),
    ("mailboxfull", (
        "mailbox full", "mailbox is full", "mail box full", "mailbox…is full", "over quota", "overquota", "over-quota",
        "quota exceeded", "exceeded…quota", "exceeds…quota", "quota exceed", "exceed…quota", "quota…exceeded", "quota…full",
        "mailfolder is full", "folder is full", "inbox is full", "inbox full", "storage quota", "disk quota", "quota limit",
        "mailbox size limit", "mailbox…size limit", "maildir over", "maildir delivery failed: quota", "too many messages…mailbox",
        "account is full", "account full", "user is over", "out of storage", "storage…exceeded", "full mailbox",
        "mailbox exceeded", "mailbox has exceeded", "mailbox…exceeded", "insufficient…space…mailbox", "no space…mailbox",
        "is over the quota", "over the allowed quota", "over the maximum allowed", "not enough storage space", "account…overquota",
        "recipient storage full", "mailbox quota", "user quota", "quota violation", "over disk", "not have enough space",
        "exceeded storage", "exceeding storage", "exceeded his", "exceeded their", "storage allocation", "mailbox over",
        "user has too many messages", "has too many messages", "has used…mail quota", "its quota", "mailbox-full",
        "dd requested mail action aborted: exceeded storage", "boîte…pleine", "boite…pleine", "postfach…voll", "buzón…lleno",
        "casella…piena", "caixa…cheia", "kontingent", "邮箱已满", "信箱已满", "邮箱空间", "信箱空间", "空间不足", "容量已满", "邮箱容量",
        "郵件箱已滿", "郵箱已滿", "信箱已滿", "容量不足", "メールボックス…いっぱい", "メールボックス…容量", "容量オーバー", "переполнен",
        "mailbox limit", "mailbox temporarily full", "exceeded the local limit", "spool full", "mbox full",
        "message store…full", "user mailbox exceeds", "maildir is full", "account…exceeded", "size limit of the mailbox",
        "exceeding…receiving capacity", "email quota", "quota reached", "quota overflow", "saturada", "vol is",
    )),
    ("exceedlimit", (
        "message length exceeds administrative", "message too large for", "message exceeds…recipient", "recipsizelimit",
        "message size exceeds…per", "exceeds administrative limit", "exceeds…mailbox's limit",
    )),
    ("mesgtoobig", (
        "message too big", "message is too big", "message too large", "message is too large", "message size exceeds",
        "maximum message size", "exceeds…maximum size", "message size limit", "exceed…size limit", "too much mail data",
        "size limit exceeded", "exceeds…size", "size…exceeds", "message file too big", "message…too large", "mail…too large",
        "mail size", "line limit exceeded", "max message size", "message length exceeds", "mail file size", "邮件大小超过", "邮件过大",
        "邮件太大", "data size exceeded", "exceeded maximum inbound message size", "too large to accept", "message too long",
        "trop volumineux", "zu groß", "demasiado grande", "size restriction", "over the size", "larger than the",
        "taille limite", "exceeds size limit", "message is larger", "message exceeds",
    )),
    ("hasmoved", (
        "has moved", "mailbox has moved", "address has changed", "no longer…new address", "has been moved", "user has moved",
        "has been replaced by", "user moved", "has a new address", "new email address is", "address changed", "recipient moved",
        "no forwarding address", "has changed…address", "moved; please try", "moved to <", "地址已变更", "地址已更改",
    )),
    ("toomanyconn", (
        "too many recipients", "too many rcpt", "too many connections", "too many connect", "too many simultaneous",
        "concurrent connections", "connections from your", "connection limit", "connection frequency", "max connections",
        "too many sessions", "simultaneous connections", "all server ports are busy", "exceeded…connections",
        "too many concurrent", "maximum number of connections", "connection rate", "recipients…exceed", "too many sockets",
        "recipient limit", "recipients exceeded", "many smtp sessions", "maximum…recipients", "no more than…recipients",
        "session limit", " ip…connections exceeded", "连接过多", "并发连接", "连接频率", "aup#in-1310", "server busy",
        "maximum connection", "parallel connections", "trop de connexions", "too many users", "resolver.adr.reciplimit", "connection rate limit",
        "throttling failure", "ip connection rate", "too many smtp",
    )),
    ("speeding", (
        "rate limit", "rate-limit", "ratelimit", "receiving mail at a rate", "too many messages", "too fast", "too frequent",
        "sending rate", "rate exceeded", "too much mail", "too many emails", "too many mails", "throttl", "frequency limit",
        "sending limit", "message rate", "messages per hour", "message limit exceeded", "exceeded…rate",
        "exceeds…rate", "daily sending quota", "daily user sending", "daily limit", "daily…exceeded", "maximum sending rate",
        "hourly…limit", "quota of messages", "send too many", "sent too many", "sending too", "email sending quota",
        "outgoing…limit", "limit…messages per", "发送频率", "发信频率", "频率过快", "频率限制", "超出频率", "发送过快", "发信超过", "超过每日", "超出了当日",
        "mi:sfq", "mi:stc", "mi:dmc", "excessive…rate", "unusual rate", "please slow down", "volume of email",
        "too many…in a short", "excessive volume", "excessive message", "reached…sending limit", "exceeded…sending",
        "slower", "exceeded the max emails", "max emails per hour", "per hour", "per minute", "too much traffic",
    )),
    ("norelaying", (
        "relay denied", "relaying denied", "relay not permitted", "relaying not permitted", "not permitted to relay",
        "not allowed to relay", "unable to relay", "relay access denied", "we do not relay", "not relay", "relay operation rejected",
        "relaying prohibited", "no relaying", "relaying is not", "relay is not", "relaying disallowed", "relay prohibited",
        "relay disallowed", "relaying mail", "relay mail", "that domain isn't in my list", "isn't in my list of allowed",
        "not a gateway", "not an open relay", "no relay", "no third-party relay", "insecure mail relay", "relay not allowed",
        "mail server requires authentication when attempting to send to a non-local", "mail to…not allowed here",
        "not local; please forward", "not a known user…relay", "this system is not configured to relay", "cannot relay",
        "relay rejected", "email address is not verified", "domain isn't allowed to be relayed", "relay to", "relayed",
        "unauthorized relay", "open relay", "relay attempt", "must check for new mail first", "pop before smtp",
        "send to…not local", "without authenticat…relay", "recipient domain not in our", "拒绝中继", "不允许中继", "you must log in to send",
        "no such domain at this location", "you are not allowed to send to", "domain not in allowed list",
        "i can't relay", "can't relay", "through this server without authentication", "requires authentication when", "isn'tin my list",
        "not local host", "may not relay", "allowed to relay", "smtp relay",
    )),
    ("rejected", (
        "sender address rejected", "sender rejected", "sender denied", "sender verify failed", "sender verification",
        "sender address", "domain of sender", "sender domain", "sender's domain", "sender not accepted", "invalid sender",
        "unknown sender", "bad sender", "from address", "sender is not", "sender not authorized", "sender blocked",
        "address of sender", "backscatter", "bogus mail from", "cannot resolve…from", "mail from…rejected", "mail from…not allowed",
        "mail from…denied", "sending domain", "does not accept mail from", "rejected sender", "reject mail from", "mailfrom",
        "sender…not exist", "<>…denied", "null sender", "empty envelope sender", "null reverse", "senders not allowed to",
        "envelope sender", "sender…blacklist", "sender…block", "sender…denied", "not a member", "not member", "not allowed to post",
        "you are not permitted to mail", "not permitted…list", "only members", "allowed to post", "permission to post",
        "restricted…senders", "don't have permission to", "you do not have permission", "senders are allowed", "custom from",
        "customfromdenied", "not authorized to send to", "do not have the necessary authorization", "not accept mail from",
        "from:…rejected", "we don't accept mail from", "domain…in sender", "reverse-path", "reverse path", "resolver.rst.notauthorized",
        "recipient not authorized, your ip", "refused…from sender", "access denied by sender", "your email address…blocked",
        "rejecting…sender", "rejected: sender", "sender's address", "发件人", "寄件者", "寄件人", "is not authorized to send",
        "you have been blocked by", "has blocked you", "reject your mail", "permission denied", "groupe…autorisé", "mail from <>",
        "unauthorized sender", "not authorized to mail", "not authorized to post", "invalid domain name in mail from",
        "batv", "backscatter protection", "invalid or expired email", "members-only", "non-member", "denied by client", "valid-address-filter",
        "senderfilterconfig", "emetteur invalide", "expéditeur", "fix your email address", "from: domain", "not owned by user", "recursive cname",
        "violate section", "rule imposed", "blacklisted sender", "spoofing", "empty email address", "unsigned dsn", "unroutable sender",
        "verify sender", "different address or alias", "this message was not accepted from", "returned mail not accepted",
        "sender is in my black list", "sender not pre-approved", "no bounce", "sender is on",
    )),
    ("notaccept", (
        "does not accept mail", "not accept mail", "do not accept mail", "doesn't accept mail", "null mx", "nullmx", "doesn't receive email",
        "does not accept smtp", "not accept any mail", "not accepting network messages", "couldn't find a mail exchanger",
        "no mail exchanger", "no mx record", "mx record…not found", "invalid mx", "host does not accept", "no mx",
        "not…accept…any…email", "does not receive mail", "no mail service", "smtp protocol returned a permanent error",
        "delivery not authorized, message refused…nomail", "does not receive email", "no longer accepts mail",
        "host/domain does not accept", "mx points to", "mx is set to", "name server: .: host not found", "have no mx",
        "mail receiving disabled", "no route for current request", "has no mx",
    )),
    ("suspend", (
        "account is disabled", "account disabled", "account has been disabled", "disabled account", "account that you tried…disabled",
        "mailbox disabled", "mailbox is disabled", "mailbox…disabled", "user is disabled", "user disabled", "address disabled",
        "account is inactive", "account inactive", "inactive account", "inactive user", "mailbox is inactive", "mailbox inactive",
        "user…inactive", "suspended", "has been suspended", "account…suspend", "account is locked", "account locked", "mailbox is locked",
        "mailbox…frozen", "frozen", "deactivated", "account has been deactivated", "account…deactivated", "discontinued",
        "invalid/inactive", "temporarily disabled", "mailbox currently suspended", "user suspended", "user account…disabled",
        "account…blocked", "blocked account", "not active", "no longer active", "account expired", "account has expired",
        "mailbox expired", "closed account", "is not currently accepting", "account…terminated", "account has been closed",
        "disabled or discontinued", "unavailable…account", "vacationing account", "temporarily unavailable…account",
        "email account that you tried to reach is inactive", "账号被禁用", "帐号被停用", "账户被禁用", "被冻结", "已冻结", "已停用", "被禁用", "被停用",
        "账号异常", "帐号異常", "domain disabled", "domain suspended", "domain has been disabled", "domain is not active",
        "domain has been suspended", "is a deactivated", "no longer on server…disabled", "mailbox not active", "boîte…désactivée",
        "account locked", "recipient suspend", "recipient…suspended", "recipient disabled", "user is inactive",
        "archivee", "user is terminated", "is unavailable: user", "temporarily inactive", "suspend the service", "unavailable or access denied",
        "temporarily suspended", "vdelivermail: account is locked",
    )),
    ("userunknown", ("x-unix; 67", "smtp code 67")),
    ("hostunknown", ("x-unix; 68",)),
    ("systemerror", ("x-unix; 69", "x-unix; 7")),
    ("mailererror", ("x-unix;", "procmail: ", "died with", "command died")),
    ("networkerror", ("host not found, try again", "host name lookup failure", "temporary lookup failure", "temporary name")),
    ("hostunknown", (
        "host or domain name not found", "host not found", "domain name not found", "domain not found", "nxdomain", "name service error",
        "domain does not exist", "domain doesn't exist", "domain name does not exist", "host unknown", "unknown host", "no such domain",
        "bad destination system", "unrouteable mail domain", "couldn't find any host", "illegal host", "no such host", "unknown domain",
        "recipient's domain", "non-existent domain", "nonexistent domain", "域名不存在", "域名错误", "找不到域名", "域名无法解析",
    )),
    ("syntaxerror", ("malformed address", "incorrectly constructed")),
    ("filtered", ("550 : user unknown", "554 : user unknown")),
    ("userunknown", (
        "user unknown", "unknown user", "user not found", "no such user", "nosuchuser", "user doesn't exist", "user does not exist",
        "user not exist", "no user", "unknown recipient", "recipient unknown", "recipient not found", "no such recipient",
        "recipnotfound", "unknown mailbox", "mailbox unknown", "no such mailbox", "mailbox not found", "mailbox does not exist",
        "mailbox doesn't exist", "mailbox unavailable", "mailbox not available", "invalid recipient", "invalid mailbox", "no mailbox",
        "invalid user", "invalid address", "address invalid", "unknown address", "address unknown", "no such address", "address not found",
        "bad recipient", "bad address", "addressee unknown", "unknown account", "account unknown", "no such account", "account not found",
        "account does not exist", "account that you tried to reach does not exist", "not a valid user", "not a valid recipient",
        "not a valid mailbox", "not a known user", "not a valid address", "not a valid inbox", "isn't a valid user",
        "not our customer", "no account", "there is no one", "no one at this address", "is unknown", "name is not recognized",
        "not listed in", "not in our", "not in directory", "not in my", "not known", "not found in", "user not known", "user not local",
        "not local", "not listed", "not match any", "no match", "name not found", "unrouteable address", "unroutable address",
        "unrouteable mail", "undeliverable address", "address does not exist", "address doesn't exist", "address no longer",
        "does not exist here", "does not exist on", "recipient does not exist", "recipient doesn't exist", "recipient no longer",
        "no longer valid", "no longer in use", "no longer exists", "no longer available", "no longer accepting", "no longer with",
        "no longer works", "no longer employed", "recipient address has been removed", "recipient is not", "recipient is unknown",
        "user…not found", "user…does not exist", "user…is unknown", "user…doesn't", "user…no longer", "user is unknown", "user id…not found",
        "recipient…not found", "recipient…does not exist", "recipient…unknown", "recipient…invalid", "recipient invalid",
        "address…does not exist", "address…not found", "address…invalid", "address…unknown", "address…doesn't exist",
        "mailbox…not found", "mailbox…does not exist", "mailbox…unknown", "mailbox…unavailable", "mailbox…not exist", "mailbox…invalid",
        "account…does not exist", "account…not found", "account…doesn't exist", "account…not exist", "alias…not found", "login does not exist",
        "delivery error: dd this user doesn't have", "this user doesn't have a", "dosn't exist", "does not have an account",
        "recipient address rejected: access denied", "recipient verify failed", "recipient verification failed",
        "verify the recipient", "destination mailbox address", "destination addresses were unknown", "email address could not be found",
        "address couldn't be found", "wasn't found at", "could not be found", "couldn't be found", "check the recipient", "no valid recipient",
        "nonexistent", "non-existent", "non existent", "not existent", "bad destination mailbox", "destination user", "must be a local",
        "aliasing loop…unknown", "sorry, no such", "not delivering to…unknown", "has no mailbox", "local delivery: not found",
        "requested action not taken: mailbox", "nobody by that name", "no person", "unable to find", "unable to locate", "unable to verify user",
        "incorrectly addressed", "address is invalid", "recipient is invalid", "is not a valid", "is an invalid", "is invalid",
        "undefined mail", "unknown local", "unknown or illegal alias", "unknown alias", "illegal user", "illegal alias",
        "unknown id", "unknown name", "unknown in virtual", "unknown virtual", "unknown in local", "unknown in relay", "unknown extended",
        "relay recipient", "is not accepted here", "domain…not found…user", "incorrect address", "wrong address", "wrong recipient",
        "abgelehnt…unbekannt", "unbekannt", "unbekannter", "nicht gefunden", "existiert nicht", "adresse…invalide", "adresse d au moins",
        "utilisateur inconnu", "destinataire inconnu", "n'existe pas", "inconnu", "adresse inconnue", "destinatario desconocido",
        "usuario desconocido", "no existe", "desconocid", "usuário desconhecido", "não existe", "nao existe", "desconhecido",
        "utente sconosciuto", "non esiste", "sconosciut", "bestaat niet", "onbekend", "nie istnieje", "nieznany", "findes ikke", "finns inte",
        "пользователь не найден", "не существует", "не найден", "недоступен", "нет такого", "bulunamadı", "用户不存在", "使用者不存在", "不存在",
        "查无此人", "查無此人", "找不到", "无此用户", "沒有此", "收件人地址", "无效收件人", "存在しません", "存在しない", "見つかりません", "不明",
        "없는 사용자", "존재하지 않", "无效的", "mailbox cannot be found", "mailbox name not allowed", "user mail-box not found",
        "user not listed", "recipient address…not", "suppression list", "on the suppression", "resolver.adr.recipnotfound", "resolver.adr.exrecipnotfound", "is not a mailbox",
        "no longer a valid", "user account is unavailable", "account unavailable", "can't find", "user has left", "user name is unknown",
        "isn't in my…validrcptto", "user…not in", "no mail box", "mail-box not found", "not deliverable to mailbox", "fake recipient",
        "mail recipient unknown", "no such name", "no such local", "no such person", "no such email", "no such e-mail", "no such dest",
        "we do not have an account", "there is no account", "there is no user", "there's no user", "there is no mailbox", "is not registered",
        "isn't registered", "account is not", "recipient no", "rejected for…not exist", "not a recipient", "mailbox invalid", "mailbox for…not",
        "badrcptto", "because the account does not exist", "unable to accept user", "can't accept user", "rejected recipients",
        "invalid mailbox path", "active address at this host", "mailbox not present", "mailbox unavaiable", "nessun utente",
        "no account by that name", "no matches to name", "no thank you", "not email addresses", "not have an account", "recipient not exists",
        "recipient not ok", "recipient refuses to accept", "envelope recipient has been denied", "or user isn't in my list", "was undeliverable",
        "email name is not found", "no longer accepts mail", "wrong or no longer", "unknown e-mail", "unknown email", "unknown local part",
        "missing home directory", "user not active", "vdelivermail: account does not exist", "unknown virtual user", "rcpt to command: no valid",
        "not present in directory", "does not exist", "doesn't exist", "not exist", "unknown in", "is not known", "se encuentra en domino",
        "répertorié", "cannot find", "no record of", "has no account", "user has no", "mail drop", "invalid local", "invalid e-mail",
        "illegal address", "isn't a recipient", "no recipients", "no valid recipients", "not listed here", "address is not", "user name not",
        "not recognized", "unable to deliver to recipient", "no inbox", "wrong e-mail", "unknown or invalid", "undeliverable: unknown",
        "user is not", "address isn't", "is not valid", "no local mailbox", "not a local",
    )),
    ("hostunknown", (
        "host unknown", "unknown host", "host not found", "domain not found", "no such domain", "unknown domain", "domain does not exist",
        "domain doesn't exist", "domain…does not exist", "name service error", "name or service not known", "nxdomain", "domain name not found",
        "no route to host…dns", "dns lookup failure", "dns error", "couldn't find any host named", "couldn't find any host", "illegal host",
        "host name is unknown", "hostname unknown", "host name lookup", "name server: host not found", "host…not found", "bad destination system",
        "invalid domain", "domain must exist", "domain invalid", "domain is not", "unrouteable mail domain", "unroutable domain",
        "unrouteable domain", "all relevant mx records point to non-existent", "non-existent host", "non-existent domain", "nonexistent domain",
        "no such host", "recipient address rejected: domain not found", "unknown mail domain", "domain…not found", "malformed or unexpected name",
        "domain…unknown", "domain unknown", "host domain…not", "dns…does not exist", "destination domain", "no dns", "lookup of…fail",
        "域名不存在", "找不到域名", "域名错误", "主机不存在", "域名解析", "no longer a domain", "domain lookup failed", "addressing error: domain",
        "domain name system", "domaine…inconnu", "domain has no", "bad domain", "has no mail exchanger", "does not have a mail",
    )),
    ("systemfull", (
        "insufficient system storage", "insufficient disk", "no space left", "disk full", "file system full", "filesystem is full",
        "mail system full", "system storage", "system is full", "out of disk", "not enough disk", "insufficient space",
    )),
    ("mailererror", (
        "command failed", "died with", "exit status", "returned status", "mailer error", "mailer…exit", "pipe to |", "pipe|", "procmail",
        "command died", "child process…fail", "returned exit", "vdelivermail", "maildrop", "x-unix; 1", "x-unix; 2", "x-unix; 127",
        "command output", "local delivery agent failed", "process failed", "exit code", "abnormal exit", "killed by signal", "exited with",
        "mailer \"", "mail delivery program", "lda failed",
        "maildrop:", "vdelivermail:", "error in mail filter", "filter…failed", 
    )),
    ("badreputation", (
        "reputation", "low score", "poor score", "senderbase", "sender score", "senderscore", "信誉", "ip score", "bad history", "信誉度",
        "has a poor", "has a bad",
        "rejected due to low", "ip/domain reputation",
    )),
    ("systemerror", ("loops back to myself",)),
    ("expired", ("delivery time expired", "message expired", "retry timeout exceeded", "queue.expired", "failed…attempts", "timeout exceeded", "timed out")),
    ("blocked", (
        "blocked using", "blacklist", "black list", "black-list", "blocklist", "block list", "block-list", "blackhole", "client host",
        "host rejected", "host is rejected", "blocked… ip", " ip…blocked", " ip…rejected", " ip…refused", " ip…reject", " ip…denied", " ip…banned", "banned… ip",
        "banned sending ip", "dynamic ip", "dynamic address", "dialup", "dial-up", "dnsbl", " rbl", "access from ip",
        "connection refused by", "connection rejected", "connections from", "ip address…listed", " ip…listed", "listed in", "listed by", "listed at",
        "your ip", "your network", "network is on", "your server", "your mail server", "your host", "from your ip", "invalid ip for sending",
        "smtp server of your isp", "use the smtp server of your", "not accepting connections", "no access from", "refusing connection",
        "your provider", "your isp", "host is blocked", "hosts not allowed", "bad helo", "helo", "ehlo…reject", "blocked for abuse",
        "mail server…blocked", "server…blocked", "temporarily deferred", "deferred due to", "unexpected volume", "user complaints",
        "access denied… ip", " ip…access denied", "you are not allowed to connect", "not allowed to connect", "s3150", "s3140", "s775",
        "part of their network", "from your mail server", "smtp access restricted", "mail from…blocked", "not authorized to connect", "go away",
        "黑名单", "ip被", "ip地址被", "ip地址", "拒收您的", "is not allowed to connect", "message refused: ip", "host refused",
        "redundant", "your email server", "your messages…blocked", "your access to", "banned", "拉黑", "from a blocked", "屏蔽",
        "bad sender ip", "connection reset by peer", "connection dropped", "connection was dropped", "spammer", "open proxy", "zombie",
        "smtp access", "refused - see", "sending mta or the sender has not passed", "extreme bad ip profile", "bad ip profile",
        "too many spams from your ip", "unwanted messages have been sent from", "to submit messages to this e-mail system",
        "no valid recipients from", "service not available, closing transmission", "closing transmission channel", "after initial connection",
        "may not be mail exchanger", "not been authenticated to", "confirm this mail server", "not currently accepting mail from your",
        "sending spam", "rejecting open", "server access forbidden", "listed on", "blocked by", "was blocked",
    )),
    ("spamdetected", (
        "spam", "unsolicited", "junk mail", "junk", "bulk mail", "bulk email", "垃圾邮件", "垃圾郵件", "content rejected", "content filter",
        "message content rejected", "content…reject", "rejected…content", "message looks like", "considered…uce", "high probability",
        "cloudmark", "identified…as", "classified as", "suspected", "phishing", "bayes", "score of", "refused by…filter", "vade", 
        "gsmtp…unsolicited", "内容被", "内容拒绝", "dt:spm", "被判", "spam-like", "suspicious", "rejected due to…classification", "http://postini",
        "looks like spam", "message flagged", "was flagged", "unwanted content", "html tag unacceptable", "rejected by…filter", "blocked by…filter",
        "mail contents", "message contents", "the content of this message", "forbidden word", "敏感", "违规内容", "rejected by system",
    )),
    ("failedstarttls", (
        "starttls", "tls required", "must issue a starttls", "tls handshake", "tls is required", "requires tls", "tls negotiation",
        "encryption required", "tls…failed", "certificate",
    )),
    ("filtered", (
        "filtered", "because the recipient is only", "refused by recipient", "rejected by recipient", "recipient refuse", "recipient…refuse",
        "recipient…only accept", "not accepting mail from you", "due to extended inactivity new mail", "rejected by user", "domain refuse",
        "recipient server…rejected", "拒收", "refused to accept", "recipient preferences", "recipient's preference", "blocked by recipient",
        "has rejected your message", "recipient…deny", "recipient filter", "user refuse",
        "accepting mail from specific", "bounced address", "extended inactivity", "restricted sms", "not accepting any mail", "user rules",
        "not found recipient account", "due to recipient preferences", "cannot route mail to user", "recipient is only",
    )),
    ("blocked", ("blocked",)),
    ("securityerror", ("policy violation",)),
    ("policyviolation", (
        "for policy reasons", "policy reason", "policy reject", "policy…reject", "violates…policy", "local policy",
        "security policy…", "content presents a potential", "potential security", "blocked attachment", "attachment…block", "attachment…not allowed",
        "attachment", "file type", "file name…not", "prohibited", "against policy", "network not allowed", "host network not allowed",
        "administrative prohibition", "administratively", "administrator…prohibit", "message refused", "message blocked", "policy",
        "executable", "double extension", "not rfc 2822", "multiple from",
        "not accepting mail with attachments", "embedded images", "mass mailer", "protocol violation", "not accepted for",
    )),
    ("contenterror", (
        "media error", "message content rejected", "message contains bare", "bare lf", "bare newline", "improper",  "8bitmime",
        "not rfc", "mime…error", "rfc 5322", "rfc 2822", "rfc822", "invalid header", "header…missing", "missing…header", "header error",
        "header syntax", "headers…invalid", "message header", "conversion", "improperly formatted", "too many hops in header", "8bit data",
        "line too long", "control character", "unsupported charset", "nul characters", "does not conform", "too many received headers in",
        "illegal attachment", "invalid mime", "mime headers", "mime complexity", "improperly-formatted", "unnecessary base64", "header size",
        "charset not", "message header size", "non-ascii", "we do not accept messages containing",
    )),
    ("userunknown", ("recipient address rejected", "address rejected", "rejected recipient", "recipient rejected")),
    ("expired", (
        "delivery time expired", "time expired", "message expired", "queue.expired", "expired", "retry timeout exceeded", "delivery timeout",
        "in the queue too long", "too long in queue", "timed out", "timeout", "time out", "could not be delivered for", "giving up", "gave up",
        "could not deliver for the last", "delivery attempts", "exceeded…retries", "maximum retries", "max retries", "connection timed",
        "undelivered after", "unable to deliver…days", "has been delayed", "undelivered for", "not been delivered…after", "retrying",
        "did not accept our requests to connect", "warning message only", "warning: could not send message for past", "warning only",
        "unable to deliver this message after", "still being retried", "has not yet been delivered", "delayed mail", "establish an smtp connection",
        "重试", "超时", "多次尝试", "delivery delayed", "is delayed", "will be retried", "will retry", "couldn't be contacted", "within the time limit",
        "tiempo", "délai", "attempts failed", "exceeded maximum delivery", "message was delayed", "message delayed", "resources temporarily unavailable",
        "could not find a gateway", "failed to deliver to domain", "have been failing for a long time", "has not been collected",
        "message timed out", "retry time not reached", "server did not respond", "multiple retries", "not reachable within", 
        "could not be delivered within", "unable to connect", "could not be contacted", "within the allowed queue", 
    )),
    ("networkerror", (
        "connection refused", "connection reset", "connection lost", "lost connection", "connection closed", "connection dropped", "no route to host",
        "network is unreachable", "network unreachable", "network error", "host unreachable", "unreachable", "too many hops", "hop count", "hops",
        "mail loop", "loops back", "mail forwarding loop", "loop detected", "routing loop", "loop", "name service", "dns…fail", "dns server",
        "temporary lookup failure", "host did not respond", "unable to connect", "could not connect", "couldn't connect", "cannot connect",
        "connect to", "no answer", "connection failed", "deferred: connection", "socket error", "can't connect", "connection was dropped",
        "unable to reach", "cannot reach", "communications error", "communication failure", "network failure", "连接失败", "无法连接", "连接对方",
        "host is down", "malformed name server reply", "name server", "message looping", "dns query", "received headers",
        "could not connect and send", "unable to resolve route", "forwarding loop", "could not be resolved", "host name lookup",
        "dns records for the destination",
    )),
    ("systemerror", (
        "system error", "local error", "internal error", "server error", "service unavailable", "service not available", "temporary failure",
        "internal server", "configuration error", "misconfigur", "transaction failed", "local configuration", "server failure", "not available",
        "remote server is misconfigured", "i/o error", "out of memory", "cannot open", "can't open", "could not open", "database error", "ldap",
        "temporarily unavailable", "resources unavailable", "temporary local problem", "system not", "server down", "try again later",
        "unable to create", "cannot create", "can't create", "timeout waiting for lock", "cannot lock", "permission", "not configured", "系统错误",
        "服务不可用", "系统繁忙", "server configuration", "queue file", "x-unix; 7", "x-unix; 6", "aliases", "remote server", "local problem",
        "not supported", "cannot be processed", "processing error",
        "resolver.adr.", "several matches", "loops back to myself", "user output file", "could not load", "error saving", "interrupted system call",
        "encountered an error while", "create a mail loop", "mail exchanger", "no mdb", "service currently unavailable", "queue file write",
        "unable to access", "cannot access", "system configuration", "too many open files", "error writing", "write error", "read error", 
    )),
    ("syntaxerror", (
        "syntax error", "command unrecognized", "command not recognized", "unrecognized command", "command parameter", "not implemented",
        "bad sequence", "invalid syntax", "malformed address", "incorrectly constructed", "protocol error", "bad command", "invalid command",
        "command not", "out of sequence", "syntax", "parameters", "improper command", "need rcpt", "need mail",
    )),
    ("securityerror", (
        "authentication required", "authentication", "not authenticated", "unauthenticated", "authenticate", "smtp auth", "security",         "not authorized", "unauthorized", "not permitted", "delivery not authorized", "verify that", "credentials", "login", "permission denied",
        "verizon…sorry", "forbidden", "ssl", "you are not allowed", "not allowed", "rejected for security",
        "resolver.rst.authrequired", "account not subscribed", "must be authenticated", "supported authentication",
        "prohibited virus or spam content", "turn on smtp", "verification failure", "not registered to send", "account is restricted",
    )),
)  # fmt: skip

# Named only by an address on the web: public block lists, and the p= of Google's help pages.
IN_URLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("userunknown", ("p=nosuchuser", "p=baddomain", "answer=6596", "answer/6596")),
    ("mailboxfull", ("p=overquota", "answer=6558", "answer/6558", "answer/22839")),
    ("suspend", ("p=disableduser", "p=inactiveuser")),
    ("speeding", ("p=receivingrate", "p=unsolicitedratelimit", "p=tempratelimit", "p=dailylimit", "p=receivingratelimit")),
    ("authfailure", ("p=unauthenticatedemail", "p=ipv6authrequired", "p=dmarc", "p=sender_spf")),
    ("requireptr", ("p=ipv6_ptr", "p=ptr")),
    ("spamdetected", ("p=unsolicitedmessageerror", "p=unsolicited", "p=blockedmessage")),
    ("rejected", ("p=customfromdenied", "p=nomailboxperm")),
    ("blocked", (
        "spamhaus", "spamcop", "barracudacentral", "sorbs.net", "bl.mailspike", "uceprotect", "abuseat.org", "cbl.", "zen.", "backscatterer",
        "invaluement", "truncate.gbudb", "psbl.", "dnsbl", "/rbl/", "delist.", "/bl?ip=", "sendersupport.olc", "mail.live.com/mail/troubleshooting",
        "ipremoval", "rbl.", "junkemailfilter", "proofpoint.com/dnsbl", "ipcheck.proofpoint", "cloudmark.com/reset", "csi.cloudmark",
    )),
)  # fmt: skip

_URL = re.compile(r"(?:https?://|www\.)[^\s>)\]]+")
_MAILBOX = re.compile(r"[^\s<>:;,\"'()\[\]{}=]{1,120}@[^\s<>:;,\"'()\[\]{}]{1,120}")
_REPEATED = re.compile(r"(?<=\s)[245]\d\d[-\s](?:#?[245]\.\d{1,3}\.\d{1,3}\s)?")
# Cisco's gateways put a sentence of their own before the reply they quote: "5.1.0 - Unknown address error 550-'...'".
_QUOTED = re.compile(r"^.{0,80}?\b\d\.\d\.\d - [a-z ()]{3,60} [245]\d\d-'(.*)'", re.S)
_HOST_SAID = re.compile(r"\bhost \S{1,200} said:?")
_BLANK = re.compile(r"\s+")
GAP = 60  # characters between the halves of a pair: within one sentence
LONGEST = 4000  # characters of a diagnostic that are read; SMTP replies are under 1,000


def _compile(table: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, str, str, str], ...]:
    """(reason, head, tail, whole) for each needle; tail is "" unless the needle is a pair."""
    return tuple((reason, *needle.partition("…")[::2], needle) for reason, needles in table for needle in needles)


_WORDS = _compile(NEEDLES)
_LINKS = _compile(IN_URLS)


def _first(text: str, table: tuple[tuple[str, str, str, str], ...]) -> tuple[str, str] | None:
    for reason, head, tail, whole in table:
        at = text.find(head)
        if at >= 0 and (not tail or text.find(tail, at + len(head), at + len(head) + GAP) >= 0):
            return reason, whole
    return None


def explain(diagnostic: str) -> tuple[str, str] | None:
    """(reason, the needle that decided) for a server's words, or None when they say nothing that is known."""
    text = diagnostic[:LONGEST].lower()
    links = _first(text, _LINKS) if "://" in text or "www." in text or "bl" in text else None
    if links and links[0] != "blocked":
        return links
    if "://" in text or "www." in text:
        text = _URL.sub(" ", text)
    if "@" in text:
        text = _MAILBOX.sub("@", text)
    text = _BLANK.sub(" ", text.replace("’", "'"))
    text = text.replace("delivery temporarily suspended", "")  # Postfix: a host is given a rest, not a mailbox
    if "host " in text:
        text = _HOST_SAID.sub(" ", text)
    if "-'" in text:
        quoted = _QUOTED.search(text)
        text = quoted[1] if quoted else text
    text = _REPEATED.sub("", text)
    found = _first(" " + text, _WORDS)
    if links and (found is None or found[0] in WEAKER_THAN_LINKS):
        return links
    return found


# A block list's address in the text outweighs words as general as these, and only these.
WEAKER_THAN_LINKS = frozenset({
    "spamdetected", "securityerror", "policyviolation", "rejected", "systemerror", "networkerror", "expired", "filtered",
    "syntaxerror", "contenterror",
})  # fmt: skip


def reason_in(diagnostic: str) -> str | None:
    found = explain(diagnostic)
    return found[0] if found else None
