"""Makes ids as MongoDB does: 24 hex digits, of which the first eight are seconds. The same words give the same id."""

import hashlib


def object_id(kind: str, number: int | str, at: int = 1_587_000_000) -> str:
    """The id of the number-th thing of a kind. `at` is when it was recorded; different kinds never share an id."""
    digest = hashlib.sha256(f"{kind}:{number}".encode()).hexdigest()
    return f"{at & 0xFFFFFFFF:08x}{digest[:16]}"


def uuid4(seed: str) -> str:
    """A version 4 UUID that follows from the seed."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
