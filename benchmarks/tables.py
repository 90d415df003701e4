"""Which made-up tables the stages are measured on."""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random

GROUP_SIZE = 10
"""Rows that share a customer; they follow one another."""
COLUMNS = ("reference", "customer", "product", "subject", "message")
SEED = 20_260_101
MESSAGE_WORDS = (40, 64)
"""Drawn evenly from here, a row has about 400 characters."""

_PRODUCTS = (
    "Radiator valve V2",
    "Wall thermostat",
    "Window sensor",
    "Hub with antenna",
    "Boiler relay",
    "Floor heating set",
    "N/A",
)
_TEXT = (
    "the valve app hub boiler room heating thermostat battery window sensor update since yesterday "
    "morning evening winter again never always works stopped lost shows wrong temperature degrees "
    "cold warm kitchen bedroom living please refund replace order parcel invoice arrived damaged "
    "missing screw adapter manual password account reset login phone tablet network router signal "
    "weak strong after before restart installed plumber neighbour landlord family child urgent "
    "waiting answer support called twice nobody price voucher discount subscription cancel renew "
    "schedule holiday mode clicks noise leaks water smell smoke display blank red green light "
    "and but because while with without from into over under every second third week month I we "
    "you it is was has had does not can could should would like think believe know ask thank"
)
_WORDS = _TEXT.split()


def write_table(path: Path, n_rows: int) -> None:
    """Write a csv file; the same `n_rows` give the same bytes, and a longer table begins with a shorter one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(draw_rows(n_rows))


def draw_rows(n_rows: int) -> Iterator[tuple[str, ...]]:
    """The rows of a table, cell by cell in the order of `COLUMNS`."""
    random = Random(SEED)
    for number in range(n_rows):
        customer = f"Customer {number // GROUP_SIZE:06d}"
        product = random.choice(_PRODUCTS)
        subject = " ".join(random.choices(_WORDS, k=6)).capitalize()
        message = _draw_message(random)
        yield f"R-{number:07d}", customer, product, subject, message


def _draw_message(random: Random) -> str:
    """Sentences, and now and then a line break or blanks at the end, as tables from forms have them."""
    words = random.choices(_WORDS, k=random.randint(*MESSAGE_WORDS))
    sentences = [
        " ".join(words[start : start + 9]).capitalize() for start in range(0, len(words), 9)
    ]
    separator = ".\n" if random.random() < 0.1 else ". "
    return f"{separator.join(sentences)}.{'  ' if random.random() < 0.1 else ''}"
