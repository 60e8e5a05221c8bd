"""The solution method: sifting, branching, improvement, and the hand-over to HiGHS."""
