"""Plan, simulate, execute and store."""
