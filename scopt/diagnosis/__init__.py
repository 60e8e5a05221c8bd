"""Why there is no design: facts, least relaxations, and the case that follows from them."""
