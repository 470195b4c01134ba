"""How mail systems say, in many languages, that something was not delivered."""

from __future__ import annotations

import re


def _any(*phrases: str, flags: int = 0) -> re.Pattern[str]:
    """One pattern for all phrases; a space in a phrase matches any white space, so wrapped lines are found.

    SUBJECT, FAILURE and DELAY are for text in lower case: without re.I the search is three times faster.
    """
    return re.compile("|".join(re.sub(r" +", r"\\s+", phrase) for phrase in phrases), flags)


# In a subject: this mail is about a failed or late delivery.
SUBJECT = _any(
    r"undeliver", r"non[- ]?deliver", r"not deliver",
    r"deliver\w* (?:status|failure|failed|report|problem|error|notification|delayed|incomplete|attempt)",
    r"delivery of .{0,40}failed", r"fail\w*[ :].{0,20}notice", r"failure notice",
    r"returned (?:mail|message|to sender|email)", r"mail delivery", r"mail failure", r"mail failed",
    r"message failure", r"(?:could|can)(?:not| not|n't) (?:be )?(?:deliver|sen[dt])", r"unable to (?:be )?deliver",
    r"error sending", r"delayed mail", r"message delayed", r"warning: (?:could|message)", r"bounce", r"mail error",
    r"mail system error", r"unknown (?:user|address|recipient)", r"user unknown", r"rejected", r"unzustellbar",
    r"nicht zugestellt", r"nicht zustellbar", r"zustellung", r"non remis", r"non distribu", r"échec",
    r"no se (?:ha )?(?:pud|entreg)", r"no entregado", r"no se puede entregar", r"não é possível entregar", r"无法(?:送达|传递)", r"gönderilemedi", r"kan niet worden", r"går inte att leverera", r"non è possibile (?:recapitare|consegnare)", r"nie można dostarczyć", r"devuelto", r"não (?:foi )?entreg", r"devolvid",
    r"mancata consegna", r"non recapitabile", r"impossibile recapitare", r"onbestelbaar", r"niet bezorgd", r"odesl",
    r"niedostarcz", r"не доставлен", r"недоставлен", r"невозможно доставить", r"退信", r"退回", r"无法投递",
    r"未送达", r"投递失败",
    r"发送失败", r"無法傳遞", r"無法投遞", r"傳送失敗", r"配信(?:不能|エラー|できません)",
    r"送信(?:エラー|できません|失敗)", r"未達", r"エラーメール", r"반송",
    r"배달 ?(?:되지|실패)", r"전송 ?실패", r"considered unsolicited", r"virus .{0,80}in (?:your )?mail", r"banned contents", r"delivery report", r"not (?:a )?member", r"considered undeliverable",
    r"problem with", r"mail could", r"permanent error", r"not accepted", r"no such user", r"iletilemedi",
    r"teslim edilemedi", r"tidak terkirim", r"không (?:thể )?(?:gửi|chuyển)", r"تعذر", r"undelivered",
    r"bezorgbaar", r"non consegnat", r"zustellstatus", r"(?:zustell|übermitt)\w* .{0,30}fehlgeschlagen", r"niet (?:worden )?(?:afgeleverd|verzonden)",
    r"nie (?:została |można )?(?:dostarcz|doręcz)", r"niedoręcz", r"zwrot (?:wiadomości|poczty)", r"(?:nedoru|nedodr)",
    r"kézbesít(?:hetetlen|ési hib)", r"(?:inte|ej) (?:kunde )?leverera|kunde inte leverera|kunne ikke leveres|leveringsfejl|leveringsfeil|ikke leveret",
    r"toimitus epäonnistui|ei voitu toimittaa", r"nu a (?:putut|fost) (?:fi )?livrat|nelivrat", r"αδυναμία παράδοσης|δεν παραδόθηκε",
    r"не вдалося доставити|недоставлен", r"gagal (?:ter)?kirim|gagal dikirim", r"ส่งไม่(?:สำเร็จ|ถึง)|ไม่สามารถส่ง",
    r"לא נמסר|החזרת דואר", r"échec de (?:la )?remise", r"fallo (?:en|de) (?:la )?entrega", r"falha (?:na|de) entrega",
    r"無法(?:寄達|送達)", r"寄送失敗|寄信失敗|郵件退回", r"送信でき|配信でき|配送でき|届け(?:でき|られ)|不達|配信エラー",
    r"발송 ?(?:실패|되지)|수신 ?(?:실패|불가)|전달 ?(?:실패|되지)", r"delivery notification: delivery has",
    r"(?:mail|message|attachment|delivery) .{0,30}(?:blocked|stopped|quarantined|refused)", r"failed mail",
    r"(?:correo|mensaje|mensagem|messaggio|courriel|message|nachricht|e-?mail) (?:rechazad|recusad|rejeitad|rifiutat|respint|bloccat|bloquead|refusé|rejeté|bloqué|abgelehnt|blockiert)",
    r"(?:письмо|сообщение) (?:отклонено|заблокировано|не принято)|возврат (?:письма|почты)", r"no (?:fue|ha sido) posible (?:entregar|enviar)",
    r"(?:zustellung|annahme) (?:abgelehnt|verweigert)", r"non (?:délivr|distribué)", r"被拒收|拒收通知|受信拒否|수신 ?거부",
)  # fmt: skip

# In the text: the statement itself.
FAILURE = _any(
    r"(?:could|can|was|were|has|have|did|is|are)(?: ?not|n['’]t)(?: yet)?(?: been| be)? "
    r"(?:delivered|reach|sent|forwarded|accepted|processed|transmitted)",
    r"(?:could|can|did|was|am|is|are|were)(?: ?not|n['’]t)(?: able to)? (?:be )?deliver",
    r"unable to (?:be )?(?:deliver|send|relay|forward)", r"undeliver", r"undelivered",
    r"deliver\w* (?:(?:to|of|for) .{0,80} )?(?:has |have |had |is |was |were |been )*"
    r"(?:fail|delayed|unsuccessful|impossible|problem|error|suspended|not possible)",
    r"failed to (?:be )?(?:deliver|send|reach)", r"fail\w* (?:permanent|deliver)",
    r"(?:permanent|fatal|transient|delivery|following) (?:fatal )?(?:errors?|failures?|problems?)",
    r"(?:trouble|error|errors|problem|problems|difficult\w*) (?:in |while |when )?(?:deliver|send|transmit)",
    r"(?:was|were|been|is|be) (?:rejected|refused|returned|bounced|blocked|discarded|delayed)",
    r"rejected (?:your|the|recipient)", r"did not reach", r"not delivered", r"returned (?:to|mail)", r"user unknown",
    r"unknown user", r"no such user", r"transcript of session",
    r"following (?:address|recipient|addresses|recipients|user|users)", r"invalid (?:user|recipient|address)",
    r"could(?: not|n['’]t) be found", r"not listed in", r"over quota", r"mailbox (?:is )?full", r"doesn['’]t have a",
    r"recipient.{0,20}(?:rejected|not exist|unknown)", r"may not exist", r"not a member",
    r"(?:do|does)(?: not|n['’]t) (?:exist|accept)", r"no longer", r"non è", r"n['’]a pas",
    r"errors? (?:has |have )?occurred", r"attempt\w* to deliver", r"did not (?:exactly )?match",
    r"nicht (?:zugestellt|ausgeliefert|zustellbar|gesendet|erreicht)", r"unzustellbar", r"fehlgeschlagen",
    r"konnte .{0,60}nicht", r"pas (?:pu )?(?:être|été)", r"impossible de", r"échec",
    r"non (?:remis|distribu|consegnat)", r"no (?:se )?(?:pud|ha (?:podido|sido)|fue|entreg)", r"no existe",
    r"não (?:foi|pôde|pode|p[oô]de ser|entreg)", r"nao foi", r"impossibile", r"mancata",
    r"niet (?:worden )?(?:bezorgd|afgeleverd)", r"nie (?:może|mogła|został)", r"kunde inte", r"kunne ikke",
    r"ei voitu", r"не (?:может быть|было|удалось|доставлен)", r"teslim edilemedi|iletilemedi",
    r"תורסמ|לא ניתן|אינה קיימת", r"मौजूद न", r"تعذر",
    r"退信|退回|无法(?:投递|送达|发送)|未(?:能)?(?:送达|投递|成功)|投递失败|发送失败|無法(?:投遞|傳遞|送達|傳送)|不存在",
    r"配信(?:できません|に失敗|されません|エラー)|送信(?:できません|に失敗)"
    r"|お届けできません|届けることができません|届きません",
    r"(?:전송|전달|배달|발송).{0,12}(?:실패|못|수 없)",
    r"không (?:thể|gửi|được)", r"tidak (?:dapat|terkirim)", r"address (?:error|invalid|not found)", r"command died",
    r"giving up", r"no valid recipients", r"failed addresses?", r"unknown host", r"error (?:was )?detected",
    r"incorrectly constructed", r"n'a pas pu", r"invalid (?:user )?address", r"delivery status notification",
    r"was considered unsolicited", r"mailbox unavailable", r"error message below", r"quota exceeded", r"remise a échoué", r"n['’]est pas parvenu", r"n['’]a pas été",
    r"error en la entrega", r"no se ha entregado", r"no se encontró", r"falha na entrega", r"(?:wurde|konnte|können) nicht",
    r"nicht an .{0,80}zugestellt", r"nie została", r"未能(?:将|把|向)", r"(?:受信者|宛先|グループ).{0,20}(?:失敗|できません)",
    r"non (?:è|e'|ha) (?:stat[oa] )?(?:possibile|consegnat)", r"kon niet", r"gick inte att", r"kan (?:inte|ikke)", r"не доставлен",
    r"gönderilemedi", r"ulaştırılamadı",
    r"bezorgen .{0,120}mislukt", r"niet (?:kunnen )?(?:worden )?(?:bezorgd|afgeleverd|verzonden)", r"nie udało się (?:dostarczyć|doręczyć)",
    r"nie (?:dostarczono|doręczono)", r"(?:ne)?podařilo .{0,20}doručit|nebyl[aoy]? .{0,20}doručen", r"nem sikerült", r"kézbesíthetetlen",
    r"kunde (?:inte|ej) (?:levereras|skickas)", r"nu a putut fi (?:livrat|trimis)", r"δεν (?:ήταν δυνατ|παραδόθηκε|μπόρεσε|μπορεί)",
    r"не вдалося (?:доставити|надіслати)", r"gagal (?:dikirim|terkirim|mengirim)", r"ไม่สามารถ(?:ส่ง|จัดส่ง)", r"לא ניתן למסור|לא נמסרה",
    r"non (?:è|e'|ha) (?:stat[oa]|potuto)", r"could not be (?:routed|found|contacted)", r"has (?:stopped|blocked) (?:your|a|an?) .{0,40}(?:mail|message)",
    r"wasn['’]t found at", r"message was not delivered", r"無法(?:寄達|寄送)",
    r"(?:could|can)(?: ?not|n['’]t) be (?:fully|completely) delivered", r"(?:could|did)(?: ?not|n['’]t) (?:get|receive) your",
    r"(?:ha sido|fue|foi|è stat[oa]|a été|wurde|wird|est) .{0,60}(?:rechazad|recusad|rejeitad|devolvid|bloquead|bloccat|rifiutat|respint|refusé|rejeté|bloqué|abgelehnt|blockiert|nicht angenommen)",
    r"отклонен[оа]?|не принято", r"intentamos entregar|sin conseguirlo|no se harán más intentos", r"tentamos entregar|abbiamo tentato",
    r"被(?:对方)?(?:服务器)?拒(?:绝|收)|受信を拒否|配信を中止|수신이 거부|boîte .{0,60}(?:pleine|saturée)|(?:caixa|conta) .{0,60}(?:lotada|cheia|suspensa)",
)  # fmt: skip

# A sentence that the list of failed addresses follows.
INTRO = _any(
    r"incorrectly constructed:",
    r"following (?:address(?:\(es\)|es)?|recipients?(?:\(s\))?|users?(?:\(s\))?|destinations?|persons?"
    r"|e-?mail address(?:es)?|mail ?box(?:es)?|recipient\(s\) or groups?)[^:\n<]{0,120}(?:\n[^:\n<@]{0,60})?[:.]?",
    r"(?:these|this) (?:recipients?|address(?:es)?)(?: or groups?| or distribution lists?)?[^:\n<]{0,80}:",
    r"addresses had (?:permanent|delivery|transient|successful)[^\n]*",
    r"unable to deliver (?:your )?(?:message|mail)[^\n<@]{0,60}to[^\n<@]{0,40}:?",
    r"(?:could|was|can)(?: ?not|n['’]t) (?:be )?(?:delivered|sent) to:?",
    r"did not reach the following recipient\(s\):", r"delivery (?:failed|failure)(?: to| for)?:",
    r"failed recipients?:", r"recipients?(?: address)?:", r"list of recipients:",
    r"error(?:s)? (?:while |in )?deliver\w* (?:your |the )?(?:mail|message) to",
    r"невозможно доставить|получателям:|адресат\w*:", r"destinatarios?:|destinataires? (?:suivants?)?:|empfänger:",
    r"以下(?:收件人|地址|のメールアドレス|の宛先|のアドレス)[^\n]{0,30}", r"收件人[^\n:：]{0,10}[:：]", r"宛先[:：]",
    r"以下の?[^\n]{0,20}(?:送信|配信)[^\n]{0,20}",
    r"(?:could|can|did|was)(?: ?not|n['’]t)(?: able to)? deliver[^:\n]{0,60}:",
    r"undeliverable (?:to|recipients?|addresses?)[^:\n]{0,30}:?",
    r"(?:folgende[nr]?|diese[nr]?) (?:empfänger|adress)[^:\n<]{0,80}:?", r"(?:ces|les) destinataires[^:\n<]{0,60}:",
    r"(?:est[eo]s|los|os|às|aos) (?:seguintes )?destinat[aá]rios[^:\n<]{0,60}:", r"(?:ai|i) seguenti destinatari[^:\n<]{0,60}:",
    r"(?:以下|下列)(?:收件人|收件者|受信者|の受信者|地址)[^\n]{0,30}", r"次の(?:受信者|宛先|アドレス)[^\n]{0,30}", r"다음 (?:수신자|받는 사람)[^\n]{0,40}",
    r"(?:następując\w+|poniższ\w+) (?:adresat|odbiorc)[^:\n]{0,60}:", r"följande mottagare[^:\n]{0,60}:", r"(?:volgende|deze) ontvanger[^:\n]{0,60}:",
    r"(?:følgende) (?:modtager|mottaker)[^:\n]{0,60}:", r"(?:následujícím\w*|těmto) (?:příjemc|adres)[^:\n]{0,60}:", r"alábbi címzett[^:\n]{0,60}:",
    r"(?:送信先|送付先|받는 ?사람|수신자)[ \t]*[:：]",
    r"(?:следующим|этим) (?:получател|адресат)[^:\n]{0,60}:", r"(?:aşağıdaki|şu) alıcı[^:\n]{0,60}:",
    flags=re.I,
)  # fmt: skip

# In a subject: the mail did arrive, or somebody says that a mail server will rest.
GOOD_NEWS = _any(
    r"^successful(?:ly)? (?:mail )?deliver", r"^(?:delivered|relayed|expanded|zugestellt|remis|entregado|entregue|consegnato)\s?:",
    r"^(?:已送达|已傳遞|配信済み|доставлено|teslim edildi|doręczono|afgeleverd|levererat)\s?[:：]", r"delivery (?:receipt|confirmation)",
    r"zustellbestätigung", r"return receipt", r"送达回执|送達回條|配信確認",
)  # fmt: skip

# The sending host still tries.
DELAY = _any(
    r"warning message only", r"advisory-only", r"postponed", r"this is a warning", r"warning only",
    r"not yet been delivered", r"will be retried", r"still being retried", r"message (?:is|has been|was) delayed",
    r"has been delayed", r"delivery (?:is |has been |was )?delayed", r"you do not need to re-?send",
    r"will (?:retry|continue|keep|try)[^.]{0,40}(?:for|until|to deliver|trying|sending)", r"will continue trying",
    r"delivery incomplete", r"temporary (?:failure|problem) (?:report|delivering)", r"only a temporary",
    r"delayed mail", r"could not send message for past", r"no action is required on your part",
    r"not been delivered .{0,40}(?:hours|minutes)", r"attempts to deliver .{0,40} will continue",
    r"still in (?:the )?(?:mail )?queue", r"verz[oö]ger", r"retard[ée]", r"retraso", r"atras[oa]", r"ritard",
    r"задерж", r"延迟", r"延遲", r"稍后重试", r"将继续尝试", r"系统会在", r"遅延",
    r"zustellung unvollständig", r"(?:remise|distribution) incomplète", r"entrega incompleta", r"consegna incompleta",
    r"bezorging niet voltooid", r"доставка не завершена", r"配信未完了|配信が完了していません", r"传送未完成|傳送未完成",
    r"전송 미완료", r"niekompletne dostarczenie", r"teslimat tamamlanmadı", r"wird .{0,40}noch .{0,30}versuch",
    r"vorübergehende[sn]? (?:problem|fehler)", r"problème temporaire", r"problema temporale?", r"problema tempor[aá]ne?[oi]",
    r"tijdelijk probleem", r"временн\w+ (?:проблем|ошибк|сбо)", r"一時的な(?:問題|エラー)", r"暂时性问题|临时问题",
    r"(?:nog )?niet (?:is )?bezorgd .{0,40}opnieuw", r"próbow\w+ będą|zostanie ponowion", r"kommer att försöka igen", r"繼續嘗試|继续尝试",
    r"noch nicht (?:zugestellt|ausgeliefert|übermittelt)", r"versucht es (?:noch|weiter)", r"再試行(?:し|され)", r"다시 시도(?:합니다|할|됩니다)", r"nuevos intentos|se volverá a intentar|nouvelle tentative|nuovi tentativi",
)  # fmt: skip
