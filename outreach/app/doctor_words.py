"""What the connection doctor says, in English and Chinese; what servers answer stays as they said it."""

from __future__ import annotations

from collections.abc import Mapping

#: Code → English, Chinese. {names} are filled in.
WORDS: Mapping[str, tuple[str, str]] = {
    "db.revision": ("{kind} at revision {found}, needed {newest}", "{kind} 处于版本 {found}，需要 {newest}"),
    "db.revision.fix": ("run  outreach init", "请在服务器上运行  outreach init"),
    "db.ok": ("{kind}, a durable write takes {ms} ms", "{kind}，一次持久写入需 {ms} 毫秒"),
    "clock.back": ("now {now} UTC, a message left at {last}", "现在是 {now} UTC，却有邮件在 {last} 发出"),
    "clock.back.fix": ("set the clock (NTP)", "请校准时钟（NTP）"),
    "clock.ok": ("{now} UTC", "{now} UTC"),
    "sender.missing": ("missing: {names}", "缺少：{names}"),
    "sender.missing.fix": ("set it under [sender]: the law asks for it", "请在“设置 → 公司”中填写：法律要求注明"),
    "company": ("company", "公司名称"),
    "postal_address": ("postal_address", "通信地址"),
    "hold": ("on hold: {why}", "已暂停发送：{why}"),
    "hold.fix": (
        "run  outreach confirm-sending  if only this one sends",
        "若只有这一套在发送，请运行  outreach confirm-sending",
    ),
    "hold.ok": ("may send", "可以发送"),
    "dns.trial": ("a domain for trials: not looked up", "试用域名，不查询"),
    "dns.slow": ("the resolver did not answer in time", "域名解析未在规定时间内应答"),
    "dns.slow.fix": ("try again when the network works", "请在网络正常后重试"),
    "dns.ok": ("SPF, DKIM, DMARC and MX are in order", "SPF、DKIM、DMARC 和 MX 均正常"),
    "secret.fix": ("set the secret that the configuration names", "请设置配置中所指的密码或密钥"),
    "smtp.silent": ("{where} does not answer", "{where} 没有应答"),
    "smtp.silent.fix": ("check host, port and firewall", "请检查服务器地址、端口和防火墙"),
    "smtp.refused": ("{where}: {said}", "{where}：{said}"),
    "smtp.refused.fix": (
        "check host, port, tls, user and password (or client code)",
        "请检查服务器、端口、加密方式、用户名和密码（或客户端授权码）",
    ),
    "smtp.ok": ("{where} accepts us", "{where} 登录成功"),
    "imap.none": (
        "not configured: replies and bounces of this mailbox are not read",
        "未配置：不会读取该邮箱的回复和退信",
    ),
    "imap.none.fix": ("add imap = { … }", "请为该邮箱填写收信服务器（imap）"),
    "imap.refused.fix": (
        "check host, port, user and password; IMAP may have to be switched on",
        "请检查服务器、端口、用户名和密码；可能需要先在邮箱中开启 IMAP",
    ),
    "imap.ok": (
        "{mails} mails in {folder}, read only; Sent: {sent}, junk: {junk}; {news}",
        "{folder} 中有 {mails} 封邮件，只读；已发送：{sent}，垃圾邮件：{junk}；{news}",
    ),
    "imap.idle": ("news come at once (IDLE)", "新邮件即时到达（IDLE）"),
    "imap.poll": ("polled each minute (no IDLE)", "每分钟查询一次（不支持 IDLE）"),
    "not found": ("not found", "未找到"),
    "imap.folder.fix": (
        'name it: folders = {{ {key} = "…" }}; there are: {names}',
        '请指明文件夹：folders = {{ {key} = "…" }}；现有：{names}',
    ),
    "boxes.none": ("none is configured", "尚未配置"),
    "boxes.none.fix": ("add a [[mailbox]] block to config.toml", "请在“设置 → 邮箱”中连接邮箱"),
    "tracking.away": ("{base} cannot be reached: {said}", "无法访问 {base}：{said}"),
    "tracking.away.fix": ("start  outreach serve  behind this address", "请在该地址后启动  outreach serve"),
    "tracking.ok": ("{base} answers", "{base} 有应答"),
    "tracking.other.fix": ("another program answers there", "应答的是另一个程序"),
    "sent.fix": ("mend this, then run  outreach doctor --probe  again", "处理后请再运行  outreach doctor --probe"),
    "sent.told": ("configured as filing what it sends", "已配置为会保存已发送邮件"),
    "sent.unknown": ("not known whether it files what it sends", "不清楚是否会保存已发送邮件"),
    "sent.unknown.fix": (
        "outreach doctor --probe  sends it one mail to find out",
        "运行  outreach doctor --probe  会发一封邮件来确认",
    ),
    "sent.none": (
        "files no copies: messages in doubt are settled by answers, bounces and people",
        "不保存副本：待确认的邮件要靠回复、退信和人工判断",
    ),
    "sent.ok": ("copies stand in {folder} and keep {kept}", "副本保存在 {folder}，并保留 {kept}"),
    "and": (" and ", " 和 "),
    "room.used": ("{share} of {limit} GB used", "已用 {share}，共 {limit} GB"),
    "room.fix": (
        "delete or archive old mail in this mailbox, or have it enlarged: a full mailbox loses replies",
        "请在该邮箱中删除或归档旧邮件，或申请扩容：邮箱满了会收不到客户回复",
    ),
}


def say(code: str, lang: str, **values: object) -> str:
    """Return the words of a code in "zh" or else English."""
    text = WORDS[code][lang.startswith("zh")]
    return text.format(**values) if values else text
