"""Action plans, reporting rounds and progress."""
