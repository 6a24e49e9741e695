"""Pictures of the screen, one after the other, and the files they are kept in. Knows nothing of tapes and engines."""
