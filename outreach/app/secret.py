"""The installation's own secret: keys of addresses, tokens and sessions come from it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from outreach.config import ConfigError

LENGTH = 32


def installation_secret(folder: Path) -> bytes:
    """Return the secret in ``folder/secret.key`` (mode 0600), made at the first call.

    Losing it makes every unsubscribe link that was ever sent unreadable and every erased person unknown again, so the
    backup takes it along. Raises ConfigError when it is damaged or others can read it.
    """
    path = folder / "secret.key"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(f"{path} can be read by others: run  chmod 600 {path}")
    value = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(value) != LENGTH:
        raise ConfigError(f"{path} is damaged: restore it from the backup")
    return value


def _create(path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(LENGTH))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # fails if another process was first: then its secret counts
    except FileExistsError:
        pass
    finally:
        partial.unlink()
