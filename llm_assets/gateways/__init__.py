"""The only code that touches files, the network, the clock and the ledger."""
