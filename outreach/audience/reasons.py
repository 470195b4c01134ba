"""Why a row is refused or a value left out: code → (English, Chinese). The rejects file and the pages say it alike."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "no_address": ("the e-mail address is missing", "没有邮箱地址"),
    "no_at": ("no @ in the address", "地址里没有 @"),
    "two_at": (
        "more than one @ in the address; write several addresses with ; between them",
        "地址里有多个 @；多个地址请用 ; 分隔",
    ),
    "space": ("a space inside the address", "地址中间有空格"),
    "bad_local": ("what stands before the @ is not allowed", "@ 前面的部分不合规则"),
    "bad_domain": ("what stands behind the @ is no domain", "@ 后面不是有效域名"),
    "bad_syntax": ("this is not an e-mail address", "不是有效的邮箱地址"),
    "too_long": (
        "longer than an address may be (64 before the @, 254 in all)",
        "地址过长（@ 前最多 64 个字符，总共 254 个）",
    ),
    "special_domain": (
        "this domain never receives mail (test, local, invalid …)",
        "该域名不会收信（test、local、invalid 等）",
    ),
    "non_ascii_local": (
        "letters beyond ASCII before the @: mail to such addresses is not supported",
        "@ 前含非 ASCII 字符：不支持向这类地址发信",
    ),
    "no_source": (
        "no source: say where the address comes from (a column “source”, or --source)",
        "没有来源：请注明地址从哪里来（“来源”列或 --source）",
    ),
    "harvested": (
        "harvested addresses are not imported: nobody agreed to mail",
        "采集来的地址不导入：对方没有同意收信",
    ),
    "guessed": ("guessed addresses are not imported: nobody gave them to us", "猜测的地址不导入：不是对方提供的"),
    "known_bad": ("the file itself says that this address is invalid", "文件已注明该地址无效"),
    "erased": (
        "this person asked to be erased and is not imported again",
        "此人要求删除资料，不再导入",
    ),
    "bad_basis": (
        "unknown legal basis; there are consent, customer, inquiry, public-business, none",
        "未知的发信依据；可用：consent、customer、inquiry、public-business、none",
    ),
    "unclosed_quote": ("a quotation mark in this line is never closed", "这一行有引号没有配对"),
    "no_name": ("a customer needs a name", "客户必须有名称"),
    "address_taken": (
        "another contact has this address: an address belongs to one person",
        "另一位联系人已有该地址：一个地址只属于一个人",
    ),
    "address_in_use": (
        "mail to this address is under way: let the campaign finish or cancel it; to stop mail at once, put the "
        "address on the suppression list",
        "正有邮件要发往该地址：请等营销活动结束或取消它；要立即停发，请把地址加入禁发名单",
    ),
    # left out, the row is kept
    "unknown_country": ("no country of this name; left empty", "没有这个国家，已留空"),
    "unknown_region": ("no region of this name; left empty", "没有这个地区，已留空"),
    "unknown_language": ("no language of this name; left empty", "没有这种语言，已留空"),
    "unknown_grade": ("grades are A, B, C, D; left empty", "等级只有 A、B、C、D，已留空"),
    "bad_date": (
        "not a date, or day and month cannot be told apart; write 2026-12-31",
        "不是日期，或无法区分日和月；请写 2026-12-31",
    ),
    "bad_number": ("not a number; left empty", "不是数字，已留空"),
    "unknown_owner": ("no member of staff of this name; left without owner", "没有这位员工，未分配负责人"),
    "owner_kept": (
        "the customer has another owner already, who keeps it",
        "该客户已有其他负责人，保持不变",
    ),
}


def reason(code: str, language: str = "en") -> str:
    """Return a reason in "en" or "zh"."""
    english, chinese = REASONS[code]
    return chinese if language.startswith("zh") else english
