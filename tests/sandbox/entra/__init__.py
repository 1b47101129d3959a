"""The simulated Entra: token and key endpoints, admin consent, and the managed-identity endpoint of App Service."""
