"""What is told of a file that an export was written to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenExport:
    """What went into a file."""

    n_rows: int
    n_formulas: int = 0
    """Cells that a spreadsheet would have run as a formula; each was made harmless."""
    n_cut: int = 0
    """Cells whose text was too long for the format; each ends with a mark."""
    n_replaced: int = 0
    """Cells with characters that the format cannot hold; U+FFFD stands for each."""
