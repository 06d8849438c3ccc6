"""Are two lot numbers the same? People write them with and without spaces, hyphens and capitals."""


def plain_lot(lot_number: str) -> str:
    """A lot number as it is compared: letters and digits only, in small letters."""
    return "".join(sign for sign in lot_number.casefold() if sign.isalnum())
