"""Names of IMAP folders: modified UTF-7 (RFC 3501 5.1.3) and quoting. Pure."""

from __future__ import annotations

import base64
import re

_ENCODED = re.compile(r"&([^-]*)-")


def encode(name: str) -> str:
    """Return the wire form of a folder's name, quoted."""
    out, pending = [], ""
    for char in name:
        if " " <= char <= "~":
            out.append(_flush(pending) + ("&-" if char == "&" else char))
            pending = ""
        else:
            pending += char
    wire = "".join(out) + _flush(pending)
    return '"' + wire.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _flush(pending: str) -> str:
    if not pending:
        return ""
    coded = base64.b64encode(pending.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
    return f"&{coded}-"


def decode(wire: str) -> str:
    """Return the name that people read; what is not valid stays as it is."""
    return _ENCODED.sub(_decoded, wire.strip('"'))


def _decoded(found: re.Match[str]) -> str:
    coded = found[1]
    if not coded:
        return "&"
    padded = coded.replace(",", "/") + "=" * (-len(coded) % 4)
    try:
        return base64.b64decode(padded).decode("utf-16-be")
    except ValueError:
        return found[0]
