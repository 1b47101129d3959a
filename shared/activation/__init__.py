"""The Virtual Machine Contributor role, activated only after who pays has agreed: plans, prices, rules, requests."""
