"""The demo: Fabrikam becomes a target tenant of Contoso, by the same HTTP calls and clicks as in real life."""
