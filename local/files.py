"""Owns writing the stack's own small files: whole or not at all, and for nobody else's eyes."""

import contextlib
import os
import secrets
from pathlib import Path


def write_private(path: Path, content: str) -> None:
    """Put `content` in place of the file in one step, readable and writable by its owner only."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(content)
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def tail(path: Path, lines: int = 8) -> str:
    """Return the file's last lines, indented; a word instead when there is no such file or it is empty."""
    try:
        last = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    except OSError:
        last = []
    return "\n".join(f"    {line}" for line in last) or "    (empty)"
