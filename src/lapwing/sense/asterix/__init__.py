"""ASTERIX by tables: framing, decoder, columns, encoder. Open `decode` and `encode` first."""
