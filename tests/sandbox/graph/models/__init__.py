"""State of the simulated tenants and the rules that the services keep; nothing here knows HTTP."""
