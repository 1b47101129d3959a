"""A tenant's runs, whatever they are for: their acts in order, how each is performed, how a run begins and ends."""
