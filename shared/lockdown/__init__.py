"""A subscription's roles are locked down: a run makes the policies so, a night looks at what stands beside them."""
