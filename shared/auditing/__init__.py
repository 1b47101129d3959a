"""The audit trail for those who read it: the API and the verifier. What writes it is audit.py."""
