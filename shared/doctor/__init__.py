"""The doctor: what an operator runs to see whether a deployment is sound, and how the vendor answers what it leaves open."""
