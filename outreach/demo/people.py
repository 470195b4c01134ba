"""Two thousand made-up business people in sixty countries, as a CSV that an export company might have. Pure."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, timedelta

#: ISO code, what a company is called there, first names, last names, cities.
COUNTRIES: dict[str, tuple[str, str, str, str]] = {
    "DE": ("GmbH", "Katrin Jonas Anke Lukas", "Vogel Brandt Seidel Krüger", "Hamburg München Köln"),
    "FR": ("SARL", "Claire Thibault Amélie Hugo", "Delmas Moreau Girard Petit", "Lyon Lille Nantes"),
    "IT": ("Srl", "Giulia Marco Elena Paolo", "Marchetti Rinaldi Fontana Gallo", "Milano Verona Torino"),
    "ES": ("S.L.", "Lucía Javier Marta Pablo", "Ortega Navarro Vidal Ramos", "Valencia Bilbao Sevilla"),
    "PL": ("Sp. z o.o.", "Marta Piotr Anna Tomasz", "Zielonka Nowak Mazur Król", "Łódź Gdańsk Kraków"),
    "NL": ("BV", "Joost Sanne Pieter Femke", "Hafkamp Visser Bakker Smit", "Rotterdam Utrecht Delft"),
    "SE": ("AB", "Astrid Erik Linnea Oskar", "Lindqvist Berg Sandell Holm", "Göteborg Malmö Uppsala"),
    "TR": ("A.Ş.", "Deniz Elif Murat Zeynep", "Aksoy Demir Kaya Yıldız", "Bursa İzmir Ankara"),
    "GB": ("Ltd", "Oliver Emma Harry Amelia", "Barlow Hughes Carter Wood", "Leeds Bristol Hull"),
    "PT": ("Lda", "Inês Tiago Rita Nuno", "Carvalho Matos Teixeira Pires", "Porto Braga Aveiro"),
    "US": ("Inc.", "Grace Daniel Hannah Logan", "Whitfield Brooks Mercer Hale", "Denver Austin Tampa"),
    "CA": ("Inc.", "Noah Charlotte Liam Chloe", "Fraser Tremblay Gagnon Reid", "Calgary Halifax Laval"),
    "MX": ("S.A. de C.V.", "Ximena Diego Sofía Luis", "Cárdenas Reyes Salinas Mora", "Monterrey Puebla León"),
    "BR": ("Ltda", "Camila Rafael Beatriz Thiago", "Almeida Barbosa Rocha Nunes", "Curitiba Recife Campinas"),
    "CL": ("SpA", "Catalina Matías Antonia Felipe", "Fuentes Araya Rojas Soto", "Santiago Temuco Arica"),
    "AE": ("LLC", "Omar Layla Yusuf Noor", "Haddad Nasser Farouk Saleh", "Dubai Sharjah Ajman"),
    "SA": ("Est.", "Khalid Reem Fahad Huda", "Otaibi Harbi Qahtani Zahrani", "Riyadh Jeddah Dammam"),
    "EG": ("S.A.E.", "Mona Tarek Salma Karim", "Hassan Mansour Fathy Amin", "Cairo Giza Suez"),
    "IN": ("Pvt Ltd", "Priya Arjun Kavya Rohan", "Menon Iyer Kulkarni Bose", "Pune Surat Kochi"),
    "JP": ("株式会社", "Yui Haruto Sakura Ren", "Tanabe Morita Ishii Okada", "Osaka Nagoya Sendai"),
    "KR": ("Co., Ltd.", "Minji Jihoon Soyeon Hyun", "Kang Yoon Lim Seo", "Busan Incheon Daegu"),
    "VN": ("JSC", "Linh Minh Thảo Quân", "Trần Phạm Bùi Đặng", "Hà Nội Đà Nẵng Huế"),
    "AU": ("Pty Ltd", "Ruby Jack Isla Finn", "Harper Doyle Nolan Ryder", "Perth Geelong Cairns"),
    "NG": ("Ltd", "Chioma Emeka Amina Tunde", "Okafor Bello Adeyemi Eze", "Lagos Abuja Kano"),
    "ZA": ("(Pty) Ltd", "Thandi Pieter Lerato Sipho", "Dlamini Botha Nkosi Naidoo", "Durban Gqeberha Paarl"),
    "RU": ("ООО", "Ольга Иван Мария Сергей", "Соколова Волков Орлов Белов", "Казань Самара Пермь"),
}
#: Countries whose firms carry English names in the sample.
MORE = [
    "AT",
    "BE",
    "CH",
    "CZ",
    "DK",
    "FI",
    "GR",
    "HU",
    "IE",
    "NO",
    "RO",
    "BG",
    "HR",
    "SK",
    "SI",
    "LT",
    "LV",
    "EE",
    "AR",
    "PE",
    "CO",
    "UY",
    "EC",
    "PA",
    "QA",
    "KW",
    "OM",
    "JO",
    "MA",
    "TN",
    "KE",
    "GH",
    "ET",
    "TH",
    "MY",
    "ID",
    "PH",
    "PK",
    "BD",
    "LK",
    "NZ",
    "FJ",
    "KZ",
    "UZ",
    "GE",
]
GENERIC = ("Ltd", "Ama Kwame Nadia Victor", "Boateng Iliev Novak Suarez", "Central Harbour North")

#: So many that two firms of one name are rare, as in life.
WORDS = (
    "Lumen Bright Nova Vista Alta Prime Orbit Delta Terra Polar Amber Cobalt Summit Harbor Beacon Solis Vega Iris "
    "Alder Anchor Arbor Argo Atlas Aurora Avalon Birch Borealis Bridge Canopy Cedar Cirrus Citadel Clover Compass Coral "
    "Crest Cypress Dorado Dune Echo Ember Falcon Fjord Forge Garnet Glacier Granite Grove Halcyon Hazel Helios Heron "
    "Horizon Indigo Ivory Jade Juniper Kestrel Keystone Lagoon Larch Linden Lotus Lynx Magnolia Marina Meadow Meridian "
    "Mistral Monarch Nimbus Oasis Onyx Opal Osprey Pavilion Pearl Phoenix Pinnacle Quartz Raven Ridge Saffron Sapphire "
    "Sequoia Sierra Tamarind Tempest Thistle Topaz Trident Tundra Umbra Valley Velvet Willow Zenith Zephyr"
)
TRADES = ("lighting", "signage", "furniture", "retail", "hotels", "construction", "wholesale", "garden")
TAGS = ("Canton Fair 2025", "Light+Building", "distributor", "importer", "vip", "competitor")
SOURCES = ("exhibition", "Alibaba", "website", "Global Sources", "crm")


def people(count: int = 2000, *, today: date, seed: int = 20) -> Iterator[dict[str, str]]:
    """Yield rows of contacts; the same for the same seed. A few are wrong, doubled or have no country, as in life."""
    chance = random.Random(seed)
    codes = [*COUNTRIES, *MORE]
    weights = [6] * len(COUNTRIES) + [2] * len(MORE)
    for number in range(count):
        code = chance.choices(codes, weights)[0]
        yield _person(number, code, chance, today)


def _person(number: int, code: str, chance: random.Random, today: date) -> dict[str, str]:
    form, firsts, lasts, cities = COUNTRIES.get(code, GENERIC)
    first, last = chance.choice(firsts.split()), chance.choice(lasts.split())
    trade = chance.choice(TRADES)
    firm = f"{chance.choice(WORDS.split())} {chance.choice(WORDS.split())} {trade.title()} {form}"
    domain = f"{firm.split()[0]}-{firm.split()[1]}-{number // 3}.example".lower()
    ordered = today - timedelta(days=chance.randrange(20, 900)) if chance.random() < 0.35 else None
    return {
        "email": f"p{number}@{domain}" if number % 400 else "not-an-address",
        "first_name": first,
        "last_name": last,
        "company": firm,
        "country": code,
        "city": chance.choice(cities.split()),
        "industry": trade,
        "tags": ";".join(chance.sample(TAGS[:5], chance.randrange(0, 3)) + ([TAGS[5]] if number % 97 == 0 else [])),
        "interests": ";".join(chance.sample(["outdoor", "indoor", "LED strips", "smart", "OEM"], 2)),
        "grade": chance.choice("ABBCCCD"),
        "source": chance.choice(SOURCES),
        "basis": chance.choices(("customer", "consent", "inquiry", "public-business"), (3, 3, 4, 2))[0],
        "basis_date": (today - timedelta(days=chance.randrange(10, 700))).isoformat(),
        "last_order": ordered.isoformat() if ordered else "",
        "orders_total": str(chance.randrange(2_000, 90_000)) if ordered else "",
        "owner": chance.choice(("zhou.yang", "sun.qian", "wu.hao")),
    }


def as_csv(rows: Iterator[dict[str, str]]) -> str:
    """The rows as CSV with a byte order mark, as Excel writes it."""
    first = next(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(first))
    writer.writeheader()
    writer.writerow(first)
    writer.writerows(rows)
    return "\ufeff" + out.getvalue()


def number_of(address: str) -> int:
    """Which person an address of the sample belongs to; -1 for any other."""
    local = address.partition("@")[0]
    return int(local[1:]) if local[:1] == "p" and local[1:].isdecimal() else -1
