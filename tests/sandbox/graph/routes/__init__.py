"""The wire side of each resource area: what an endpoint takes, and how its answers look."""
