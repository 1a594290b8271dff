"""Which column of a table plays which role."""

from collections.abc import Mapping, Sequence

from hashgnn.errors import InputError

ROLES = ("user", "item", "rating", "time", "behavior")


class NameOrPosition(str):
    """A column as typed: the one of that name or, where none has it, the one at that position."""

    def resolve(self, names: Sequence[str] | None) -> str | int:
        """What it means among columns of these ``names``."""
        number = self.isascii() and self.isdecimal() and len(self) < 10
        return int(self) if number and self not in (names or ()) else str(self)


def find_columns(
    columns: Mapping[str, str | int], names: Sequence[str] | None, count: int, where: str
) -> dict[str, int]:
    """The position of each role's column in a table of ``count`` columns.

    ``columns`` maps a role to a column's name or position (from 0); ``names`` are the table's
    column names, None if it has none. ``InputError`` names the column that is not there.
    """
    found = {
        role: _find(role, columns[role], names, count, where) for role in ROLES if role in columns
    }
    if found["user"] == found["item"]:
        raise InputError(f"{where}: columns.user and columns.item are the same column")
    return found


def _find(role: str, column: str | int, names: Sequence[str] | None, count: int, where: str) -> int:
    if isinstance(column, NameOrPosition):
        column = column.resolve(names)
    if isinstance(column, int):
        if 0 <= column < count:
            return column
        raise InputError(f"{where}: no column {column} for {role}; there are 0 to {count - 1}")
    if names is None:
        raise InputError(
            f"{where}: columns.{role} is {column!r}, but with format.header false the columns "
            f"have no names: give a position, 0 to {count - 1}"
        )
    matches = [position for position, name in enumerate(names) if name == column]
    if len(matches) == 1:
        return matches[0]
    problem = "several columns" if matches else "no column"
    listed = ", ".join(repr(name) for name in names[:50])
    raise InputError(f"{where}: {problem} {column!r} for {role}; there are: {listed}")
