"""HTML-only answers as mail programs write them: the answer alone is left."""

from __future__ import annotations

import pytest

from outreach.inbox.parse import parse
from outreach.inbox.reply_text import reply_text

WHO = "Li Na &lt;li.na@senders.example&gt;"
OLD = "<p>Dear Ann,</p><p>our new range is out. What is your price target?</p><p>Unsubscribe here</p>"
ANSWER = "Please quote 300 pieces."
CLIENTS = {
    "gmail": '<div dir="ltr">{}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Thu, Nov 19, 2026 at 10:02 AM {who} wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">{old}</blockquote></div>',
    "gmail zh": '<div dir="ltr">{}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{who} 于2026年11月19日周四 10:02写道：<br></div><blockquote class="gmail_quote">{old}</blockquote></div>',
    "outlook": "<div class=WordSection1><p class=MsoNormal>{}<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p class=MsoNormal><b>From:</b> {who}<br><b>Sent:</b> Thursday, November 19, 2026 10:02 AM<br><b>To:</b> Ann<br><b>Subject:</b> LED<o:p></o:p></p></div></div>{old}</div>",
    "outlook de": "<div class=WordSection1><p class=MsoNormal>{}</p><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>Von:</b> {who}<br><b>Gesendet:</b> Donnerstag, 19. November 2026 10:02<br><b>An:</b> Ann<br><b>Betreff:</b> LED</p></div>{old}</div>",
    "owa": '<div>{}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>From:</b> {who}<br><b>Sent:</b> Thursday<br><b>To:</b> Ann<br><b>Subject:</b> LED</font></div><div>{old}</div>',
    "outlook mobile": '<div dir="auto">{}</div><div id="ms-outlook-mobile-signature"><div></div>Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg"><b>From:</b> {who}<br><b>Sent:</b> Thursday<br><b>Subject:</b> LED</div>{old}',
    "new outlook": '<div class="elementToProof">{}</div><div id="mail-editor-reference-message-container"><hr><div><b>From: </b>{who}<br><b>Date: </b>Thursday<br><b>Subject: </b>LED</div>{old}</div>',
    "apple": '<div>{}</div><div><br><blockquote type="cite"><div>On 19 Nov 2026, at 10:02, {who} wrote:</div><br>{old}</blockquote></div>',
    "iphone": '<div dir="auto">{}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On 19 Nov 2026, at 10:02, {who} wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">{old}</div></blockquote></div>',
    "qq": '<div>{}</div><div><br></div><div style="font-size: 12px;font-family: Arial Narrow;padding:2px 0 2px 0;">------------------&nbsp;原始邮件&nbsp;------------------</div><div style="font-size: 12px;background:#efefef;padding:8px;"><div><b>发件人:</b>&nbsp;"李娜" &lt;li.na@senders.example&gt;;</div><div><b>发送时间:</b>&nbsp;2026年11月19日(星期四) 上午10:02</div><div><b>收件人:</b>&nbsp;"Ann";</div><div><b>主题:</b>&nbsp;LED</div></div>{old}',
    "netease": '<div style="line-height:1.7"><div>{}</div><br><br><div id="isReplyContent" style="padding-left:1ex">在 2026-11-19 10:02:11，"李娜" &lt;li.na@senders.example&gt; 写道：<br>{old}</div></div>',
    "netease app": '<div>{}</div><div class="J-reply" style="background-color:#f2f2f2"><div style="font-size:14px">---- 回复的原邮件 ----</div><table><tr><td>发件人</td><td>李娜</td></tr><tr><td>日期</td><td>2026年11月19日 10:02</td></tr><tr><td>收件人</td><td>Ann</td></tr><tr><td>主题</td><td>LED</td></tr></table></div>{old}',
    "foxmail": '<div>{}</div><div><hr style="width: 210px; height: 1px;" color="#b5c4df" size="1" align="left"></div><blockquote style="margin-top: 0px;"><div>&nbsp;</div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><div><b>发件人：</b>&nbsp;李娜</div><div><b>发送时间：</b>&nbsp;2026-11-19 10:02</div><div><b>收件人：</b>&nbsp;Ann</div><div><b>主题：</b>&nbsp;LED</div></div>{old}</blockquote>',
    "yahoo": '<div class="ydp1a2byahoo-style-wrap"><div dir="ltr">{}</div></div><div id="ydp33yahoo_quoted_1" class="ydp33yahoo_quoted"><div>On Thursday, November 19, 2026 at 10:02:11 AM GMT+1, {who} wrote: </div><div>{old}</div></div>',
    "proton": '<div style="font-family: Arial">{}</div><div class="protonmail_signature_block"><div class="protonmail_signature_block-proton">Sent with <a href="https://proton.me/">Proton Mail</a> secure email.</div></div><div class="protonmail_quote">On Thursday, November 19th, 2026 at 10:02 AM, {who} wrote:<br><blockquote class="protonmail_quote" type="cite">{old}</blockquote></div>',
    "zoho": '<div>{}<br></div><div class="zmail_extra_hr" style="border-top: 1px solid"></div><div class="zmail_extra" data-zbluepencil-ignore="true"><br><div>---- On Thu, 19 Nov 2026 10:02:11 +0100 <b>{who}</b> wrote ---</div><blockquote>{old}</blockquote></div>',
    "thunderbird": '<p>{}</p><div class="moz-cite-prefix">On 19/11/2026 10:02, Li Na wrote:<br></div><blockquote type="cite" cite="mid:1@senders.example">{old}</blockquote><pre class="moz-signature" cols="72">-- \nAnn</pre>',
    "yandex": '<div>{}</div><div><br></div><div>19.11.2026, 10:02, "Li Na" &lt;li.na@senders.example&gt;:</div><blockquote><div>{old}</div></blockquote>',
    "mail.ru": '<div>{}</div><div>&nbsp;</div><div data-signature-widget="container">--<br>Anna</div><blockquote style="border-left:1px solid #0857A6;margin:10px;padding:0 0 0 10px;">Четверг, 19 ноября 2026, 10:02 +03:00 от {who}:<br>{old}</blockquote>',
    "gmx": '<div>{}</div><div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b>&nbsp;Donnerstag, 19. November 2026 um 10:02 Uhr<br><b>Von:</b>&nbsp;{who}<br><b>An:</b>&nbsp;ann@buyer.example<br><b>Betreff:</b>&nbsp;LED</div><div name="quoted-content">{old}</div></div></div>',
    "spark": '<div name="messageBodySection"><div dir="auto">{}</div></div><div name="messageSignatureSection"><br><div>Ann</div></div><div name="messageReplySection">On 19 Nov 2026 at 10:02 +0100, {who}, wrote:<br><blockquote type="cite" class="spark_quote">{old}</blockquote></div>',
    "samsung": '<div dir="auto">{}</div><div><br></div><div id="composer_signature" dir="auto"><div style="font-size:12px">Sent from my Galaxy</div></div><div><br></div><div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- Original message --------</div><div>From: {who} </div><div>Date: 19/11/2026  10:02  (GMT+01:00) </div><div>To: ann@buyer.example </div><div>Subject: LED </div><div><br></div></div>{old}',
    "zimbra": '<div style="font-family: arial"><div>{}</div><br><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>From: </b>{who}<br><b>To: </b>"Ann" &lt;ann@buyer.example&gt;<br><b>Sent: </b>Thursday, November 19, 2026 10:02:11 AM<br><b>Subject: </b>LED<br></div><br><div data-marker="__QUOTED_TEXT__">{old}</div></div>',
    "roundcube": '<p>{}</p><div id="reply-intro">On 2026-11-19 10:02, Li Na wrote:</div><blockquote type="cite" style="padding: 0 0.4em; border-left: #1010ff 2px solid; margin: 0"><div id="replybody1">{old}</div></blockquote>',
    "open-xchange": '<div class="default-style">{}</div><blockquote type="cite"><div>Li Na &lt;li.na@senders.example&gt; hat am 19.11.2026 10:02 CET geschrieben:</div><div>&nbsp;</div>{old}</blockquote>',
    "notes": '<font size=2 face="sans-serif">{}</font><br><br><font size=2 color=#990099>-----<a href="mailto:li.na@senders.example">li.na@senders.example</a> wrote: -----</font><div style="padding-left:5px"><div style="padding-right:0px;padding-left:5px;border-left:solid black 2px">{old}</div></div>',
    "lark": '<div>{}</div><div class="history-quote-wrapper" id="lark-mail-quote-1"><div data-html-block="quote"><div class="adit-html-block adit-html-block--collapsed"><div>From: {who}</div><div>Date: Thu, Nov 19, 2026, 10:02</div><div>Subject: LED</div><div>{old}</div></div></div></div>',
    "alimail": '<div class="__aliyun_email_body_block"><div>{}</div><div style="clear:both;"><br></div><blockquote style="margin-right:0;margin-top:0;margin-bottom:0"><div style="clear:both;">------------------------------------------------------------------</div><div>发件人：李娜 &lt;li.na@senders.example&gt;</div><div>发送时间：2026年11月19日(星期四) 10:02</div><div>收件人：Ann</div><div>主　题：LED</div><div><br></div>{old}</blockquote></div>',
    "wecom mail": '<div>{}</div><div><br></div><div id="original-content"><div style="font-size:12px;background:none repeat scroll 0 0 #efefef;padding:8px;"><div id="menu_sender"><b>From: </b>&nbsp;"李娜"&lt;li.na@senders.example&gt;;</div><div><b>Date: </b>&nbsp;Thu, Nov 19, 2026 10:02 AM</div><div><b>To: </b>&nbsp;"Ann";</div><div><b>Subject: </b>&nbsp;LED</div></div>{old}</div>',
    "naver": '<div class="email_body_wrapper"><p>{}</p><p>&nbsp;</p><p>-----Original Message-----<br><b>From:</b> {who}<br><b>To:</b> ann@buyer.example<br><b>Cc:</b> <br><b>Sent:</b> 2026-11-19 (목) 10:02:11<br><b>Subject:</b> LED</p>{old}</div>',
    "front": '<div>{}<br></div><div class="front-signature">Ann</div><br><div class="front-blockquote-wrapper"><div>On November 19, 2026, 10:02 AM GMT+1 {who} wrote:</div><blockquote type="cite" class="front-blockquote">{old}</blockquote></div>',
}  # fmt: skip


def mail(html: str) -> bytes:
    return (
        "From: Ann <ann@buyer.example>\nTo: li.na@senders.example\nSubject: Re: LED\nIn-Reply-To: <1@senders.example>\n"
        f"MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<html><body>{html}</body></html>\n"
    ).encode()


@pytest.mark.parametrize("client", CLIENTS)
def test_an_html_answer_is_cut_where_the_program_quotes(client: str) -> None:
    html = CLIENTS[client].replace("{}", ANSWER).replace("{who}", WHO).replace("{old}", OLD)
    assert reply_text(parse(mail(html))) == ANSWER
