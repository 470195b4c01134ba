"""How much two names are alike, by a labelled table: one company spelt twice, or two companies."""

from __future__ import annotations

from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.audience.likeness import ABROAD, ALIKE, LIKELY, likeness, words_of
from outreach.audience.similar import similar_companies
from outreach.demo.people import WORDS

#: One company, as two people or two systems write it.
ONE = [
    ("Lichtwerk Brandt GmbH", "Lichtwerk Brand GmbH"),
    ("Lichtwerk Brandt GmbH", "LICHTWERK BRANDT"),
    ("Lichtwerk Brandt GmbH", "LichtwerkBrandt GmbH & Co. KG"),
    ("Müller & Söhne KG", "Mueller und Söhne"),
    ("Elektro Müller", "Müller Elektro GmbH"),
    ("Nordlys Armatur AS", "Nordlys Armatur Trading"),
    ("Nordlys Armatur AS", "Nordlys Armaturer AS"),
    ("Nord Wind Design", "Nordwind Design A/S"),
    ("Luzes Aurora Ltda", "Luzes Auroras"),
    ("Luminárias São Jorge Ltda.", "Luminarias Sao Jorge"),
    ("Société Dupont Éclairage", "Dupont Eclairage SARL"),
    ("Hansen Wholesale", "Hanssen Wholesale ApS"),
    ("Bright Horizon Trading LLC", "Bright Horizon General Trading"),
    ("Bright Horizons Trading LLC", "Bright Horizon Trading"),
    ("The Lamp Gallery", "Lamp Gallery Ltd"),
    ("Al Safa Lighting LLC", "Alsafa Lighting"),
    ("Kowalski Oświetlenie Sp. z o.o.", "Kowalsky Oswietlenie"),
    ("ООО Светлана Торговый Дом", "Светлана"),
    ("Yıldız Aydınlatma A.Ş.", "Yildiz Aydinlatma Sanayi ve Ticaret"),
    ("Takamura Electric K.K.", "Takamura Electric"),
    ("Van der Berg Verlichting BV", "Vander Berg Verlichting"),
    ("3M Deutschland GmbH", "3M"),
    ("深圳市明光照明有限公司", "深圳明光照明"),
    ("广州恒泰进出口贸易有限公司", "恒泰贸易"),
    ("宁波海天塑料机械有限公司", "宁波海天塑机有限公司"),
    ("Hafen Licht BV", "Hafen Lichd BV"),
    ("Brandt Beleuchtung GmbH", "Brandt Beleuchdung"),
    ("Brandt Beleuchtung GmbH", "Brandt Beleuchttung GmbH"),
    ("Dupont Éclairage SARL", "Dupont Eglairage"),
    ("Brandt Licht GmbH", "Brandt Light Ltd"),
    ("Aurora Trading", "Aurora"),
]
#: A short name, or another company of the house: asked about when somebody enters it, never proposed for merging.
UNSURE = [
    ("Siemens AG", "Siemens Energy AG"),
    ("Aurora Ltda", "Aurora Lighting Ltda"),
    ("Hafen BV", "Hafen Licht BV"),
]
#: Two companies that a hasty eye takes for one.
TWO = [
    ("Vega Nova Wholesale", "Nova Vega Wholesale"),
    ("Cobalt Solis Furniture", "Solis Alta Furniture"),
    ("Nova Vista Lighting", "Nova Vega Lighting"),
    ("Alta Prime Construction GmbH", "Alta Delta Construction GmbH"),
    ("Harbor Iris Garden", "Iris Harbor Garden"),
    ("Acme Lighting", "Acme Furniture"),
    ("Polar Harbor Furniture JSC", "Polar Harbor Construction JSC"),
    ("China Lighting Trading", "China Lighting Export"),
    ("International Trading Company", "International Traders Group"),
    ("Factory 12", "Factory 13"),
    ("Studio 7 Design", "Studio 9 Design"),
    ("First National Copper Pipe Works", "First National Steel Pipe Works"),
    ("Valta", "Volta"),
    ("Hansen Elektro", "Jansen Elektronik"),
    ("North Sea Lighting", "North Star Lighting"),
    ("Red Lion Hotels", "Red Lily Hotels"),
    ("Schmidt Leuchten", "Schulz Leuchten"),
    ("Al Noor Trading", "Al Madina Trading"),
    ("Grupo Sol Muebles", "Grupo Mar Muebles"),
    ("Van der Berg BV", "Van der Meer BV"),
    ("Pacific Import Export Ltd", "Atlantic Import Export Ltd"),
    ("General Supplies Ltd", "General Services Ltd"),
    ("Lion Foods Group", "Lion Textiles Group"),
    ("深圳市华强电子科技有限公司", "深圳市华阳电子科技有限公司"),
    ("广东美的照明有限公司", "广东欧普照明有限公司"),
    ("上海东方贸易有限公司", "上海东方机械有限公司"),
    ("Siemens Energy", "Siemens Medical"),
    ("Nord Polar", "Nord Solar"),
    ("Red Horse", "Red House"),
    ("Red Piper", "Red Paper"),
    ("Blue Powder", "Blue Power"),
    ("Blue Forks", "Blue Works"),
]


#: From so much on the page of duplicates proposes a pair.
PROPOSED = signature(similar_companies).parameters["cutoff"].default


def measured(left: str, right: str) -> float:
    return likeness(words_of(left), words_of(right))


def test_few_false_alarms_and_few_left_out() -> None:
    missed = [pair for pair in ONE if measured(*pair) < ALIKE]
    alarms = [pair for pair in TWO if measured(*pair) >= ALIKE]
    assert alarms == []
    # a word of trade that is shortened, and one that is joined to an own word
    assert len(missed) <= 2, missed
    assert all(ALIKE <= measured(*pair) < PROPOSED for pair in UNSURE)


@pytest.mark.parametrize(("left", "right"), ONE + TWO + UNSURE)
def test_the_measure_has_no_sides_and_its_quick_look_loses_nothing(left: str, right: str) -> None:
    score = measured(left, right)
    assert score == pytest.approx(measured(right, left))
    if score >= ALIKE:
        (found,) = similar_companies([(1, left), (2, right)], cutoff=ALIKE)
        assert (found.left, found.right) == (1, 2)


def test_similar_names_are_found_among_all() -> None:
    names = [(1, "Brandt Licht GmbH"), (2, "Licht Brandt"), (3, "Brant Licht"), (4, "Bolt")]
    pairs = {(pair.left, pair.right) for pair in similar_companies(names)}
    assert pairs == {(1, 2), (1, 3), (2, 3)}


def test_the_same_but_for_its_legal_form_is_the_same_abroad_too() -> None:
    assert measured("Lichtwerk Brandt GmbH", "LICHTWERK BRANDT AG") >= ABROAD
    assert measured("Lichtwerk Brandt GmbH", "Lichtwerk Brand AG") < ABROAD


def test_two_of_three_words_in_another_order_are_never_alike() -> None:
    words = WORDS.split()
    for first, second, third in zip(words, words[1:], words[2:], strict=False):
        assert measured(f"{first} {second} Furniture", f"{second} {first} Furniture") < LIKELY
        assert measured(f"{first} {second} Furniture", f"{second} {third} Furniture") < LIKELY


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_names_can_be_measured(left: str, right: str) -> None:
    assert 0 <= measured(left, right) <= 100
    if words_of(left).own:
        assert measured(left, left) == 100
