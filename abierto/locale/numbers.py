"""Numbers as people write them: `1.5 GB` in English, `1,5 GB` in Spanish. Sizes are decimal (1 GB = 10**9 bytes)."""

from abierto import locale


def decimal(value: float, digits: int = 1) -> str:
    """A number with a fixed number of decimals."""
    shown = f"{value:,.{digits}f}"
    # Spanish: comma for decimals and a thin space for thousands (Ortografía de la lengua española, 2010).
    return shown.replace(",", "\u202f").replace(".", ",") if locale.current() == "es" else shown


def count(value: int) -> str:
    """A whole number, grouped by thousands."""
    return decimal(value, 0)


def size(byte_count: float) -> str:
    """Bytes in the unit that leaves one to three digits before the point."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(byte_count) < 999.5:
            return f"{decimal(byte_count, 0 if unit == 'B' or byte_count >= 99.95 else 1)} {unit}"
        byte_count /= 1000
    return f"{decimal(byte_count, 0 if byte_count >= 99.95 else 1)} TB"


def duration(seconds: float) -> str:
    """A time: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 9.95:
        return f"{decimal(seconds)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def rate(per_second: float, unit: str) -> str:
    """A speed: `152 token/s`, `9.4 token/s`."""
    return f"{decimal(per_second, 0 if per_second >= 99.5 else 1)} {unit}/s"
