"""The append-only record of every call that was sent: what was asked, what came back, what it cost."""
