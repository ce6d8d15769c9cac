"""Which two of a data set's languages are translated, and in which direction."""

from collections.abc import Sequence

from recipes.data.naming import unknown
from zoo.errors import InputError


def choose(
    where: str, known: Sequence[str], source: str, target: str, usual: Sequence[str] = ()
) -> tuple[str, str]:
    """Checks the two chosen languages, and fills in those that are `""`.

    If one alone is given and there are two `known` ones, the other one is meant; `usual` is what is
    translated if neither is given, and empty if that must be chosen.

    Raises:
        InputError: A language is unknown or not chosen, or both are the same.

    Example:
        >>> choose("data", ["de", "en"], "", "de")
        ('en', 'de')
    """
    languages = {"source": source, "target": target}
    for role, language in languages.items():
        if language and language not in known:
            problem = unknown("language", language, known)
            raise InputError(f"{where}: {problem}: choose the {role}'s with --{role}")
    if source and source == target:
        raise InputError(
            f"{where}: source and target are both {source!r}, expected two languages: choose "
            f"another with --source or --target"
        )
    others = [language for language in known if language not in (source, target)]
    missing = [role for role, language in languages.items() if not language]
    if len(missing) == 1 and len(others) == 1:
        return source or others[0], target or others[0]
    if len(missing) == 2 and usual:
        return usual[0], usual[1]
    if missing:
        raise InputError(
            f"{where}: no {' and no '.join(missing)} language given, expected one of "
            f"{', '.join(known) or 'none'}: choose with --{' and --'.join(missing)}"
        )
    return source, target
