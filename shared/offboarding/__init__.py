"""A tenant is let go: its analysts leave, what the onboarding made goes, and what was there before is put back."""
