"""One short file a network: its options, and the function that builds it."""
