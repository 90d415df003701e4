"""Draws the pages of the example `scanned_pages`: run it to draw them anew.

    .venv/bin/python data/samples/scanned_pages/draw_pages.py

Each page is a grey PNG with letters that a model with eyes can read. The offline model has none: what it sees is the
text `Description` that is written into each PNG beside its pixels, and which says what was drawn.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "pages"
WIDTH, HEIGHT, MARGIN = 620, 877, 48
PAPER, INK, STAMP_INK = 250, 30, 120
LINE_CHARS = 43
"""That fit between the margins at the size of running text."""

# Each letter is seven rows of five dots, a row a number of which each bit is a dot.
_LETTERS = {
    "A": "0E 11 11 1F 11 11 11", "B": "1E 11 11 1E 11 11 1E", "C": "0E 11 10 10 10 11 0E",
    "D": "1E 11 11 11 11 11 1E", "E": "1F 10 10 1E 10 10 1F", "F": "1F 10 10 1E 10 10 10",
    "G": "0E 11 10 17 11 11 0F", "H": "11 11 11 1F 11 11 11", "I": "0E 04 04 04 04 04 0E",
    "J": "07 02 02 02 02 12 0C", "K": "11 12 14 18 14 12 11", "L": "10 10 10 10 10 10 1F",
    "M": "11 1B 15 15 11 11 11", "N": "11 19 15 15 13 11 11", "O": "0E 11 11 11 11 11 0E",
    "P": "1E 11 11 1E 10 10 10", "Q": "0E 11 11 11 15 12 0D", "R": "1E 11 11 1E 14 12 11",
    "S": "0F 10 10 0E 01 01 1E", "T": "1F 04 04 04 04 04 04", "U": "11 11 11 11 11 11 0E",
    "V": "11 11 11 11 0A 0A 04", "W": "11 11 11 15 15 1B 11", "X": "11 11 0A 04 0A 11 11",
    "Y": "11 11 0A 04 04 04 04", "Z": "1F 01 02 04 08 10 1F",
    "0": "0E 11 13 15 19 11 0E", "1": "04 0C 04 04 04 04 0E", "2": "0E 11 01 06 08 10 1F",
    "3": "1F 02 04 06 01 11 0E", "4": "02 06 0A 12 1F 02 02", "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E", "7": "1F 01 02 04 08 08 08", "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C",
    ".": "00 00 00 00 00 0C 0C", ",": "00 00 00 00 0C 04 08", ":": "00 0C 0C 00 0C 0C 00",
    "-": "00 00 00 1F 00 00 00", "/": "01 01 02 04 08 10 10", "'": "04 04 08 00 00 00 00",
    "(": "02 04 08 08 08 04 02", ")": "08 04 02 02 02 04 08", "!": "04 04 04 04 04 00 04",
    "?": "0E 11 01 02 04 00 04", "_": "00 00 00 00 00 00 1F", "+": "00 04 04 1F 04 04 00",
}  # fmt: skip
GLYPHS = {char: [int(row, 16) for row in rows.split()] for char, rows in _LETTERS.items()}

Row = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What stands on a page, from top to bottom."""

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    table: tuple[Row, ...] = ()
    stamp: str = ""
    has_blanks: bool = False

    @property
    def description(self) -> str:
        """What is to be seen, a line for each thing; of a list such as the blocks, a line for each member."""
        rows = (", ".join(filter(None, row)) for row in self.table)
        return "\n".join(
            [
                f"arrangement: {self.arrangement}",
                *(f"block: {block}" for block in self.blocks),
                f"heading: {self.title}",
                f"stamp: {self.stamp or 'none'}",
                f"text: {' / '.join([self.title, *self.paragraphs, *rows])}",
            ]
        )

    @property
    def arrangement(self) -> str:
        """What takes most of the page."""
        if self.has_blanks:
            return "blanks"
        if self.table:
            return "table"
        return "prose" if self.paragraphs else "heading_only"

    @property
    def blocks(self) -> list[str]:
        """What follows what."""
        parts = {
            "heading": True,
            "text": bool(self.paragraphs) and not self.has_blanks,
            "blanks": self.has_blanks,
            "table": bool(self.table),
            "stamp": bool(self.stamp),
        }
        return [block for block, is_there in parts.items() if is_there]


@dataclass
class Canvas:
    """A sheet of grey dots."""

    rows: list[bytearray] = field(
        default_factory=lambda: [bytearray([PAPER]) * WIDTH for _ in range(HEIGHT)]
    )

    def fill(self, x: int, y: int, width: int, height: int, *, ink: int = INK) -> None:
        """A filled rectangle."""
        for row in self.rows[y : y + height]:
            row[x : x + width] = bytes([ink]) * len(row[x : x + width])

    def frame(self, x: int, y: int, width: int, height: int, *, line: int, ink: int = INK) -> None:
        """The outline of a rectangle."""
        self.fill(x, y, width, line, ink=ink)
        self.fill(x, y + height - line, width, line, ink=ink)
        self.fill(x, y, line, height, ink=ink)
        self.fill(x + width - line, y, line, height, ink=ink)

    def write(self, x: int, y: int, text: str, *, dot: int = 2, ink: int = INK) -> None:
        """A line of capitals whose dots are that wide."""
        for place, char in enumerate(text.upper()):
            for down, bits in enumerate(GLYPHS.get(char, [0] * 7)):
                for across in range(5):
                    if bits >> (4 - across) & 1:
                        left = x + (6 * place + across) * dot
                        self.fill(left, y + down * dot, dot, dot, ink=ink)


def draw_page(page: Page) -> bytes:
    """The page as a PNG."""
    canvas = Canvas()
    canvas.write(MARGIN, MARGIN, page.title, dot=3)
    canvas.fill(MARGIN, MARGIN + 30, WIDTH - 2 * MARGIN, 2)
    y = MARGIN + 60
    for paragraph in page.paragraphs:
        for line in cut_lines(paragraph):
            canvas.write(MARGIN, y, line)
            y += 22
        y += 16
    if page.table:
        y = _draw_table(canvas, page.table, y) + 30
    if page.stamp:
        width = 6 * 4 * len(page.stamp) + 36
        top = min(y + 20, HEIGHT - 100)
        canvas.frame(WIDTH - MARGIN - width, top, width, 64, line=4, ink=STAMP_INK)
        canvas.write(WIDTH - MARGIN - width + 20, top + 18, page.stamp, dot=4, ink=STAMP_INK)
    return build_png(canvas.rows, description=page.description)


def cut_lines(text: str) -> Iterator[str]:
    """The words in lines that fit on the page."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > LINE_CHARS:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


def build_png(rows: Sequence[bytes | bytearray], *, description: str) -> bytes:
    """Grey dots as a PNG that says in words what they show."""
    width, height = len(rows[0]), len(rows)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    dots = b"".join(b"\x00" + bytes(row) for row in rows)
    chunks = (
        (b"IHDR", header),
        (b"tEXt", b"Description\x00" + description.encode("latin-1")),
        (b"IDAT", zlib.compress(dots, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_build_chunk(kind, body) for kind, body in chunks)


def _build_chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + check.to_bytes(4, "big")


def _draw_table(canvas: Canvas, table: Sequence[Row], y: int) -> int:
    """A ruled table; returns where it ends."""
    width = (WIDTH - 2 * MARGIN) // len(table[0])
    for row in table:
        for place, cell in enumerate(row):
            canvas.frame(MARGIN + place * width, y, width + 1, 34, line=1)
            canvas.write(MARGIN + place * width + 8, y + 10, cell)
        y += 33
    return y


def _name_total(rows: Sequence[Row]) -> Row:
    total = sum(float(row[-1]) for row in rows)
    return ("Total", *[""] * (len(rows[0]) - 2), f"{total:.2f}")


def _build_invoice(number: int, sender: str, rows: tuple[Row, ...], *, stamp: str = "") -> Page:
    return Page(
        name=f"invoice-{number}",
        title=f"Invoice {number}",
        paragraphs=(f"{sender}. Please pay this invoice within 30 days.",),
        table=(("Item", "Pieces", "Price"), *rows, _name_total(rows)),
        stamp=stamp,
    )


def _build_delivery(number: int, text: str, rows: tuple[Row, ...], *, stamp: str = "") -> Page:
    return Page(
        name=f"delivery-{number}",
        title=f"Delivery note {number}",
        paragraphs=(text,),
        table=(("Item", "Pieces"), *rows),
        stamp=stamp,
    )


def _build_receipt(number: int, shop: str, rows: tuple[Row, ...], *, stamp: str = "") -> Page:
    return Page(
        name=f"receipt-{number}",
        title=f"Receipt {number}",
        paragraphs=(f"{shop}. Thank you for your visit.",),
        table=(("Article", "Price"), *rows, _name_total(rows)),
        stamp=stamp,
    )


PAGES = (
    _build_invoice(2041, "Harbour Tools Ltd", (("Belt sander", "1", "149.00"), ("Sheets", "50", "22.50"))),
    _build_invoice(2042, "Harbour Tools Ltd", (("Drill bits", "12", "36.00"),), stamp="Paid"),
    _build_invoice(317, "Lumen Electric", (("Cable 3 x 1.5", "100", "84.00"), ("Sockets", "8", "31.20")), stamp="Paid"),
    _build_invoice(318, "Lumen Electric", (("Site visit", "1", "95.00"),)),
    _build_invoice(77, "Quill and Daughters", (("Letterheads", "500", "112.00"), ("Envelopes", "500", "64.00")), stamp="Copy"),
    _build_invoice(78, "Quill and Daughters", (("Business cards", "200", "48.00"),), stamp="Overdue"),
    _build_delivery(881, "Delivered by van on 4 March to gate 2.", (("Oak planks", "40"), ("Brackets", "160")), stamp="Checked"),
    _build_delivery(882, "Delivered by van on 5 March. One box is damaged at a corner.", (("Glass panes", "12"),), stamp="Checked"),
    _build_delivery(1204, "Parcel 2 of 3. The rest follows next week.", (("Paint, white", "6"), ("Rollers", "4"))),
    _build_delivery(1205, "Parcel 3 of 3. This completes the order.", (("Paint, blue", "2"),), stamp="Checked"),
    _build_delivery(56, "Left with the neighbour at number 9.", (("Standing lamp", "1"),)),
    _build_receipt(9310, "Corner Cafe", (("Coffee", "2.80"), ("Cake", "3.60"))),
    _build_receipt(9311, "Corner Cafe", (("Lunch menu", "11.50"), ("Water", "2.20")), stamp="Copy"),
    _build_receipt(410, "City Parking", (("Three hours", "6.00"),)),
    _build_receipt(411, "City Parking", (("Day ticket", "14.00"),), stamp="Paid"),
    _build_receipt(5, "Museum shop", (("Poster", "12.00"), ("Cards", "4.50"), ("Book", "29.00"))),
    Page(
        name="letter-lease",
        title="Letter about the lease",
        paragraphs=(
            "Dear Ms Arden, the lease of the workshop ends on 30 June.",
            "We would like to go on for two years at the same rent. Please write to us by the end of April.",
            "Yours sincerely, the owners of Mill Lane 4",
        ),
    ),
    Page(
        name="letter-complaint",
        title="Letter of complaint",
        paragraphs=(
            "Dear Sirs, the sander that you sold us has stopped after nine days.",
            "We ask you to repair it or to send another one, and to tell us when we can expect it.",
        ),
        stamp="Filed",
    ),
    Page(
        name="letter-thanks",
        title="Letter of thanks",
        paragraphs=(
            "Dear all, the open day went well, and that is your work.",
            "More than 300 people came. With thanks, the board",
        ),
    ),
    Page(
        name="letter-insurance",
        title="Letter from the insurance",
        paragraphs=(
            "Dear Ms Arden, we have read your claim about the water in the store room.",
            "We pay the drying and the new floor. For the machines we need the receipts.",
        ),
        stamp="Filed",
    ),
    Page(
        name="letter-offer",
        title="Letter with an offer",
        paragraphs=(
            "Dear Ms Arden, thank you for asking. We can build the shelves in May.",
            "The price is in the table and holds until the end of the month.",
        ),
        table=(("Part", "Price"), ("Shelves", "1480.00"), ("Assembly", "260.00")),
    ),
    Page(
        name="form-leave",
        title="Form: request for leave",
        has_blanks=True,
        paragraphs=("Name: _______________", "From: ________ To: ________", "Signature: ____________"),
    ),
    Page(
        name="form-accident",
        title="Form: report of an accident",
        has_blanks=True,
        paragraphs=("Name: T. Okafor", "What happened: slipped on the wet stairs, left wrist hurt.", "Signature: T. Okafor"),
        stamp="Filed",
    ),
    Page(
        name="form-key",
        title="Form: a key was handed out",
        has_blanks=True,
        paragraphs=("Name: I. Petrov", "Key: store room, number 14", "Signature: ____________"),
    ),
    Page(
        name="form-order",
        title="Form: order of supplies",
        has_blanks=True,
        paragraphs=("Ordered by: workshop 2. Needed by: 12 April.",),
        table=(("Item", "Pieces"), ("Gloves", "30"), ("Masks", "60")),
        stamp="Urgent",
    ),
    Page(
        name="notice-water",
        title="Notice: no water on Friday",
        paragraphs=("On Friday from 8 to 12 the water is shut off in the whole house.", "Please fill a bucket in time."),
    ),
    Page(
        name="notice-alarm",
        title="Notice: test of the alarm",
        paragraphs=("The fire alarm is tested on Monday at 10. Please stay at your place: it is a test.",),
        stamp="Urgent",
    ),
    Page(
        name="notice-hours",
        title="Notice: hours in summer",
        paragraphs=("From July to August the office is open as follows.",),
        table=(("Day", "Open"), ("Mon - Thu", "8 - 16"), ("Fri", "8 - 12")),
    ),
    Page(
        name="notice-bicycles",
        title="Notice: bicycles in the yard",
        paragraphs=("Bicycles without a name are taken away on 1 June. Put a label on yours.",),
    ),
    Page(name="blank", title="Page left blank"),
)  # fmt: skip


def main() -> None:
    """Draw all pages."""
    FOLDER.mkdir(exist_ok=True)
    for page in PAGES:
        (FOLDER / f"{page.name}.png").write_bytes(draw_page(page))
    print(f"{len(PAGES)} pages drawn into {FOLDER}")


if __name__ == "__main__":
    main()
