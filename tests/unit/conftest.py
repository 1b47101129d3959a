"""Pure rules: no world, no clock of the machine."""

from hypothesis import settings

# A slow machine must not fail a rule.
settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
