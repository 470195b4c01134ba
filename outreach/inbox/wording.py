"""What mail servers say, in concepts: whom a sentence is about and what it says of them, in some twenty languages.

Data for sentences.py. Patterns are folded (fold.py) and begin at the beginning of a word; `needles.py` knows whole
sentences of known servers and is asked first.
"""

from __future__ import annotations

# Whom or what a sentence is about. Order: of two that begin at the same place the first is taken.
NOUNS: dict[str, tuple[str, ...]] = {
    "sender": (
        r"sender|mail ?from|(?:message |header )?from:? (?:address|header|domain)|envelope[- ](?:from|sender|address|domain)|return[- ](?:path|address)|reverse[- ]path|originator",
        r"purported responsible|complaints?|remitente|remetente",
        r"expediteur|mittente|absender|afzender|avsandare|nadawc|отправител|gonderen|发件|发信人|寄件|送信者|差出人|발신|보낸 ?사람",
        r"nguoi gui|المرسل",
    ),
    "host": (
        r"(?:recipient'?s?|destination|mail|email|your|its|dns|target) (?:domain|host)(?: ?name)?|host ?name|host|domain|dns",
        r"mx(?: record| host)?s?\b|dominio|domaine|домен|domena|domein|doman|alan adi|域名|主机|ドメイン|도메인|ten mien|النطاق",
    ),
    "address": (  # of a machine
        r"(?:your |the |sending |sender'?s |client |connecting |source )*ip(?:v[46])?(?:[- ]?address)?s?\b|your (?:mail |smtp )?server",
        r"your (?:host|network|provider|isp|country|connection)|client (?:host|address)|connecting host|(?:the |your )?sending (?:host|server|system)",
        r"(?:ip|address|netw\w+) (?:ranges?|blocks?)|netblock|countr(?:y|ies)|residential",
        r"ip[- ]?(?:adresse|地址|アドレス|адрес|주소)|(?:direccion|adresse|indirizzo|endereco|adres) ip|dial-?up|dynamic|snowshoe",
    ),
    "recipient": (
        r"user(?:name|id| id| name)?s?\b|mail ?box(?:es)?|accounts?|recipients?|rcpt|addressee|(?:e-?mail |mail )?address(?:es)?",
        r"alias|login|inbox|in-box|customer|subscriber|contact|person|employee|local[- ]part|receiver|member|mail ?folder|mail ?drop",
        r"usuario|destinatari|cuenta|buzon|casilla|conta\b|caixa|utilisateur|destinataire|compte|boite|adresse|utente|casella",
        r"indirizz[oi]|endereco|direccion|bandeja|benutzer|empfanger|adressat|postfach|konto|gebruiker|ontvanger|postvak|account",
        r"uzytkownik|odbiorc|skrzynk|adres\b|adresu|adresat|пользовател|получател|адресат|ящик|аккаунт|учетн|адрес|kullanici",
        r"alici|posta kutu|hesa[bp]|anvandare|mottagare|mottaker|bruker|bruger|modtager|kayttaja|vastaanottaja|uzivatel|felhasznalo",
        r"prijemc|schrank|(?:that|this|the|such) name|subscriber|person|receiver",
        r"用户|收件人|收件地址|收件方|收件者|邮箱|信箱|郵箱|账号|帐号|帳號|账户|使用者|ユーザ|宛先|受信者|アドレス|メールボックス|アカウント",
        r"사용자|수신자|받는 ?사람|사서함|계정|메일함|편지함|주소|회원|nguoi nhan|nguoi dung|hop thu|tai khoan|dia chi|ผู้ใช้|ผู้รับ|กล่อง",
        r"المستخدم|المستلم|الحساب|صندوق|البريد|העברת|המשתמש|הנמען",
    ),
    "message": (
        r"messages?|e-?mails?|mails?|letter|content|attachments?|file|mensaje|mensagem|messaggio|nachricht|bericht|wiadomosc",
        r"сообщен|письм|附件|邮件|郵件|信件|メール|메일|ileti|thu\b|الرسال|correo|courriel|meddelande|melding",
    ),
}  # fmt: skip

# What is said of it.
CLAIMS: dict[str, tuple[str, ...]] = {
    "unknown": (
        r"unknown|un-?recogni[sz]ed|(?:not|n't)(?: been)?(?: be)?(?: a)?(?: currently)? (?:found|known|recogni[sz]ed|valid|listed|present)",
        r"(?:is|are|was) (?:not|n't) (?:a |an |one )?(?:in|on|of|user|recipient|mailbox|our|here|member of domain)",
        r"(?:do|does|did|do(?:es)?)(?:n't| not) (?:seem to )?(?:appear to )?(?:currently )?(?:exist|be valid|have (?:a |an |any |such )?(?:account|mail ?box|user|recipient|address)|handle mail for)",
        r"not? (?:longer )?exists?|no such|non-?exist\w*|ine[xs]ist\w*|invalid|undefined|illegal|incorrect|misspel\w+|wrong|bad\b|no one\b",
        r"(?:nicht|no|nao|non|pas|not) (?:esta |e )?(?:registriert|eingetragen|angelegt|registrad|cadastrad|registrat|present[ei]|enregistre|inscrit|registered)|не зарегистрир|не значится|登録されて(?:い|お)?り?ませ|登録がありません|등록되지|미등록|chua dang ky|kayitli degil|未注册|未登记|غير مسجل",
        r"(?:do |does |did )?not know (?:any|a|an|this|that|the|such)|未找到|没有找到|no (?:user|mail ?box|account|recipient|record|addressee|person|employee|customer|subscriber|inbox)|unrout\w*|keine[nrms]? (?:benutzer|empfanger|adressat|konto|adresse|postfach)|non risulta|not? (?:our|user of|a user|an? mailbox)|no longer (?:valid|an? |with|in|on|at|here|employed|used)",
        r"(?:can(?:not|'t| not)|could ?(?:not|n't)|unable to|failed to) (?:be )?(?:find|found|locate|verif\w+|validate|determine|identify|resolve user|look ?up)",
        r"lookup \w* ?(?:\w+ ){0,3}failed|verification (?:problem|failed)|not ok\b|unavailable mail|(?:has been|was|is|been) (?:removed|deleted)|not registered",
        r"desconocid|no (?:existe|encontrad|valid)|no ha sido encontrad|desconhecid|nao (?:existe|encontrad)|errato|sconosciut|non (?:esiste|trovat|valid)",
        r"inconnue?|introuvable|n'existe|n'est pas (?:valide|connu)|unbekannt|nicht (?:gefunden|bekannt|vorhanden)|existiert nicht|ungultig",
        r"onbekend|bestaat niet|niet gevonden|nie (?:istnieje|ma takiego|znalez)|nieznan|не (?:существу|наиден|обнаруж)|неизвест|нет так|так\w{2,4} (?:пользовател|адрес|ящик)\w* нет|отсутству",
        r"bulunama|bulunmu|mevcut degil|gecersiz|boyle bir|taninmi|finns (?:inte|ej)|fin(?:n|d)es ikke|okand|ukjent|ei loydy|neexistuj|nem letez",
        r"不存在|不正确|地址错误|无此|沒有此|没有此|查无|查無|找不到|未开通|无效|存在し|見つかり|見つけ|使われて|使用されて|不明|찾을 수 없|존재하지|없는 ?(?:사용자|주소|계정)|없습니다",
        r"khong (?:ton tai|tim thay|hop le)|ไม่พบ|ไม่มี|غير (?:موجود|معروف|صالح)|לא (?:קיים|נמצא)",
    ),
    "absent": (  # RFC 5321's word for a mailbox that is not there; of servers it means a pause
        r"(?:mail ?box(?: name)?|user|account|recipient|address|buzon|postfach|boite|casella|caixa)\b[ @<>\"'()]{1,12}(?:is |are |ist |est |e )?(?:currently )?"
        r"(?:not available|unavailable|unavaiable|no disponible|nicht verfugbar|indisponible|non disponibile|indisponivel)",
    ),
    "full": (
        r"full\b|over[- ]?quota|quota|(?:out of|run out of|not enough|insufficient|no more|no) (?:\w+ )?(?:storage|space|room)|exhausted",
        r"(?:storage|space|room|capacity)(?: \w+){0,3} (?:exceeded|exhausted|not enough|left|insufficient)|(?:exceed\w*|over|beyond) (?:\w+ ){0,4}(?:storage|space|size|capacity|number of messages)",
        r"(?:maximum|reached the|over the) (?:\w+ ){0,2}(?:size|limit|capacity) (?:of|for) (?:the |this |its |his )?(?:mail ?box|account|inbox)|(?:storage|space|mailbox) limit\w*",
        r"too many (?:messages|mails)|lleno|llena|(?:cuota|cota|quota|kota) \w+|cuota|cota\b|satur|plein|pien[oa]\b|spazio|cheia|cheio|espac\w+ (?:en|em|insuf|agot|esgot)|voll\b|vol\b|speicher\w*",
        r"uberfullt|kein\w* (?:speicher)?platz|plus de (?:place|espace)|sem espac|sin espac|senza spazio|esauri\w*|przekrocz\w+ (?:pojemnosc|limit|rozmiar)|pojemnosc|空き|用完|atteint sa (?:capacite|limite|taille)|lotad|al completo|満杯|满了|превыш\w+ (?:размер|объем)\w* (?:почтов\w+ )?ящика|(?:capacidad|capacidade|capacite|capacita) max|kapazitat|limite de (?:almacenamiento|armazenamento)",
        r"peln[aey]|przepelnion|переполн|квот|недостаточно мест|нет (?:свободн\w* )?мест|dolu\b|dolmus|kota|满|滿|配额|配額|空间不足|容量|いっぱい|一杯|가득|용량|부족|day\b|dung luong|ممتلئ|fullt?\b",
    ),
    "disabled": (
        r"(?:not |in|de|un)-?activ\w*|not activated|disabled|suspend\w*|locked|frozen|closed|(?:has |is )?expired|restricted|hang ?up|terminated",
        r"turned off|switched off|shut off|out of service|discontinued|dormant|maintenance mode|on hold|(?:has been |is |was )blocked|blocked by the admin\w*|disconnected|cancell?ed|not (?:currently )?(?:being )?accept\w+|hasn't (?:entered|logged)|retired",
        r"des(?:h)?abilitad|desactiv\w*|inactiv\w*|inativ\w*|expirad|suspen[ds]\w*|bloquead|desativad|bloque|disattiv\w*|disabilitat|bloccat|sospes",
        r"abgeschaltet|geschlossen|cerrad[ao]|encerrad|fermee?|chius[oa]|закрыт|休止",
        r"deaktiviert|gesperrt|stillgelegt|geblokkeerd|uitgeschakeld|zablokowan|nieaktywn|wylaczon|отключен|заблокирован|неактивн|приостановлен|devre disi|askiya",
        r"inaktiv|sparrad|停用|过期|過期|注销|冻结|凍結|禁用|被锁|停止|無効|休止|정지|비활성|휴면|차단|vo hieu|bi khoa|معطل|موقوف",
    ),
    "listed": (
        r"black-? ?list\w*|block-? ?list\w*|deny-? ?list\w*|rbl|dnsbl\w*|(?:is |are |was )?listed|banned|(?:has been |is |are |was |been )?(?:denied|refused|rejected|blocked)",
        r"not (?:allowed|permitted|accepted|welcome)|abuse|too many spams?|bad (?:ip )?(?:profile|host)|do not accept connections|lista negra|liste noire|schwarze|sperrliste",
        r"bloque\w*|bloquead\w*|gesperrt|geblockt|bloccat|черн\w+ спис|заблокир|黑名单|封禁|屏蔽|拒绝|ブラックリスト|차단|reddedil",
    ),
    "refused": (
        r"darf nicht|no puede|ne peut|non puo|nao pode|не может|refus\w*|reject\w*|den(?:y|ied)|not (?:allowed|permitted|authori[sz]ed|accepted|unvalidated)|unvalidated|fake|forged|forbidden|mismatch\w*|abgelehnt|nicht (?:erlaubt|zugelassen)",
        r"rechazad|recusad|rejeitad|rejete|refuse|rifiutat|geweigerd|odrzucon|отклон|запрещ|reddedil|拒绝|拒收|拒否|거부|tu choi|مرفوض|not in (?:my|our)|block\w*|null mx",
    ),
    "spam": (
        r"(?:anti-?)?spam\w*|junk|unsolicited|unwanted|advertis\w+|\bbulk\b|werbung|publicit\w*|pubblicit\w*|propaganda|реклам\w*|広告|광고|phish\w*|u[bc]e\b|antyspam\w*|indesirable|unerwunscht|no deseado|nao desejad|indesiderat|pubblicitari|niechcian|nevyzadan|istenmeyen|垃圾|迷惑メール|スパム|스팸|спам|رسالة مزعجة|thu rac",
    ),
    "big": (
        r"too (?:big|large)|(?<!for )too long(?! in)|(?:message |maximum |mail )?size|oversized?|exceed\w* .{0,20}size|demasiado grande|muito grande|trop (?:volumineu|gros|grand)|troppo grande",
        r"zu gro(?:ss|ß)|te groot|zbyt duz|слишком больш|cok buyuk|过大|太大|超过.{0,6}限制|大きすぎ|너무 큽|qua lon",
    ),
    "many": (
        r"too many|too (?:fast|quickly|frequent\w*|much)|rate|frequency|throttl\w*|too often|demasiad[oa]s|muit[oa]s|trop de|troppi|zu viele|слишком много|过多|频率|頻繁|너무 많",
    ),
}  # fmt: skip

# What a sentence with this claim about this noun amounts to; "" where it names nobody.
MEANS: dict[tuple[str, str], str] = {
    ("recipient", "unknown"): "userunknown",
    ("host", "unknown"): "hostunknown",
    ("sender", "unknown"): "rejected",
    ("recipient", "full"): "mailboxfull",
    ("recipient", "disabled"): "suspend",
    ("sender", "disabled"): "rejected",
    ("sender", "listed"): "rejected",
    ("sender", "refused"): "rejected",
    ("address", "listed"): "blocked",
    ("address", "refused"): "blocked",
    ("address", "disabled"): "blocked",
    ("address", "spam"): "blocked",
    ("message", "spam"): "spamdetected",
    ("recipient", "spam"): "spamdetected",
    ("host", "spam"): "spamdetected",
    ("", "spam"): "spamdetected",
    ("recipient", "absent"): "userunknown",
    ("message", "big"): "mesgtoobig",
}

# What happened to something other than a recipient, a sender or an address: (reason, the thing, what is said of it), in
# the order in which they are asked. Both must stand in one clause, in either order.
_BROKEN = (
    r"fail\w*|error\w*|trouble|problem\w*|unavailable|not (?:be )?(?:available|responding|working|running)|down\b|busy|overload\w*|crash\w*|fehler\w*|erreur"
    r"|errore?|erro\b|ошибк|сбо|错误|異常|异常|障害|エラー|오류|hata"
)
_WRONG = (
    r"invalid|illegal|malformed|missing|wrong|bad\b|incorrect\w*|broken|not (?:be )?(?:valid|accepted|allowed|recogni[sz]ed|implemented|supported|understood|permitted)"
    r"|un(?:known|recogni[sz]ed|supported|expected)|error|violat\w*|ungultig\w*|invalide|invalido|не ?верн|无效|不正确|错误|不正|잘못"
)
_MANY = (
    r"unusual\w*|"
    r"too many|too much|too fast|too (?:frequent\w*|often|high)|exceed\w*|maximum|limit(?:ed|s)?\b|reached|over the|demasiad[oa]s|muit[oa]s|trop|troppi|zu viele?"
    r"|слишком|превы|过多|过高|超过|超出|多すぎ|超え|너무 많|초과"
)
_FAILED = r"fail\w*|not (?:list|include|contain|authori[sz]e|permit|cover)\w*|falh\w*|fall[oa]\b|ech(?:ec|ou\w*)|falli\w*|fehl\w*|ungultig\w*|non (?:superat|valid)\w*|nie przesz\w*|не про\w*|ошибк\w*|失败|不通过|未通过|失敗|실패|basarisiz|does ?n[o']t pass|did ?n[o']t pass|not pass\w*|none\b|missing|invalid|reject\w*|unaligned|not aligned|mismatch\w*|unauthori[sz]ed|no (?:valid )?|unvalidated"
_BEYOND = (
    r"exceed\w*|limit\w*|maxim\w*|over\b|above|larger|bigger|too|allowed|uberschreit\w*|zulassig\w*|depass\w*|excess\w*|exced\w*|super[ao]\w*|превы\w*"
    r"|超|制限|限制|초과|제한|przekr\w*|prekr\w*|asiyor|asti\b|vuot"
)
EVENTS: tuple[tuple[str, str, str], ...] = (
    ("expired", r"time ?(?:limit|period)|deadline|lifetime", r"messages?|mail|deliver\w*|specified|exceed\w*|expired"),
    ("contenterror", r"headers?|from (?:header|field)|mime parts?", r"no\b|lacks?|without|duplicat\w*|multiple|more than one|twice|too many|too complex"),
    ("virusdetected", r"malicious (?:code|software|program|file|attachment|macro|payload)|suspicious (?:program|file|executable)|virus(?:es)?|viren|worm|malware|trojan\w*|病毒|ウイルス|바이러스|вирус", r"found|detect\w*|contain\w*|contien\w*|contem\b|enthalt\w*|содерж\w*|含|포함|infect\w*|reject\w*|block\w*|signature|in your|gefunden|trouve|trovato|发现|检测|検出|감염|обнаруж"),
    ("authfailure", r"spf|dkim|dmarc|sender id|arc\b|domainkeys?", _FAILED),
    ("requireptr", r"ptr|reverse (?:dns|name|lookup|mapping|record|resolution)|rdns|fcrdns|反向|(?:ip|client|client host|peer) name|逆引き", r"no\b|not\b|missing|fail\w*|invalid|mismatch\w*|without|lack\w*|does ?n[o']t|must|require\w*|generic|没有|缺少"),
    ("requireptr", r"(?:sending|client|connecting|relay|your) (?:ips?|hosts?(?: ?names?)?|servers?|machines?)", r"unverif\w*|unresolv\w*|(?:not|\w+n't) (?:be )?resolv\w*|no (?:valid )?(?:host)?name"),
    ("failedstarttls", r"tls only|only (?:over |via |with )?tls|tls|starttls|ssl|certificates?|encrypt\w*|zertifikat|certificat[eo]?|证书|加密|証明書", r"fail\w*|require\w*|must|need\w*|not|invalid|expired|untrusted|error|mismatch\w*|unavailable|only|necess\w*|erforderlich|失败|需要|必须"),
    ("norelaying", r"relay\w*|retransmi\w*|weiterleit\w*|inoltr\w*|пересыл\w*|转发|forward\w* of mail|中继|中継|릴레이", r"den(?:y|ied)|cannot|nicht|non\b|nao\b|ne\b|не\b|not|no\b|refus\w*|reject\w*|prohibit\w*|disallow\w*|forbidden|insecure|open\b|third|authenticat\w*|unauthori[sz]ed|拒绝|禁止|不允许|거부"),
    ("rejected", r"(?:mailing ?|distribution )lists?|(?:to|on|of) (?:this|the) list\b|(?:the |this |distribution )group|moderat\w*|(?:non-?)?members?|posting|permission", r"refus\w*|reject\w*|(?:not|\w+n't)\b|only|restrict\w*|disabled|closed|require\w*"),
    ("rejected", r"internal|employees|staff|colleagues|organi[sz]ation", r"only|restricted|not (?:open|available|for)"),
    ("rejected", r"liste\b|lista\b|список|メーリングリスト|名单|restricts? who|who may (?:send|write)", r"nicht|no\b|non\b|pas\b|не\b|できません|may (?:send|write)"),
    ("mailererror", r"transport|pipe|program|command|script|pipe|mailer|subprocess|child|filter process|procmail|autoresponder|executable", r"fail\w*|died|exit\w*|status|error\w*|abort\w*|signal|returned|error code|not (?:be )?(?:found|run|executed)|timed out|crash\w*"),
    ("notaccept", r"no (?:e-?)?mail|keine (?:e-?)?mail|null mx", r"takes?|accepts?|receives?|nimmt|at all|publish\w*|has"),
    ("spamdetected", r"scored?|points|punkte", r"\d+"),
    ("speeding", r"daily|hourly|(?:per|an?|this) (?:day|hour|minute)|today", r"quota|limit\w*|exceed\w*|reach\w*|too many|maximum"),
    ("mailboxfull", r"storage|quota|disk ?space|mailbox capacity|speicherplatz|espacio|espaco|spazio|cuota|cota|kota|квот\w*|容量|용량", r"limit\w*|exceed\w*|reach\w*|hit\b|full|left|insufficient|over\b|no\b|not enough|issues?|exced\w*|super\w*|超|不足|초과|превы\w*"),
    ("exceedlimit", r"(?:messages?|mail|e-?mail)\b.{0,60}(?:for|of|than|to) (?:this |the |that )?(?:recipient|user|mailbox|account)", r"too (?:large|big|long)|larger|bigger|size"),
    ("mesgtoobig", r"(?:messages?|mail|e-?mail|data|file|attachments?)? ?(?:sizes?|length)|gro(?:ss|ß)e|taille|tamano|tamanho|dimension\w*|размер\w*|大小|サイズ|크기|rozmiar\w*|velikost\w*|boyut\w*|kich thuoc|\d+ ?(?:[kmg]b|bytes|kilobytes|megabytes)", _BEYOND),
    ("toomanyconn", r"recipients?|rcpts?|connections?", r"more than \d+|\d+ max|max \d+"),
    ("toomanyconn", r"connections?|sessions?|recipients?|rcpts?|concurren\w*|simultaneous\w*|verbindungen|conexiones|connexions|connessioni|соединени|连接|接続|연결", _MANY),
    ("blocked", r"connections?", r"(?:not|\w+n't) (?:be )?(?:accept\w*|allowed|welcome)|reject\w*|den(?:y|ied)|unwelcome"),
    ("speeding", r"rate|frequen\w*|volume", r"control\w*|high|limit\w*|unusual|throttl\w*|too|hoch|alta|elev\w*|высок\w*"),
    ("speeding", r"发信|发送|投递|送信|短時間|大量|발송|频率|frequen\w*", r"频繁|过快|过多|短時間|大量|制限|限制|频率|超|너무"),
    ("speeding", r"messages?|e?-?mails?|rate|volume|frequen\w*|traffic|deliveries|quota|mensajes|mensagens|nachrichten|messaggi|сообщени|писем|邮件|发送|信件|通数|メール|메일", _MANY),
    ("contenterror", r"headers?|format\w*|mime|charset|character set|encoding|line length|lines?\b|body|rfc ?\d{3,4}|message structure|nul\b|date field|from field|信头|邮件头|ヘッダ", _WRONG + r"|too long|non-?complian\w*|not complian\w*|complian\w*|conform\w*|duplicat\w*|multiple"),
    ("networkerror", r"loop\w*|hops?\b|hop count|received headers|循环|ループ|schleife|boucle", r"detect\w*|exceed\w*|too many|mail|found|message|possible|limit|entdeckt|检测|发现"),
    ("notaccept", r"mx\b|mail exchangers?", r"null|no\b|none|empty|(?:not|\w+n't) (?:be )?(?:find|found|have|exist\w*|any)|could ?(?:not|n't) find"),
    ("expired", r"messages?|mail|delivery|retr(?:y|ies)|attempts?|queue|transmission|zustellung|remise|entrega|consegna|доставк|投递|配信|전송", r"expired?|time[- ]?out|timed out|too long|give up|giving up|gave up|exhausted|after \d+ (?:hours|days|attempts)|for \d+ (?:hours|days)|(?:in|within) the time (?:limit|allowed)|abgelaufen|超时|时限|期限|만료|истек"),
    ("expired", r"connection|server|servidor|serveur|host|dns|remote|verbindung|conexion|connexion|connessione|соединени|连接|接続|연결", r"no responde|nao responde|non risponde|repond pas|antwortet nicht|не отвечает|応答|没有响应|time[- ]?out|timed out|did ?n[o']t (?:respond|answer)|no (?:response|answer)|not (?:respond|answer)\w*|tiempo|delai|zeituberschreitung|超时|タイムアウト|시간 초과|врем"),
    ("expired", r"connect\w*|session|contact\w*|reach\w*|verbind\w*|conect\w*|接続|连接|連線|접속", r"(?:un|not )able to|could ?(?:not|\w+n't)|did ?(?:not|\w+n't) accept|failed to (?:connect|establish|contact|reach)|cannot|can't|keine?|nicht|impossible|no (?:se )?(?:pudo|puede)|nao foi possivel|impossibile|не удалось|できません|無法|无法|接続できま|no responde|nao responde|non risponde|repond pas|antwortet nicht|не отвечает"),
    ("networkerror", r"connections?|network|route|routing|host|socket|server|link|verbindung|conexion|connexion|connessione|соединени|连接|网络|接続|연결", r"refused|reset|lost|closed|drop\w*|broken|unreachable|fail\w*|error|abort\w*|terminat\w*|interrupt\w*|can(?:not|'t| not) (?:be )?(?:connect\w*|establish\w*|reach\w*)|could not|unable|失败|中断|无法|拒否|실패|разорван|отказ"),
    ("networkerror", r"dns|name ?servers?|resolver|domain name system|解析", _BROKEN + r"|temporar\w*|lookup"),
    ("policyviolation", r"polic(?:y|ies)|regulation|rules?\b|compliance|richtlinie|politique|politica|политик|策略|政策|ポリシー|정책|attachments?|archives?|file ?types?|extension|anhang|adjunto|anexo|allegato|вложени|附件|添付|첨부", r"violat\w*|reject\w*|refus\w*|block\w*|den(?:y|ied)|prohibit\w*|not (?:allowed|permitted|accepted)|against|forbidden|due to|because of|by|wegen|违反|禁止|不允许|위반|거부|запрещ|наруш"),
    ("syntaxerror", r"syntax|badly formed|fully[- ]qualified|commands?|parameters?|arguments?|sequence|protocol|verb|命令|语法|参数|構文|コマンド|구문|команд", _WRONG + r"|what was|need\w*|required|expected|error"),
    ("securityerror", r"authenticat\w*|authori[sz]ation|credentials?|password|log ?in|smtp auth|permission|认证|授权|验证|密码|認証|인증|аутентификац", r"require\w*|fail\w*|need\w*|must|den(?:y|ied)|invalid|error|not|first|失败|需要|必须|错误|실패"),
    ("systemfull", r"disk|file ?system|spool|queue|partition|server storage|磁盘|硬盘|ディスク|디스크|диск", r"full|no (?:more )?space|space|insufficient|exhausted|low\b|满|不足|いっぱい|부족|перепол"),
    ("systemerror", r"systems?|servers?|service|transactions?|internal|local|configuration|database|ldap|queue|software|process\w*|resources?|backend|storage|memory|file|temporary|系统|服务器|服务|内部|サーバ|システム|서버|시스템|сервер|систем", _BROKEN + r"|can(?:not|'t) (?:be )?(?:open|process\w*|access|read|write|create)|insufficient|low|try (?:again )?later|later|shut\w* down|maintenance|too high|moved|繁忙|忙|稍后"),
    ("systemerror", r"load(?: average)?|account data", r"average|high|\d+|moved|migrat\w*"),
    ("spamdetected", r"urls?|links?|uris?", r"block\w*|listed|contain\w*|bad\b|suspicious|black"),
    ("spamdetected", r"content|contenu|contenido|conteudo|contenuto|inhalt|содержим\w*|内容|コンテンツ|본문", r"refus\w*|reject\w*|block\w*|den(?:y|ied)|(?:not|\w+n't) accept\w*|unaccept\w*|拒|阻止|отклон\w*|rechaz\w*|rejet\w*|abgelehnt"),
    ("policyviolation", r"messages?|e-?mails?|mails?|letter|file|mensaje|mensagem|messaggio|nachricht|bericht|wiadomosc|сообщен\w*|письм\w*|邮件|郵件|信件|メール|메일|correo|courriel", r"refus\w*|reject\w*|den(?:y|ied)|(?:not|\w+n't) (?:be )?(?:allowed|permitted|authori[sz]ed|accepted)|forbidden|block\w*|abgelehnt|rechazad|recusad|rejeitad|rejete|rifiutat|geweigerd|odrzucon|отклон|запрещ|reddedil|拒绝|拒收|拒否|거부"),
)  # fmt: skip
