"""Lists as people send them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from openpyxl import Workbook

HEADER = "email,first_name,last_name,company,country,city,industry,tags,source,basis,basis_date,owner,last_order,orders_total,note,Booth No"
ROWS = [
    'anna@acme.example,Anna,Adler,Acme GmbH,Germany,Berlin,Lighting,led;fair,Light+Building,consent,2026-03-01,li.na,2026-06-01,"1,200.50","met at the booth\nwants 3000 K",B 7',
    "bo@mail.acme.example,Bo,,ACME,德国,,,,,,,,,,,",
    "cy@gmail.com;cy@cy.example,Cy,,,USA,Denver,signage,,Alibaba,,,,,,,",
    "not an address,Dora,,,,,,,,,,,,,,",
    "anna@acme.example,Anne,,Acme,,München,,vip,,,,,,,,",
    ",Empty,,,,,,,,,,,,,,",
    "guess@acme.example,G,,,,,,,guessed,,,,,,,",
    "eva@bolt.example,Eva,,Bolt,Atlantis,,,,,,,nobody,31.12.2026,lots,,",
]


def write_csv(path: Path, rows: list[str] = ROWS, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path.write_bytes(("\r\n".join([header, *rows]) + "\r\n").encode(encoding))
    return path


def write_xlsx(path: Path, rows: list[list[object]]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


CHINESE = [
    ["公司名称", "联系人", "电子邮箱", "国家", "标签", "最近下单", "客户等级"],
    ["明序照明", "欧阳娜", "Ｎa@mingxu.example", "阿联酋", "展会；重点", date(2026, 5, 6), "A级"],
]
