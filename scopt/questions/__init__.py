"""Questions about a design: why it is so, what else would do, and whether today's chain ties out."""
