"""The one rule by which numbers are rounded."""

from decimal import ROUND_HALF_UP, Decimal


def round_half_away(value: float, decimals: int = 0) -> Decimal:
    """Return `value` with so many decimals, halves rounded away from zero; not to even.

    A value that binary arithmetic left a hair beside a half counts as the half.
    """
    step = Decimal(1).scaleb(-decimals)
    return Decimal(f"{value:.12g}").quantize(step, rounding=ROUND_HALF_UP)
