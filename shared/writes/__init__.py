"""The privileged writes on a tenant, by kind: how to read the thing, when it is as wanted, how to send the difference."""
