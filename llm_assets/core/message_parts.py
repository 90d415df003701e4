"""How the texts that were sent are cut so that what many calls share is stored once."""


def split_shared(text: str, shared_texts: tuple[str, ...]) -> tuple[str, ...]:
    """Cut a message around the first place of each shared text; joined again, the pieces are the message."""
    pieces = [text]
    for shared in shared_texts:
        pieces = [part for piece in pieces for part in _cut_around(piece, shared)]
    return tuple(pieces)


def _cut_around(piece: str, shared: str) -> tuple[str, ...]:
    if not shared or piece == shared or shared not in piece:
        return (piece,)
    before, _, after = piece.partition(shared)
    return tuple(part for part in (before, shared, after) if part)
