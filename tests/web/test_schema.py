"""The API against its own description (schemathesis): whatever is sent, nothing answers 5xx; single calls and chains."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from outreach.access.roles import OPERATOR, Permission
from outreach.db.session import Database
from tests.web.conftest import seeded as seeded
from tests.web.house import House

#: Calls a route and steps a chain: enough to meet every route with good and bad values in some ten seconds.
EXAMPLES, CHAINS, STEPS = 12, 25, 10
BOUNDED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

#: Seconds for an answer. The library would give up after 10, which other processes can take up on a busy machine.
PATIENCE = 120


async def _token(house: House) -> str:
    row = await house.outreach.access.user("sun.qian")
    assert row is not None
    login = house.web.state.login
    return str(await login.add_token(row.id, "schema", list(Permission), actor=OPERATOR, now=house.now))


@pytest.fixture(scope="module")
def api(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    """The description of a running service, and the headers of a manager's token."""
    path = tmp_path_factory.mktemp("schema") / "house.db"
    shutil.copy(seeded, path)
    house = House(Database(f"sqlite:///{path}"))

    async def prepare() -> str:
        token = await _token(house)
        await house.db.close()
        return token

    with ThreadPoolExecutor(1) as pool:
        token = pool.submit(asyncio.run, prepare()).result()
    with house.served() as base:
        yield schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json"), {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def schema(api: tuple[Any, dict[str, str]]) -> Any:
    return api[0]


def operations(schema: Any) -> list[Any]:
    """Every method and path of the description."""
    return [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]


def tried(operation: Any, limits: settings, check: Callable[[Any], None]) -> None:
    """Call one operation with made-up values, good and bad ones."""

    @limits
    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def run(case: Any) -> None:
        check(case)

    run()


def test_no_call_is_answered_5xx(schema: Any, api: tuple[Any, dict[str, str]]) -> None:
    found = operations(schema)
    assert len(found) >= 20

    def check(case: Any) -> None:
        case.call_and_validate(headers=api[1], timeout=PATIENCE, checks=[not_a_server_error])

    for operation in found:
        tried(operation, BOUNDED, check)


def test_without_a_token_nothing_is_told_or_done(schema: Any) -> None:
    def check(case: Any) -> None:
        answer = case.call(timeout=PATIENCE)
        assert answer.status_code < 500, case.path
        if not case.path.endswith("/conversions"):  # the signed click is its proof
            assert answer.status_code in (400, 401, 405, 415, 422), (case.path, answer.text)

    for operation in operations(schema):
        tried(operation, settings(BOUNDED, max_examples=3), check)


def test_no_chain_of_calls_ends_in_5xx(api: tuple[Any, dict[str, str]]) -> None:
    schema, headers = api
    base: Any = schema.as_state_machine()
    linked = Counter[str]()

    class Chain(base):  # type: ignore[misc]
        """Calls that use each other's answers."""

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers, "timeout": PATIENCE}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=[not_a_server_error])

        def step(self, input: Any) -> Any:
            """Count the calls that were made of an earlier answer's values, and succeeded."""
            output = super().step(input)
            if output is not None and input.transition is not None and output.response.status_code < 300:
                linked[f"{output.case.method} {output.case.path}"] += 1
            return output

    Chain.run(settings=settings(BOUNDED, max_examples=CHAINS, stateful_step_count=STEPS))
    assert sum(linked.values()) >= 10, f"answers lead to further calls: {linked}"
    assert len(linked) >= 3, linked
