"""Labels and tags as files have them -> as they are compared everywhere."""

import unicodedata

_MARK = "\ufeff"  # a byte order mark that was copied into the middle of a file


def clean(label: str) -> str:
    """Gives a label the one spelling by which labels are compared.

    In Unicode's normal form C, as texts are, and without the blanks and byte order marks around
    it: macOS writes file names in form D, so that "Français" is spelled in two ways that look the
    same.

    Example:
        >>> clean(" Franc\u0327ais\ufeff") == "Fran\u00e7ais"
        True
    """
    return unicodedata.normalize("NFC", label.strip().strip(_MARK).strip())
