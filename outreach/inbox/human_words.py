"""What people and their programs write, by purpose and language: patterns over folded text (fold.py). Data.

A pattern is written in folded spelling: lower case, no accents, ASCII quotes. Words of scripts without blanks stand as
they are. Sources: the phrases that Outlook, Gmail, Exchange, QQ, NetEase and phones put in by themselves, and how
people in export business write.
"""

from __future__ import annotations

import re
from functools import cache

AWAY = {
    "en": r"\bout of (?:the )?office\b|\bautomatic reply\b|\bauto(?:matic)?[- ]?(?:reply|response|responder)\b|\b(?:am|'m|will be|be) (?:currently )?(?:away|on (?:annual |maternity |paternity |parental |sick )?(?:leave|vacation|holiday)|travell?ing|unavailable|out of|abroad|on (?:a )?business)|\bon vacation\b|\bon (?:annual|maternity|parental|sick) leave\b|\b(?:limited|no|without|intermittent) (?:access to )?(?:my )?e?-?mails?\b|\bno access to e?-?mail|\bour office (?:is|will be) closed|\b(?:we are|office is) closed (?:for|from|until|on)|\breturn(?:ing)? to (?:the )?office|\bi(?:'ll| will) (?:be back|return)|\bi am (?:not|out|away)\b.{0,40}\b(?:office|until|till)|\bwill respond (?:to your (?:e-?mail|message) )?(?:upon|on|after|when) my return",
    "de": r"\babwesenheit|\babwesend|nicht im (?:buro|haus|hause)|\bim urlaub\b|\bautomatische antwort|\bautomatisch(?:e|en) (?:antwort|nachricht)|\bbetriebsferien|\bausser haus|\bnicht erreichbar|\bin elternzeit|\bmutterschutz|\bwieder (?:erreichbar|im buro|fur sie da)|\bunser buro (?:ist|bleibt)|\bauf (?:dienst|geschafts)reise",
    "fr": r"\babsen(?:t|te|ce)\b|\breponse automatique|\bhors du bureau|\ben (?:conges?|vacances|deplacement|conge)\b|\bde retour (?:le|au|lundi|mardi)|\bnos bureaux (?:sont|seront) fermes|\bconge (?:maternite|parental|maladie)|\bmessage automatique",
    "es": r"\bfuera de (?:la )?oficina|\brespuesta automatica|\bausente\b|\bausencia\b|\bde (?:vacaciones|baja|viaje)\b|\bestare (?:fuera|ausente|de)|\bme encuentro (?:fuera|de)|\bregres(?:o|are)|\bvolvere\b|\bnuestras oficinas|\bno estare disponible",
    "pt": r"\bfora do (?:escritorio|gabinete)|\bresposta automatica|\bausente\b|\bausencia\b|\bde ferias\b|\bestarei (?:fora|ausente|de)|\bem (?:ferias|viagem|licenca)|\bregresso\b|\bretorn(?:o|arei)\b|\bestou (?:fora|de ferias|ausente)",
    "it": r"\bfuori (?:ufficio|sede)|\brisposta automatica|\bassente\b|\bassenza\b|\bin ferie\b|\bin vacanza\b|\bsaro (?:assente|fuori|in)|\bufficio (?:e|sara|restera) chius|\briento|\brientro\b|\bin maternita|\bin trasferta|\bchiuso per ferie",
    "ru": r"\bавтоответ|\bавтоматическ(?:ий|ое) (?:ответ|сообщение|уведомление)|\bнет в офисе|\bне в офисе|\bвне офиса|\bв отпуск|\bв командировк|\bотсутств|\bвернусь\b|\bбуду (?:недоступ|отсутств)|\bв декрет|\bна больнично",
    "ar": r"خارج المكتب|رد تلقائي|الرد التلقائي|في اجازه|اجازه|غائب|متغيب|ساعود|سفر",
    "tr": r"\bofis disi|\botomatik (?:yanit|cevap)|\bizinde|\bizinliyim|\btatilde|\bofiste (?:degilim|olmayacagim|bulunmu)|\byurt disi|\bis seyahati|\bdogum izni|\byillik izin|\bgeri don(?:ecegim|us)",
    "ja": r"自動(?:返信|応答)|不在|休暇|出張中|お休み|休業|夏季休業|年末年始|産休|育休|外出",
    "ko": r"자동 ?(?:회신|응답|답장)|부재|휴가|출장|휴무|출산휴가|육아휴직|자리를 비|연차",
    "zh": r"自动(?:回复|回覆|答复)|自動(?:回覆|回復)|不在(?:办公室|辦公室|公司)|休假|外出|出差|年假|产假|產假|度假|假期|放假|请假|請假|无法(?:及时)?(?:回复|查看)邮件|春节|国庆|返回(?:办公室|公司|岗位)|回(?:到|来)?(?:办公室|公司)(?:上班)?",
    "vi": r"tra loi tu dong|vang mat|khong co mat|nghi phep|di cong tac|nghi le|ngoai van phong|nghi thai san|van phong (?:dong|nghi)",
    "nl": r"\bafwezig|\bautomatisch antwoord|\bautomatische reactie|\bniet (?:op|in) (?:kantoor|het kantoor)|\bmet vakantie|\bop vakantie|\bmet verlof",
    "pl": r"\bnieobecn|\bautomatyczna odpowiedz|\bpoza biurem|\bna urlopie|\burlop",
    "sv": r"\bfranvar|\bautomatiskt svar|\bautosvar|\bpa semester|\bsemester|\binte pa kontoret|\btjanstledig|\bforaldraledig",
}
LEFT = {
    "en": r"no longer (?:work|with|employed|at|part of)|(?:has|have) left (?:the )?(?:company|organi[sz]ation|us)|left (?:the )?company|is no longer (?:with|at|employed)|ceased to work|not (?:employed|working) (?:here|at|with) any ?more|my last (?:working )?day",
    "de": r"nicht mehr (?:fur|bei|im|in)\b.{0,60}(?:tatig|unternehmen|beschaftigt|firma)|nicht mehr (?:tatig|beschaftigt)|(?:hat|habe) (?:das|die|unser) (?:unternehmen|firma|haus) verlassen|ausgeschieden",
    "fr": r"ne (?:fait|fais) plus partie|ne travaill\w+ plus|(?:a|ai) quitte (?:la|l'|notre) ?(?:societe|entreprise)|n'(?:est|exerce) plus",
    "es": r"ya no (?:trabaj\w+|forma|labor\w+|pertenec\w+|esta en la)|(?:he|ha) dejado (?:la )?(?:empresa|compania)|dejo de trabajar",
    "pt": r"(?:ja )?nao (?:trabalh\w+|faz|faco) mais|ja nao (?:trabalh\w+|faz|faco|integra)|deixou (?:a )?empresa|deixei (?:a )?empresa|desligad",
    "it": r"non lavor\w+ piu|non (?:fa|faccio) piu parte|ha lasciato (?:l'azienda|la societa)|ho lasciato (?:l'azienda|la societa)|non e piu in (?:azienda|forza)",
    "ru": r"больше не работа|уволи|покинул\w* компани|не работает в компании|уже не работа",
    "ar": r"لم (?:اعد|يعد) (?:اعمل|يعمل)|غادر(?:ت)? الشركه|لا (?:اعمل|يعمل) لدي|تركت العمل|ترك العمل",
    "tr": r"artik (?:calismiyor|calismamakta|gorev yapm|sirket)|(?:gorevinden|isten|sirketten|sirketimizden) ayril",
    "ja": r"退職|退社|転職|異動",
    "ko": r"퇴사|퇴직|더 이상 (?:근무|재직)|이직",
    "zh": r"离职|離職|已不在(?:本|我)?(?:公司|司)|不再(?:在|为|任职|負責|就职)|调离|調離",
    "vi": r"da nghi viec|khong con lam viec|da roi (?:khoi )?cong ty|thoi viec",
    "nl": r"niet meer werkzaam|werkt niet (?:meer|langer)|uit dienst",
    "pl": r"nie pracuj\w+ juz|juz nie pracuj|nie jest juz pracownik",
    "sv": r"har slutat|arbetar inte langre|jobbar inte langre",
}
TICKET = {
    "en": r"(?:we have |has been |was )?received your (?:e-?mail|message|enquiry|inquiry|request)|your (?:ticket|request|case|enquiry|inquiry|message) (?:has been|was|is) (?:received|created|registered|opened)|thank you for contacting|ticket (?:id|number|#)|this is an? (?:automated|automatic|auto-generated) (?:message|reply|response|e-?mail)|do not reply to this|automatically generated",
    "de": r"(?:haben )?ihre (?:anfrage|nachricht|e-?mail) (?:erhalten|ist (?:bei uns )?eingegangen|wurde)|automatisch (?:generiert|erstellt)|ticketnummer|eingangsbestatigung",
    "fr": r"avons bien recu votre|accuse (?:de )?reception|message (?:genere|envoye) automatiquement|numero de ticket",
    "es": r"hemos recibido su|acuse de recibo|mensaje (?:generado )?automatic|numero de (?:ticket|caso)|su (?:solicitud|consulta) (?:ha sido|fue) (?:recibida|registrada)",
    "pt": r"recebemos (?:a )?(?:sua|o seu)|mensagem automatica|numero do (?:ticket|chamado)",
    "it": r"abbiamo ricevuto (?:la sua|il suo|la vostra)|messaggio automatico|numero di ticket",
    "ru": r"ваш(?:е|а|у)? (?:обращение|запрос|письмо|заявк\w) (?:получен|зарегистрирован|принят)|номер (?:обращения|заявки|тикета)|автоматически (?:созда|сформиров)|получили ваш",
    "ar": r"استلمنا رسالتك|تم استلام|رساله تلقائيه|رقم التذكره",
    "tr": r"(?:mesajiniz|talebiniz|e-?postaniz|basvurunuz) (?:tarafimiza|bize|alinmistir|alindi|ulasti)|talep numara|otomatik olarak (?:olustur|gonder)",
    "ja": r"(?:お問い合わせ|お問合せ|メール)(?:を|は)?(?:受け付け|受付|受信)|自動送信|自動配信|受付番号",
    "ko": r"(?:문의|접수)(?:가|이)? ?(?:접수|완료)|자동(?:으로)? ?발송|접수번호|접수되었습니다",
    "zh": r"(?:已收到|收到了?)(?:您|你)的(?:邮件|来信|咨询|询盘|请求|工单|郵件|來信)|系统自动(?:发送|发出|生成|回复)|系統自動|此(?:邮件|郵件|信)(?:为|為|由)系统|请勿(?:直接)?回复|工单(?:号|编号)|请求已(?:收到|受理)",
    "vi": r"da nhan duoc (?:email|thu|yeu cau)|email tu dong|ma (?:yeu cau|phieu)|vui long khong tra loi",
}
UNSUBSCRIBE = {
    "en": r"\bun-?subscribe\b(?! (?:link|button|from the call))|\b(?:remove|take|delete|drop|strike)(?: (?:me|us|my|our|this|the))?(?: (?:name|e-?mail|address|e-?mail address|contact|company|details))*(?: \S+@\S+)? (?:off|from|out of) (?:\w+ ){0,4}(?:list|lists|database|mailing|mailings|newsletter|records|system|distribution|contacts|data ?base)|\bremove (?:me|us)\b[.! ]*$|\bopt(?: me| us)?[- ]?out\b|\b(?:stop|cease|quit) (?:sending|e-?mailing|mailing|contacting|spamming|writing)|\b(?:do not|don't|dont|never|please no) (?:send|e-?mail|mail|contact|write|spam)(?: to)? (?:me|us)?\b.{0,40}\b(?:again|any ?more|further|in (?:the )?future|mails?|messages|newsletters?|offers|advert\w*)|\b(?:do not|don't|dont|never) (?:e-?mail|contact|write(?: to)?|mail|send) (?:me|us)(?: (?:again|any ?more|e-?mails?|mails?))?\s*[.!]*$|\bno (?:more|further) (?:e-?mails?|mails?|messages|newsletters?)|\bno longer (?:wish|want) to (?:receive|get|be contacted)|\b(?:do not|don't|dont) (?:wish|want) to (?:receive|get|be (?:contacted|mailed|on))|\bdelete my (?:data|personal data|details|e-?mail|address|account)|\bwithdraw my consent|\btake me off\b",
    "de": r"\babmeld(?:en|ung|e)\b|\baus (?:\w+ ){0,3}(?:verteiler\w*|mailing\w*|liste|adressliste|datenbank|newsletter\w*|e-?mail-?liste)\b.{0,60}\b(?:nehmen|loschen|streichen|entfernen|austragen|raus)|\b(?:nehmen|loschen|streichen|entfernen|tragen)\b.{0,60}\b(?:verteiler|liste|datenbank|newsletter|adresse|daten)|\bkeine (?:weiteren |mehr )?(?:e-?mails?|mails?|werbung|newsletter|nachrichten|angebote|werbe\w+)\b.{0,30}\b(?:mehr|zusenden|senden|schicken|erhalten|wunsch|bekommen)?|\baustragen\b|\bnewsletter (?:kundigen|abbestellen)|\babbestellen\b|\b(?:mochte|will|wollen|mochten) (?:\w+ ){0,3}nicht mehr (?:kontaktiert|angeschrieben)|\bunterlassen sie\b|\bwiderspreche\b",
    "fr": r"\bdesinscri\w*|\bdesabonn\w*|\b(?:retir|supprim|enlev|ray|radi)\w*\b.{0,50}\b(?:liste|listes|base|fichier|fichiers|diffusion|mailing|contacts|adresse|coordonnees)|\bne (?:plus|pas) (?:recevoir|m'envoy\w+|nous envoy\w+|me contact\w+|nous contact\w+|m'ecri\w+)|\bne (?:m'|nous |me |veu\w* |souhait\w* |desir\w* )\w*.{0,20}plus\b.{0,40}(?:mails?|courriels?|messages?|recevoir|contact\w*|ecri\w*|envoy\w*|sollicit\w*|newsletters?)|\barret\w+ de (?:m'|nous |me )(?:envoyer|ecrire|contacter|solliciter)|\bcessez de\b|\bplus de (?:mails?|courriels?|messages)\b|\bstop (?:aux )?(?:mails?|pub)",
    "es": r"\b(?:dar|denme|deme|darme|darnos|dennos|dame|solicito|quiero|deseo)\b.{0,20}\b(?:de|la|mi) baja\b|\bde(?:nme|me)? de baja\b|\bcancel\w+ (?:mi |la |nuestra )?suscripcion|\bdesuscri\w+|\b(?:elimin|retir|borr|quit|saqu|exclu)\w*\b.{0,50}\b(?:lista|listas|base de datos|base|correos|boletin|datos|direccion)|\bno (?:deseo|quiero|deseamos|queremos) (?:recibir|que me|que nos|seguir)|\bno (?:me|nos) (?:envie\w*|escrib\w*|mand\w*|contact\w*)\b|\bdejen? de (?:enviar\w*|escribir\w*|mandar\w*|contactar\w*)|\bno (?:mas|enviar mas|envien mas|manden mas) (?:correos|mails?|emails?|mensajes|publicidad)|\bbaja\b[.! ]*$",
    "pt": r"\bdescadastr\w*|\bcancelar? (?:a |minha |a minha |nossa )*(?:inscricao|assinatura|subscricao)|\b(?:remov|retir|exclu|tir|elimin|apag)\w*\b.{0,50}\b(?:lista|listas|base|cadastro|mailing|contatos|contactos|endereco|dados)|\bnao (?:quero|desejo|queremos|desejamos|pretendo|gostaria de) (?:mais )?(?:receber|ser contactad\w|ser contatad\w|continuar)|\bnao (?:me|nos) (?:envi\w*|mand\w*|escrev\w*|contat\w*|contact\w*)|\bpar\w+ de (?:me |nos )?(?:enviar|mandar|escrever)|\bnao (?:envi\w+|mand\w+) mais|\bsair da lista",
    "it": r"\bdisiscri\w*|\bcancell\w*\b.{0,50}\b(?:lista|liste|mailing|newsletter|iscrizione|database|archivi|elenco|contatti|indirizzo|dati)|\b(?:rimuov|elimin|toglie|togliet|depenn)\w*\b.{0,50}\b(?:lista|liste|mailing|database|elenco|contatti|indirizzo|archivi)|\bnon (?:desider|vogli)\w+ (?:piu )?(?:ricever\w*|essere contattat\w|altre)|\bnon (?:invia\w*|manda\w*|scriv\w*|contatt\w*)(?:mi|teci|temi|ci)?\b.{0,20}\b(?:piu|altre|ulteriori)|\bnon (?:scrivetemi|scriveteci|contattatemi|contattateci|inviatemi|inviateci|mandatemi) piu|\bsmett\w+ di (?:inviar|mandar|scriver)\w*|\bbasta (?:e-?mail|mail|messaggi)",
    "ru": r"\bотпи(?:ши|са|сыва)\w*|\b(?:удалит|исключит|уберит|вычеркнит|убрать|удалить|исключить)\w*\b.{0,60}\b(?:рассыл\w*|списк\w*|баз\w*|адрес\w*|данны\w*)|\b(?:не (?:присылайте|отправляйте|пишите|шлите|беспокойте|высылайте)|больше не (?:пишите|присылайте|отправляйте|шлите))|\bне (?:хочу|хотим|желаю|желаем|хотел\w* бы) (?:больше )?(?:получать|видеть)|\bпрекратит\w+ (?:присылать|рассыл\w*|отправ\w*|слать|писать)|\bотказ\w* от рассылк\w*|\bотмен\w+ подписк\w*",
    "ar": r"الغاء (?:ال)?اشتراك|(?:الغ|الغوا|الغو) (?:ال)?اشتراك|(?:احذف|حذف|ازال|ازيل|شطب|امسح)\S*\b.{0,40}(?:قائم|القائم|بريدي|عنوان|بيانات|اسم)|لا (?:اريد|ارغب|نريد|نرغب)\b.{0,25}(?:استقبال|تلقي|استلام|رسائل|التواصل)|(?:توقف|اوقف|كف|رجاء عدم|الرجاء عدم|يرجي عدم|عدم)\S*\b.{0,12}(?:ارسال|مراسل|التواصل)|لا (?:ترسل|تراسل|تتواصل)\S*",
    "tr": r"\baboneli\w+\b.{0,30}(?:iptal|cik|sonlandir|ayril|bitir)\w*|\b(?:listeden|listenizden|listesinden|e-?posta listenizden|veritaban\w+|kayitlar\w+)\b.{0,40}(?:cikar|sil|kaldir|cik)\w*|\b(?:cikar|sil|kaldir)\w*\b.{0,40}\b(?:liste|listeden|listenizden|adres|kayd)\w*|\b(?:e-?posta|mail|mesaj|ileti|bulten|reklam)\w*\b.{0,30}\b(?:almak istem|gonderme|atma|yollama|istemiyor)\w*|\bbana (?:bir daha|artik) (?:yazma|mail|e-?posta|mesaj)\w*|\b(?:bir daha|artik) (?:yazmayin|gondermeyin|mail atmayin|rahatsiz etmeyin)|\bartik.{0,30}(?:almak istemi|gondermeyin)\w*",
    "ja": r"配信(?:を|の)?(?:停止|解除|中止|不要|止め)|(?:配信|メール|メルマガ|案内)(?:は|を)?(?:今後)?(?:不要|お断り|希望し(?:ません|ない)|送らないで|送信しないで|止めて|やめて)|(?:リスト|名簿|アドレス|メーリング\S*)から(?:\S{0,10})?(?:削除|外して|除外|はずして|抹消)|登録(?:を|の)?(?:解除|削除|抹消)|購読(?:を|の)?(?:解除|停止|中止)|今後(?:の)?(?:一切)?(?:\S{0,6})?(?:送信|送付|連絡|配信|メール)(?:は|を)?(?:\S{0,8})?(?:しないで|不要|お控え|ご遠慮|お断り|結構)|退会",
    "ko": r"수신 ?거부|구독 ?(?:취소|해지|해제)|(?:메일|이메일|뉴스레터|광고|메시지)\S* ?(?:그만|더 ?이상|다시는?|이제)? ?(?:보내지|발송하지|받고 ?싶지|원하지|받지 ?않|원치)|(?:목록|리스트|명단|데이터베이스|주소록)에서 ?\S{0,10} ?(?:삭제|제외|빼)|발송 ?(?:을|를)? ?(?:중지|중단)|(?:연락|메일)(?:을|를)? ?(?:하지|보내지) ?(?:마|말)",
    "zh": r"退订|退訂|取消(?:订阅|訂閱|訂阅)|(?:不要|别|別|勿|请勿|請勿|停止|不想|不希望|不愿|不願|拒绝|拒絕|谢绝|謝絕)(?:再)?(?:\S{0,6})?(?:发送|发|寄|發送|發|收到|接收|联系|聯絡|聯繫|推送|打扰|打擾)(?:\S{0,10})?(?:邮件|郵件|信|广告|廣告|我|我们|我們|资料|消息|了|信件|电邮|電郵)|(?:从|從|把我|将我|將我|请将|請將)(?:\S{0,20})?(?:名单|名單|列表|邮件组|数据库|資料庫|清单|清單|群发)(?:\S{0,6})?(?:删|刪|移除|剔除|去掉|除名|拿掉|移出)|(?:删除|刪除|移除)(?:我|我们|我們)?(?:的)?(?:\S{0,6})?(?:邮箱|郵箱|信箱|地址|邮件地址|电邮|電郵|联系方式|資料|资料)|td$",
    "vi": r"huy (?:dang ky|nhan|theo doi|subscribe)|(?:xoa|loai|go|bo) (?:\S+ ){0,6}(?:danh sach|khoi danh sach|email|dia chi)|(?:dung|khong|ngung|ngừng|vui long khong|xin dung|thoi)(?: \S+){0,3} (?:gui|lien he|lien lac)(?: \S+){0,4} (?:nua|email|thu|toi|quang cao)|khong (?:muon|con muon|co nhu cau) nhan|ngung gui|dung gui",
    "nl": r"\buitschrijven\b|\bafmelden\b|\b(?:verwijder|haal|schrap)\w*\b.{0,50}\b(?:lijst|mailinglijst|bestand|database|adres)|\bgeen (?:verdere |mails?|e-?mails?|nieuwsbrie\w+)\b.{0,30}(?:meer|ontvangen|sturen)?",
    "pl": r"\bwypis\w+|\brezygnuj\w+ z|\b(?:usun|wykresl)\w*\b.{0,60}\b(?:list\w*|baz\w*|adres\w*|subskrypcj\w*)|\bnie (?:chce|zycze|chcemy|zyczymy) (?:sobie )?(?:wiecej )?(?:otrzymywac|dostawac)|\bprosze nie (?:wysylac|pisac|przesylac)",
    "sv": r"\bavregistrer\w*|\bavprenumerer\w*|\bta bort (?:mig|oss|min|var)\b|\b(?:inga|inte) (?:fler|mer|skicka)\w*\b.{0,30}(?:mejl|mail|utskick|nyhetsbrev)",
}
NOT_INTERESTED = {
    "en": r"\bnot? (?:really |at all )?interest(?:ed|ing|)\b|\bno (?:interest|need|demand|requirement)\b|\b(?:do not|don't|dont) need\b|\bwe(?:'ll| will)? pass\b|\balready have (?:a |our |enough )?(?:supplier|vendor|partner)s?|\bnot relevant (?:for|to) us",
    "de": r"\bkein(?:erlei|en)? (?:interesse|bedarf)|\bnicht interessiert|\bhaben (?:bereits|schon) (?:einen |unsere )?lieferant",
    "fr": r"\bpas (?:du tout )?(?:interess\w+|besoin)|\baucun (?:interet|besoin)|\bne (?:nous |m')?interesse\w* pas|\bavons deja (?:un |nos )?fournisseur",
    "es": r"\bno (?:estamos |estoy )?interesad\w+|\bno (?:nos|me) interesa|\bno (?:necesitamos|requerimos)|\bya (?:tenemos|contamos con) (?:un )?proveedor",
    "pt": r"\bnao (?:temos|tenho|ha) (?:interesse|necessidade)|\bsem interesse|\bnao (?:nos |me )?interessa|\bnao estamos interessad|\bja temos fornecedor",
    "it": r"\bnon (?:siamo|sono) interessat|\bnon (?:ci|mi) interessa|\bnessun interesse|\babbiamo gia (?:un |i nostri )?fornitor",
    "ru": r"\bне (?:интерес\w*|актуальн\w*|нужн\w*|требу\w*|заинтересован\w*)|\bнет (?:интереса|необходимости|потребности)|\bуже есть поставщик",
    "ar": r"(?:غير|لسنا|لست) مهتم|لا (?:يهمنا|نحتاج|احتاج)|ليس لدينا (?:اهتمام|حاجه)",
    "tr": r"\bilgilenmi\w+|\bihtiyac\w* (?:yok|bulunmuyor)|\bilgimizi cekm",
    "ja": r"興味(?:は|が)?(?:ありません|ございません|ない)|必要(?:は|が)?(?:ありません|ございません|ない)|間に合って|見送",
    "ko": r"관심(?:이|은)? ?없|필요(?:하지|가|는)? ?(?:않|없)",
    "zh": r"不感兴趣|不感興趣|没(?:有)?兴趣|沒(?:有)?興趣|不需要|没有(?:这方面的?)?需求|無需|无需|暂无合作意向|已有(?:固定|稳定)?供应商|不考虑",
    "vi": r"khong (?:quan tam|co nhu cau|can)|da co nha cung cap",
}
NOT_NOW = {
    "en": r"\bnot (?:now|right now|at (?:the|this) (?:moment|time)|at present|currently|this year|yet)\b|\b(?:maybe|perhaps) (?:later|next)|\b(?:next|later in the) (?:year|quarter|season|month)\b|\b(?:contact|ask|write|get back to|come back to|try) (?:me|us|again).{0,30}(?:in|next|after|later)\b|\bbudget.{0,30}(?:spent|frozen|used|closed)|\bpostpone|\bon hold\b",
    "de": r"\b(?:im moment|momentan|derzeit|zurzeit|aktuell|zur zeit)\b.{0,40}\b(?:kein|nicht)|\bspater\b|\bnachst(?:es|en) (?:jahr|quartal|monat)|\bim (?:fruhjahr|herbst|sommer)|\bverschoben|\bzuruckgestellt",
    "fr": r"\bpas (?:pour l'instant|pour le moment|maintenant|actuellement)|\bplus tard\b|\bl'annee prochaine|\brecontact\w+|\breport\w+",
    "es": r"\b(?:por ahora|por el momento|de momento|actualmente|ahora) no\b|\bno (?:por ahora|por el momento|de momento|en este momento)|\bmas adelante|\b(?:el )?proximo (?:ano|trimestre|mes)|\ben este momento no",
    "pt": r"\b(?:por enquanto|no momento|de momento|agora|neste momento)\b.{0,15}\bnao\b|\bnao (?:agora|neste momento|no momento|por enquanto)|\bmais tarde|\b(?:proximo|no ano que vem|ano que vem|mais para frente|mais a frente)",
    "it": r"\b(?:per ora|al momento|per il momento|attualmente|adesso)\b.{0,15}\bno[n]?\b|\bnon (?:ora|adesso|al momento|per ora)|\bpiu avanti|\b(?:il )?prossim\w (?:anno|mese|trimestre)|\brimand",
    "ru": r"\b(?:пока|сейчас|на данный момент|в настоящее время|в данный момент)\b.{0,20}\b(?:не|нет)|\bпозже\b|\bв следующем|\bне сейчас|\bвернемся к|\bотложил",
    "ar": r"ليس الان|(?:حاليا|في الوقت الحالي|الان)\b.{0,15}(?:لا|ليس|غير)|(?:لا|ليس)\b.{0,15}(?:حاليا|الان|في الوقت الحالي)|لاحقا|العام القادم|السنه القادمه|فيما بعد",
    "tr": r"\bsu (?:an|anda|siralar|aralar)\b|\bsimdilik\b|\bdaha sonra|\bileride|\bgelecek (?:yil|ay|sene)|\bonumuzdeki (?:yil|ay)|\bertele",
    "ja": r"(?:今|現在|現時点|当面|今回|今年)(?:は|では)?(?:\S{0,12})?(?:予定(?:は|が)?(?:ありません|ない|ございません)|見送|考えて(?:い|お)|難しい|必要ありません)|来(?:年|期|春|月)|また(?:の機会|改めて)|後日",
    "ko": r"(?:지금|현재|당분간|아직)(?:은|는|으로서는)? ?\S{0,12} ?(?:없|않|아니|어렵)|나중에|내년|다음 ?(?:달|분기|해)|추후",
    "zh": r"(?:暂时|目前|现在|現在|最近|近期|暫時|眼下)(?:\S{0,8})?(?:不|没|沒|无|無)|以后(?:再|有需要)|以後再|明年|下(?:个)?(?:季度|月|半年)|晚点(?:再)?|晚些|过段时间|過段時間|年后|年後",
    "vi": r"(?:hien tai|hien nay|luc nay|bay gio|tam thoi) (?:\S+ ){0,3}(?:chua|khong)|chua (?:can|co nhu cau|phai luc)|de sau|nam sau|quy sau|sang nam|thang sau",
}
WRONG_PERSON = {
    "en": r"\b(?:not|isn't|am not|'m not) the (?:right|correct|proper) (?:person|contact|one)|\bwrong (?:person|contact|department|address)|\b(?:please |kindly )?(?:contact|write to|talk to|speak to|reach out to|e-?mail|address) (?:my colleague|our (?:purchas|procure|buy)\w+|mr|ms|mrs|the (?:purchas|procure|buy)\w+)|\b(?:not|no longer) (?:responsible|in charge|my (?:area|department|responsibility))|\bi (?:do not|don't) (?:handle|deal with|work in)",
    "de": r"\bnicht (?:der|die) richtige\w* (?:ansprechpartner\w*|person|adresse)|\b(?:bin|sind) (?:dafur |hierfur |da )?nicht (?:mehr )?(?:zustandig|verantwortlich)|\bfalsche\w? (?:ansprechpartner\w*|adresse|person)|\bwenden sie sich (?:bitte )?an",
    "fr": r"\bpas la bonne personne|\bpas (?:le |la )?(?:bon |bonne )?(?:interlocuteur|interlocutrice|responsable|charge\w*)|\b(?:veuillez|merci de|adressez|contactez)\b.{0,40}\b(?:collegue|service achats?|departement|responsable)|\bmauvaise? (?:personne|service|adresse)",
    "es": r"\bno soy (?:la persona|el (?:responsable|encargado|indicado))|\bpersona (?:equivocada|incorrecta)|\b(?:contacte|dirijase|escriba|comuniquese)\b.{0,40}\b(?:companer|colega|departamento|compras)|\bno (?:me encargo|es mi area|me corresponde)",
    "pt": r"\bnao sou (?:a pessoa|o responsavel|a responsavel|eu quem)|\bpessoa (?:errada|certa)|\b(?:contate|contacte|fale|escreva|dirija)\b.{0,40}\b(?:colega|departamento|setor|compras)|\bnao (?:trato|cuido|sou responsavel)",
    "it": r"\bnon sono (?:la persona|il responsabile|io)|\bpersona sbagliata|\b(?:contatti|contattate|si rivolga|rivolgetevi|scriva|scrivete)\b.{0,40}\b(?:collega|ufficio|reparto|acquisti)|\bnon (?:mi occupo|e di mia competenza)",
    "ru": r"\bне (?:тот|то|я) (?:человек|контакт|лицо|занима\w*|отвеча\w*)|\bне (?:занимаюсь|отвечаю|по адресу|ко мне)|\bобрат(?:итесь|иться)\b.{0,40}\b(?:отдел|коллег|менеджер|закуп)|\bне в моей компетенции",
    "ar": r"لست (?:الشخص|المسؤول|المختص)|(?:تواصل|راسل|الاتصال)\S*\b.{0,30}(?:زميل|قسم|اداره|المشتريات)|الشخص (?:الخطا|غير المناسب)",
    "tr": r"\b(?:dogru|yetkili|ilgili) kisi (?:degil|ben degil)|\byanlis (?:kisi|adres)|\b(?:satin ?alma|meslektas|ilgili (?:birim|departman))\w*\b.{0,40}(?:yaz|iletis|basvur|gorus)\w*|\bbenim (?:alanim|gorevim|isim) degil|\bben ilgilenmiyorum",
    "ja": r"担当(?:では|じゃ)(?:ありません|ございません|ない)|担当(?:者)?(?:が|は)?(?:違|異な|別)|(?:購買|調達|仕入|担当)(?:部|課|部門|者)?(?:の者|の\S{1,6})?(?:へ|に)(?:ご連絡|お問い合わせ|直接)|担当外",
    "ko": r"담당(?:자|이)?(?:가|는)? ?아니|담당(?:자)?가 ?(?:다릅|바뀌|아닙)|(?:구매|담당) ?(?:팀|부서|자)(?:에|에게|으로|로)? ?(?:연락|문의|보내)",
    "zh": r"(?:不是|并非|非)(?:\S{0,4})?(?:负责人|負責人|负责|負責|对口|合适的人|联系人)|(?:不|没有?)(?:再)?(?:负责|負責)(?:\S{0,8})?|(?:找错|發錯|发错|找錯)(?:人|了)|(?:联系|聯繫|聯絡|找|发给|發給|转给)(?:我们|我們)?(?:的)?(?:\S{0,4})?(?:采购|採購|同事|部门|部門)",
    "vi": r"khong phai (?:la )?nguoi (?:phu trach|lien he)|nham nguoi|(?:lien he|gui)(?: \S+){0,4} (?:phong|bo phan|dong nghiep)(?: \S+){0,3}(?:mua|thu mua|toi)?|khong phu trach",
}
PRICE = {
    "en": r"\b(?:price|prices|pricing|pricelist|quot\w+|how much|cost(?:s)?\b|best offer|rate card|proforma|pro forma|fob\b|cif\b|exw\b|ddp\b|discount)",
    "de": r"\b(?:preis\w*|angebot\w*|kost(?:en|et)|konditionen|rabatt|offerte)",
    "fr": r"\b(?:prix|tarif\w*|devis|cout\w*|cotation|combien|remise)",
    "es": r"\b(?:precio\w*|cotizacion\w*|cotizar|presupuesto|tarifa\w*|cuanto (?:cuesta|vale|sale)|costo\w*|descuento)",
    "pt": r"\b(?:preco\w*|cotacao|cotar|orcamento|tabela de precos|quanto custa|custo|desconto)",
    "it": r"\b(?:prezz\w+|preventivo|listino|quotazione|quanto costa|costo|offerta|sconto)",
    "ru": r"\b(?:цен\w+|прайс\w*|стоимост\w+|расценк\w+|коммерческое предложение|сколько стоит|кп\b|котировк\w*|скидк\w*)",
    "ar": r"(?:سعر|اسعار|الاسعار|السعر|عرض سعر|تسعير|كم (?:يكلف|سعر|ثمن)|تكلف|خصم)",
    "tr": r"\b(?:fiyat\w*|teklif\w*|ne kadar|maliyet|proforma|iskonto|indirim)",
    "ja": r"見積|価格|値段|料金|単価|いくら|プライス|割引",
    "ko": r"견적|가격|단가|얼마|비용|할인",
    "zh": r"报价|報價|价格|價格|价钱|價錢|单价|單價|多少钱|多少錢|询价|詢價|报个价|价位|优惠|折扣|價目|价目",
    "vi": r"bao gia|gia ca|gia bao nhieu|bang gia|\bgia\b|chi phi|chiet khau",
}
SAMPLE = {
    "en": r"\bsamples?\b|\btest unit|\btrial (?:unit|piece)", "de": r"\bmuster\w*|\bprobe(?:exemplar|stuck)\w*", "fr": r"\bechantillon\w*",
    "es": r"\bmuestra\w*", "pt": r"\bamostra\w*", "it": r"\bcampion\w+", "ru": r"\bобраз(?:ец|цы|цов|чик\w*|ца)", "ar": r"عين(?:ه|ات)|نموذج|نماذج",
    "tr": r"\bnumune\w*|\bornek (?:urun|parca|gonder)", "ja": r"サンプル|試供品|見本", "ko": r"샘플|견본", "zh": r"样品|樣品|样板|樣板|打样|寄样|樣本|试用", "vi": r"\bmau\b|hang mau|san pham mau",
}  # fmt: skip
CATALOGUE = {
    "en": r"\bcatalog(?:ue)?s?\b|\bbrochure\w*|\bproduct (?:list|range|sheet)|\bdata ?sheets?\b|\bspec(?:ification)? sheet", "de": r"\bkatalog\w*|\bprospekt\w*|\bbroschure\w*|\bdatenblatt\w*|\bproduktliste",
    "fr": r"\bcatalogue\w*|\bbrochure\w*|\bfiche\w* (?:technique|produit)\w*|\bdocumentation", "es": r"\bcatalogo\w*|\bfolleto\w*|\bficha\w* tecnica", "pt": r"\bcatalogo\w*|\bfolheto\w*|\bficha\w* tecnica",
    "it": r"\bcatalog\w+|\bbrochure|\bscheda tecnica|\bschede tecniche", "ru": r"\bкаталог\w*|\bброшюр\w*|\bбуклет\w*", "ar": r"كتالوج|كتيب|دليل المنتجات|بروشور", "tr": r"\bkatalog\w*|\bbrosur\w*",
    "ja": r"カタログ|パンフレット|製品資料|資料(?:を|の)?(?:送|請求)", "ko": r"카탈로그|카달로그|브로슈어|제품 ?(?:목록|자료)", "zh": r"目录|目錄|画册|畫冊|产品册|样本册|宣传册|產品資料|产品资料|型录|型錄", "vi": r"catalog\w*|ca-?ta-?lo\w*|danh muc san pham|tai lieu san pham",
}  # fmt: skip
MEETING = {
    "en": r"\b(?:meet(?:ing)?\b|appointment|call (?:me|us|you)|a call\b|video ?call|zoom|teams (?:call|meeting)|visit (?:you|your|us|our)|schedule|calendar|see you at|your (?:booth|stand))", "de": r"\b(?:termin\w*|treffen|besprech\w+|besuch\w*|telefonat|telefonieren|videokonferenz|ihr(?:em|en)? stand|anruf\w*|rufen sie)",
    "fr": r"\b(?:rendez-vous|rdv|reunion|rencontrer|visite\w*|visio\w*|appel(?:er|ez)?|votre stand)", "es": r"\b(?:reunion\w*|reunirnos|cita\b|visitar\w*|visita\b|llamada|llamarme|videollamada|su stand)", "pt": r"\b(?:reuniao|reunir|encontro|visita\w*|chamada|ligar|videochamada|agendar|vosso stand|seu estande)",
    "it": r"\b(?:incontr\w+|appuntamento|riunione|visita\w*|chiamat\w+|videochiamata|vostro stand)", "ru": r"\b(?:встре\w+|созвон\w*|совещани\w*|визит\w*|позвонит\w*|видеозвон\w*|стенд\w*)", "ar": r"اجتماع|موعد|لقاء|زيار|مكالم|نلتقي|جناحكم", "tr": r"\b(?:toplanti\w*|gorus(?:me|elim|ebilir)\w*|randevu\w*|ziyaret\w*|bulus\w*|arayabilir|standiniz\w*)",
    "ja": r"打ち合わせ|打合せ|面談|ミーティング|会議|訪問|お会い|商談|ブース", "ko": r"미팅|회의|방문|만나|약속|통화|부스", "zh": r"见面|見面|会议|會議|开会|約個時間|约个时间|拜访|拜訪|参观|參觀|视频会议|通话|面谈|面談|展位|会面|會面|預約|预约|约时间", "vi": r"\bhop\b|cuoc hop|gap (?:mat|nhau|truc tiep|ban|anh|chi|tai)|hen gap|lich hen|gian hang|goi dien|tham (?:nha may|cong ty)",
}  # fmt: skip
ORDER = {
    "en": r"\b(?:place (?:an |the |our )?order|(?:would like|want|wish|ready) to order|purchase order|p\.?o\.? (?:no|number|#|attached|is)|order (?:confirmation|attached|for)|we (?:hereby )?order|confirm (?:the|our|this) order|please (?:ship|proceed|send the invoice)|issue the (?:proforma|invoice|pi))", "de": r"\b(?:bestell(?:en|ung|ungen)|auftrag (?:erteil|an)\w*|ordern)", "fr": r"\b(?:command(?:er|ons|e ferme)|bon de commande|passer (?:une |la )?commande|notre commande)",
    "es": r"\b(?:pedido\b|orden de compra|hacer (?:un |el )?pedido|queremos (?:pedir|comprar)|confirm\w+ (?:el|la|nuestro|nuestra) (?:pedido|orden))", "pt": r"\b(?:encomenda\w*|pedido de compra|fazer (?:um |o )?pedido|ordem de compra|nosso pedido)", "it": r"\b(?:ordin(?:e|are|iamo|o di)|effettuare un ordine|confermiamo l'ordine)", "ru": r"\b(?:заказ(?:ать|ыва\w+|\b|а\b|у\b)|оформить заказ|размести\w+ заказ|хотим купить)",
    "ar": r"طلبيه|امر شراء|نطلب|نود (?:شراء|طلب)|تاكيد الطلب|تقديم طلب", "tr": r"\b(?:siparis\w*|satin almak istiyor)", "ja": r"注文|発注|オーダー", "ko": r"주문|발주", "zh": r"下单|下單|订购|訂購|订货|訂貨|下订单|采购订单|採購單|订单(?:如下|见附件|确认)|確認訂單|确认订单|买\d", "vi": r"dat hang|don hang|dat mua",
}  # fmt: skip
COMPLAINT = {
    "en": r"\b(?:complain\w*|broken|defect\w*|damaged?|faulty|wrong (?:item|goods|colou?r|model|quantity)|missing (?:items?|parts?|pieces)|poor quality|not working|does not work|doesn't work|stopped working|unacceptable|disappoint\w*|refund|claim\b|late delivery|delayed? (?:shipment|delivery)|still (?:have )?not (?:arrived|received)|nobody (?:answers|has answered)|leak\w*|crack\w*|scratche\w*)", "de": r"\b(?:beschwer\w+|reklam\w+|defekt\w*|kaputt|beschadig\w+|mangel\w*|fehlerhaft\w*|funktionier\w+ nicht|falsche? (?:ware|lieferung|artikel|farbe)|unzufrieden|enttauscht|verspat\w+|fehl(?:en|t)\b)",
    "fr": r"\b(?:reclamation|plainte|defectueu\w+|cass\w+|endommag\w+|abim\w+|ne fonctionne\w* (?:pas|plus)|mauvaise qualite|insatisf\w+|decu\w*|retard|rembours\w*|manqu\w+)", "es": r"\b(?:reclamo\w*|reclamacion|queja\w*|defectuos\w+|roto\w*|rota\w*|danad\w+|no funciona\w*|mala calidad|insatisfech\w+|decepcion\w*|retraso|reembols\w*|falta\w* (?:piezas|unidades|cajas)|llego (?:mal|rot|tarde))",
    "pt": r"\b(?:reclama\w+|queixa|defeituos\w+|defeito\w*|quebrad\w+|danificad\w+|nao funciona\w*|ma qualidade|insatisfeit\w+|atras\w+|reembols\w*|avariad\w+|falta\w* (?:pecas|unidades))", "it": r"\b(?:reclam\w+|lament\w+|difettos\w+|difett\w+|rott[oaie]|danneggiat\w+|non funzion\w+|scarsa qualita|insoddisfatt\w+|delus\w+|ritardo|rimborso|mancan\w+)",
    "ru": r"\b(?:жалоб\w*|претензи\w*|рекламаци\w*|брак\w*|бракован\w*|сломан\w*|сломал\w*|повреж\w+|не работа(?:ет|ют)|плохо\w* качеств\w*|недоволь\w+|разочарован\w*|задержк\w*|возврат\w*|недостач\w*|разбит\w*|дефект\w*)", "ar": r"شكوي|مكسور|تالف|معيب|لا (?:يعمل|تعمل)|جوده (?:سيئه|رديئه)|خيبه امل|تاخ(?:ر|ير)|استرداد|ناقص|عيب|عيوب|مستاء",
    "tr": r"\b(?:sikayet\w*|kusurlu|bozuk\w*|hasarli|kirik\w*|calismi(?:yor|yorlar)|kalitesiz|memnun (?:degil|kalmad)\w*|hayal kirikligi|gecik\w*|iade\w*|eksik\w*|arizali)", "ja": r"クレーム|不良|破損|壊れ|故障|欠陥|不具合|動(?:かない|きません|作しない|作しません)|品質が悪|遅(?:れて|延)|返金|不足|傷が|割れ|苦情", "ko": r"불만|불량|파손|고장|하자|작동(?:하지|이)? ?(?:않|안)|품질(?:이)? ?(?:나쁘|좋지)|지연|환불|누락|깨(?:진|졌|져)|클레임",
    "zh": r"投诉|投訴|抱怨|损坏|損壞|破损|破損|坏了|壞了|质量(?:问题|差|太差|不)|品質(?:問題|差)|不良|故障|退款|退货|退貨|延迟|延誤|延误|发错货|發錯貨|少(?:发|發|了)|缺(?:货|件|少)|不能用|无法使用|無法使用|不满|索赔|索賠|破裂|瑕疵|失望", "vi": r"khieu nai|bi (?:hong|vo|loi|be)|hu hong|khong hoat dong|chat luong (?:kem|te)|that vong|giao (?:hang )?(?:tre|cham|sai|thieu)|hoan tien|thieu hang|loi san pham",
}  # fmt: skip
THANKS = {
    "en": r"\b(?:thank you|thanks|many thanks|much appreciated|happy (?:holidays|new year)|merry christmas|well received|noted with thanks|received with thanks|same to you|best wishes)", "de": r"\b(?:danke|vielen dank|herzlichen dank|besten dank|frohe weihnachten|gleichfalls)", "fr": r"\b(?:merci|bonne annee|joyeux noel|bien recu|egalement)", "es": r"\b(?:gracias|feliz (?:navidad|ano)|igualmente|recibido)", "pt": r"\b(?:obrigad[oa]|agradec\w+|feliz (?:natal|ano)|recebido|igualmente)",
    "it": r"\b(?:grazie|ringrazi\w+|buon (?:natale|anno)|ricevuto|altrettanto)", "ru": r"\b(?:спасибо|благодар\w+|с (?:новым годом|рождеством)|взаимно|получил\w*)", "ar": r"شكرا|مشكور|جزيل الشكر|ممتن|كل عام", "tr": r"\b(?:tesekkur\w*|sagol\w*|sag olun|mutlu (?:yillar|noeller))", "ja": r"ありがとう|感謝|御礼|お礼", "ko": r"감사|고맙", "zh": r"谢谢|謝謝|感谢|感謝|多谢|多謝|新年快乐|新年快樂|收到了?[,，.。!！]?(?:谢谢)?$|同祝|圣诞快乐", "vi": r"cam on|tran trong cam on|da nhan duoc",
}  # fmt: skip
QUESTION = {
    "en": r"\b(?:what|which|when|where|how|why|who|can you|could you|do you|does (?:it|your)|is (?:it|there|this)|are (?:you|there|these)|would you|please (?:advise|explain|clarify|let (?:me|us) know|confirm))\b", "de": r"\b(?:was|welche\w*|wann|wo|wie|warum|wer|konnen sie|haben sie|ist (?:es|das)|gibt es|bitte teilen|liefern sie|bieten sie)\b", "fr": r"\b(?:quel\w*|quand|ou\b|comment|pourquoi|qui\b|pouvez-vous|avez-vous|est-ce|est-il|proposez-vous|livrez-vous)", "es": r"\b(?:que|cual\w*|cuando|donde|como|por que|quien|pueden|podrian|tienen|es posible|hacen)\b", "pt": r"\b(?:qual|quais|quando|onde|como|por que|quem|podem|poderiam|voces (?:tem|fazem)|e possivel|tem)\b", "it": r"\b(?:quale|quali|quando|dove|come|perche|chi|potete|avete|e possibile|fate)\b", "ru": r"\b(?:что|какой|какая|какие|каков\w*|когда|где|как\b|почему|кто|можете|можно ли|есть ли|возможно ли|подскажите|уточните)", "ar": r"ما (?:هو|هي)|متي|اين|كيف|لماذا|هل|كم", "tr": r"\b(?:ne zaman|nerede|nasil|neden|hangi|kim|mi|mu|musunuz|misiniz|var mi|mumkun mu|miyiz)\b", "ja": r"でしょうか|ですか|ますか|教えて|いつ|どの|どこ|何(?:日|を|が)", "ko": r"(?:나요|까요|습니까|ㅂ니까|니까|은가요|언제|어디|어떻게|무엇|몇)", "zh": r"吗|嗎|什么|什麼|哪|怎么|怎麼|多久|几天|幾天|是否|能否|可否|如何|多少|请问|請問|有没有|有沒有|呢", "vi": r"\b(?:khi nao|o dau|the nao|tai sao|bao lau|bao nhieu|co (?:the|phai)|khong\?|nhu the nao|gi\b)",
}  # fmt: skip


@cache
def pattern(name: str) -> re.Pattern[str]:
    """One expression for a purpose in all languages, to be searched in folded text."""
    table: dict[str, str] = globals()[name]
    return re.compile("|".join(f"(?:{one})" for one in table.values()), re.M)
