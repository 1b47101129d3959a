"""Every night: eligibilities that Tenantry looks after are extended before they end, or recovered where they lapsed."""
