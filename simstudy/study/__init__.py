"""The design of a study: config, scenarios, random streams, limits."""
