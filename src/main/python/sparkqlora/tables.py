"""Tables for notebooks and terminals."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, repr=False)
class Table:
    """A table: HTML in a notebook, columns of text elsewhere; what follows the first column stands right."""

    header: Sequence[str]
    rows: Sequence[Sequence[object]]

    def _repr_html_(self) -> str:
        lines = [self._line("th", self.header)] + [self._line("td", row) for row in self.rows]
        return "<table>" + "".join(lines) + "</table>"

    def __repr__(self) -> str:
        texts = [[str(cell) for cell in row] for row in [self.header, *self.rows]]
        widths = [max(len(cell) for cell in column) for column in zip(*texts)]
        return "\n".join(
            "  ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])
            for row in texts
        )

    @staticmethod
    def _line(tag: str, cells: Sequence[object]) -> str:
        written = (
            f'<{tag} style="text-align:{"right" if place else "left"}">{escape(str(cell))}</{tag}>'
            for place, cell in enumerate(cells)
        )
        return "<tr>" + "".join(written) + "</tr>"


def megabytes(count: float) -> str:
    """Write a number of bytes in MB."""
    return f"{count / 1e6:,.0f} MB"
